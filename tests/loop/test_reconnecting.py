"""A client that tries again: when, how often, and when not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.address import IPv4Address
from weblayer.loop.error import ConnectError, ConnectingCancelledError, ConnectionDone
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import Protocol
from weblayer.loop.reconnecting import ReconnectingClientFactory
from weblayer.loop.timers import Clock


class Script:
    """A connector in the hands of a test, on a clock; `attempts` are the times it was tried."""

    def __init__(self, **attributes):
        self.clock, self.attempts, self.state = Clock(), [], "disconnected"
        self.factory = ReconnectingClientFactory()
        self.factory.clock = self.clock
        self.factory.jitter = 0
        for name, value in attributes.items():
            setattr(self.factory, name, value)
        self.connect()

    def connect(self):
        self.state = "connecting"
        self.attempts.append(self.clock.seconds())
        self.factory.startedConnecting(self)

    def stopConnecting(self):
        self.fail(ConnectingCancelledError())

    def getDestination(self):
        return IPv4Address("TCP", "192.0.2.1", 1)

    def fail(self, error=None):
        self.state = "disconnected"
        self.factory.clientConnectionFailed(self, Failure(error or ConnectError("no")))

    def lose(self):
        self.state = "disconnected"
        self.factory.clientConnectionLost(self, Failure(ConnectionDone("bye")))

    def waits(self):
        """The seconds until the next attempt, None when there is none."""
        calls = self.clock.getDelayedCalls()
        assert len(calls) <= 1
        return calls[0].getTime() - self.clock.seconds() if calls else None

    def try_again(self):
        """Wait for the next attempt, and say how long that was."""
        seconds = self.waits()
        self.clock.advance(seconds)
        assert self.waits() is None
        return seconds


def test_each_wait_is_longer_up_to_the_longest():
    """The first is initialDelay, each next one *factor* times it, none above maxDelay."""
    script = Script(initialDelay=2, factor=3, maxDelay=30)
    waits = []
    for _ in range(5):
        script.fail()
        waits.append(script.try_again())
    assert waits == pytest.approx([2, 6, 18, 30, 30])
    assert len(script.attempts) == 6


def test_a_connection_that_ends_is_made_again():
    """And resetDelay, once it is good, begins with the first wait."""
    script = Script(initialDelay=1, factor=10)
    for _ in range(3):
        script.fail()
        script.try_again()
    script.factory.resetDelay()
    script.lose()
    assert script.try_again() == pytest.approx(1)


def test_a_connection_that_is_not_good_does_not_count():
    """Without resetDelay a server that takes and drops us is asked less and less often."""
    script = Script(initialDelay=1, factor=10)
    waits = []
    for _ in range(3):
        script.lose()
        waits.append(script.try_again())
    assert waits == pytest.approx([1, 10, 100])


def test_it_gives_up_after_maxRetries():
    """The first attempt is none of them, and resetDelay gives them all back."""
    script = Script(maxRetries=2)
    for _ in range(2):
        script.fail()
        script.try_again()
    script.fail()
    assert script.waits() is None
    script.factory.resetDelay()
    script.factory.retry()
    assert script.waits() == pytest.approx(1)


@given(
    jitter=st.floats(0, 3),
    delay=st.floats(0.001, 1e6),
    factor=st.floats(1, 1e9),
    longest=st.floats(0.001, 1e6),
)
def test_jitter_stays_within_its_bounds(jitter, delay, factor, longest):
    """A wait is never negative, never above maxDelay, and within *jitter* of what it would be."""
    script = Script(initialDelay=delay, factor=factor, maxDelay=longest, jitter=jitter)
    for _ in range(60):
        script.fail()
        seconds = script.try_again()
        assert 0 <= seconds <= longest * 1.001
    script.factory.resetDelay()
    script.fail()
    assert abs(script.waits() - min(delay, longest / (1 + jitter))) <= jitter * delay + 1e-3


def test_clients_of_one_server_are_spread():
    """At the longest wait too: those who wait longest are most."""
    waits = set()
    for _ in range(20):
        script = Script(initialDelay=100, maxDelay=10, jitter=0.5)
        script.fail()
        waits.add(script.waits())
    assert len(waits) == 20


def test_stopTrying_ends_what_waits():
    """No attempt is made any more, not even after resetDelay."""
    script = Script()
    script.fail()
    script.factory.stopTrying()
    assert script.waits() is None
    script.factory.resetDelay()
    script.lose()
    assert script.waits() is None
    assert len(script.attempts) == 1


def test_stopTrying_ends_the_first_attempt():
    """An attempt that is under way is given up, and not made again."""
    script = Script()
    script.factory.stopTrying()
    assert script.state == "disconnected"
    assert script.waits() is None


def test_stopTrying_before_all():
    """A factory that no connector has used has nothing to stop, and will not try."""
    factory = ReconnectingClientFactory()
    factory.stopTrying()
    assert factory.continueTrying is False
    with pytest.raises(ValueError, match="retry: give the connector"):
        factory.retry()


def test_what_the_program_gave_up_is_not_tried_again():
    """stopConnecting, by the program or by a reactor that stops, is no failure."""
    script = Script()
    script.stopConnecting()
    assert script.waits() is None


def test_retrying_twice_is_retrying_once():
    """An attempt that waits is put off, not doubled."""
    script = Script(initialDelay=1, factor=2)
    script.fail()
    script.factory.retry(script)
    assert script.try_again() == pytest.approx(2)
    assert len(script.attempts) == 2


def test_a_server_that_comes_late_is_found(reactor, drive, recording):
    """On both loops: refused, refused, and connected when somebody listens; then again."""

    class Patient(ReconnectingClientFactory):
        initialDelay, maxDelay, protocol = 0.01, 0.02, Protocol
        clock = reactor
        failures = 0

        def clientConnectionFailed(self, connector, reason):
            super().clientConnectionFailed(connector, reason)
            self.failures += 1
            if self.failures == 2:
                ports.append(reactor.listenTCP(number, server, interface="127.0.0.1"))

    async def scenario():
        reactor.connectTCP("127.0.0.1", number, client)
        first = await server.connected.get()
        assert client.failures >= 2
        first.transport.loseConnection()
        await first.lost
        second = await server.connected.get()
        client.stopTrying()
        second.transport.abortConnection()
        await second.lost
        await ports[0].stopListening()

    closed = reactor.listenTCP(0, recording(), interface="127.0.0.1")
    number, ports = closed.getHost().port, []
    server, client = recording(), Patient()

    async def begin():
        await closed.stopListening()
        await scenario()

    drive(begin())


def test_nothing_is_tried_again_when_the_reactor_shuts_down(reactor, drive, recording):
    """On both loops: the shutdown ends the connection, and leaves no timer behind."""

    class Patient(ReconnectingClientFactory):
        protocol, clock = Protocol, reactor
        lost = 0

        def clientConnectionLost(self, connector, reason):
            super().clientConnectionLost(connector, reason)
            self.lost += 1

    server, client = recording(), Patient()
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", port.getHost().port, client)
    drive(server.connected.get())
    assert (client.lost, client.retries) == (1, 0)
    assert reactor.getDelayedCalls() == []


def test_a_reactor_says_that_it_is_stopping(reactor):
    """From stop() on, so that what would begin anew can let it be."""
    seen = []
    reactor.callWhenRunning(lambda: seen.append(reactor.stopping))
    reactor.addSystemEventTrigger("before", "shutdown", lambda: seen.append(reactor.stopping))
    reactor.addSystemEventTrigger("after", "shutdown", lambda: seen.append(reactor.stopping))
    reactor.callWhenRunning(reactor.stop)
    reactor.run()
    assert [*seen, reactor.stopping] == [False, True, True, False]
