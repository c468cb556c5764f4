"""The toolkit: a transport that keeps what is written, a reactor in memory, and looking in."""

import inspect

import pytest

from weblayer.loop.address import IPv4Address, UNIXAddress
from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.error import (
    CannotListenError,
    ConnectingCancelledError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionRefusedError,  # noqa: A004  the field's name
    MessageLengthError,
    NoProtocol,
    NotConnectingError,
    ReactorAlreadyRunning,
    ReactorNotRunning,
    TimeoutError,  # noqa: A004  the field's name
)
from weblayer.loop.protocol import (
    ClientFactory,
    DatagramProtocol,
    Factory,
    IDatagramTransport,
    ITransport,
    Protocol,
)
from weblayer.loop.reactor import Reactor
from weblayer.loop.ssl import optionsForClientTLS
from weblayer.loop.testing import (
    MemoryReactor,
    MemoryUDPPort,
    StringTransport,
    assertNoResult,
    failureResultOf,
    successResultOf,
)


class Shout(Protocol):
    """Answers in capitals; "bye" ends it."""

    def dataReceived(self, data):
        self.transport.write(data.upper())
        if data == b"bye":
            self.transport.loseConnection()

    def connectionLost(self, reason):
        self.reason = reason


class Caller(Protocol):
    """Says hello, and keeps what it hears."""

    def connectionMade(self):
        self.heard = b""
        self.transport.write(b"hello")

    def dataReceived(self, data):
        self.heard += data


class Calls(ClientFactory):
    """Writes down what it is told."""

    protocol = Caller

    def __init__(self):
        self.told = []

    def startFactory(self):
        self.told.append("start")

    def stopFactory(self):
        self.told.append("stop")

    def clientConnectionFailed(self, connector, reason):
        self.told.append(reason.type)

    def clientConnectionLost(self, connector, reason):
        self.told.append(reason.type)


def held(protocol=None, **addresses):
    """A protocol, in the hands of the test, and its transport."""
    protocol, transport = protocol or Shout(), StringTransport(**addresses)
    protocol.makeConnection(transport)
    return protocol, transport


# StringTransport


def test_a_string_transport_keeps_what_is_written():
    """Until it is cleared."""
    protocol, transport = held()
    protocol.dataReceived(b"one ")
    transport.writeSequence([b"two ", b"three"])
    assert transport.value() == b"ONE two three"
    transport.clear()
    assert transport.value() == b""


def test_a_string_transport_has_the_whole_face_of_one():
    """Whatever a protocol may ask of a transport, it may ask of this."""
    names = {name for name in vars(ITransport) if not name.startswith("_")}
    assert {name for name in names if not hasattr(StringTransport, name)} == set()


def test_a_string_transport_takes_bytes_alone():
    """As a socket's does, and not first in production."""
    with pytest.raises(TypeError, match="bytes"):
        StringTransport().write("text")


def test_the_addresses_are_nobodys_or_those_given():
    """So that a protocol may log them."""
    me, you = IPv4Address("TCP", "10.0.0.1", 80), IPv4Address("TCP", "10.0.0.2", 9)
    assert StringTransport().getPeer() == IPv4Address("TCP", "192.0.2.1", 49152)
    transport = StringTransport(hostAddress=me, peerAddress=you)
    assert (transport.getHost(), transport.getPeer()) == (me, you)


def test_the_end_is_asked_for_now_and_told_with_the_next_turn():
    """As on a real loop: `disconnecting` at once, connectionLost later."""
    protocol, transport = held()
    transport.protocol = protocol
    protocol.dataReceived(b"bye")
    assert (transport.disconnecting, transport.connected) == (True, True)
    transport.write(b"too late")
    transport.pump()
    assert not transport.connected
    assert protocol.reason.check(ConnectionDone)
    assert transport.value() == b"BYE"


def test_an_abort_has_its_own_reason():
    """The protocol that is named hears of it."""
    protocol, transport = held()
    transport.protocol = protocol
    transport.abortConnection()
    transport.pump()
    assert protocol.reason.check(ConnectionAborted)


def test_what_the_protocol_made_of_its_producer_is_seen():
    """It reads, it holds back, it has enough."""
    _, transport = held()
    states = [transport.producerState]
    for step in ("pauseProducing", "resumeProducing", "stopProducing"):
        getattr(transport, step)()
        states.append(transport.producerState)
    assert states == ["producing", "paused", "producing", "stopped"]


class Pieces:
    """A pull producer of three pieces."""

    def __init__(self, transport):
        self.transport, self.left = transport, [b"c", b"b", b"a"]

    def resumeProducing(self):
        self.transport.write(self.left.pop())
        if not self.left:
            self.transport.unregisterProducer()

    def stopProducing(self):
        self.left = []


