"""The samples as Markdown: one table for each series."""

from collections.abc import Sequence

from tests.benchmarks.scaling.measure import Sample
from tests.benchmarks.scaling.series import SERIES, Series
from tests.benchmarks.table import Grid, markdown, spread

__all__ = ["report", "series_table"]


def report(samples: Sequence[Sample]) -> str:
    """All of the tables; what has no samples is not there."""
    found = [(series, [one for one in samples if one.series == series.name]) for series in SERIES]
    return "\n\n".join(series_table(series, own) for series, own in found if own)


def series_table(series: Series, samples: Sequence[Sample]) -> str:
    """The table of one series, and below it what went wrong."""
    by_x = {x: [one for one in samples if one.x == x] for x in sorted({one.x for one in samples})}
    first = _middle(by_x[min(by_x)])
    headings = [series.label, "CPU µs/request", "x first", "requests/s", "p99 ms"]
    rows = [_row(x, own, _middle(own) / first) for x, own in by_x.items()]
    parts = [f"### {series.name}: {series.title}", markdown(Grid(headings, rows))]
    wrong, broken = sum(one.wrong for one in samples), sum(one.broken for one in samples)
    if wrong or broken:
        parts += [f"{wrong} answers that are no 200, {broken} broken connections or time-outs."]
    return "\n\n".join(parts)


def _row(x: int, samples: Sequence[Sample], ratio: float) -> list[str]:
    return [
        f"{x:,}",
        _shown([one.cpu for one in samples], "{:.1f}"),
        f"{ratio:.2f}",
        _shown([one.rate for one in samples], "{:,.0f}"),
        _shown([one.p99 for one in samples], "{:.1f}"),
    ]


def _middle(samples: Sequence[Sample]) -> float:
    return spread([one.cpu for one in samples]).middle


def _shown(figures: Sequence[float], form: str) -> str:
    """The median (lowest-highest)."""
    middle, low, high = map(form.format, spread(figures))
    return f"{middle} ({low}-{high})"
