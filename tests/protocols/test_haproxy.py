"""Behind a proxy: the header is read, and the rest is as if the client had come itself."""

import logging
import struct

import pytest
from hypothesis import given

from tests.protocols.peers import Recorder, send_in_pieces, sizes
from weblayer.loop.address import IPv4Address, UNIXAddress
from weblayer.loop.error import ConnectionAborted, NoProtocol
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.protocol import Factory
from weblayer.loop.timers import Clock
from weblayer.protocols.haproxy import ANYBODY, HAProxyWrappingFactory, proxyEndpoint
from weblayer.protocols.policies import LimitConnectionsByPeer

CLIENT, SERVER = IPv4Address("TCP", "203.0.113.7", 5000), IPv4Address("TCP", "203.0.113.8", 443)
V1 = b"PROXY TCP4 203.0.113.7 203.0.113.8 5000 443\r\n"
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
PROXY = ("10.0.0.9", 40000)


class Recording(Factory):
    """Builds recorders, and remembers them and for whom they were."""

    protocol = Recorder

    def __init__(self):
        self.built, self.addresses = [], []

    def buildProtocol(self, addr):
        protocol = super().buildProtocol(addr)
        self.built.append(protocol)
        self.addresses.append(addr)
        return protocol


class Behind:
    """A peer that is a proxy, and what it has made us build."""

    def __init__(self, trusted=("10.0.0.0/8",), protocol=Recorder, peer=PROXY):
        self.clock, self.inner = Clock(), Recording()
        self.inner.protocol = protocol
        self.factory = HAProxyWrappingFactory(self.inner, trusted, self.clock)
        self.peer = MemoryPeer(self.factory, peer=peer)

    @property
    def protocol(self):
        return self.inner.built[0]

    def wait(self, seconds):
        self.clock.advance(seconds)
        self.peer.pump()


@given(pieces=sizes)
def test_the_client_is_known(pieces):
    """The protocol is built for the client's address, and gets only what the client sent."""
    behind = Behind()
    send_in_pieces(behind.peer, V1 + b"hello\r\n", pieces)
    assert behind.inner.addresses == [CLIENT]
    assert behind.protocol.data == b"hello\r\n"
    assert behind.protocol.transport.getPeer() == CLIENT
    assert behind.protocol.transport.getHost() == SERVER
    behind.protocol.transport.write(b"answer")
    assert behind.peer.received == b"answer"
    behind.peer.close()
    assert len(behind.protocol.reasons) == 1
    assert not behind.factory.protocols
    assert behind.clock.getDelayedCalls() == []


def test_nothing_is_built_before_the_header():
    """A server that speaks first does not speak to one who has not said who he is."""
    behind = Behind()
    behind.peer.send(V1[:-1])
    assert behind.inner.built == []
    behind.peer.send(V1[-1:])
    assert len(behind.inner.built) == 1
    assert behind.protocol.data == b""


def test_a_proxy_may_ask_for_itself():
    """A health check is a connection of the proxy's own."""
    behind = Behind()
    behind.peer.send(LOCAL + b"ping")
    assert behind.inner.addresses == [IPv4Address("TCP", *PROXY)]
    assert behind.protocol.transport.getPeer() == IPv4Address("TCP", *PROXY)
    assert behind.protocol.data == b"ping"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"PROXY TCP4 ? ? 1 2\r\n", b"x"])
def test_who_sends_no_header_is_refused(data):
    """The connection is aborted, nothing is built, and a timer is not left."""
    behind = Behind()
    wrapper = behind.peer.protocol
    behind.peer.send(data)
    wrapper.dataReceived(V1)  # as a transport would that had read both
    assert behind.peer.reason.check(ConnectionAborted)
    assert behind.inner.built == []
    assert behind.clock.getDelayedCalls() == []


def test_a_header_must_come_in_time():
    """One who begins a header and never ends it is dropped after some seconds."""
    behind = Behind()
    behind.wait(4)
    behind.peer.send(V1[:9])
    behind.wait(2)
    assert behind.peer.reason.check(ConnectionAborted)
    assert not behind.factory.protocols
    late = Behind()
    late.peer.send(V1)
    late.wait(100)
    assert not late.peer.isClosed


def test_a_header_cannot_grow():
    """One that says it is longer than MAX_LENGTH is refused by its first sixteen bytes."""
    behind = Behind()
    behind.peer.send(LOCAL[:-2] + struct.pack("!H", 4096 - 15))
    assert behind.peer.isClosed


@pytest.mark.parametrize(
    ("trusted", "peer", "taken"),
    [
        (["10.0.0.0/8"], PROXY, True),
        (["10.0.0.9"], PROXY, True),
        (["192.0.2.1", "10.0.0.0/30"], PROXY, False),
        ([], PROXY, False),
        (ANYBODY, PROXY, True),
        (ANYBODY, ("2001:db8::1", 1, 0, 0), True),
        (["2001:db8::/32"], ("2001:db8::1", 1, 0, 0), True),
        (["2001:db8::/32"], PROXY, False),
        (["10.0.0.0/8"], ("::ffff:10.0.0.9", 1, 0, 0), True),
        (["fe80::/10"], ("fe80::1%eth0", 1, 0, 0), True),
        ([], "", True),  # a UNIX socket
        (ANYBODY, ("", 0), False),  # it had left before it could be asked
    ],
)
def test_only_trusted_peers_may_send_a_header(trusted, peer, taken, caplog):
    """Another is closed at once, whatever it sends, and the log says what to do."""
    caplog.set_level(logging.WARNING, "weblayer")
    behind = Behind(trusted, peer=peer)
    behind.peer.send(V1)
    assert (behind.inner.addresses == [CLIENT]) is taken
    assert behind.peer.isClosed is not taken
    assert ("not in trusted=" in caplog.text) is not taken