def test_a_producer_is_asked_as_on_a_socket():
    """At once, and in each turn after a write; the test sees which it is."""
    _, transport = held()
    pieces = Pieces(transport)
    transport.registerProducer(pieces, False)
    assert (transport.producer, transport.streaming, transport.value()) == (pieces, False, b"a")
    transport.pump()
    assert (transport.producer, transport.streaming, transport.value()) == (None, None, b"abc")


# MemoryReactor: servers


def test_what_was_asked_is_noted():
    """As named tuples of the arguments, that compare with plain ones."""
    reactor, server, client = MemoryReactor(), Factory(), Calls()
    reactor.listenTCP(80, server, interface="127.0.0.1")
    reactor.listenUNIX("/run/web.sock", server, mode=0o600)
    reactor.connectTCP("example.org", 80, client, timeout=5)
    reactor.connectUNIX("/run/web.sock", client)
    assert reactor.tcpServers == [(80, server, 1024, "127.0.0.1")]
    assert reactor.unixServers == [("/run/web.sock", server, 1024, 0o600)]
    assert reactor.tcpClients == [("example.org", 80, client, 5, None)]
    assert reactor.unixClients == [("/run/web.sock", client, 30)]
    options = optionsForClientTLS("example.org")
    reactor.listenSSL(443, server, options)
    reactor.connectSSL("example.org", 443, client, options)
    assert reactor.sslServers == [(443, server, options, 1024, "")]
    assert reactor.sslClients == [("example.org", 443, client, options, 30, None)]
    assert reactor.tcpClients[0].host == "example.org"


def test_the_test_comes_as_a_client():
    """From any address, to a port that has a number."""
    reactor = MemoryReactor()
    port = reactor.listenTCP(0, Factory.forProtocol(Shout), interface="127.0.0.1")
    peer = port.connect(("198.51.100.7", 1234))
    peer.send(b"hello")
    assert peer.received == b"HELLO"
    assert peer.transport.getPeer() == IPv4Address("TCP", "198.51.100.7", 1234)
    assert peer.transport.getHost() == port.getHost()
    assert port.getHost().port > 0


def test_a_port_that_listens_no_more_refuses():
    """And its factory was started and stopped."""
    factory = Calls()
    port = MemoryReactor().listenUNIX("/run/web.sock", factory)
    assert successResultOf(port.stopListening()) is None
    with pytest.raises(ConnectionRefusedError):
        port.connect()
    assert factory.told == ["start", "stop"]
    assert port.getHost() == UNIXAddress("/run/web.sock")


def test_a_taken_port_is_refused():
    """Until its owner has left it."""
    reactor = MemoryReactor()
    port = reactor.listenTCP(80, Factory())
    with pytest.raises(CannotListenError, match=r"\*:80"):
        reactor.listenTCP(80, Factory())
    port.stopListening()
    assert reactor.listenTCP(80, Factory()).listening


def test_a_descriptor_is_adopted_unseen():
    """A program that systemd starts is tested without systemd."""
    reactor, factory = MemoryReactor(), Factory.forProtocol(Shout)
    port = reactor.adoptStreamPort(3, None, factory)
    assert reactor.adoptedPorts == [(3, None, factory)]
    peer = port.connect()
    peer.send(b"hello")
    assert peer.received == b"HELLO"


# MemoryReactor: datagrams


class Echo(DatagramProtocol):
    """Sends back what it receives, and keeps what it is told."""

    def __init__(self):
        self.told = []

    def startProtocol(self):
        self.told.append("start")

    def stopProtocol(self):
        self.told.append("stop")

    def datagramReceived(self, data, addr):
        self.told.append(data)
        self.transport.write(data, None if self.transport.connected else addr)

    def connectionRefused(self):
        self.told.append("refused")


def test_the_test_is_the_network_of_a_udp_port():
    """It sends from any address, and sees what is sent, and to whom."""
    reactor, echo = MemoryReactor(), Echo()
    port = reactor.listenUDP(0, echo, interface="127.0.0.1")
    assert reactor.udpServers == [(0, echo, "127.0.0.1", 8192)]
    assert (port.getHost().type, port.getHost().host) == ("UDP", "127.0.0.1")
    port.receive(b"one", ("198.51.100.7", 7))
    assert port.sent == [(b"one", ("198.51.100.7", 7))]
    port.stopListening()
    port.receive(b"two")
    assert echo.told == ["start", b"one", "stop"]


