"""What the samples say of the servers and clients: their costs, and who is cheaper than we are.

A cost is the median of the CPU microseconds per request.
"""

from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import NamedTuple

from tests.benchmarks.case import CASES
from tests.benchmarks.clients.__main__ import CASES as CLIENT_CASES
from tests.benchmarks.clients.__main__ import CLIENTS
from tests.benchmarks.footprint import COLUMNS, UNITS
from tests.benchmarks.results.record import Record
from tests.benchmarks.server import SERVERS
from tests.benchmarks.table import ratios

__all__ = ["OURS", "Ahead", "ahead", "cheapest_peer", "client_costs", "costs", "over_base"]

OURS = "weblayer"

# No peers: nobody would use the bare ones, nginx runs no Python, and the session is ours too.
NO_PEERS = frozenset({"bare", "nginx", "session", OURS})

SERVER_TITLES = {server.name: server.title for server in SERVERS}
CLIENT_TITLES = {client.name: client.title for client in CLIENTS}

Costs = dict[str, float]


class Ahead(NamedTuple):
    """A peer that needs less than we do: *theirs* and *ours* in *unit*."""

    work: str
    peer: str
    theirs: float
    ours: float
    unit: str = "µs"


def costs(record: Record, case: str) -> Costs:
    """What *case* costs each server, by its name."""
    return _medians((one.server, one.cpu) for one in record.servers.samples if one.case == case)


def client_costs(record: Record, case: str) -> Costs:
    """What *case* costs each client, by its name."""
    return _medians((one.client, one.cpu) for one in record.clients.samples if one.case == case)


def over_base(record: Record, case: str) -> float | None:
    """Our CPU time over that of the base of the case: bare, or nginx for files.

    The median of the ratios of each round, so that a machine that slows down slows both.
    """
    found = ratios([one for one in record.servers.samples if one.case == case], OURS)
    return median(found) if found else None


def cheapest_peer(record: Record, case: str) -> tuple[str, float] | None:
    """The title of the Python server that needs the least for *case*, ourselves left out."""
    found = costs(record, case)
    name = min(_peers(found), key=found.__getitem__, default=None)
    return (SERVER_TITLES.get(name, name), found[name]) if name else None


def ahead(record: Record) -> Iterator[Ahead]:
    """Every peer that is cheaper than we are, by case, the cheapest first."""
    for case in CASES:
        yield from _cheaper(case.title, costs(record, case.name), SERVER_TITLES)
    for asked in CLIENT_CASES:
        work = f"a client's GET of {asked.size:,} bytes, {asked.at_once} at once"
        yield from _cheaper(work, client_costs(record, asked.name), CLIENT_TITLES)
    for figure in COLUMNS:
        found = {one.name: one.value for one in record.footprint.samples if one.figure == figure}
        yield from _cheaper(figure, found, SERVER_TITLES, UNITS[figure])


def _cheaper(
    work: str, found: Costs, titles: Mapping[str, str], unit: str = "µs"
) -> Iterator[Ahead]:
    for name in sorted(_peers(found), key=found.__getitem__):
        if OURS in found and found[name] < found[OURS]:
            yield Ahead(work, titles.get(name, name), found[name], found[OURS], unit)


def _peers(found: Costs) -> list[str]:
    return [name for name in found if name not in NO_PEERS]


def _medians(figures: Iterable[tuple[str, float]]) -> Costs:
    found: dict[str, list[float]] = {}
    for name, figure in figures:
        found.setdefault(name, []).append(figure)
    return {name: median(own) for name, own in found.items()}
