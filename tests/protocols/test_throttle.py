"""How many bytes a second all connections have together, on a Clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.peers import Recorder, Source
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.protocol import Factory
from weblayer.loop.timers import Clock
from weblayer.protocols.policies import ThrottlingFactory


class Throttled:
    """A throttling factory on a clock, and as many peers as are asked for."""

    def __init__(self, count=1, **limits):
        self.clock = Clock()
        self.factory = ThrottlingFactory(Factory.forProtocol(Recorder), clock=self.clock, **limits)
        self.peers = [self.join() for _ in range(count)]
        self.protocols = [peer.protocol.wrappedProtocol for peer in self.peers]

    def join(self):
        return MemoryPeer(self.factory)

    def wait(self, seconds):
        self.clock.advance(seconds)
        for peer in self.peers:
            peer.pump()

    def read(self):
        return sum(len(protocol.data) for protocol in self.protocols)


def test_connections_above_the_limit_are_closed():
    """maxConnectionCount holds, and one that ends makes room."""
    all_ = Throttled(2, maxConnectionCount=2)
    assert all_.join().isClosed
    all_.peers[0].close()
    assert not all_.join().isClosed


def test_reading_stops_above_the_limit():
    """All connections are held when together they are a second ahead, for as long as that is."""
    all_ = Throttled(2, readLimit=100)
    all_.peers[0].send(bytes(100))
    all_.peers[1].send(bytes(50))
    all_.peers[0].send(b"held")
    all_.peers[1].send(b"held")
    assert all_.read() == 150
    all_.wait(1.4)
    assert all_.read() == 150
    all_.wait(0.2)
    assert all_.read() == 158


def test_nothing_that_is_held_is_lost():
    """All that waits comes in the end, though each packet holds the others again."""
    all_ = Throttled(3, readLimit=100)
    for peer in all_.peers * 2:
        peer.send(bytes(200))
    for _ in range(5):
        all_.wait(10)
    assert all_.read() == 1200


@given(
    packets=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 90), st.sampled_from([0, 0.1, 0.5, 3])),
        min_size=1,
        max_size=60,
    )
)
def test_no_time_has_more_than_its_bytes(packets):
    """In any n seconds at most n + 1 times the limit is read, and one packet."""
    all_ = Throttled(3, readLimit=100)
    seen, sent = [(0.0, 0)], 0
    for which, size, pause in packets:
        if not all_.peers[which].transport.paused:
            all_.peers[which].send(bytes(size))
            sent += size
        seen.append((all_.clock.seconds(), all_.read()))
        all_.wait(pause)
    assert all_.read() == sent
    for at, (start, before) in enumerate(seen):
        for end, after in seen[at:]:
            assert after - before <= (end - start + 1) * 100 + 90


def test_the_average_is_the_limit():
    """A peer that always has more to send is read at the limit, in the long run."""
    all_ = Throttled(1, readLimit=1000)
    for _ in range(1000):
        if not all_.peers[0].transport.paused:
            all_.peers[0].send(bytes(100))
        all_.wait(0.05)
    assert 50_000 * 0.98 <= all_.read() <= 51_100


def test_a_newcomer_is_held_as_well():
    """A connection that is made while the others are held waits with them."""
    all_ = Throttled(1, readLimit=100)
    all_.peers[0].send(bytes(300))
    late = all_.join()
    late.send(b"x")
    assert late.protocol.wrappedProtocol.data == b""
    all_.peers.append(late)
    all_.wait(3)
    assert late.protocol.wrappedProtocol.data == b"x"


def test_what_the_program_paused_stays_paused():
    """The limit does not resume what the program has paused, nor the program what the limit has."""
    all_ = Throttled(2, readLimit=100)
    all_.protocols[0].transport.pauseProducing()
    all_.peers[1].send(bytes(200))
    all_.protocols[1].transport.pauseProducing()
    all_.protocols[1].transport.resumeProducing()
    for peer in all_.peers:
        peer.send(b"x")
    assert all_.read() == 200
    all_.wait(2)
    assert all_.read() == 201
    all_.protocols[0].transport.resumeProducing()
    all_.wait(0)
    assert all_.read() == 202


def test_a_pull_producer_is_held():
    """It is asked for no more until its bytes are paid for, and then again."""
    all_ = Throttled(1, writeLimit=1000)
    transport = all_.protocols[0].transport
    source = Source(transport, bytes(1500))
    transport.registerProducer(source, False)
    all_.wait(1.4)
    assert len(all_.peers[0].received) == 1500
    all_.wait(0.2)
    assert len(all_.peers[0].received) == 3000
    transport.unregisterProducer()
    all_.wait(5)
    assert len(all_.peers[0].received) == 3000
    assert all_.clock.getDelayedCalls() == []


def test_a_push_producer_is_paused():
    """Also when it registers while all are held; what it writes all the same is sent."""
    all_ = Throttled(2, writeLimit=1000)
    sources = [Source(protocol.transport) for protocol in all_.protocols]
    first, second = (protocol.transport for protocol in all_.protocols)
    first.registerProducer(sources[0], True)
    first.write(bytes(1500))
    second.registerProducer(sources[1], True)
    assert [source.calls for source in sources] == [["pause"], ["pause"]]
    second.write(bytes(500))
    assert len(all_.peers[1].received) == 500
    all_.wait(1.9)
    assert [source.calls for source in sources] == [["pause"], ["pause"]]
    all_.wait(0.2)
    assert [source.calls for source in sources] == [["pause", "resume"]] * 2


def test_two_may_pause_a_producer():
    """It goes on when neither the limit nor the peer holds it."""
    all_ = Throttled(1, writeLimit=100_000)
    transport, peer = all_.protocols[0].transport, all_.peers[0]
    source = Source(transport)
    transport.registerProducer(source, True)
    peer.stopReading()
    transport.write(bytes(200_000))
    assert source.calls == ["pause"]
    all_.wait(3)
    assert source.calls == ["pause"]
    peer.startReading()
    assert source.calls == ["pause", "resume"]


def test_the_end_is_told_to_a_producer():
    """stopProducing comes through, and nothing is called after it."""
    all_ = Throttled(2, writeLimit=100)
    source = Source(all_.protocols[0].transport)
    all_.protocols[0].transport.registerProducer(source, True)
    all_.protocols[0].transport.write(bytes(1000))
    all_.peers[0].reset()
    all_.wait(100)
    assert source.calls == ["pause", "stop"]


def test_a_second_producer_is_refused():
    """And the first goes on being held and released."""
    all_ = Throttled(1, writeLimit=100)
    transport = all_.protocols[0].transport
    first, second = Source(transport), Source(transport)
    transport.registerProducer(first, True)
    with pytest.raises(RuntimeError):
        transport.registerProducer(second, True)
    transport.write(bytes(200))
    all_.wait(3)
    assert first.calls == ["pause", "resume"]
    assert second.calls == []


def test_no_timer_outlives_the_connections():
    """When the last connection has ended nothing waits; what it used is still counted."""
    all_ = Throttled(1, readLimit=100, writeLimit=100)
    all_.peers[0].send(bytes(1000))
    all_.protocols[0].transport.write(bytes(1000))
    all_.peers[0].reset()
    assert all_.clock.getDelayedCalls() == []
    late = all_.join()
    late.send(b"x")
    late.send(b"y")
    assert late.protocol.wrappedProtocol.data == b"x"


def test_what_is_written_after_the_end_is_not_counted():
    """It is not sent, so it must hold nobody."""
    all_ = Throttled(2, writeLimit=100)
    all_.protocols[0].transport.loseConnection()
    all_.protocols[0].transport.write(bytes(1000))
    assert all_.clock.getDelayedCalls() == []


@pytest.mark.parametrize("name", ["readLimit", "writeLimit"])
def test_a_limit_of_nothing_is_refused(name):
    """The error names the parameter."""
    with pytest.raises(ValueError, match=f"{name} must be bytes a second above nought"):
        Throttled(0, **{name: 0})
