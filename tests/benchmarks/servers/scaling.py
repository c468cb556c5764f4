"""weblayer with something that can grow: `python -m tests.benchmarks.servers.scaling PORT WHAT N`.

WHAT says of what there are N: "depth" nodes above the page, "children" beside it, or "memory" and
"sqlite" sessions, of which the page reads the visitor's. With "nothing", there is a page, and
/tally says how often it was asked for.
"""

import os
import sys
import time
from collections.abc import Callable
from tempfile import gettempdir

from tests.benchmarks.servers import HELLO, HOST, own_port
from weblayer import Limits, Request, Resource, Site, reactor
from weblayer.web.memorysessions import MemorySessions
from weblayer.web.sqlitesessions import SQLiteSessions
from weblayer.web.store import Change, Record, SessionStore

__all__ = ["SEGMENT", "child", "session"]

SEGMENT = "segment"

HOUR = 3600.0  # Seconds: no idle connection and no session ends while we measure.

LIMITS = Limits(maxConnections=100_000)


class Hello(Resource):
    def render_GET(self, request: Request) -> bytes:
        return HELLO


class Counted(Hello):
    """A page, and below it how often it was asked for."""

    count = 0

    def render_GET(self, request: Request) -> bytes:
        self.count += 1
        return HELLO

    def getChild(self, name: str, request: Request) -> Resource:
        return Tally(self) if name == "tally" else self


class Tally(Resource):
    """How often *page* was asked for, and the seconds of CPU and on the clock until now."""

    def __init__(self, page: Counted) -> None:
        self.page = page

    def render_GET(self, request: Request) -> list[float]:
        return [self.page.count, time.process_time(), time.monotonic()]


class Remembering(Resource):
    def render_GET(self, request: Request) -> str:
        text: str = request.getSession()["text"]
        return text


def child(number: int) -> str:
    """The name of a child."""
    return f"child-{number}"


def session(number: int) -> str:
    """The uid of a session: as long as those that nobody can guess."""
    return f"{number:032}"


def deep(depth: int) -> Resource:
    """A page *depth* segments below the root."""
    node: Resource = Hello()
    for _ in range(depth):
        above = Resource()
        above.putChild(SEGMENT, node)
        node = above
    return node


def wide(count: int) -> Resource:
    """A root with so many pages."""
    root = Resource()
    for number in range(count):
        root.putChild(child(number), Hello())
    return root


def page(resource: Resource) -> Resource:
    """A root with one page."""
    root = Resource()
    root.putChild("", resource)
    return root


def filled(store: SessionStore, count: int) -> SessionStore:
    """A store with so many sessions, each with what the page shows."""
    text = f'{{"text":"{HELLO.decode().strip()}\\n"}}'
    for number in range(count):
        record = Record(session(number), text, store.seconds(), HOUR)
        store.save(Change(record, {}, (), ""))
    return store


def in_memory(count: int) -> SessionStore:
    return filled(MemorySessions(sessionTimeout=HOUR, reactor=reactor), count)


def in_file(count: int) -> SessionStore:
    return filled(
        SQLiteSessions(os.path.join(gettempdir(), "sessions"), sessionTimeout=HOUR), count
    )


def site(what: str, count: int) -> Site:
    if store := STORES.get(what):
        return Site(page(Remembering()), sessions=store(count), timeout=HOUR, limits=LIMITS)
    return Site(TREES[what](count), timeout=HOUR, limits=LIMITS)


TREES: dict[str, Callable[[int], Resource]] = {
    "nothing": lambda count: Counted(),
    "depth": deep,
    "children": wide,
}
STORES = {"memory": in_memory, "sqlite": in_file}

if __name__ == "__main__":
    reactor.listenTCP(own_port(), site(sys.argv[2], int(sys.argv[3])), interface=HOST)
    reactor.run()
