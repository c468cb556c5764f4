"""Connections that are kept, bounded and waited for."""

import gc
import logging
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.world import HELLO, World
from weblayer.client.error import PoolClosed, PoolTimeout, ResponseDone, ResponseNeverReceived
from weblayer.client.timeouts import Timeouts
from weblayer.loop.defer import CancelledError
from weblayer.loop.testing import assertNoResult, successResultOf
from weblayer.wire.headers import Headers

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nab"


def requests_of(server):
    """How many requests have come to a server."""
    return server.received.count(b"HTTP/1.1\r\n")


def test_a_connection_is_used_again():
    """One connection for one request after the other; another port is another origin."""
    world = World()
    outcome, server = world.connected()
    server.send(HELLO)
    assert world.pool.getNumbers() == (1, 1, 0)
    outcome = world.ask()
    assert (outcome.is_open, requests_of(server)) == (True, 2)
    server.send(HELLO)
    assert outcome.response.code == 200
    world.ask("http://a.example:81/")
    world.ask("https://a.example/")
    assert len(world.attempts) == 2


def test_it_is_free_before_anybody_is_told():
    """Who asks again in the callback of an answer needs no second connection."""
    world = World()
    outcome, server = world.connected()
    again = []
    outcome.deferred.addCallback(lambda _: again.append(world.ask()))
    server.send(HELLO)
    assert (len(again), world.attempts, requests_of(server)) == (1, [], 2)