def test_a_connected_udp_port_talks_with_one():
    """And alone can hear that nobody is there."""
    echo = Echo()
    port = MemoryReactor().listenUDP(9, echo)
    port.refuse()
    port.connect("198.51.100.7", 7)
    port.receive(b"other", ("198.51.100.8", 7))
    port.receive(b"one", ("198.51.100.7", 7))
    port.refuse()
    assert port.sent == [(b"one", ("198.51.100.7", 7))]
    assert echo.told == ["start", b"one", "refused"]


def test_a_datagram_that_is_too_long_is_lost_or_refused():
    """As on a real port, on its way in and on its way out."""
    echo = Echo()
    port = MemoryReactor().listenUDP(9, echo, maxPacketSize=3)
    port.receive(b"four")
    assert echo.told == ["start"]
    with pytest.raises(MessageLengthError):
        port.write(bytes(65508), ("192.0.2.1", 9))


@pytest.mark.parametrize(
    ("data", "addr", "error"),
    [
        ("text", ("192.0.2.1", 9), TypeError),
        (b"", None, ValueError),
        (b"", ("localhost", 9), ValueError),
    ],
)
def test_wrong_use_of_a_udp_port_is_told(data, addr, error):
    """In the test, and not first in production."""
    with pytest.raises(error):
        MemoryReactor().listenUDP(9, Echo()).write(data, addr)


def test_a_taken_udp_port_is_refused_unless_it_is_shared():
    """TCP's ports are others; a group may have many listeners on one machine."""
    reactor = MemoryReactor()
    reactor.listenTCP(9, Factory())
    reactor.listenUDP(9, Echo())
    with pytest.raises(CannotListenError):
        reactor.listenUDP(9, Echo())
    port = reactor.listenMulticast(9, Echo(), listenMultiple=True)
    successResultOf(port.joinGroup("224.0.0.9"))
    assert port.groups == [("224.0.0.9", "")]
    successResultOf(port.leaveGroup("224.0.0.9"))
    assert port.groups == []


def test_a_udp_port_in_memory_has_the_whole_face_of_one():
    """Whatever a protocol may ask of its transport, it may ask of this."""
    names = {name for name in vars(IDatagramTransport) if not name.startswith("_")}
    assert {name for name in names if not hasattr(MemoryUDPPort, name)} == set()


# MemoryReactor: clients


def test_a_connector_waits_for_the_word_of_the_test():
    """Nothing connects by itself; when it does, the test is the server."""
    reactor, calls = MemoryReactor(), Calls()
    connector = reactor.connectTCP("192.0.2.9", 80, calls)
    assert connector.state == "connecting"
    server = connector.accept()
    assert (connector.state, server.received) == ("connected", b"hello")
    server.send(b"welcome")
    assert server.protocol.heard == b"welcome"
    assert server.transport.getPeer() == IPv4Address("TCP", "192.0.2.9", 80)
    server.close()
    assert calls.told == ["start", ConnectionDone, "stop"]


def test_a_connector_may_be_refused_and_try_again():
    """The factory is told each time, and stopped once, at the last."""
    reactor, calls = MemoryReactor(), Calls()
    connector = reactor.connectTCP("192.0.2.9", 80, calls)
    calls.clientConnectionFailed = lambda connector, reason: connector.connect()
    connector.refuse()
    del calls.clientConnectionFailed
    connector.refuse()
    assert calls.told == ["start", ConnectionRefusedError, "stop"]


def test_an_attempt_ends_with_its_time():
    """On the reactor's own clock; one that was accepted in time does not."""
    reactor, calls = MemoryReactor(), Calls()
    reactor.connectTCP("192.0.2.9", 80, calls, timeout=5)
    reactor.connectTCP("192.0.2.9", 80, Calls(), timeout=5).accept()
    reactor.advance(4.9)
    assert calls.told == ["start"]
    reactor.advance(0.1)
    assert calls.told == ["start", TimeoutError, "stop"]


def test_a_program_may_give_up():
    """While it connects, or when it is connected, and not twice."""
    reactor, calls = MemoryReactor(), Calls()
    connector = reactor.connectTCP("192.0.2.9", 80, calls)
    connector.stopConnecting()
    connector.connect()
    connector.accept()
    connector.disconnect()
    assert calls.told == [
        "start",
        ConnectingCancelledError,
        "stop",
        "start",
        ConnectionDone,
        "stop",
    ]
    with pytest.raises(NotConnectingError):
        connector.stopConnecting()


def test_a_factory_without_a_protocol_has_failed_to_connect():
    """As on a real reactor."""
    calls = Calls()
    calls.buildProtocol = lambda address: None
    MemoryReactor().connectTCP("192.0.2.9", 80, calls).accept()
    assert calls.told == ["start", NoProtocol, "stop"]


