"""The budgets, as rows: what each bounds, and how its figure is computed from the samples.

They are ratios to a peer that was measured beside us, so that they hold on any machine, and for
memory and starting plain figures. All is judged by medians.
"""

from collections.abc import Callable
from typing import NamedTuple

from tests.benchmarks.results.costs import OURS, cheapest_peer, client_costs, costs, over_base
from tests.benchmarks.results.record import Record

__all__ = ["BUDGETS", "Budget", "Verdict", "judge"]

Measure = Callable[[Record], float | None]


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


def judge(record: Record) -> list[Verdict]:
    """Every budget with its figure, in the order of the rows."""
    return [Verdict(budget, budget.figure(record)) for budget in BUDGETS]


def _over_base(case: str) -> Measure:
    return lambda record: over_base(record, case)


def _over_case(case: str, other: str) -> Measure:
    """Our CPU time for one case over that for another."""
    return lambda record: _quotient(costs(record, case).get(OURS), costs(record, other).get(OURS))


def _over_peers(case: str) -> Measure:
    """Our CPU time over that of the cheapest of the other Python servers."""

    def figure(record: Record) -> float | None:
        _, theirs = cheapest_peer(record, case) or ("", None)
        return _quotient(costs(record, case).get(OURS), theirs)

    return figure


def _over_bare_client(case: str) -> Measure:
    """Our Agent's CPU time over that of the least that a client can do."""

    def figure(record: Record) -> float | None:
        found = client_costs(record, case)
        return _quotient(found.get(OURS), found.get("bare"))

    return figure


def _plain(figure: str) -> Measure:
    """What weblayer takes of something that is no CPU time per request."""
    return lambda record: _footprint(record).get((OURS, figure))


def _first_answer(record: Record) -> float | None:
    """The time to our first answer, without that of a Python that does nothing."""
    found = _footprint(record)
    whole, start = found.get((OURS, "first answer")), found.get(("python", "start"))
    return whole - start if whole is not None and start is not None else None


def _footprint(record: Record) -> dict[tuple[str, str], float]:
    return {(one.name, one.figure): one.value for one in record.footprint.samples}


def _quotient(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


BUDGETS = (
    Budget("GET /, one level deep", "CPU time, x the bare loop", 1.8, "x", _over_base("hello")),
    Budget("GET / with the access log on", "CPU time, x the bare loop", 2.6, "x",
           _over_base("logged")),
    Budget("GET, two levels deep", "CPU time, x the bare loop", 1.8, "x", _over_base("deep")),
    Budget("GET, two levels deep, beside its peers",
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
    Budget("import and first request", "time, beyond a bare Python's start", 80.0, "ms",
           _first_answer),
    Budget("memory after the first request", "resident", 35.0, "MB", _plain("resident")),
)  # fmt: skip
