"""What is counted: small programs that ask one thing over and over, in one process."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from tests.benchmarks.case import BROWSER_HEADERS, CASES
from tests.benchmarks.files import SMALL, content
from tests.benchmarks.servers import HELLO
from weblayer.client.agent import Agent
from weblayer.client.pool import HTTPConnectionPool
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.memory import MemoryPeer, connect
from weblayer.loop.protocol import Factory, IFactory, Protocol
from weblayer.loop.timers import Clock
from weblayer.web.accesslog import accessLogFormatter
from weblayer.web.memorysessions import MemorySessions
from weblayer.web.request import Request
from weblayer.web.resource import Resource
from weblayer.web.site import Site
from weblayer.web.static import File
from weblayer.web.template import Templates
from weblayer.wire.parse import RequestParser

__all__ = ["SCENARIOS", "Ask", "Hello", "Scenario", "asked", "chosen", "on"]

Ask: TypeAlias = Callable[[], Awaitable[object]]
Made: TypeAlias = AbstractAsyncContextManager[Ask]

# Long ago: a file that has just been written may change again within the same tick, and is not
# kept at once.
LONG_AGO = 1_000_000_000

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass(frozen=True)
class Scenario:
    """*make* gives what asks once, and returns when the answer is whole."""

    name: str
    title: str
    make: Callable[[], Made]


class Hello(Resource):
    def render_GET(self, request: Request) -> bytes:
        return HELLO


class AsyncHello(Resource):
    async def render_GET(self, request: Request) -> bytes:
        return HELLO


class LateHello(Resource):
    """Answers in the next turn of the loop."""

    def render_GET(self, request: Request) -> Deferred[bytes]:
        late: Deferred[bytes] = Deferred()
        asyncio.get_running_loop().call_soon(late.callback, HELLO)
        return late


class Rows(Resource):
    def render_GET(self, request: Request) -> dict[str, object]:
        return {"rows": [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}], "more": False}


class FormEcho(Resource):
    """Answers with a field of the form that it was sent."""

    def render_POST(self, request: Request) -> str:
        return request.args["text"][0]


class Visits(Resource):
    """Begins a session, or reads from it."""

    def render_GET(self, request: Request) -> str:
        session = request.getSession()
        if "visits" not in session:
            session["visits"] = 1
        return str(session["visits"])


class Marked(Resource):
    """Sets a cookie, and says how long the page may be kept."""

    def render_GET(self, request: Request) -> bytes:
        request.addCookie("seen", "1")
        request.setCacheControl(private=True, maxAge=60)
        return HELLO


class Page(Resource):
    """Five rows in a page of jinja2's."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    def render_GET(self, request: Request) -> str:
        return self._templates.page("page.html", title="Rows & rows", rows=range(5))


PAGE = """\
<!doctype html>
<title>{{ title }}</title>
<ul>
{% for row in rows %}
<li>{{ row }}: {{ title }}</li>
{% endfor %}
</ul>
"""


class FixedUid(MemorySessions):
    """The same uid each time: a chance one would make each run another."""

    def newUid(self) -> str:
        return "0123456789abcdefghijkl"


