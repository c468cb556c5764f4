"""The pleasant face: what a program says in one call, as the server sees it."""

import asyncio
import gzip
import io
import json
from http.cookiejar import CookieJar

import pytest

import weblayer.client
from tests.client.echo import Echo
from tests.client.test_sockets import standard_server, until
from tests.client.world import HELLO, World, answering
from weblayer.client.auth import BearerAuth
from weblayer.client.error import BadStatus, InvalidURI, PoolClosed, TotalTimeout
from weblayer.client.multipart import FilePart
from weblayer.client.retry import Retrying
from weblayer.client.session import Session
from weblayer.client.stores import MemoryStore
from weblayer.client.timeouts import Timeouts
from weblayer.loop.deferred import fail
from weblayer.wire.headers import Headers


@pytest.fixture
def asking(reactor):
    """Run a coroutine function with a session and the address of an echo."""

    def run(scenario, **options):
        async def whole():
            async with Session(reactor, **options) as session:
                await scenario(session, server)
            await until(lambda: session.pool.getNumbers() == (0, 0, 0))

        with standard_server(Echo) as server:
            reactor.drive(whole())

    return run


def seen(asking, method="POST", path="/", options=(), **asked):
    """What the server saw of one request."""
    found = []

    async def scenario(session, server):
        response = await session.request(method, server + path, **asked)
        found.append(await response.json())

    asking(scenario, **dict(options))
    return found[0]


@pytest.mark.parametrize("verb", ["get", "head", "post", "put", "patch", "delete"])
def test_each_verb_has_a_function(asking, verb, reactor):
    """Of a session, and of the package for one request."""

    async def scenario(session, server):
        for one in (getattr(session, verb), getattr(weblayer.client, verb)):
            response = await one(server + "/", params={"a": "b"})
            assert response.code == 200
            if verb != "head":
                asked = await response.json()
                assert (asked["method"], asked["path"]) == (verb.upper(), "/?a=b")
            response = await weblayer.client.request("GET", server)
            assert (await response.json())["headers"]["connection"] == "close"

    asking(scenario)


@pytest.mark.parametrize(
    ("path", "params", "path_seen"),
    [
        ("/", {"a": "b c", "ü": 1}, "/?a=b+c&%C3%BC=1"),
        ("/?x", [("a", "b"), ("a", "c")], "/?x&a=b&a=c"),
        ("/?", {"a": ["b", "c"], "d": None}, "/?a=b&a=c"),
        ("/b#c", {"a": "b"}, "/b?a=b"),
        ("/", None, "/"),
        ("/", {}, "/"),
    ],
)
def test_params_go_into_the_query(asking, path, params, path_seen):
    """Behind what is there; a list gives a name several times, None leaves it out."""
    assert seen(asking, path=path, params=params)["path"] == path_seen


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("asked", "body", "kind"),
    [
        ({"data": b"raw"}, "raw", None),
        ({"data": "ü"}, "ü", None),
        ({"data": {"a": "b c", "d": ["1", "2"]}}, "a=b+c&d=1&d=2", FORM),
        ({"data": [("a", 1)]}, "a=1", FORM),
        ({"data": {"a": 1}, "headers": {"Content-Type": "x/y"}}, "a=1", "x/y"),
        ({"json": {"ü": [1, None]}}, '{"ü":[1,null]}', "application/json"),
        ({}, "", None),
    ],
)
def test_what_may_be_a_body(asking, asked, body, kind):
    """And the type that it goes with, which the caller may change."""
    found = seen(asking, **asked)
    assert found["body"] == body
    assert found["headers"].get("content-type") == kind


def test_a_file_is_a_body(asking):
    """Sent as it is read, wherever a redirect leads, and left open for who opened it."""
    file = io.BytesIO(b"file")
    assert seen(asking, data=file)["body"] == "file"
    assert seen(asking, path="/redirect307?/", data=file)["body"] == ""
    file.seek(0)
    assert seen(asking, path="/redirect307?/", data=file)["body"] == "file"
    assert not file.closed


