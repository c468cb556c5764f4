"""A wrapper is a protocol to the connection and a transport to what it wraps."""

import gc
import weakref

import pytest

from tests.protocols.peers import Recorder, Source
from weblayer.loop.address import IPv4Address
from weblayer.loop.error import ConnectError, ConnectionAborted
from weblayer.loop.failure import Failure
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.protocol import ClientFactory, Factory
from weblayer.protocols.policies import ProtocolWrapper, WrappingFactory


def wrapped(factory=None, protocol=Recorder):
    """A peer of a wrapped protocol, the protocol, and the wrapping factory."""
    factory = factory or WrappingFactory(Factory.forProtocol(protocol))
    peer = MemoryPeer(factory)
    return peer, peer.protocol.wrappedProtocol, factory


def test_everything_goes_through():
    """Bytes both ways, addresses, and the end."""
    peer, protocol, factory = wrapped()
    peer.send(b"in")
    protocol.transport.write(b"out")
    protocol.transport.writeSequence([b"a", b"b"])
    assert protocol.data == b"in"
    assert peer.received == b"outab"
    assert protocol.transport.getPeer() == IPv4Address("TCP", "192.0.2.1", 49152)
    assert protocol.transport.connected
    assert not protocol.transport.disconnecting
    assert len(factory.protocols) == 1
    protocol.transport.abortConnection()
    assert protocol.transport.disconnecting
    peer.pump()
    assert protocol.reasons[0].check(ConnectionAborted)
    assert not protocol.transport.connected
    assert not factory.protocols


def test_a_producer_is_the_transports():
    """Backpressure is the real transport's."""
    peer, protocol, _ = wrapped()
    peer.stopReading()
    source = Source(protocol.transport)
    protocol.transport.registerProducer(source, True)
    protocol.transport.write(bytes(100_000))
    peer.startReading()
    protocol.transport.unregisterProducer()
    assert source.calls == ["pause", "resume"]


def test_a_subclass_changes_what_it_overrides():
    """`write` is on the way of all that is written, dataReceived of all that comes."""

    class Loud(ProtocolWrapper):
        def write(self, data):
            super().write(data.upper())

        def dataReceived(self, data):
            super().dataReceived(data * 2)

    factory = WrappingFactory(Factory.forProtocol(Recorder))
    factory.protocol = Loud
    peer, protocol, _ = wrapped(factory)
    peer.send(b"in")
    protocol.transport.writeSequence([b"out", b"side"])
    assert protocol.data == b"inin"
    assert peer.received == b"OUTSIDE"


def test_wrappers_may_be_wrapped():
    """A policy on a policy on a protocol."""
    inner = WrappingFactory(Factory.forProtocol(Recorder))
    peer, wrapper, outer = wrapped(WrappingFactory(inner))
    peer.send(b"in")
    assert wrapper.wrappedProtocol.data == b"in"
    peer.close()
    assert not inner.protocols
    assert not outer.protocols


def test_a_refusal_goes_through():
    """What the wrapped factory does not build is not wrapped."""

    class Refuses(Factory):
        def buildProtocol(self, addr):
            return None

    factory = WrappingFactory(Refuses())
    peer = MemoryPeer(factory)
    assert peer.isClosed
    assert not factory.protocols


def test_a_protocol_that_cannot_begin_is_not_kept():
    """An error in connectionMade ends the connection, and the factory forgets it."""

    class Fails(Recorder):
        def connectionMade(self):
            raise LookupError("not now")

    factory = WrappingFactory(Factory.forProtocol(Fails))
    peer = MemoryPeer(factory)
    assert peer.reason.check(LookupError)
    assert not factory.protocols


def test_starting_and_stopping_go_through():
    """The wrapped factory is started and stopped as often as the wrapper."""
    calls = []

    class Told(Factory):
        def startFactory(self):
            calls.append("start")

        def stopFactory(self):
            calls.append("stop")

    factory = WrappingFactory(Told())
    factory.doStart()
    factory.doStart()
    factory.doStop()
    assert calls == ["start"]
    factory.doStop()
    assert calls == ["start", "stop"]


def test_a_clients_factory_is_told_of_its_connector():
    """What a connector says goes through to the wrapped factory."""
    told = []

    class Told(ClientFactory):
        def startedConnecting(self, connector):
            told.append(connector)

        def clientConnectionFailed(self, connector, reason):
            told.append((connector, reason))

        clientConnectionLost = clientConnectionFailed

    factory, reason = WrappingFactory(Told()), Failure(ConnectError())
    factory.startedConnecting("it")
    factory.clientConnectionFailed("it", reason)
    factory.clientConnectionLost("it", reason)
    assert told == ["it", ("it", reason), ("it", reason)]


def test_nothing_waits_for_the_collector():
    """When the connection has ended nothing but the program keeps the protocol alive."""
    gc.collect()
    gc.disable()
    try:
        peer, protocol, factory = wrapped()
        kept = weakref.ref(protocol)
        peer.close()
        del peer, protocol, factory
        assert kept() is None
    finally:
        gc.enable()


def test_an_unknown_name_is_an_AttributeError():
    """With and without a connection."""
    peer, protocol, factory = wrapped()
    for wrapper in (protocol.transport, ProtocolWrapper(factory, Recorder())):
        with pytest.raises(AttributeError, match="noSuchThing"):
            wrapper.noSuchThing()
    peer.close()
