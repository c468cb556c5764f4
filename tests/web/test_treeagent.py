"""A tree as the network of a client: both ends are real, and nothing is between them but memory."""

import asyncio

import pytest

from tests.web.trees import Page
from weblayer.client.error import FirstByteTimeout, ResponseFailed, ResponseNeverReceived
from weblayer.client.session import Session
from weblayer.client.timeouts import Timeouts
from weblayer.loop.deferred import Deferred
from weblayer.loop.testing import failureResultOf, successResultOf
from weblayer.loop.timers import Clock
from weblayer.web.errors import NotFound
from weblayer.web.policy import Policy
from weblayer.web.resource import Resource
from weblayer.web.site import Site
from weblayer.web.testing import TreeAgent
from weblayer.web.util import redirectTo

MB = 1024 * 1024


def asked(tree, *targets, **options):
    """The texts that a session gets of *tree*, one after the other."""

    async def scenario():
        async with Session(agent=TreeAgent(tree)) as session:
            return [
                await (await session.request("GET", f"http://a.example{one}", **options)).text()
                for one in targets
            ]

    return asyncio.run(scenario())


def test_a_session_asks_a_tree():
    """By any host's name; what it asks comes as a request, and the answer as a response."""
    page = Page(lambda request: f"{request.method} {request.getRequestHostname()} {request.uri}")
    assert asked(page, "/x?y", "/z") == ["GET a.example /x?y", "GET a.example /z"]


def test_what_stands_on_an_agent_stands_on_this_one():
    """Redirects are followed, cookies kept, errors are pages: as over a socket."""

    def answer(request):
        if request.uri == "/":
            request.addCookie("crumb", "1")
            request.redirect("/next")
            return b""
        if request.uri == "/next":
            return request.getCookie("crumb")
        raise NotFound("nothing")

    assert asked(Page(answer), "/") == ["1"]
    assert "nothing" in asked(Page(answer), "/other")[0]


def test_https_is_secure():
    """To the tree, so that one which leads there is no circle, and to the cookies of a session."""

    def answer(request):
        if not request.isSecure():
            return redirectTo("https://a.example/", request)
        request.addCookie("crumb", "1")
        return f"{request.rootURL()} {request.getCookie('crumb')}"

    async def scenario():
        async with Session(agent=TreeAgent(Page(answer))) as session:
            first, second = [await session.get("http://a.example/") for _ in range(2)]
            assert await first.text() == "https://a.example/ None"
            assert await second.text() == "https://a.example/ 1"
            assert [one.secure for one in session.cookieJar] == [True]

    asyncio.run(scenario())


def test_connections_are_kept():
    """As many as there are requests at once, and no more."""
    waiting = []

    def answer(request):
        waiting.append(Deferred())
        if len(waiting) == 3:
            for one in waiting:
                one.callback(b"all here")
        return waiting[-1]

    async def scenario():
        with TreeAgent(Page(answer)) as agent:
            asking = [agent.request("GET", "http://a.example/") for _ in range(3)]
            responses = [await one for one in asking]
            assert [await one.content() for one in responses] == [b"all here"] * 3
            assert agent.pool.getNumbers() == (3, 3, 0)

    asyncio.run(scenario())


def test_bodies_of_any_size_go_both_ways():
    """And who does not read has the other wait."""
    given = []

    class Endless(Resource):
        isLeaf = True
        policy = Policy(takesBody="stream", maxBody=50 * MB)

        def render_GET(self, request):
            while True:
                given.append(MB)
                yield bytes(MB)

        async def render_POST(self, request):
            return str(sum([len(piece) async for piece in request.stream()]))

    async def scenario():
        async with Session(agent=TreeAgent(Endless())) as session:
            response = await session.post("http://a.example/", data=bytes(30 * MB))
            assert await response.text() == str(30 * MB)
            response = await session.get("http://a.example/")
            read = 0
            async for piece in response:
                read += len(piece)
                if read > 20 * MB:
                    break
            assert read <= sum(given) < read + 3 * MB

    asyncio.run(scenario())


def test_who_leaves_is_noticed():
    """A request that is cancelled is a client that has left."""
    left = []

    def answer(request):
        request.notifyFinish().addErrback(left.append)
        return Deferred()

    clock = Clock()
    with TreeAgent(Page(answer), clock) as agent:
        asking = agent.request("GET", "http://a.example/")
        clock.advance(0)
        assert left == []
        asking.cancel()
        clock.advance(0)
        assert len(left) == 1


def test_an_answer_that_breaks_off_is_no_answer():
    """An error behind its first bytes is a failure of the client's, as over a socket."""

    def answer(request):
        yield b"half of it"
        raise ZeroDivisionError

    async def scenario():
        with TreeAgent(Page(answer)) as agent:
            response = await agent.request("GET", "http://a.example/")
            with pytest.raises(ResponseFailed):
                await response.content()

    asyncio.run(scenario())


def test_one_clock_drives_both_sides():
    """The client's timeouts, and the site's deadlines."""
    never, clock = Page(lambda request: Deferred()), Clock()
    with TreeAgent(never, clock, timeouts=Timeouts(firstByte=30)) as agent:
        asking = agent.request("GET", "http://a.example/")
        clock.pump([1] * 29)
        assert not asking.called
        clock.pump([1] * 2)
        failureResultOf(asking, FirstByteTimeout)
    site = Site(Page(lambda request: b"hello"), timeout=5, reactor=clock)
    with TreeAgent(site, clock) as agent:
        asking = agent.request("GET", "http://a.example/")
        clock.advance(0)
        assert successResultOf(asking).code == 200
        assert agent.pool.getNumbers() == (1, 1, 0)
        clock.pump([1] * 8)
        assert agent.pool.getNumbers() == (0, 0, 0)


def test_nothing_is_left_when_it_is_closed():
    """No timer on either side; what was under way has failed."""
    clock = Clock()
    agent = TreeAgent(Page(lambda request: Deferred()), clock)
    asking = agent.request("GET", "http://a.example/")
    clock.advance(0)
    agent.close()
    failureResultOf(asking, ResponseNeverReceived)
    clock.advance(0)
    assert clock.getDelayedCalls() == []


def test_a_log_is_written(tmp_path):
    """By a site that has one: each request in it, once the agent is closed."""
    site = Site(Page(lambda request: b"hello"), logPath=tmp_path / "log")

    async def scenario():
        with TreeAgent(site) as agent:
            await (await agent.request("GET", "http://a.example/logged")).content()

    asyncio.run(scenario())
    assert '"GET /logged HTTP/1.1" 200 5' in (tmp_path / "log").read_text()
