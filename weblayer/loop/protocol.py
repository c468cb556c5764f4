"""The faces of a connection: what a program writes (protocols, factories) and is given.

A `Factory` outlives connections and makes a `Protocol` for each. The `I...` classes are
for type checkers: anything of that shape will do, nothing needs to inherit.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self, runtime_checkable
from typing import Protocol as Face

from weblayer.loop.address import Address
from weblayer.loop.deferred import Deferred
from weblayer.loop.failure import Failure

if TYPE_CHECKING:  # loaded by who encrypts
    from weblayer.loop.ssl import Certificate, TLSOptions

__all__ = [
    "ClientFactory",
    "DatagramProtocol",
    "Factory",
    "IClientFactory",
    "IConnector",
    "IDatagramProtocol",
    "IDatagramTransport",
    "IFactory",
    "IHalfCloseableProtocol",
    "IListeningPort",
    "IProcessProtocol",
    "IProcessTransport",
    "IProtocol",
    "IPullProducer",
    "IPushProducer",
    "IRetiringProtocol",
    "ITLSTransport",
    "ITransport",
    "ProcessProtocol",
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


class ITLSTransport(ITransport, Face):
    """A transport that can begin to encrypt."""

    @property
    def negotiatedProtocol(self) -> bytes | None: ...
    def getPeerCertificate(self) -> "Certificate | None": ...
    def startTLS(self, options: "TLSOptions", timeout: float = ...) -> Deferred[None]: ...


class IProtocol(Face):
    """What a factory builds."""

    def makeConnection(self, transport: ITransport, /) -> object: ...
    def dataReceived(self, data: bytes, /) -> object: ...
    def connectionLost(self, reason: Failure, /) -> object: ...


@runtime_checkable
class IHalfCloseableProtocol(Face):
    """The two methods by which a protocol asks that one half of its connection may end first.

    Without them the peer's end of file ends the connection, once all that was written is sent.
    """

    def readConnectionLost(self) -> object:
        """The peer will send no more; `transport` still writes, and `loseConnection` ends it."""

    def writeConnectionLost(self) -> object:
        """After `loseWriteConnection`: all is sent, and so is the end of file."""


@runtime_checkable
class IRetiringProtocol(Face):
    """A protocol that ends by itself when the reactor shuts down, before it is made to."""

    def retire(self) -> object:
        """Finish what is under way, begin nothing new, then close the connection."""


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


class IProcessTransport(Face):
    """A program that we have started, as its protocol sees it."""

    @property
    def pid(self) -> int | None: ...
    def write(self, data: bytes) -> None: ...
    def writeSequence(self, pieces: Iterable[bytes]) -> None: ...
    def writeToChild(self, childFD: int, data: bytes) -> None: ...
    def closeStdin(self) -> None: ...
    def closeStdout(self) -> None: ...
    def closeStderr(self) -> None: ...
    def closeChildFD(self, childFD: int) -> None: ...
    def loseConnection(self) -> None: ...
    def signalProcess(self, signalID: str | int) -> None: ...
    def signalGroup(self, signalID: str | int) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def stopProducing(self) -> None: ...
    def registerProducer(
        self, producer: IPushProducer | IPullProducer, streaming: bool
    ) -> None: ...
    def unregisterProducer(self) -> None: ...


class IProcessProtocol(Face):
    """What `spawnProcess` tells of a program that runs."""

    def makeConnection(self, transport: IProcessTransport, /) -> object: ...
    def childDataReceived(self, childFD: int, data: bytes, /) -> object: ...
    def childConnectionLost(self, childFD: int, /) -> object: ...
    def processExited(self, reason: Failure, /) -> object: ...
    def processEnded(self, reason: Failure, /) -> object: ...


class Protocol:
    """One connection's conversation; subclass it and say what to do with what arrives.

    The connection binds `dataReceived` once, before it calls `makeConnection`: an assignment to
    it comes too late after `__init__`.
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


