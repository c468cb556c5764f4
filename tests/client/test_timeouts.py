"""How long each stage may take, and that nothing ever hangs."""

import builtins

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.world import HELLO, Outcome, World
from tests.wire.answers import ANSWERS
from tests.wire.readings import cut
from weblayer.client.agent import Agent
from weblayer.client.error import (
    ClientError,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    RequestTimeout,
    TotalTimeout,
)
from weblayer.client.timeouts import LOOK, Stage, Timeouts
from weblayer.loop.error import ConnectError, LoopError

SHORT = Timeouts(connect=2, pool=3, firstByte=4, idle=5, total=60)


def test_connecting_has_an_end():
    """With an error that is the loop's, ours, and Python's own TimeoutError."""
    world = World(SHORT)
    outcome = world.ask()
    world.advance(1.75)
    assert outcome.is_open
    world.advance(1.5)
    assert isinstance(outcome.error, ConnectTimeout)
    assert isinstance(outcome.error, ConnectError)
    assert isinstance(outcome.error, builtins.TimeoutError)
    assert "connecting" in str(outcome.error)
    assert world.attempts == []
    assert world.pool.getNumbers() == (0, 0, 0)


def test_the_agents_own_argument_says_how_long():
    """connectTimeout, as the field has it, is handed to the endpoint."""
    world = World()
    Agent(world.reactor, connectTimeout=7).request("GET", "http://a/")
    assert world.reactor.tcpClients[0].timeout == 7


def test_a_connection_that_was_idle_is_looked_after():
    """The pool, which had nothing to do for most of a minute, looks at what is under way."""
    world = World(SHORT)
    world.ask()
    world.serve(HELLO)
    world.advance(5)
    outcome = world.ask()
    world.advance(5.5)
    assert isinstance(outcome.error, FirstByteTimeout)


def test_the_first_byte_has_an_end():
    """From the moment that the request was sent."""
    world = World(SHORT)
    outcome, server = world.connected()
    world.advance(3.75)
    assert outcome.is_open
    world.advance(1.5)
    assert isinstance(outcome.error, FirstByteTimeout)
    assert outcome.error.seconds == 4
    assert server.isClosed
    assert world.pool.getNumbers() == (0, 0, 0)


def test_a_request_that_is_being_taken_is_not_late():
    """However slowly the server reads it; the time for its answer counts from the last byte."""
    world = World(SHORT)
    _, server = world.connected()
    server.send(HELLO)
    server.stopReading()
    outcome = world.ask(method="PUT", body=b"a" * 60_000)
    for _ in range(6):
        world.advance(3)
        server.read(5000)
    assert outcome.is_open
    world.advance(6)
    assert isinstance(outcome.error, FirstByteTimeout)


def test_silence_has_an_end():
    """From the last byte; a body that trickles is not silent."""
    world = World(SHORT)
    outcome, server = world.connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    reader = outcome.read()
    for _ in range(5):
        world.advance(4)
        server.send(b"a")
    assert reader.reason is None
    world.advance(6.5)
    assert reader.end is IdleTimeout
    assert server.isClosed


def test_a_reader_that_has_paused_is_not_silence():
    """It is not the server that is waited for."""
    world = World(SHORT)
    outcome, server = world.connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 100_000)
    reader = outcome.read()
    reader.transport.pauseProducing()
    server.send(b"a" * 100_000)
    world.advance(20)
    assert not server.isClosed
    reader.transport.resumeProducing()
    world.advance(7)
    assert reader.end is IdleTimeout


def test_all_of_it_has_an_end():
    """Whatever it does meanwhile."""
    world = World(SHORT)
    outcome, server = world.connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    reader = outcome.read()
    for _ in range(61):
        world.advance(1)
        if not server.isClosed:
            server.send(b"a")
    assert reader.end is TotalTimeout
    assert world.pool.getNumbers() == (0, 0, 0)


def test_a_short_limit_is_kept_to():
    """One of a tenth of a second does not wait for the sweep of a second."""
    world = World()
    world.connected()  # it is with these that the pool looks once a second
    hasty = Agent(world.reactor, pool=world.pool, timeouts=Timeouts(firstByte=0.125))
    outcome = Outcome(hasty.request("GET", "http://b/"))
    world.accept()
    world.reactor.advance(0.0625)
    assert outcome.is_open
    world.reactor.advance(0.0625)
    assert isinstance(outcome.error, FirstByteTimeout)


def test_what_is_done_is_not_looked_after():
    """No timer is left once nothing is under way and nothing is kept."""
    world = World()
    _, server = world.connected()
    server.send(HELLO)
    world.pool.closeCachedConnections()
    world.advance(2)
    assert world.reactor.getDelayedCalls() == []


def test_limits_must_make_sense():
    """More than nothing, or None for none."""
    with pytest.raises(ValueError, match="idle"):
        Timeouts(idle=0)
    assert Timeouts(None, None, None, None, None).firstLook == LOOK


@given(
    st.sampled_from(Stage),
    st.floats(0, 100),
    st.floats(0, 100),
    st.tuples(*[st.none() | st.floats(0.1, 50)] * 5),
)
def test_the_sooner_of_two_limits_counts(stage, began, more, limits):
    """That of the stage, from when something moved in it, or that of all, from the beginning."""
    timeouts, since = Timeouts(*limits), began + more
    when, kind = timeouts.due(stage, since, began)
    by_stage, in_all = timeouts.of(stage.value), timeouts.of(TotalTimeout)
    assert when == min(since + by_stage, began + in_all)
    assert kind is (TotalTimeout if began + in_all < since + by_stage else stage.value)


@given(
    ANSWERS,
    st.sampled_from(["GET", "HEAD", "POST", "CONNECT"]),
    st.lists(st.integers(0, 1000), max_size=6),
    st.sampled_from(["close", "reset", "silence"]),
    st.booleans(),
)
def test_nothing_ever_hangs(raw, method, places, end, reads):
    """Whatever a server sends, however slowly: an answer or a typed error within the limits."""
    world = World(SHORT)
    outcome, server = world.connected(method=method)
    reader = None
    for piece in [*cut(raw, places), None]:
        if reads and outcome.response and not reader:
            reader = outcome.read()
        if server.isClosed:
            break
        if piece is not None:
            server.send(piece)
            world.advance(1)
        elif end != "silence":
            getattr(server, end)()
    world.advance(12)
    assert not outcome.is_open
    if outcome.error is not None:
        assert isinstance(outcome.error, ClientError | LoopError)
    else:
        reader = reader or outcome.read()
        assert issubclass(reader.end, ClientError)
        if issubclass(reader.end, RequestTimeout):
            assert end == "silence"
    count, idle, busy = world.pool.getNumbers()
    assert busy == 0
    assert count == idle
    world.pool.close()
    world.pump()
    assert world.pool.getNumbers() == (0, 0, 0)
    assert world.reactor.getDelayedCalls() == []
