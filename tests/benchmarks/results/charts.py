"""The pictures: which there are, and what each shows of a record."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple
from xml.etree.ElementTree import fromstring

from tests.benchmarks.clients.__main__ import CLIENTS
from tests.benchmarks.plot import Axis, Bar, bars, lines
from tests.benchmarks.results.budgets import Verdict, judge
from tests.benchmarks.results.costs import OURS, client_costs, costs
from tests.benchmarks.results.record import Record
from tests.benchmarks.scaling.measure import Sample as Growth
from tests.benchmarks.scaling.series import SERIES, Series
from tests.benchmarks.server import SERVERS
from tests.benchmarks.table import CASE_BY_NAME, base_of

__all__ = ["Chart", "charts"]

# The last of the figures along an axis is so many times the first: a logarithmic one.
WIDE = 100

COST = Axis("CPU µs per request")


class Chart(NamedTuple):
    """A picture, the *section* of the page that it is for, and in *words* what it shows."""

    section: str
    name: str
    title: str
    words: str
    svg: str

    @property
    def file(self) -> str:
        """Its name in `static/`."""
        return f"performance-{self.name}.svg"

    @property
    def height(self) -> int:
        """Pixels, at any width."""
        return int(fromstring(self.svg).attrib["height"])


# Cases of the servers that have a picture; the others stand in the tables alone.
SHOWN = {
    "pages": ("deep", "browser", "async", "template", "session", "form"),
    "files": ("small", "medium", "large", "small_tls"),
    "sockets": ("echo",),
}

CLIENT_CASES = {"hello-32": "14 bytes, 32 at once", "large-32": "1 MB, 32 at once"}

FIGURES = {
    "import": "Importing what a server needs, beyond the start of a bare Python",
    "first answer": "From the start of the process to its first answer",
    "resident": "Memory after that answer",
    "idle connection": "Memory for each connection that is kept and says nothing",
}


def charts(record: Record) -> list[Chart]:
    """All for which the record has samples."""
    found = [_budgets(judge(record))]
    found += [_case(record, section, name) for section, names in SHOWN.items() for name in names]
    found += [_clients(record, name) for name in CLIENT_CASES]
    found += [_figure(record, name) for name in FIGURES]
    found += [_growth(record, series) for series in SERIES]
    return [chart for chart in found if chart]


def _budgets(verdicts: Sequence[Verdict]) -> Chart | None:
    rows = [
        Bar(verdict.budget.work, verdict.share, f"{verdict.share:.0%}")
        for verdict in verdicts
        if verdict.figure is not None
    ]
    title = "What is used of each budget; the line is all of it"
    return _bars("budgets", "budgets", title, rows, mark=1.0) if rows else None


def _case(record: Record, section: str, name: str) -> Chart | None:
    """Servers by their CPU time, the cheapest first."""
    found = costs(record, name)
    if not found:
        return None
    case = CASE_BY_NAME[name]
    base = base_of(case)
    rows = [
        Bar(
            server.title_in(case),
            found[server.name],
            _cost(found[server.name], found.get(base), base),
            server.name == OURS,
        )
        for server in SERVERS
        if server.name in found
    ]
    return _ranked(section, name, case.title, rows)


def _clients(record: Record, name: str) -> Chart | None:
    found = client_costs(record, name)
    rows = [
        Bar(client.title, found[client.name], _cost(found[client.name], found.get("bare"), "bare"),
            client.name == OURS)
        for client in CLIENTS if client.name in found
    ]  # fmt: skip
    return _ranked("clients", f"client-{name}", CLIENT_CASES[name], rows)


def _cost(cpu: float, base: float | None, name: str) -> str:
    digits = 1 if cpu < 1000 else 0
    return f"{cpu:,.{digits}f} µs" + (f" · {cpu / base:.1f} x {name}" if base else "")


def _figure(record: Record, name: str) -> Chart | None:
    samples = [sample for sample in record.footprint.samples if sample.figure == name]
    titles = {server.name: server.title for server in SERVERS}
    rows = [
        Bar(titles.get(one.name, one.name), one.value, f"{one.value:,.1f} {one.unit}",
            one.name == OURS)
        for one in samples
    ]  # fmt: skip
    return _ranked("footprint", name.replace(" ", "-"), FIGURES[name], rows)


def _growth(record: Record, series: Series) -> Chart | None:
    """A line through what a request costs; where there are but two points, what each can answer."""
    found: dict[float, list[Growth]] = {}
    for sample in record.scaling.samples:
        if sample.series == series.name:
            found.setdefault(sample.x, []).append(sample)
    if len(found) < 3:
        return _rates(series, found)
    points = [(x, median(one.cpu for one in found[x])) for x in sorted(found)]
    words = "; ".join(f"{cpu:.1f} µs with {x:,} {series.label}" for x, cpu in points)
    axis = Axis(series.label, log=max(found) >= WIDE * min(found) > 0)
    svg = lines(series.title, words, [(series.name, points)], axis, COST)
    return Chart("scaling", series.name, series.title, words, svg)


def _rates(series: Series, found: Mapping[float, Sequence[Growth]]) -> Chart | None:
    """Requests per second."""
    rates = {x: median(one.rate for one in found[x]) for x in sorted(found)}
    rows = [Bar(f"{series.label}: {x:,}", rate, f"{rate:,.0f} requests/s", ours=True)
            for x, rate in rates.items()]  # fmt: skip
    return _bars("scaling", series.name, series.title, rows) if len(rows) > 1 else None


def _ranked(section: str, name: str, title: str, rows: Sequence[Bar]) -> Chart | None:
    """The least first; nothing where there is nothing to compare."""
    if len(rows) < 2:
        return None
    return _bars(section, name, title, sorted(rows, key=lambda bar: bar.value))


def _bars(
    section: str, name: str, title: str, rows: Sequence[Bar], mark: float | None = None
) -> Chart:
    rows = [bar._replace(name=bar.name.replace("`", "")) for bar in rows]
    words = "; ".join(f"{bar.name} {bar.label}" for bar in rows)
    return Chart(section, name, title, words, bars(title, words, rows, mark))