def test_files_are_a_form(asking, tmp_path):
    """Beside texts; named as they are on the disk, or as the caller says."""
    (tmp_path / "a.txt").write_text("of the disk")
    with (tmp_path / "a.txt").open("rb") as file:
        files = {"one": file, "two": b"bytes", "three": ("t.csv", b"x", "text/csv"),
                 "four": FilePart("f", b"y")}  # fmt: skip
        found = seen(asking, data={"text": "words", "n": 7}, files=files)
    assert found["headers"]["content-type"].startswith("multipart/form-data; boundary=")
    for part in (
        'name="text"\r\n\r\nwords\r\n', 'name="n"\r\n\r\n7\r\n', 'name="one"; filename="a.txt"',
        'of the disk', 'name="two"; filename="two"', 'filename="t.csv"\r\nContent-Type: text/csv',
        'name="four"; filename="f"',
    ):  # fmt: skip
        assert part in found["body"]


@pytest.mark.parametrize(
    ("asked", "error", "names"),
    [
        ({"json": 1, "data": b""}, ValueError, "json"),
        ({"json": float("nan")}, ValueError, "JSON"),
        ({"json": {1, 2}}, TypeError, "JSON"),
        ({"data": b"", "files": {}}, TypeError, "data"),
        ({"data": 7}, TypeError, "data"),
        ({"data": io.StringIO("a")}, TypeError, "bytes"),
        ({"files": {"a": io.StringIO("a")}}, TypeError, "bytes"),
        ({"timeout": -1}, ValueError, "more than 0"),
        ({"headers": {"A": "b\r\nC: d"}}, ValueError, "CR"),
    ],
)
def test_what_cannot_be_asked_is_told(asking, asked, error, names):
    """By an error that names it; nothing is sent."""

    async def scenario(session, server):
        with pytest.raises(error, match=names):
            await session.post(server, **asked)
        assert session.pool.getNumbers() == (0, 0, 0)

    asking(scenario)


def test_headers_of_the_session_and_of_the_request(asking):
    """The latter go before; each name once."""
    options = {"headers": {"X-A": "1", "User-Agent": "me"}}
    found = seen(asking, options=options, headers=Headers({"x-a": ["2"]}))["headers"]
    assert (found["x-a"], found["user-agent"], found["accept"]) == ("2", "me", "*/*")
    assert seen(asking)["headers"]["user-agent"] == "weblayer"


def test_who_asks(asking):
    """Of the session, of the URI, of the request: the last goes before."""
    options = {"auth": ("a", "b")}
    assert seen(asking, options=options)["headers"]["authorization"] == "Basic YTpi"
    found = seen(asking, options=options, auth=BearerAuth("t"))
    assert found["headers"]["authorization"] == "Bearer t"

    async def scenario(session, server):
        response = await session.get(server.replace("://", "://u:p%40@"))
        assert (await response.json())["headers"]["authorization"] == "Basic dTpwQA=="

    asking(scenario, **options)


def test_cookies_are_kept_and_given(asking):
    """Those that were set, those of the session, and those of the request."""
    jar = CookieJar()

    async def scenario(session, server):
        await (await session.get(server + "/cookie")).content()
        response = await session.get(server + "/", cookies={"mine": "2"})
        assert (await response.json())["headers"]["cookie"] == "mine=2; crumb=1"
        assert session.cookieJar is jar

    asking(scenario, cookies=jar)
    assert [cookie.name for cookie in jar] == ["crumb"]
    assert seen(asking, options={"cookies": {"a": "b"}})["headers"]["cookie"] == "a=b"


def test_redirects_are_followed_or_not(asking):
    """As many as the session says."""
    assert seen(asking, path="/redirect?/there")["path"] == "/there"
    assert seen(asking, path="/redirect?/there", options={"redirects": 0})["path"] != "/there"


def test_connections_are_shared(asking):
    """By all requests of a session, whatever time each has."""

    async def scenario(session, server):
        peers = set()
        for timeout in (None, 5, Timeouts(total=9)):
            peers.add((await (await session.get(server, timeout=timeout)).json())["peer"])
        assert len(peers) == 1

    asking(scenario)


def in_memory(scenario, **options):
    """Run a coroutine function with a session whose network and time are in its hands."""

    async def whole():
        world = World()
        with Session(world.reactor, pool=world.pool, proxy="", **options) as session:
            await scenario(session, world)

    asyncio.run(whole())