class ProcessProtocol:
    """The conversation with one program; subclass it and say what to do with what it writes.

    *reason* below holds a ProcessDone, or a ProcessTerminated with its `exitCode` or `signal`.
    """

    # None until the program runs, but typed as what it is in every method that is called.
    transport: IProcessTransport = None  # type: ignore[assignment]

    def makeConnection(self, process: IProcessTransport) -> None:
        """Take the transport, then `connectionMade`. Called once, by `spawnProcess`."""
        self.transport = process
        self.connectionMade()

    def connectionMade(self) -> None:
        """The program has been started; writing may begin."""

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Some bytes came from the descriptor that the program knows as *childFD*."""
        if childFD == 1:
            self.outReceived(data)
        elif childFD == 2:
            self.errReceived(data)

    def outReceived(self, data: bytes) -> None:
        """Some bytes came from its standard output, or its terminal, cut anywhere."""

    def errReceived(self, data: bytes) -> None:
        """Some bytes came from its standard error."""

    def childConnectionLost(self, childFD: int) -> None:
        """A pipe has ended, closed by either side; a terminal is number 1."""
        told = (self.inConnectionLost, self.outConnectionLost, self.errConnectionLost)
        if childFD < len(told):
            told[childFD]()

    def inConnectionLost(self) -> None:
        """Its standard input is closed; what is written to it from now on is dropped."""

    def outConnectionLost(self) -> None:
        """Its standard output is closed; no `outReceived` follows."""

    def errConnectionLost(self) -> None:
        """Its standard error is closed; no `errReceived` follows."""

    def processExited(self, reason: Failure) -> None:
        """The program has exited; what it had written may still come."""

    def processEnded(self, reason: Failure) -> None:
        """The program has exited and every pipe has ended; nothing comes after this."""


class Factory:
    """Makes a protocol for each connection, and keeps what they share."""

    # Any: a class or function of no arguments that gives a protocol, set by a subclass, on
    # the instance or by forProtocol; a narrower type would make a bound method of it.
    protocol: Any = None
    numPorts = 0

    @classmethod
    def forProtocol(cls, protocol: Callable[[], IProtocol], *args: Any, **kwargs: Any) -> Self:
        """A factory of *protocol*; the other arguments are this class's own."""
        if not callable(protocol):
            raise TypeError(f"protocol must be a class of protocols, not {protocol!r}")
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


class IDatagramTransport(Face):
    """A UDP socket, as its protocol sees it."""

    def write(self, data: bytes, addr: tuple[str, int] | None = None) -> None: ...
    def connect(self, host: str, port: int) -> None: ...
    def getHost(self) -> Address: ...
    def stopListening(self) -> Deferred[None]: ...
    def joinGroup(self, addr: str, interface: str = "") -> Deferred[None]: ...
    def leaveGroup(self, addr: str, interface: str = "") -> Deferred[None]: ...
    def setTTL(self, ttl: int) -> None: ...
    def setLoopbackMode(self, mode: bool) -> None: ...
    def setOutgoingInterface(self, interface: str) -> None: ...
    def setBroadcastAllowed(self, enabled: bool) -> None: ...


class IDatagramProtocol(Face):
    """What `listenUDP` gives datagrams to."""

    def makeConnection(self, transport: IDatagramTransport, /) -> object: ...
    def doStop(self) -> object: ...
    def datagramReceived(self, data: bytes, addr: tuple[str, int], /) -> object: ...
    def connectionRefused(self) -> object: ...


class DatagramProtocol:
    """What is done with datagrams; subclass it."""

    # None until it listens, but typed as what it is in every method that is called.
    transport: IDatagramTransport = None  # type: ignore[assignment]
    numPorts = 0

    def makeConnection(self, transport: IDatagramTransport) -> None:
        """Take the transport, then `startProtocol`. Called once, by the port."""
        if self.numPorts:
            raise RuntimeError("this protocol listens already; give each port one of its own")
        self.numPorts = 1
        self.transport = transport
        self.startProtocol()

    def doStop(self) -> None:
        """Let the transport go, then `stopProtocol`. Called once, by the port."""
        self.numPorts = 0
        self.transport = None  # type: ignore[assignment]
        self.stopProtocol()

    def startProtocol(self) -> None:
        """The socket is bound; writing may begin."""

    def stopProtocol(self) -> None:
        """The socket is closed."""

    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        """One datagram came, whole, from *addr*, an address and a port."""

    def connectionRefused(self) -> None:
        """Nobody is there to read what was sent; only after the transport's `connect`."""
