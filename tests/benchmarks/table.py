"""The samples as Markdown: one table for each case, and one that puts the cases together."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import NamedTuple

from tests.benchmarks.case import CASES, Case
from tests.benchmarks.measure import Sample
from tests.benchmarks.server import SERVERS

__all__ = ["Grid", "Spread", "case_table", "markdown", "ratios", "report", "spread", "summary"]

BY_NAME = {server.name: server for server in SERVERS}
CASE_BY_NAME = {case.name: case for case in CASES}
HEADINGS = (
    "server", "requests/s", "CPU µs/request", "x {base}", "p50 ms", "p99 ms", "resident MB",
)  # fmt: skip


class Spread(NamedTuple):
    """The median of some figures, the lowest and the highest."""

    middle: float
    low: float
    high: float


class Grid(NamedTuple):
    """A table before it is written down: words in the first column, figures in the rest."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def base_of(case: Case) -> str:
    """Whom the servers are compared with: the least there is, and for files who is known for it."""
    return "nginx" if case.file else "bare"


def spread(figures: Sequence[float]) -> Spread:
    """Sum up *figures*, of which there must be one at least."""
    return Spread(median(figures), min(figures), max(figures))


def ratios(samples: Iterable[Sample], server: str) -> list[float]:
    """A server's CPU time over that of the base, for each round in which both ran.

    *samples* are of one case.
    """
    samples = list(samples)
    base = base_of(CASE_BY_NAME[samples[0].case]) if samples else ""
    cpu = {(sample.server, sample.round): sample.cpu for sample in samples}
    rounds = [number for name, number in cpu if name == server and (base, number) in cpu]
    return [cpu[server, number] / cpu[base, number] for number in rounds]


def report(samples: Sequence[Sample]) -> str:
    """All of the tables, the summary first; what has no samples is not there."""
    tables = [case_table(case, _case(samples, case)) for case in _measured(samples)]
    title = "### CPU µs per request (x bare; x nginx for files)"
    return "\n\n".join([title, markdown(summary(samples)), *tables])


def case_table(case: Case, samples: Sequence[Sample]) -> str:
    """The table of one case, the cheapest server first, and below it what went wrong."""
    by_cost = sorted(_servers(samples), key=lambda name: spread(_of(samples, name, _cpu)).middle)
    headings = [heading.format(base=base_of(case)) for heading in HEADINGS]
    table = markdown(Grid(headings, [_row(case, samples, name) for name in by_cost]))
    faults = [fault for name in by_cost if (fault := _fault(case, samples, name))]
    return "\n\n".join([f"### {case.name}: {case.title}", table, *faults])


def summary(samples: Sequence[Sample]) -> Grid:
    """Servers down, cases across: CPU microseconds per request and the ratio to the base."""
    cases = _measured(samples)
    rows = [
        [BY_NAME[name].title_in(cases[0]), *(_cell(_case(samples, case), name) for case in cases)]
        for name in _servers(samples)
    ]
    return Grid(["server", *(case.name for case in cases)], rows)


def markdown(grid: Grid) -> str:
    """The table in Markdown: the first column to the left, figures to the right."""
    rule = ["---"] + ["---:"] * (len(grid.headings) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in (grid.headings, rule, *grid.rows))


def _measured(samples: Sequence[Sample]) -> list[Case]:
    return [case for case in CASES if _case(samples, case)]


def _row(case: Case, samples: Sequence[Sample], server: str) -> list[str]:
    return [
        BY_NAME[server].title_in(case),
        _shown(_of(samples, server, lambda sample: sample.rate), "{:,.0f}"),
        _shown(_of(samples, server, _cpu), "{:.2f}"),
        _shown(ratios(samples, server), "{:.2f}"),
        _shown(_of(samples, server, lambda sample: sample.p50), "{:.2f}"),
        _shown(_of(samples, server, lambda sample: sample.p99), "{:.2f}"),
        f"{spread(_of(samples, server, lambda sample: sample.resident)).middle:.1f}",
    ]


def _cell(samples: Sequence[Sample], server: str) -> str:
    if not (figures := _of(samples, server, _cpu)):
        return "-"
    over_base = ratios(samples, server)
    return f"{median(figures):.1f}" + (f" ({median(over_base):.2f} x)" if over_base else "")


def _fault(case: Case, samples: Sequence[Sample], server: str) -> str:
    wrong = sum(_of(samples, server, lambda sample: sample.wrong))
    broken = sum(_of(samples, server, lambda sample: sample.broken))
    if not wrong and not broken:
        return ""
    return (
        f"{BY_NAME[server].title_in(case)}: {wrong:.0f} answers with an unexpected status, "
        f"{broken:.0f} broken connections or time-outs."
    )


def _case(samples: Iterable[Sample], case: Case) -> list[Sample]:
    return [sample for sample in samples if sample.case == case.name]


def _servers(samples: Iterable[Sample]) -> list[str]:
    """The servers that have samples, in the order of their rows."""
    present = {sample.server for sample in samples}
    return [server.name for server in SERVERS if server.name in present]


def _of(samples: Iterable[Sample], server: str, figure: Callable[[Sample], float]) -> list[float]:
    return [figure(sample) for sample in samples if sample.server == server]


def _cpu(sample: Sample) -> float:
    return sample.cpu


def _shown(figures: Sequence[float], form: str) -> str:
    """The median (lowest-highest); a single figure has no spread, and none is a dash."""
    if not figures:
        return "-"
    middle, low, high = map(form.format, spread(figures))
    return middle if len(figures) == 1 else f"{middle} ({low}-{high})"
