"""What grows, from where to where, and what is asked for meanwhile: a row for each series."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.case import CONNECTIONS, Case
from tests.benchmarks.server import Server
from tests.benchmarks.servers.scaling import SEGMENT, child, session

__all__ = ["SERIES", "Point", "Series"]

# Of what there are many, so many are asked for in turn: each is in no cache of the processor's.
ASKED = 1000


MANY = (10, 100, 1_000, 10_000, 100_000)


@dataclass(frozen=True)
class Point:
    """One figure of a series: *server* is asked for *case*, while *idle* connections are kept.

    Where *settled*, nothing counts until all connections have been made.
    """

    x: int
    server: Server
    case: Case
    idle: int = 0
    settled: bool = False

    @property
    def connections(self) -> int:
        """How many are open at once."""
        return self.idle + self.case.connections


@dataclass(frozen=True)
class Series:
    """A row: *label* says what the x of its *points* is."""

    name: str
    title: str
    label: str
    points: Sequence[Point]


def _tree(what: str, count: int = 0) -> Server:
    return _server("scaling", what, str(count))


def _server(program: str, *arguments: str) -> Server:
    return Server(program, "weblayer", "weblayer", "pip install -e .", arguments=arguments)


def _page(connections: int = CONNECTIONS) -> Case:
    return Case("page", "a page", connections=connections)


def _deep(depth: int) -> Case:
    return Case("deep", "a page below others", "/" + "/".join([SEGMENT] * depth))


def _dressed(count: int) -> Case:
    """A request with so many headers, Host among them; names and values as long as browsers'."""
    fields = {f"X-Some-Field-{number:02}": "a value of its own" for number in range(1, count)}
    return Case("dressed", "a page", headers=fields)


def _children(count: int) -> Case:
    turns = tuple((f"/{child(number)}", {}) for number in _some(count))
    return Case("children", "one page after the other", turns[0][0], turns=turns)


def _visitors(count: int) -> Case:
    turns = tuple(("/", {"Cookie": f"session={session(number)}"}) for number in _some(count))
    return Case("visitors", "a page for one after the other", headers=turns[0][1], turns=turns)


def _some(count: int) -> range:
    """The numbers of those that are asked for, from all over."""
    return range(0, count, max(1, count // ASKED))


def _working(name: str) -> Case:
    return Case(name, "a page", f"/a.{name}")


SERIES = (
    Series("active", "connections, all of them busy", "connections",
           [Point(x, _tree("nothing"), _page(x), settled=True) for x in MANY[:4]]),
    Series("idle", "connections that are kept and say nothing, beside 64 that are busy",
           "idle connections",
           [Point(x, _tree("nothing"), _page(), idle=x) for x in MANY[:4]]),
    Series("depth", "the depth of the tree", "segments of the path",
           [Point(x, _tree("depth", x), _deep(x)) for x in (1, 2, 5, 10, 15, 20)]),
    Series("headers", "headers of a request", "headers",
           [Point(x, _tree("nothing"), _dressed(x)) for x in (1, 5, 10, 20, 30, 40, 50, 60)]),
    Series("children", "children of one node", "children",
           [Point(x, _tree("children", x), _children(x)) for x in MANY]),
    Series("sessions", "sessions in memory", "sessions",
           [Point(x, _tree("memory", x), _visitors(x)) for x in MANY]),
    Series("sqlite", "sessions in a file of SQLite", "sessions",
           [Point(x, _tree("sqlite", x), _visitors(x)) for x in MANY]),
    Series("workers", "workers on two cores, for a page that takes a millisecond", "workers",
           [Point(x, _server("workers", str(x)), _working("busy")) for x in (1, 2)]),
    Series("workers_hello", "workers on the cores that wrk needs too, for a page that takes none",
           "workers", [Point(x, _server("workers", str(x)), _working("hello")) for x in (1, 2)]),
)  # fmt: skip