def test_by_default_only_this_machine_is_trusted():
    """The loopback interface and UNIX sockets."""
    factory = HAProxyWrappingFactory(Recording())
    assert factory.isTrusted(IPv4Address("TCP", "127.0.0.1", 1))
    assert factory.isTrusted(UNIXAddress(None))
    assert not factory.isTrusted(IPv4Address("TCP", *PROXY))


@pytest.mark.parametrize(
    ("trusted", "kind", "says"),
    [
        (["10.0.0.1/8"], ValueError, "trusted must have networks.*host bits"),
        (["proxy.example"], ValueError, "trusted must have networks.*'proxy.example'"),
        ("10.0.0.0/8", TypeError, "trusted must be a list"),
    ],
)
def test_what_is_no_network_is_refused(trusted, kind, says):
    """The error names the parameter and shows the value."""
    with pytest.raises(kind, match=says):
        HAProxyWrappingFactory(Recording(), trusted)


def test_a_refusal_ends_the_connection():
    """What the wrapped factory does not build for a client is not kept."""
    behind = Behind()
    behind.inner.buildProtocol = lambda addr: None
    behind.peer.send(V1 + b"hello")
    assert behind.peer.isClosed
    assert not behind.factory.protocols


def test_limits_behind_it_see_the_client():
    """A policy inside the wrapper counts clients, not the proxy they come through."""
    inner = LimitConnectionsByPeer(Factory.forProtocol(Recorder), 1)
    factory = HAProxyWrappingFactory(inner, ANYBODY, Clock())
    peers = [MemoryPeer(factory, peer=PROXY) for _ in range(3)]
    peers[0].send(V1)
    peers[1].send(V1)
    peers[2].send(V1.replace(b"113.7", b"113.9"))
    assert [peer.isClosed for peer in peers] == [False, True, False]
    peers[0].close()
    assert sorted(inner.peerConnections) == ["203.0.113.9"]


class Pauses(Recorder):
    """Pauses as soon as it is connected."""

    def connectionMade(self):
        self.transport.pauseProducing()


def test_a_pause_at_the_beginning_holds_what_came_with_the_header():
    """It is delivered a turn after reading is resumed, before all else."""
    behind = Behind(protocol=Pauses)
    behind.peer.send(V1 + b"one ")
    behind.peer.send(b"two")
    assert behind.protocol.data == b""
    behind.protocol.transport.resumeProducing()
    assert behind.protocol.data == b""
    behind.wait(0)
    assert behind.protocol.data == b"one two"
    behind.protocol.transport.pauseProducing()
    behind.peer.send(b" three")
    assert behind.protocol.data == b"one two"
    behind.protocol.transport.resumeProducing()
    behind.wait(0)
    assert behind.protocol.data == b"one two three"


def test_who_pauses_again_is_sent_nothing():
    """Resuming and pausing before the turn has come is pausing."""
    behind = Behind(protocol=Pauses)
    behind.peer.send(V1 + b"one")
    behind.protocol.transport.resumeProducing()
    behind.protocol.transport.pauseProducing()
    behind.wait(0)
    assert behind.protocol.data == b""


def test_nothing_comes_after_the_end():
    """What was held is dropped with the connection."""
    behind = Behind(protocol=Pauses)
    behind.peer.send(V1 + b"one")
    behind.protocol.transport.resumeProducing()
    behind.peer.reset()
    behind.wait(0)
    assert behind.protocol.data == b""


def test_closing_at_the_beginning_drops_what_came_with_the_header():
    """A protocol that closes in connectionMade receives nothing."""

    class Closes(Recorder):
        def connectionMade(self):
            self.transport.loseConnection()

    behind = Behind(protocol=Closes)
    behind.peer.send(V1 + b"one")
    assert behind.protocol.data == b""
    assert len(behind.protocol.reasons) == 1


def test_a_client_with_tls_is_secure():
    """`secure` is what the proxy says of its own connection with the client."""
    block = b"\x7f\0\0\1\x7f\0\0\1\0\1\0\2"
    for tls in (b"", b"\x20\0\5\1\0\0\0\0"):
        behind = Behind()
        size = struct.pack("!H", len(block + tls))
        behind.peer.send(LOCAL[:12] + b"\x21\x11" + size + block + tls)
        assert behind.protocol.transport.secure is bool(tls)


def test_an_endpoint_may_be_wrapped():
    """proxyEndpoint has whatever it wraps listen for connections with a header."""

    class Endpoint:
        def listen(self, factory):
            return MemoryPeer(factory, peer=PROXY)

    inner = Recording()
    peer = proxyEndpoint(Endpoint(), ["10.0.0.0/8"]).listen(inner)
    peer.send(V1)
    assert inner.addresses == [CLIENT]
    assert proxyEndpoint(Endpoint()).listen(inner).reason.check(NoProtocol)
    peer.close()