@pytest.mark.parametrize(
    "raw",
    [
        HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
        HELLO.replace(b"1.1", b"1.0"),
        HELLO + b"more",
        HELLO + HELLO,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
def test_what_must_not_be_used_again_is_closed(raw):
    """A close, HTTP/1.0, bytes behind the answer, another protocol: the answer is good."""
    world = World()
    outcome, server = world.connected()
    server.send(raw)
    assert outcome.response is not None
    assert server.isClosed
    assert world.pool.getNumbers() == (0, 0, 0)


def test_an_answer_that_nobody_asked_for_closes_the_connection():
    """Such as the 408 of a server that is about to close; the next request has another one."""
    world = World()
    _, server = world.connected()
    server.send(HELLO)
    server.send(b"HTTP/1.1 408 Too Slow\r\nContent-Length: 0\r\n\r\n")
    assert server.isClosed
    assert world.pool.getNumbers() == (0, 0, 0)
    outcome, server = world.connected()
    assert outcome.is_open


@pytest.mark.parametrize(
    ("method", "raw"),
    [("HEAD", b"HTTP/1.1 200 OK\r\n\r\n"), ("GET", b"HTTP/1.1 204 No\r\n\r\n"),
     ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")],
)  # fmt: skip
def test_an_answer_without_a_body_needs_no_length(method, raw):
    """Its connection is used again, though its head would mean the end of it for others."""
    world = World()
    outcome, server = world.connected(method=method)
    server.send(raw)
    assert outcome.read().end is ResponseDone
    assert world.pool.getNumbers() == (1, 1, 0)


def test_a_pool_may_keep_nothing():
    """Not persistent: the request says so, and the connection is closed after the answer."""
    world = World(persistent=False)
    _, server = world.connected()
    assert b"\r\nConnection: close\r\n" in server.received
    server.send(HELLO)
    assert server.isClosed
    assert world.pool.getNumbers() == (0, 0, 0)


def test_the_caller_may_ask_for_a_close():
    """By `Connection: close` of its own."""
    world = World()
    _, server = world.connected(headers=Headers({"Connection": ["close"]}))
    server.send(HELLO)
    assert server.isClosed


def test_the_newest_connection_is_used_first():
    """So that those which are not needed any more grow old, and expire."""
    world = World()
    servers = [world.connected()[1] for _ in range(3)]
    for server in servers:
        server.send(HELLO)
    world.ask()
    assert [requests_of(server) for server in servers] == [1, 1, 2]


def test_idle_connections_expire():
    """After cachedConnectionTimeout seconds, and at most a second later."""
    world = World(cachedConnectionTimeout=10)
    _, server = world.connected()
    world.advance(30)
    server.send(HELLO)
    world.advance(9)
    assert world.pool.getNumbers() == (1, 1, 0)
    world.advance(2)
    assert server.isClosed
    assert world.pool.getNumbers() == (0, 0, 0)
    assert world.reactor.getDelayedCalls() == []


def test_no_more_are_kept_than_the_pool_allows():
    """The oldest goes."""
    world = World(maxPersistentPerHost=2)
    servers = [world.connected()[1] for _ in range(3)]
    for server in servers:
        server.send(HELLO)
    world.pump()
    assert [server.isClosed for server in servers] == [True, False, False]


def test_a_host_has_no_more_than_its_cap():
    """Who comes later waits, in the order of arrival, and is given what becomes free."""
    world = World(maxConnectionsPerHost=2)
    outcomes = [world.ask(f"http://a/{n}") for n in range(5)]
    servers = [world.accept(), world.accept()]
    assert world.attempts == []
    assert world.pool.getNumbers() == (2, 0, 5)
    for at, server in [(0, 0), (1, 1), (2, 0), (3, 1), (4, 0)]:
        assert b"GET /%d " % at in servers[server].received
        servers[server].send(HELLO)
        assert outcomes[at].response is not None
    assert world.pool.getNumbers() == (2, 2, 0)


def test_a_place_that_is_lost_is_given_on():
    """A connection that fails, or is refused, makes room for who waits."""
    world = World(maxConnectionsPerHost=1)
    first, second, third = world.ask(), world.ask(), world.ask()
    world.attempts[0].refuse()
    assert first.error is not None
    world.accept().reset()
    assert isinstance(second.error, ResponseNeverReceived)
    world.accept().send(HELLO)
    assert third.response is not None


def test_all_hosts_share_a_cap():
    """Beyond it who has waited longest is next, whatever host is busy."""
    world = World(maxConnections=2)
    a = world.ask("http://a/"), world.accept()
    world.ask("http://a/")
    world.accept()
    late_b, late_a = world.ask("http://b/"), world.ask("http://a/")
    assert world.attempts == []
    a[1].send(HELLO)
    assert a[1].isClosed  # it gave way to b, who had come before
    assert world.hosts == ["a", "b"]
    world.accept().send(HELLO)
    assert late_b.response is not None
    assert late_a.is_open


def test_an_idle_connection_gives_way():
    """The one that has been idle for longest is closed for a host that has none."""
    world = World(maxConnections=2)
    for host in "ab":
        _, server = world.connected(uri=f"http://{host}/")
        server.send(HELLO)
        world.advance(1)
    outcome = world.ask("http://c/")
    world.pump()
    assert world.hosts == ["b", "c"]
    world.accept().send(HELLO)
    assert outcome.response is not None
    assert world.pool.getNumbers()[0] == 2


def test_a_stale_connection_is_not_noticed():
    """A GET on a connection that the server had closed is asked again, once, on a new one."""
    world = World()
    _, server = world.connected()
    server.send(HELLO)
    outcome = world.ask()
    server.reset()
    assert outcome.is_open
    fresh = world.accept()
    assert requests_of(fresh) == 1
    fresh.close()
    assert isinstance(outcome.error, ResponseNeverReceived)
    assert world.pool.getNumbers() == (0, 0, 0)


def test_nothing_is_asked_a_third_time():
    """Whatever connection it was given for the second."""
    world = World(maxConnectionsPerHost=1)
    _, server = world.connected()
    server.send(HELLO)
    outcome, other = world.ask("http://a.example/x"), world.ask("http://a.example/y")
    server.reset()
    server = world.accept()
    server.send(HELLO)
    assert other.response is not None
    assert b"/x " in server.received
    server.reset()
    assert isinstance(outcome.error, ResponseNeverReceived)


def test_what_is_stale_is_not_tried_twice():
    """What ended one connection of a host has ended them all; and the cap holds meanwhile."""
    world = World(maxConnectionsPerHost=2)
    servers = [world.connected()[1] for _ in range(2)]
    for server in servers:
        server.send(HELLO)
    outcome = world.ask()
    servers[1].reset()
    world.pump()
    assert servers[0].isClosed
    assert [requests_of(server) for server in servers] == [1, 2]
    world.accept().send(HELLO)
    assert outcome.response is not None


def test_one_connection_gives_way_to_one_that_waits():
    """Several that become free at once do not all close for it."""
    world = World(maxConnections=3)
    servers = []
    for _ in range(3):
        world.ask("http://a/")
        servers.append(world.accept())
    world.ask("http://b/")
    late = [world.ask("http://a/") for _ in range(3)]
    for server in servers:
        server.soon = partial(world.reactor.callLater, 0)  # there is no turn of the loop between
        server.send(HELLO)
    world.reactor.advance(0)
    assert sum(server.isClosed for server in servers) == 1
    assert world.hosts == ["a", "a", "b"]
    assert all(one.is_open for one in late)


@pytest.mark.parametrize(
    ("method", "repeats"),
    [("GET", True), ("HEAD", True), ("PUT", True), ("DELETE", True), ("POST", False),
     ("PATCH", False), ("LOCK", False)],
)  # fmt: skip
def test_only_what_may_be_repeated_is(method, repeats):
    """Idempotent methods (RFC 9110, 9.2.2), with a body that is here whole."""
    world = World()
    _, server = world.connected()
    server.send(HELLO)
    outcome = world.ask(method=method, body=b"abc")
    server.close()
    assert outcome.is_open is repeats
    assert len(world.attempts) == repeats
    if repeats:
        assert world.accept().received.endswith(b"\r\n\r\nabc")


def test_what_was_answered_is_not_repeated():
    """A byte of an answer shows that the server is at it; a first use is not stale either."""
    world = World()
    _, server = world.connected()
    server.send(HELLO)
    outcome = world.ask()
    server.send(b"HTTP")
    server.reset()
    assert outcome.error is not None
    outcome, server = world.connected()
    server.reset()
    assert outcome.error is not None


def test_a_pool_may_be_told_not_to_ask_again():
    """With retryAutomatically off."""
    world = World(retryAutomatically=False)
    _, server = world.connected()
    server.send(HELLO)
    outcome = world.ask()
    server.reset()
    assert isinstance(outcome.error, ResponseNeverReceived)


def test_what_is_cached_can_be_closed():
    """closeCachedConnections fires when they are closed, and leaves the others alone."""
    world = World()
    busy, _ = world.connected()
    _, server = world.connected()
    server.send(HELLO)
    done = world.pool.closeCachedConnections()
    assertNoResult(done)
    server.pump()
    successResultOf(done)
    assert world.pool.getNumbers() == (1, 0, 1)
    assert busy.is_open
    successResultOf(World().pool.closeCachedConnections())


def test_a_closed_pool_ends_everything_at_once():
    """What connects, waits, or is under way fails with PoolClosed, and what comes later too."""
    world = World(maxConnectionsPerHost=2)
    half, other = world.connected(uri="http://b/")
    other.send(HALF % 10)
    under_way, server = world.connected()
    outcomes = [under_way, world.ask(), world.ask()]
    reader = half.read()
    world.pool.close()
    outcomes.append(world.ask())
    for peer in (server, other):
        peer.pump()
    assert all("closed" in str(one.error) for one in outcomes)
    assert isinstance(outcomes[2].error, PoolClosed)
    assert reader.reason is not None
    assert world.pool.getNumbers() == (0, 0, 0)
    assert world.reactor.getDelayedCalls() == []


def test_nothing_is_left_after_a_cancel_at_any_stage():
    """Connecting, waiting, asked, half answered, being read: the counts return to nought."""
    for stage in range(6):
        world = World(maxConnectionsPerHost=1)
        outcome = world.ask()
        other = world.ask() if stage == 1 else None
        server = world.accept() if stage >= 1 else None
        if stage == 3:
            server.send(b"HTTP/1.1 103 E\r\n\r\nHTTP/1.1 2")
        if stage == 4:
            server.send(HALF % 100_000)
        reader = outcome.read() if stage == 4 else None
        if stage == 5:
            outcome, server = world.ask(body=b"a" * 10, method="PUT"), server
            assert world.pool.getNumbers() == (1, 0, 2)
        victim = other or outcome
        victim.deferred.cancel()
        if reader:
            reader.transport.abortConnection()
        if stage < 4 or stage == 5:
            assert isinstance(victim.error, CancelledError)
        if server:
            server.pump()
        world.pool.close()
        if server:
            server.pump()
        assert world.pool.getNumbers() == (0, 0, 0)
        assert world.pool._places == {}


def test_one_that_waits_and_is_cancelled_is_passed_over():
    """The next in the line is served."""
    world = World(maxConnectionsPerHost=1)
    _, server = world.connected()
    second, third = world.ask("http://a.example/2"), world.ask("http://a.example/3")
    second.deferred.cancel()
    server.send(HELLO)
    assert b"/3 " in server.received
    assert b"/2 " not in server.received
    assert third.is_open


def test_waiting_for_a_connection_has_an_end():
    """With PoolTimeout, and the line goes on."""
    world = World(Timeouts(pool=5), maxConnectionsPerHost=1)
    world.connected()
    outcome = world.ask()
    world.advance(4.5)
    assert outcome.is_open
    world.advance(1.75)
    assert isinstance(outcome.error, PoolTimeout)


@pytest.mark.parametrize(("length", "lives"), [(1000, True), (10_000_000, False)])
def test_a_response_that_is_dropped_gives_its_connection_back_or_closes_it(length, lives, caplog):
    """A short rest is read to its end, a long one is not; the log is told once."""
    world = World()
    for _ in range(2):
        outcome, server = world.connected(headers=Headers({"X": ["a"]}))
        server.send(HALF % length)
        assert world.pool.getNumbers() == (1, 0, 1)
        outcome.response = outcome.deferred = None
        gc.collect()
        world.advance(0.25)
        server.send(b"a" * (length - 2) if lives else b"")
        assert world.pool.getNumbers() == ((1, 1, 0) if lives else (0, 0, 0))
        world.pool.closeCachedConnections()
        server.pump()
    told = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert len(told) == 1


def test_a_response_that_came_whole_may_be_dropped(caplog):
    """Its connection was free before, and there is nothing to tell."""
    world = World()
    outcome, server = world.connected()
    server.send(HELLO)
    outcome.response = outcome.deferred = None
    gc.collect()
    world.advance(0.25)
    assert world.pool.getNumbers() == (1, 1, 0)
    assert caplog.records == []


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=40),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_caps_hold_and_everybody_is_served(steps, per_host, total):
    """Whatever happens in whatever order, no cap is passed, and who waits has an answer at last."""
    world = World(maxConnectionsPerHost=per_host, maxConnections=total)
    outcomes, servers = [], []
    for host, what in steps:
        if what < 2:
            outcomes.append(world.ask(f"http://{host}/{len(outcomes)}"))
        elif what == 2 and world.attempts:
            servers.append(world.accept())
        elif what == 3 and world.attempts:
            world.attempts[0].refuse()
        elif what == 4 and outcomes:
            outcomes[len(outcomes) // 2].deferred.cancel()
        elif servers:
            servers[0].send(HELLO)
            servers.append(servers.pop(0))
        check(world, per_host, total)
    for _ in range(10 * len(outcomes) + 10):
        if world.attempts:
            servers.append(world.accept())
        for server in servers:
            is_asked = b"\r\n\r\n" in server.received
            server.received.clear()
            if is_asked and not server.isClosed:
                server.send(HELLO)
        check(world, per_host, total)
    assert all(not one.is_open for one in outcomes)
    world.pool.close()
    for server in servers:
        server.pump()
    assert world.pool.getNumbers() == (0, 0, 0)


def check(world, per_host, total):
    world.pump()
    count, idle, _ = world.pool.getNumbers()
    assert 0 <= idle <= count <= total
    assert len(world.hosts) <= total
    assert all(world.hosts.count(host) <= per_host for host in "abc")
