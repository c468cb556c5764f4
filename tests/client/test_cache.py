"""Answers that are kept: given again without asking, or when the server says that they are good."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.world import HELLO, Outcome, Reader, World, answering
from weblayer.client.auth import AuthAgent
from weblayer.client.cache import CacheAgent
from weblayer.client.diskstore import DiskStore
from weblayer.client.error import ResponseDone, ResponseFailed
from weblayer.client.response import readBody
from weblayer.client.stores import MemoryStore
from weblayer.loop.defer import CancelledError
from weblayer.loop.error import ConnectionRefusedError as Refused
from weblayer.wire.caching import Kept
from weblayer.wire.headers import Headers

FOR_TEN = "Cache-Control: max-age=10"


class Caching(World):
    """A world whose agent keeps answers, by the clock of its reactor."""

    def __init__(self, store=None, **options):
        super().__init__()
        self.below = self.agent
        self.agent = CacheAgent(self.below, store, wallClock=self.reactor.seconds, **options)

    def get(self, raw=None, uri="http://a.example/", **asked):
        """Ask, answer with *raw* where there is one, and read: what the server saw, and we."""
        outcome = self.ask(uri, headers=Headers(asked.pop("headers", None)), **asked)
        wire = self.serve(raw) if raw is not None else None
        body = outcome.read() if outcome.response else None
        return wire, outcome.response, body

    @property
    def is_asked(self):
        """Whether a request has reached the server, or tries to."""
        self.pump()
        return bool(self.attempts) or any(one.received for one in self.servers)


@pytest.fixture(params=["memory", "disk"])
def store(request, tmp_path):
    """Each kind of store, empty."""
    if request.param == "memory":
        yield MemoryStore()
        return
    made = DiskStore(tmp_path / "cache")
    yield made
    made.close()


def is_hit(response):
    return response.headers.getHeader("cache-status") == "weblayer; hit"


def test_what_is_fresh_is_not_asked_for(store):
    """It is as it was, with its age; so is the answer to HEAD, without the body."""
    world = Caching(store)
    _, first, _ = world.get(answering(200, FOR_TEN, "A: 1", body=b"hello"))
    assert not first.headers.hasHeader("cache-status")
    world.advance(4)
    for method, body in (("GET", b"hello"), ("HEAD", b"")):
        _, response, reader = world.get(method=method)
        assert not world.is_asked
        assert (response.code, response.phrase, response.version) == (200, "Said", ("HTTP", 1, 1))
        assert (response.length, reader.data, reader.end) == (len(body), body, ResponseDone)
        assert response.headers == Headers(
            {"A": ["1"], "Age": ["4"], "Cache-Control": ["max-age=10"], "Content-Length": ["5"],
             "Cache-Status": ["weblayer; hit"]}
        )  # fmt: skip
    world.advance(6)
    assert world.get(HELLO)[0] is not None


def test_what_is_stale_is_asked_for_with_its_validators(store):
    """A 304 has it given again, and fresh again; its own cookies reach the caller."""
    world = Caching(store)
    world.get(answering(200, 'ETag: "x"', "Cache-Control: no-cache", body=b"hello"))
    asked, response, reader = world.get(
        b'HTTP/1.1 304 Same\r\nETag: "x"\r\nCache-Control: max-age=10\r\nSet-Cookie: a=1\r\n\r\n'
    )
    assert b'If-None-Match: "x"\r\n' in asked
    assert (response.code, reader.data) == (200, b"hello")
    assert response.headers.getHeader("cache-status") == "weblayer; fwd=stale; fwd-status=304"
    assert response.headers.getHeader("set-cookie") == "a=1"
    _, response, _ = world.get()
    assert is_hit(response)
    assert not response.headers.hasHeader("set-cookie")
    assert world.pool.getNumbers() == (1, 1, 0)


def test_what_has_changed_replaces_what_was_kept(store):
    """With its own age."""
    world = Caching(store)
    world.get(answering(200, "ETag: x", body=b"old"))
    world.get(answering(200, "ETag: y", FOR_TEN, body=b"new"))
    _, response, reader = world.get()
    assert is_hit(response)
    assert reader.data == b"new"


def test_what_may_no_longer_be_kept_is_forgotten(store):
    """The old answer is not given again."""
    world = Caching(store)
    world.get(answering(200, "ETag: x", body=b"old"))
    world.get(answering(200, "Cache-Control: no-store", body=b"new"))
    asked, _, _ = world.get(HELLO)
    assert b"If-None-Match" not in asked


def test_a_304_about_something_else_is_not_believed(store):
    """The server is asked again, without conditions."""
    world = Caching(store)
    world.get(answering(200, 'ETag: "x"', body=b"old"))
    outcome = world.ask()
    world.serve(b'HTTP/1.1 304 Same\r\nETag: "y"\r\n\r\n')
    assert b"If-None-Match" not in world.serve(HELLO)
    assert outcome.read().data == b"hello"


def test_what_is_not_to_be_kept_any_more_is_forgotten(store):
    """A 304 with no-store: the server is asked for all of it, and what was kept is not kept on."""
    world = Caching(store)
    world.get(answering(200, 'ETag: "x"', body=b"old"))
    outcome = world.ask()
    world.serve(b'HTTP/1.1 304 Same\r\nETag: "x"\r\nCache-Control: no-store\r\n\r\n')
    assert b"If-None-Match" not in world.serve(answering(200, "Cache-Control: no-store", body=b"n"))
    assert outcome.read().data == b"n"
    asked, _, _ = world.get(HELLO)
    assert b"If-None-Match" not in asked


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nCache-Control: max-age=10\r\nContent-Length: 9\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nCache-Control: max-age=10\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na",
        b"HTTP/1.1 200 OK\r\nCache-Control: max-age=10\r\n\r\nhello",
    ],
    ids=["short", "cut chunks", "until close"],
)
def test_what_may_not_be_whole_is_not_kept(store, raw):
    """RFC 9111, 3.3: a body that broke off, and one that only ended with its connection."""
    world = Caching(store)
    outcome = world.ask()
    world.serve(raw)
    reader = outcome.read()
    world.servers[-1].close()
    assert reader.reason is not None
    assert world.get(HELLO)[0] is not None


def test_what_its_reader_left_is_not_kept():
    """Though all of it had come."""

    class Leaving(Reader):
        def dataReceived(self, data):
            self.transport.abortConnection()

    world = Caching()
    outcome = world.ask()
    world.serve(
        b"HTTP/1.1 200 OK\r\n" + FOR_TEN.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    world.servers[-1].send(b"1\r\na\r\n")
    world.servers[-1].send(b"1\r\nb\r\n0\r\n\r\n")
    outcome.response.deliverBody(Leaving())
    assert world.get(HELLO)[0] is not None


@given(cuts=st.lists(st.integers(1, 40), max_size=4), pauses=st.booleans())
def test_it_is_kept_however_it_came(cuts, pauses):
    """And however its reader takes it."""
    world = Caching()
    outcome = world.ask()
    raw = answering(200, FOR_TEN, body=b"0123456789" * 3)
    at = raw.index(b"\r\n\r\n") + 4
    world.serve(raw[:at])
    reader = outcome.read()
    for cut in cuts:
        if pauses:
            reader.transport.pauseProducing()
        world.servers[-1].send(raw[at : at + cut])
        reader.transport.resumeProducing()
        at = min(at + cut, len(raw))
    world.servers[-1].send(raw[at:])
    assert reader.data == b"0123456789" * 3
    assert world.get()[2].data == b"0123456789" * 3


def test_what_is_read_at_once_is_kept():
    """readBody finds a short body whole, and takes it without a reader."""
    world, bodies = Caching(), []
    outcome = world.ask()
    world.serve(answering(200, FOR_TEN, body=b"hello"))
    readBody(outcome.response).addCallback(bodies.append)
    readBody(world.ask().response).addCallback(bodies.append)
    assert bodies == [b"hello", b"hello"]


def test_what_is_longer_than_allowed_is_given_and_not_kept():
    """Its reader does not see a difference, and neither does who reads it at once."""
    world, bodies = Caching(maxBody=4), []
    _, _, reader = world.get(answering(200, FOR_TEN, body=b"hello"))
    assert (reader.data, reader.end) == (b"hello", ResponseDone)
    outcome = world.ask()
    world.serve(answering(200, FOR_TEN, body=b"hello"))
    readBody(outcome.response).addCallback(bodies.append)
    assert bodies == [b"hello"]
    assert world.get(HELLO)[0] is not None


def test_a_request_with_a_body_passes_it_by():
    """What a GET means with one, nobody has said (RFC 9110, 9.3.1)."""
    world = Caching()
    world.get(answering(200, FOR_TEN))
    asked, _, _ = world.get(HELLO, body=b"which?")
    assert asked.endswith(b"which?")


@pytest.mark.parametrize(
    "headers",
    [{"Range": ["bytes=0-1"]}, {"If-None-Match": ["x"]}, {"If-Modified-Since": ["x"]}],
)
def test_who_brings_conditions_passes_it_by(headers):
    """Neither is what is kept given, nor the answer kept."""
    world = Caching()
    world.get(answering(200, FOR_TEN, body=b"whole"))
    _, response, _ = world.get(
        b"HTTP/1.1 206 Part\r\nContent-Range: bytes 0-1/5\r\nCache-Control: max-age=10\r\n"
        b"Content-Length: 2\r\n\r\nwh",
        headers=headers,
    )
    assert response.code == 206
    assert world.get()[2].data == b"whole"


def test_each_user_and_each_variant_has_its_own(store):
    """By Vary, and always by Authorization."""
    world = Caching(store)
    for language in ("de", "en"):
        raw = answering(200, FOR_TEN, "Vary: Accept-Language", body=language.encode())
        world.get(raw, headers={"Accept-Language": [language]})
    for language in ("de", "en"):
        _, response, reader = world.get(headers={"Accept-Language": [language]})
        assert (is_hit(response), reader.data) == (True, language.encode())
    assert world.get(HELLO)[0] is not None
    alice, bob = (AuthAgent(world.agent, (name, "pw")) for name in ("alice", "bob"))
    outcome = Outcome(alice.request("GET", "http://a.example/mine"))
    world.serve(answering(200, FOR_TEN, body=b"alice's"))
    outcome.read()
    Outcome(bob.request("GET", "http://a.example/mine"))
    assert b"Authorization: Basic Ym9iOnB3" in world.serve(HELLO)
    again = Outcome(alice.request("GET", "http://a.example/mine"))
    assert again.read().data == b"alice's"


@pytest.mark.parametrize(
    ("method", "answer", "forgotten"),
    [
        ("POST", answering(200), {"/a"}),
        ("DELETE", answering(204), {"/a"}),
        (
            "PUT",
            answering(201, "Location: /b", "Content-Location: http://a.example/c"),
            {"/a", "/b", "/c"},
        ),
        ("POST", answering(303, "Location: http://other.example/b"), {"/a"}),
        ("POST", answering(200, "Location: http://["), {"/a"}),
        ("POST", answering(400), set()),
        ("OPTIONS", answering(200), set()),
    ],
)
def test_a_change_has_it_forgotten(store, method, answer, forgotten):
    """The page itself, and what the answer names on the same site. RFC 9111, 4.4."""
    world = Caching(store)
    pages = {"/a", "/b", "/c"}
    world.get(answering(200, FOR_TEN), "http://other.example/b")
    for page in sorted(pages):
        world.get(answering(200, FOR_TEN), f"http://a.example{page}")
    world.get(answer, "http://a.example/a#part", method=method)
    kept = {page for page in sorted(pages) if store.find(f"http://a.example{page}")}
    assert kept == pages - forgotten
    assert store.find("http://other.example/b")


def test_only_what_is_kept():
    """only-if-cached: 504 without asking anybody, as RFC 9111, 5.2.1.7 has it."""
    world = Caching()
    headers = {"Cache-Control": ["only-if-cached"]}
    assert world.get(headers=headers)[1].code == 504
    assert not world.is_asked
    world.get(answering(200, FOR_TEN))
    assert world.get(headers=headers)[1].code == 200


def test_a_server_in_trouble_is_stood_in_for(store, caplog):
    """By what is stale, as long as it allows: it says 5xx, or nothing, or cannot be reached."""
    world = Caching(store)
    world.get(answering(200, "Cache-Control: max-age=1, stale-if-error=10", body=b"hello"))
    world.advance(5)
    outcome = world.ask()
    world.serve(b"HTTP/1.1 503 Trouble\r\nContent-Length: 100000\r\n\r\n")
    assert (outcome.response.code, outcome.read().data) == (200, b"hello")
    outcome = world.ask()
    world.accept().reset()
    assert outcome.read().data == b"hello"
    outcome = world.ask()
    world.attempts[0].refuse()
    assert outcome.read().data == b"hello"
    assert caplog.text == ""  # nothing was left for others to drop
    world.advance(10)
    outcome = world.ask()
    world.attempts[0].refuse()
    assert isinstance(outcome.error, Refused)


def test_what_is_a_little_stale_is_renewed_while_nobody_waits(store):
    """stale-while-revalidate: one request, however many ask meanwhile."""
    world = Caching(store)
    world.get(answering(200, "Cache-Control: max-age=1, stale-while-revalidate=60", body=b"old"))
    world.advance(5)
    for old, new in ((b"old", b"new"), (b"new", b"newer")):
        for _ in range(3):
            assert world.get()[2].data == old
        control = "Cache-Control: max-age=1, stale-while-revalidate=60"
        world.serve(answering(200, control, body=new))
        _, response, reader = world.get()
        assert (is_hit(response), reader.data) == (True, new)
        assert not world.is_asked
        world.advance(5)


def test_a_failed_renewal_is_nobody_s_error(caplog):
    """It is told in the log; the next one tries again."""
    caplog.set_level("INFO", "weblayer")
    world = Caching()
    world.get(answering(200, "Cache-Control: max-age=1, stale-while-revalidate=60", body=b"old"))
    world.advance(5)
    for _ in range(2):
        assert world.get()[2].data == b"old"
        world.pump()
        server = world.accept() if world.attempts else world.servers[-1]
        server.reset()
        world.pump()
        while world.attempts:
            world.accept().reset()
    assert "could not be renewed" in caplog.text


def test_an_error_without_anything_kept_is_told():
    """As without a cache."""
    world = Caching()
    outcome = world.ask()
    world.accept().reset()
    assert isinstance(outcome.error, ResponseFailed)


@pytest.mark.parametrize("kept", [False, True], ids=["anew", "whether it is still good"])
def test_cancelling_ends_what_is_asked(kept):
    """Nothing is left under way, and what is kept stays."""
    world = Caching()
    if kept:
        world.get(answering(200, "ETag: x", body=b"hello"))
    outcome = world.ask()
    server = world.accept() if world.attempts else world.servers[-1]
    assert server.received
    outcome.deferred.cancel()
    world.pump()
    assert isinstance(outcome.error, CancelledError)
    assert world.pool.getNumbers() == (0, 0, 0)
    asked, _, _ = world.get(HELLO)
    assert (b"If-None-Match: x" in asked) is kept


# The stores.


def entry(chosen=b"", answered=0.0):
    return Kept(200, b"HTTP/1.1 200 OK\r\n\r\n", answered, answered, chosen)


@pytest.mark.parametrize("kind", ["memory", "disk"])
@given(sizes=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30_000)), max_size=30))
def test_a_store_is_bounded(kind, sizes, tmp_path_factory):
    """It never holds more than it may, and what was kept last is there."""
    most = 50_000
    path = tmp_path_factory.mktemp("cache") / "cache"
    store = MemoryStore(most) if kind == "memory" else DiskStore(path, most)
    for moment, (number, size) in enumerate(sizes):
        store.keep(f"u{number}", entry(answered=moment), bytes(size))
        held = [
            len(store.read(uri, kept) or b"")
            for uri in (f"u{n}" for n in range(6))
            for kept in store.find(uri)
        ]
        assert sum(held) <= most
        assert store.read(f"u{number}", entry(answered=moment)) == bytes(size)
    if kind == "disk":
        store.close()


def test_a_body_is_that_of_its_own_head(store):
    """Not of one that was kept, or found to be good, since the head was found."""
    first, second, third = (entry(answered=moment) for moment in (1.0, 2.0, 3.0))
    store.keep("a", first, b"first")
    store.keep("a", second, b"second")
    store.refresh("a", first, third)
    assert store.read("a", first) is None
    assert store.find("a") == [second]
    other = entry(b"other", 4.0)
    store.refresh("a", second, other)
    assert store.find("a") == [other]
    assert store.read("a", other) == b"second"


def test_the_least_used_goes_first():
    """From memory; on disk, the oldest."""
    store = MemoryStore(3 * 2000)
    for uri in "abc":
        store.keep(uri, entry(), bytes(900))
    store.read("a", entry())
    store.keep("d", entry(), bytes(900))
    assert [uri for uri in "abcd" if store.find(uri)] == ["a", "c", "d"]


def test_variants_of_one_page_are_bounded():
    """A page that varies by everything does not drive the others out."""
    store = MemoryStore()
    for number in range(40):
        store.keep("a", entry(b"%d" % number), b"")
    assert len(store.find("a")) == 16


def test_a_store_on_disk_outlives_its_program(tmp_path):
    """And may be used by two at once; nobody else may read it."""
    path = tmp_path / "cache"
    first = DiskStore(path)
    first.keep("a", entry(), b"hello")
    second = DiskStore(path)
    assert second.read("a", entry()) == b"hello"
    assert path.stat().st_mode & 0o077 == 0
    second.remove("a")
    assert first.find("a") == []
    first.close()
    second.close()
    third = DiskStore(path)
    assert third.find("a") == []
    third.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 99, None])
def test_a_file_that_is_something_else_is_left_alone(tmp_path, content):
    """Neither another program's database nor anything else becomes a cache."""
    path = tmp_path / "precious"
    if content is None:
        with sqlite3.connect(path) as base:
            base.execute("CREATE TABLE precious (x)")
        base.close()
        content = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(ValueError, match="path must be"):
        DiskStore(path)
    assert path.read_bytes() == content


def test_a_store_that_breaks_has_nothing(tmp_path, caplog):
    """Requests go on; the log tells of it."""
    store = DiskStore(tmp_path / "cache")
    world = Caching(store)
    world.get(answering(200, FOR_TEN, body=b"hello"))
    store.close()
    assert world.get(HELLO)[2].data == b"hello"
    assert "the cache on disk" in caplog.text
