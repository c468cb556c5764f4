"""The budgets, as rows: what each bounds, and how its figure is computed from the samples.

They are ratios to a peer that was measured beside us, so that they hold on any machine, and for
memory and starting plain figures. All is judged by medians.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from tests.benchmarks.case import CASES
from tests.benchmarks.clients.__main__ import CASES as CLIENT_CASES
from tests.benchmarks.clients.__main__ import CLIENTS
from tests.benchmarks.measure import Sample
from tests.benchmarks.results.record import Record
from tests.benchmarks.server import SERVERS
from tests.benchmarks.table import ratios

__all__ = ["BUDGETS", "OURS", "Ahead", "Budget", "Verdict", "ahead", "cheapest_peer", "cost",
           "judge", "over_base"]  # fmt: skip

OURS = "weblayer"

# No peers: nobody would use the bare ones, nginx runs no Python, and the session is ours too.
NO_PEERS = frozenset({"bare", "nginx", "session", OURS})

Measure = Callable[[Record], float | None]
Costs = dict[str, float]

SERVER_TITLES = {server.name: server.title for server in SERVERS}
CLIENT_TITLES = {client.name: client.title for client in CLIENTS}


class Budget(NamedTuple):
    """*figure* may be *bound* and no more; it is None where the samples do not say."""

    work: str
    measure: str
    bound: float
    unit: str
    figure: Measure


class Verdict(NamedTuple):
    """A budget and what was measured."""

    budget: Budget
    figure: float | None

    @property
    def is_met(self) -> bool:
        return self.figure is not None and self.figure <= self.budget.bound

    @property
    def share(self) -> float:
        """How much of the budget is used; 0 where that is not known."""
        return (self.figure or 0.0) / self.budget.bound

    @property
    def word(self) -> str:
        return "not measured" if self.figure is None else "met" if self.is_met else "missed"


class Ahead(NamedTuple):
    """A peer that needs less CPU time than we do: *theirs* and *ours* in microseconds."""

    work: str
    peer: str
    theirs: float
    ours: float


def judge(record: Record) -> list[Verdict]:
    """Every budget with its figure, in the order of the rows."""
    return [Verdict(budget, budget.figure(record)) for budget in BUDGETS]


def ahead(record: Record) -> Iterator[Ahead]:
    """Every peer that is cheaper than we are, by case, the cheapest first."""
    for case in CASES:
        yield from _cheaper(case.title, _costs(record, case.name), SERVER_TITLES)
    for asked in CLIENT_CASES:
        work = f"a client's GET of {asked.size} bytes, {asked.at_once} at once"
        yield from _cheaper(work, _client_costs(record, asked.name), CLIENT_TITLES)


def _cheaper(work: str, costs: Costs, titles: Mapping[str, str]) -> Iterator[Ahead]:
    for name in sorted(_peers(costs), key=costs.__getitem__):
        if OURS in costs and costs[name] < costs[OURS]:
            yield Ahead(work, titles.get(name, name), costs[name], costs[OURS])


def cheapest_peer(record: Record, case: str) -> tuple[str, float] | None:
    """The Python server that needs the least CPU time for *case*, ourselves left out."""
    costs = _costs(record, case)
    found = min(_peers(costs), key=costs.__getitem__, default=None)
    return (SERVER_TITLES.get(found, found), costs[found]) if found else None


def cost(record: Record, case: str) -> float | None:
    """Our CPU microseconds per request."""
    return _costs(record, case).get(OURS)


def over_base(record: Record, case: str) -> float | None:
    """Our CPU time over that of the base of the case: bare, or nginx for files."""
    return _middle(ratios(_of(record, case), OURS))


def _peers(costs: Costs) -> list[str]:
    return [name for name in costs if name not in NO_PEERS]


def _costs(record: Record, case: str) -> Costs:
    """The servers' CPU microseconds per request."""
    return _medians((s.server, s.cpu) for s in _of(record, case))


def _client_costs(record: Record, case: str) -> Costs:
    return _medians((one.client, one.cpu) for one in record.clients.samples if one.case == case)


def _medians(figures: Iterable[tuple[str, float]]) -> Costs:
    found: dict[str, list[float]] = {}
    for name, figure in figures:
        found.setdefault(name, []).append(figure)
    return {name: median(own) for name, own in found.items()}


def _of(record: Record, case: str) -> list[Sample]:
    return [sample for sample in record.servers.samples if sample.case == case]


def _over_base(case: str) -> Measure:
    return lambda record: over_base(record, case)


def _over_case(case: str, other: str) -> Measure:
    """Our CPU time for one case over that for another."""
    return lambda record: _quotient(cost(record, case), cost(record, other))


def _over_peers(case: str) -> Measure:
    """Our CPU time over that of the cheapest of the other Python servers."""

    def figure(record: Record) -> float | None:
        cheapest = cheapest_peer(record, case)
        return _quotient(cost(record, case), cheapest and cheapest[1])

    return figure


def _over_bare_client(case: str) -> Measure:
    """Our Agent's CPU time over that of the least that a client can do."""

    def figure(record: Record) -> float | None:
        costs = _client_costs(record, case)
        return _quotient(costs.get(OURS), costs.get("bare"))

    return figure


def _plain(figure: str) -> Measure:
    """What weblayer takes of something that is no CPU time per request."""
    return lambda record: _middle(
        [one.value for one in record.footprint.samples if (one.name, one.figure) == (OURS, figure)]
    )


def _middle(figures: Sequence[float]) -> float | None:
    return median(figures) if figures else None


def _quotient(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


BUDGETS = (
    Budget("GET /, one level deep", "CPU time, x the bare loop", 1.8, "x", _over_base("hello")),
    Budget("GET / with the access log on", "CPU time, x the bare loop", 2.6, "x",
           _over_base("logged")),
    Budget("GET, two levels deep", "CPU time, x the bare loop", 1.8, "x", _over_base("deep")),
    Budget("GET, two levels deep, beside other Python servers",
           "CPU time, x the cheapest of them", 1.0, "x", _over_peers("deep")),
    Budget("GET with a browser's headers and a cookie", "CPU time, x without them", 1.5, "x",
           _over_case("browser", "deep")),
    Budget("`async def` that does not wait", "CPU time, x the bare loop", 3.0, "x",
           _over_base("async")),
    Budget("a file of 1.3 kB", "CPU time, x nginx", 2.5, "x", _over_base("small")),
    Budget("a file of 100 kB", "CPU time, x nginx", 1.5, "x", _over_base("medium")),
    Budget("a file of 50 MB", "CPU time, x nginx", 1.5, "x", _over_base("large")),
    Budget("Agent, 32 GETs at once", "CPU time, x the bare client", 3.0, "x",
           _over_bare_client("hello-32")),
    Budget("an idle connection that is kept", "memory of the server", 4.0, "kB",
           _plain("idle connection")),
    Budget("import and first request", "time", 80.0, "ms", _plain("first answer")),
    Budget("memory after the first request", "resident", 35.0, "MB", _plain("resident")),
)  # fmt: skip