def test_a_time_is_for_all_of_it():
    """Also for what is usually given less."""

    async def scenario(session, world):
        asking = asyncio.ensure_future(session.get("http://a.example/"))
        await asyncio.sleep(0)
        world.accept()
        world.advance(199)
        assert world.pool.getNumbers() == (1, 0, 1)
        world.advance(2)
        with pytest.raises(TotalTimeout):
            await asking

    in_memory(scenario, timeout=200)


async def pieces():
    yield b"a"
    yield b"b"


def test_what_comes_later_is_sent_in_chunks():
    """An asynchronous iterable."""

    async def scenario(session, world):
        asking = asyncio.ensure_future(session.post("http://a.example/", data=pieces()))
        await asyncio.sleep(0)
        server = world.accept()
        await until(lambda: server.received.endswith(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"))
        server.send(HELLO)
        assert (await asking).code == 200

    in_memory(scenario)


def test_a_session_may_ask_again():
    """When it is told how often."""

    async def scenario(session, world):
        asking = asyncio.ensure_future(session.get("http://a.example/"))
        await asyncio.sleep(0)
        world.attempts[0].refuse()
        await asyncio.sleep(0)
        world.reactor.advance(1)
        world.serve(HELLO)
        assert await (await asking).text() == "hello"

    in_memory(scenario, retrying=Retrying())


def test_it_keeps_answers_where_it_has_a_place_for_them():
    """Compressed, as they came; whoever asks again has them decoded."""

    async def scenario(session, world):
        for _ in range(2):
            asking = asyncio.ensure_future(session.get("http://a.example/"))
            await asyncio.sleep(0)
            if world.attempts:
                packed = gzip.compress(b"hello")
                fields = ("Cache-Control: max-age=1000", "Content-Encoding: gzip")
                world.serve(answering(200, *fields, body=packed))
            assert await (await asking).text() == "hello"
        assert len(world.servers) == 1
        assert not world.servers[0].received

    in_memory(scenario, cache=MemoryStore())


def test_an_error_is_raised_when_asked_for(asking):
    """By raiseForStatus."""

    async def scenario(session, server):
        response = await session.get(server + "/status/404")
        with pytest.raises(BadStatus, match="404"):
            response.raiseForStatus()

    asking(scenario)


class Answers:
    """A stand-in for an agent: remembers what it is asked."""

    def __init__(self):
        self.asked = []

    def request(self, method, uri, headers=None, bodyProducer=None):
        self.asked.append((method, uri, bodyProducer))
        return fail(InvalidURI("nobody is asked"))


def test_another_agent_may_ask():
    """What stands on it is the same, and no network is touched."""

    async def scenario(session, world):
        with pytest.raises(InvalidURI, match="nobody"):
            await session.post("http://a.example/", data=b"b")
        assert world.reactor.connectors == []
        assert agent.asked == [("POST", "http://a.example/", b"b")]

    agent = Answers()
    in_memory(scenario, agent=agent)


def test_a_session_that_is_closed_asks_nobody(asking):
    """What is under way fails, and so does what comes later."""

    async def scenario(session, server):
        response = await session.get(server)
        assert json.loads(await response.text())
        with session:
            pass
        with pytest.raises(PoolClosed):
            await session.get(server)

    asking(scenario)


@pytest.mark.parametrize("name", weblayer.client.__all__)
def test_the_fields_names_are_there(name):
    """By the module that the field's programs import them from."""
    thing = getattr(weblayer.client, name)
    assert (thing.__module__.startswith("weblayer.client."), thing.__name__) == (True, name)


def test_a_name_that_is_not_there():
    """The package says which are."""
    with pytest.raises(AttributeError, match="get, getPage, head"):
        _ = weblayer.client.got


@pytest.mark.parametrize("uri", [None, 3])
def test_what_is_no_uri_and_no_headers_is_told(asking, uri):
    """By the parameter's name."""

    async def scenario(session, server):
        with pytest.raises(TypeError, match="uri must be str or bytes"):
            await session.get(uri)
        with pytest.raises(TypeError, match="headers must be a dict or Headers"):
            await session.get(server, headers=[("a", "b")])
        with pytest.raises(TypeError, match="headers must be Headers"):
            weblayer.client.Agent().request("GET", server, {"a": "b"})
        response = await session.get(server.encode())
        assert response.code == 200

    asking(scenario)
