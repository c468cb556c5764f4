"""The faces of a connection: what a program writes (protocols, factories) and is given.

A `Factory` outlives connections and makes a `Protocol` for each. The `I...` classes are
for type checkers: anything of that shape will do, nothing needs to inherit.
"""

from collections.abc import Callable, Iterable
from typing import Any, Self
from typing import Protocol as Face

from weblayer.loop.address import Address
from weblayer.loop.failure import Failure

__all__ = [
    "ClientFactory",
    "Factory",
    "IClientFactory",
    "IConnector",
    "IFactory",
    "IListeningPort",
    "IProtocol",
    "IPullProducer",
    "IPushProducer",
    "ITransport",
    "Protocol",
    "ServerFactory",
]


class IPullProducer(Face):
    """Writes a piece each time it is asked."""

    def resumeProducing(self) -> object: ...
    def stopProducing(self) -> object: ...


class IPushProducer(IPullProducer, Face):
    """Writes by itself until it is told to pause."""

    def pauseProducing(self) -> object: ...


class ITransport(Face):
    """One side of a connection, as a protocol sees it."""

    @property
    def connected(self) -> bool: ...
    @property
    def disconnecting(self) -> bool: ...
    @property
    def secure(self) -> bool: ...
    @property
    def write(self) -> Callable[[bytes], object]: ...
    def writeSequence(self, pieces: Iterable[bytes]) -> None: ...
    def loseConnection(self) -> None: ...
    def loseWriteConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def getPeer(self) -> Address: ...
    def getHost(self) -> Address: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def stopProducing(self) -> None: ...
    def registerProducer(
        self, producer: IPushProducer | IPullProducer, streaming: bool
    ) -> None: ...
    def unregisterProducer(self) -> None: ...
    def getTcpNoDelay(self) -> bool: ...
    def setTcpNoDelay(self, enabled: bool) -> None: ...
    def getTcpKeepAlive(self) -> bool: ...
    def setTcpKeepAlive(self, enabled: bool) -> None: ...


class IProtocol(Face):
    """What a factory builds."""

    def makeConnection(self, transport: ITransport, /) -> object: ...
    def dataReceived(self, data: bytes, /) -> object: ...
    def connectionLost(self, reason: Failure, /) -> object: ...


class IFactory(Face):
    """What a port listens for, or a connector connects for."""

    def doStart(self) -> object: ...
    def doStop(self) -> object: ...
    def buildProtocol(self, addr: Address, /) -> IProtocol | None: ...


class IConnector(Face):
    """An attempt to connect, and the connection when it has been made."""

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def stopConnecting(self) -> None: ...
    def getDestination(self) -> Address: ...


class IClientFactory(IFactory, Face):
    """A factory that also hears how connecting went."""

    def startedConnecting(self, connector: IConnector, /) -> object: ...
    def clientConnectionFailed(self, connector: IConnector, reason: Failure, /) -> object: ...
    def clientConnectionLost(self, connector: IConnector, reason: Failure, /) -> object: ...


class IListeningPort(Face):
    """A socket that listens."""

    def getHost(self) -> Address: ...
    def startListening(self) -> None: ...
    def stopListening(self) -> object: ...


class Protocol:
    """One connection's conversation; subclass it and say what to do with what arrives.

    The connection binds `dataReceived` once, when it is made: assign to it before or during
    `connectionMade`'s call and not later.
    """

    connected = False
    factory: Any = None  # Any: each program's factory has attributes of its own
    # None until connected, but typed as what it is in every method that is called.
    transport: ITransport = None  # type: ignore[assignment]

    def makeConnection(self, transport: ITransport) -> None:
        """Take the transport, then `connectionMade`. Called once, by the connection."""
        self.connected = True
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """The connection is there; writing may begin."""

    def dataReceived(self, data: bytes) -> None:
        """Some bytes came, cut anywhere; never empty."""

    def connectionLost(self, reason: Failure) -> None:
        """The connection has ended; called exactly once, after `connectionMade`.

        *reason* holds a ConnectionDone, a ConnectionLost, a ConnectionAborted, or whatever
        escaped from `dataReceived`.
        """


class Factory:
    """Makes a protocol for each connection, and keeps what they share."""

    # Any: a class or function of no arguments that gives a protocol, set by a subclass, on
    # the instance or by forProtocol; a narrower type would make a bound method of it.
    protocol: Any = None
    numPorts = 0

    @classmethod
    def forProtocol(cls, protocol: Callable[[], IProtocol], *args: Any, **kwargs: Any) -> Self:
        """A factory of *protocol*; the other arguments are this class's own."""
        factory = cls(*args, **kwargs)
        factory.protocol = protocol
        return factory

    def doStart(self) -> None:
        """Count one more port or connector; `startFactory` at the first."""
        self.numPorts += 1
        if self.numPorts == 1:
            self.startFactory()

    def doStop(self) -> None:
        """Count one port or connector less; `stopFactory` at the last."""
        if self.numPorts == 0:
            return
        self.numPorts -= 1
        if self.numPorts == 0:
            self.stopFactory()

    def startFactory(self) -> None:
        """The first port or connector begins."""

    def stopFactory(self) -> None:
        """The last port or connector has ended."""

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Make the protocol for a connection with *addr*; None refuses it."""
        if self.protocol is None:
            raise TypeError(f"set {type(self).__name__}.protocol, or override buildProtocol")
        protocol: IProtocol = self.protocol()
        protocol.factory = self  # type: ignore[attr-defined]  # the field's gift, asked by no face
        return protocol


class ServerFactory(Factory):
    """A factory for connections that others make to us."""


class ClientFactory(Factory):
    """A factory for connections that we make."""

    def startedConnecting(self, connector: IConnector) -> None:
        """An attempt begins; `connector.stopConnecting()` would end it."""

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """There will be no connection; `connector.connect()` tries again."""

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """The connection has ended; `connector.connect()` makes another."""