def test_a_client_and_a_server_of_one_program_are_joined():
    """Both were made by the program; the bytes are carried by the test."""
    reactor = MemoryReactor()
    port = reactor.listenTCP(80, Factory.forProtocol(Shout))
    pair = reactor.connectTCP("127.0.0.1", 80, ClientFactory.forProtocol(Caller)).join(port)
    assert pair.client.protocol.heard == b"HELLO"


# MemoryReactor: start and stop


def test_run_and_stop_fire_their_events_in_order():
    """What was to be done when it runs is done then, and what comes later at once."""
    reactor, told = MemoryReactor(), []
    reactor.callWhenRunning(told.append, "runs")
    reactor.addSystemEventTrigger("after", "shutdown", told.append, "after")
    reactor.addSystemEventTrigger("before", "shutdown", told.append, "before")
    reactor.removeSystemEventTrigger(reactor.callWhenRunning(told.append, "removed"))
    assert told == []
    reactor.run()
    reactor.callWhenRunning(told.append, "at once")
    reactor.stop()
    assert told == ["runs", "at once", "before", "after"]


def test_a_phase_waits_for_the_one_before():
    """As the real shutdown does, for Deferreds."""
    reactor, told, closing = MemoryReactor(), [], Deferred()
    reactor.addSystemEventTrigger("before", "shutdown", lambda: closing)
    reactor.addSystemEventTrigger("during", "shutdown", told.append, "during")
    fired = reactor.fireSystemEvent("shutdown")
    assertNoResult(fired)
    closing.callback(None)
    assert told == ["during"]
    successResultOf(fired)


def test_running_twice_and_stopping_twice_are_mistakes():
    """As on the real one."""
    reactor = MemoryReactor()
    with pytest.raises(ReactorNotRunning):
        reactor.stop()
    reactor.run()
    with pytest.raises(ReactorAlreadyRunning):
        reactor.run()


def test_a_crash_fires_nothing():
    """It runs no more, and may run again."""
    reactor, told = MemoryReactor(), []
    reactor.addSystemEventTrigger("during", "shutdown", told.append, "shutdown")
    with pytest.raises(ReactorNotRunning):
        reactor.crash()
    reactor.run()
    reactor.crash()
    assert (reactor.running, told) == (False, [])


def test_it_says_that_it_is_stopping():
    """While what was to be done at the end is being done."""
    reactor, closing = MemoryReactor(), Deferred()
    reactor.addSystemEventTrigger("during", "shutdown", lambda: closing)
    reactor.run()
    assert not reactor.stopping
    reactor.stop()
    assert reactor.stopping
    closing.callback(None)
    assert not reactor.stopping


REACTOR = sorted(name for name in dir(Reactor) if not name.startswith("_"))


@pytest.mark.parametrize("name", REACTOR)
def test_what_a_reactor_has_is_there_or_told_to_be_missing(name):
    """With the same parameters, or with the reason why it cannot be."""
    found = getattr(MemoryReactor(), name, None)
    if found is None:
        with pytest.raises(AttributeError, match=f"no {name}: there is no .* in memory"):
            getattr(MemoryReactor(), name)
    elif callable(found):
        real = inspect.signature(getattr(Reactor, name)).parameters
        assert list(inspect.signature(found).parameters) == [*real][1:]


def test_a_typing_error_is_not_explained_away():
    """What no reactor has is an AttributeError as any."""
    with pytest.raises(AttributeError, match=r"no listenTPC$"):
        _ = MemoryReactor().listenTPC


def test_a_call_from_a_thread_comes_with_the_next_turn():
    """And not in the thread."""
    reactor, told = MemoryReactor(), []
    reactor.callFromThread(told.append, 1)
    assert told == []
    reactor.advance(0)
    assert told == [1]


# Looking into a Deferred


def test_a_result_is_looked_at():
    """There must be one, and of the kind that is expected."""
    assert successResultOf(succeed(7)) == 7
    assert failureResultOf(fail(KeyError("x")), KeyError).check(KeyError)
    for wrong in (
        lambda: successResultOf(fail(ValueError("why it failed"))),
        lambda: successResultOf(Deferred()),
        lambda: failureResultOf(succeed(1)),
        lambda: failureResultOf(fail(ValueError("why it failed")), KeyError),
        lambda: assertNoResult(succeed(1)),
    ):
        with pytest.raises(AssertionError, match=r"why it failed|result|failure"):
            wrong()


def test_looking_for_no_result_takes_none_away():
    """What comes later is there for whom it was meant."""
    deferred = Deferred()
    assertNoResult(deferred)
    deferred.callback("late")
    assert successResultOf(deferred) == "late"
