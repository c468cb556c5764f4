"""Ends to silent connections, on a Clock."""

from tests.protocols.peers import Recorder, Source, peer_of
from weblayer.loop.error import ConnectionAborted, ConnectionDone
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.protocol import Factory
from weblayer.loop.timers import Clock
from weblayer.protocols.policies import TimeoutFactory, TimeoutMixin


def limited(period=10):
    """A clock, a peer, and a protocol that has *period* seconds."""
    times = Clock()

    class Limited(Recorder, TimeoutMixin):
        clock = times

        def connectionMade(self):
            self.setTimeout(period)

        def dataReceived(self, data):
            super().dataReceived(data)
            self.resetTimeout()

        def connectionLost(self, reason):
            super().connectionLost(reason)
            self.setTimeout(None)

    return times, *peer_of(Limited)


def pass_time(clock, peer, seconds):
    clock.advance(seconds)
    peer.pump()


def test_a_silent_connection_is_closed():
    """When the period is over, and not before; and no timer is left."""
    clock, peer, protocol = limited()
    pass_time(clock, peer, 9.9)
    assert not peer.isClosed
    pass_time(clock, peer, 0.2)
    assert protocol.reasons[0].check(ConnectionDone)
    assert clock.getDelayedCalls() == []


def test_resetTimeout_begins_anew():
    """Who speaks in time stays as long as he likes."""
    clock, peer, _ = limited()
    for _ in range(10):
        pass_time(clock, peer, 9)
        peer.send(b"x")
    pass_time(clock, peer, 10)
    assert peer.isClosed


def test_setTimeout_gives_the_period_before():
    """It changes the period from now on; None is none."""
    clock, peer, protocol = limited(10)
    pass_time(clock, peer, 9)
    assert protocol.setTimeout(3) == 10
    pass_time(clock, peer, 2.5)
    assert protocol.setTimeout(None) == 3
    assert protocol.timeOut is None
    protocol.resetTimeout()
    assert clock.getDelayedCalls() == []


def test_a_peer_that_reads_is_sent_the_rest():
    """After the timeout what was written still goes out."""
    clock, peer, protocol = limited()
    peer.stopReading()
    protocol.transport.write(b"bye")
    pass_time(clock, peer, 10)
    assert not peer.isClosed
    peer.startReading()
    assert peer.received == b"bye"
    assert protocol.reasons[0].check(ConnectionDone)
    assert clock.getDelayedCalls() == []


def test_a_peer_that_does_not_read_is_dropped():
    """It has one more period for that, and can do nothing to make it longer."""
    clock, peer, protocol = limited()
    peer.stopReading()
    protocol.transport.write(b"bye")
    pass_time(clock, peer, 10)
    protocol.resetTimeout()
    pass_time(clock, peer, 9)
    protocol.resetTimeout()
    assert not peer.isClosed
    pass_time(clock, peer, 1)
    assert protocol.reasons[0].check(ConnectionAborted)


def test_timeoutConnection_may_be_overridden():
    """Then nothing but what it does happens."""
    clock = Clock()

    class Patient(Recorder, TimeoutMixin):
        waited = 0

        def timeoutConnection(self):
            self.waited += 1

    peer, protocol = peer_of(Patient)
    protocol.clock = clock
    protocol.setTimeout(1)
    pass_time(clock, peer, 100)
    assert protocol.waited == 1
    assert not peer.isClosed
    assert clock.getDelayedCalls() == []


def wrapped(period):
    clock = Clock()
    factory = TimeoutFactory(Factory.forProtocol(Recorder), period, clock)
    peer = MemoryPeer(factory)
    return clock, peer, peer.protocol.wrappedProtocol


def test_TimeoutFactory_counts_reading_and_writing():
    """A connection lives while something comes or goes, and ends with its timer."""
    clock, peer, protocol = wrapped(10)
    for act in (
        lambda: peer.send(b"x"),
        lambda: protocol.transport.write(b"y"),
        lambda: protocol.transport.writeSequence([b"y", b"z"]),
        lambda: None,
    ):
        pass_time(clock, peer, 9)
        assert not peer.isClosed
        act()
    pass_time(clock, peer, 1)
    assert protocol.reasons[0].check(ConnectionDone)
    assert protocol.data == b"x"
    assert peer.received == b"yyz"
    assert clock.getDelayedCalls() == []


def test_TimeoutFactory_drops_who_does_not_read():
    """A producer that nobody reads from writes nothing, which is silence."""
    clock, peer, protocol = wrapped(10)
    peer.stopReading()
    source = Source(protocol.transport, bytes(1 << 20))
    protocol.transport.registerProducer(source, False)
    peer.pump()
    pass_time(clock, peer, 10)
    pass_time(clock, peer, 10)
    assert peer.reason.check(ConnectionAborted)
    assert source.calls == ["resume", "stop"]


def test_a_connection_that_ends_leaves_no_timer():
    """Whoever ends it."""
    clock, peer, _ = wrapped(10)
    peer.close()
    assert peer.isClosed
    assert clock.getDelayedCalls() == []