class Parrot(Protocol):
    """Says the same to whatever it is told."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(self.answer)


@dataclass(frozen=True)
class InMemory:
    """Where an Agent finds a Parrot, whatever the URI."""

    factory: IFactory

    def endpointForURI(self, uri: object) -> "InMemory":
        return self

    def connect(self, factory: IFactory) -> Deferred[object]:
        soon = asyncio.get_running_loop().call_soon
        return succeed(connect(self.factory, factory, soon=soon).client.protocol)


def chosen(names: Sequence[str]) -> list[Scenario]:
    """The scenarios of those names, in their own order. Raises ValueError for another name."""
    known = {scenario.name for scenario in SCENARIOS}
    if unknown := sorted(set(names) - known):
        raise ValueError(f"no {', '.join(unknown)}; there is {', '.join(sorted(known))}")
    return [scenario for scenario in SCENARIOS if scenario.name in names]


def asked(path: str, lines: Sequence[str] = (), method: str = "GET", body: bytes = b"") -> bytes:
    """A request as bytes."""
    head = [f"{method} {path} HTTP/1.1", "Host: weblayer.test", *lines, "", ""]
    return "\r\n".join(head).encode() + body


def parrot(answer: bytes) -> IFactory:
    return Factory.forProtocol(lambda: Parrot(answer))


@asynccontextmanager
async def conversation(
    factory: IFactory, pieces: Sequence[bytes], status: int
) -> AsyncIterator[Ask]:
    """Sends *pieces*, and waits for as many bytes as came of them at first."""
    peer = MemoryPeer(factory, soon=asyncio.get_running_loop().call_soon)
    size = 0

    async def ask() -> None:
        for piece in pieces:
            peer.send(piece)
        while len(peer.received) < size:  # noqa: ASYNC110  # an Event would be counted too
            await asyncio.sleep(0)
        peer.received.clear()

    for piece in pieces:
        peer.send(piece)
    for _ in range(9):  # turns in which each scenario has come to rest
        await asyncio.sleep(0)
    if not peer.received.startswith(b"HTTP/1.1 %d " % status):
        raise AssertionError(f"answered with {bytes(peer.received)!r}")
    size = len(peer.received)
    peer.received.clear()
    yield ask
    peer.reset()


@asynccontextmanager
async def serving(site: Site, pieces: Sequence[bytes], status: int = 200) -> AsyncIterator[Ask]:
    site.doStart()
    async with conversation(site, pieces, status) as ask:
        yield ask
    site.doStop()


def on(resource: Resource, *pieces: bytes, status: int = 200) -> Callable[[], Made]:
    """Asks a tree that has *resource* at /one."""

    def make() -> Made:
        root = Resource()
        root.putChild("one", resource)
        return serving(Site(root, reactor=Clock()), pieces or (asked("/one"),), status)

    return make


def deep() -> Made:
    root = node = Resource()
    for _ in range(10):
        node.putChild("one", inner := Resource())
        node = inner
    node.putChild("one", Hello())
    return serving(Site(root, reactor=Clock()), [asked("/one" * 11)])


def logged() -> Made:
    write = accessLogFormatter("combined")
    site = Site(
        Hello(),
        reactor=Clock(),
        logPath=os.devnull,
        # The date is made anew once a second, which may or may not begin while we ask.
        logFormatter=lambda moment, request: write(NOW, request),
    )
    return serving(site, [asked("/")])


@asynccontextmanager
async def session() -> AsyncIterator[Ask]:
    clock = Clock()
    site = Site(Visits(), sessions=FixedUid(reactor=clock), reactor=clock)
    peer = MemoryPeer(site)
    peer.send(asked("/"))
    cookie = bytes(peer.received).partition(b"Set-Cookie: ")[2].partition(b";")[0].decode()
    peer.reset()
    async with serving(site, [asked("/", [f"Cookie: {cookie}"])]) as ask:
        yield ask


@asynccontextmanager
async def page() -> AsyncIterator[Ask]:
    with TemporaryDirectory(prefix="bench-") as folder:
        Path(folder, "page.html").write_text(PAGE)  # noqa: ASYNC240  # nobody waits
        async with on(Page(Templates(folder)))() as ask:
            yield ask


@asynccontextmanager
async def file() -> AsyncIterator[Ask]:
    with TemporaryDirectory(prefix="bench-") as folder:
        small = Path(folder, SMALL)
        small.write_bytes(content(SMALL))  # noqa: ASYNC240  # nobody waits
        os.utime(small, (LONG_AGO, LONG_AGO))
        async with serving(Site(File(folder), reactor=Clock()), [asked(f"/{SMALL}")]) as ask:
            yield ask


@asynccontextmanager
async def agent() -> AsyncIterator[Ask]:
    asking = Agent.usingEndpointFactory(None, InMemory(parrot(ANSWER)), HTTPConnectionPool(Clock()))

    async def ask() -> None:
        response = await asking.request("GET", "http://weblayer.test/")
        assert await response.content() == HELLO

    yield ask
    asking.pool.close()


@asynccontextmanager
async def parser() -> AsyncIterator[Ask]:
    reading = RequestParser()

    async def ask() -> None:
        assert len(reading.feed(BROWSER)) == 1

    yield ask


COOKIE = next(case.headers["Cookie"] for case in CASES if case.name == "browser")
FORM = next(case.body for case in CASES if case.name == "form")
BROWSER = asked(
    "/one", [f"{name}: {value}" for name, value in {**BROWSER_HEADERS, "Cookie": COOKIE}.items()]
)
POST = asked(
    "/one",
    ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(FORM)}"],
    "POST",
    FORM,
)
FIELDS = f"""\
Date: Sat, 21 Nov 2026 20:30:00 GMT
Server: nginx
Content-Type: text/plain; charset=utf-8
Content-Length: {len(HELLO)}
Last-Modified: Fri, 20 Nov 2026 08:00:00 GMT
ETag: "6740a1b2-d"
Cache-Control: public, max-age=60
Vary: Accept-Encoding
Accept-Ranges: bytes
X-Content-Type-Options: nosniff
Strict-Transport-Security: max-age=63072000
Connection: keep-alive
"""
ANSWER = b"HTTP/1.1 200 OK\r\n" + FIELDS.replace("\n", "\r\n").encode() + b"\r\n" + HELLO
TENTH = len(BROWSER) // 10 + 1

SCENARIOS = (
    Scenario("memory", "constant bytes to each request: the memory transport and the turn of the "
             "loop", lambda: conversation(parrot(ANSWER), [asked("/one")], 200)),
    Scenario("hello", "GET /one", on(Hello())),
    Scenario("browser", "the same with a browser's 12 headers and a cookie", on(Hello(), BROWSER)),
    Scenario("pieces", "the same in 10 pieces", on(
        Hello(), *(BROWSER[at : at + TENTH] for at in range(0, len(BROWSER), TENTH)))),
    Scenario("pipelined", "16 times GET /one in one packet", on(Hello(), asked("/one") * 16)),
    Scenario("deep", "GET of what lies eleven levels deep", deep),
    Scenario("async", "an `async def` that does not wait", on(AsyncHello())),
    Scenario("deferred", "a Deferred that fires in the next turn", on(LateHello())),
    Scenario("json", "a dict", on(Rows())),
    Scenario("cookie", "a page that sets a cookie, and Cache-Control", on(Marked())),
    Scenario("missing", "a 404", on(Hello(), asked("/two"), status=404)),
    Scenario("form", "POST of 1 kB, one field of which is sent back", on(FormEcho(), POST)),
    Scenario("session", "what a session holds", session),
    Scenario("log", "GET /, and a line in the access log", logged),
    Scenario("file", "a file of 1.3 kB", file),
    Scenario("page", "a page of five rows from a template", page),
    Scenario("agent", "Agent: the answer has 12 headers", agent),
    Scenario("parser", "the request parser alone, a browser's 12 headers", parser),
)  # fmt: skip
