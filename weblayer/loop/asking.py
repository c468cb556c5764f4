"""Client endpoints: places to connect to, as values that know how.

`connect` gives a Deferred that fires with the protocol once it has begun, and fails with the
reason why it could not. Cancelling it gives up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from typing import Protocol as Face

from weblayer.loop.address import Address
from weblayer.loop.deferred import Deferred
from weblayer.loop.failure import Failure
from weblayer.loop.network import Network
from weblayer.loop.protocol import Factory, IConnector, IFactory, IProtocol, ITransport
from weblayer.loop.securing import Securing, SecuringFactory
from weblayer.loop.ssl import TLSOptions
from weblayer.loop.transport import Transport

__all__ = [
    "HostnameEndpoint",
    "IStreamClientEndpoint",
    "SSL4ClientEndpoint",
    "TCP4ClientEndpoint",
    "TCP6ClientEndpoint",
    "UNIXClientEndpoint",
    "connectProtocol",
    "wrapClientTLS",
]

Bind = tuple[str, int] | str | None


class IStreamClientEndpoint(Face):
    """A place to connect to."""

    # Any: a protocol of the factory's, whose own kind the program knows.
    def connect(self, protocolFactory: IFactory, /) -> Deferred[Any]: ...


@dataclass(frozen=True, slots=True)
class HostnameEndpoint:
    """A TCP port of *host*, a name or an address; a name's addresses are tried side by side.

    *timeout* is in seconds for all of it, *attemptDelay* between the beginnings of two attempts.
    *bindAddress* is our side: an address, with a port or without.
    """

    reactor: Network
    host: str
    port: int
    timeout: float | None = 30
    bindAddress: Bind = None
    attemptDelay: float | None = None

    def connect(self, protocolFactory: IFactory) -> Deferred[Any]:
        """Connect there."""
        # Not named when not asked for, since a reactor in memory has no such thing.
        delay = {} if self.attemptDelay is None else {"attemptDelay": self.attemptDelay}
        return _connected(
            protocolFactory,
            partial(self.reactor.connectTCP, self.host, self.port),
            timeout=self.timeout, bindAddress=_bound(self.bindAddress), **delay,
        )  # fmt: skip


class TCP4ClientEndpoint(HostnameEndpoint):
    """The same, by the name that the field's programs know."""

    __slots__ = ()


class TCP6ClientEndpoint(HostnameEndpoint):
    """The same, by the name that the field's programs know."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SSL4ClientEndpoint:
    """A TCP port of *host* with an encrypted connection, by *sslContextFactory*."""

    reactor: Network
    host: str
    port: int
    sslContextFactory: TLSOptions
    timeout: float | None = 30
    bindAddress: Bind = None

    def connect(self, protocolFactory: IFactory) -> Deferred[Any]:
        """Connect there; fires when both sides agree on an encryption."""
        return _connected(
            protocolFactory,
            partial(self.reactor.connectSSL, self.host, self.port),
            contextFactory=self.sslContextFactory,
            timeout=self.timeout,
            bindAddress=_bound(self.bindAddress),
        )


@dataclass(frozen=True, slots=True)
class UNIXClientEndpoint:
    """The server that listens at *path*."""

    reactor: Network
    path: str
    timeout: float | None = 30

    def connect(self, protocolFactory: IFactory) -> Deferred[Any]:
        """Connect there."""
        return _connected(
            protocolFactory, partial(self.reactor.connectUNIX, self.path), timeout=self.timeout
        )


def connectProtocol(endpoint: IStreamClientEndpoint, protocol: IProtocol) -> Deferred[Any]:
    """Connect *protocol* itself; fires with it."""
    return endpoint.connect(_OneFactory(protocol))


@dataclass(frozen=True, slots=True)
class _SecuredClientEndpoint:
    options: TLSOptions
    wrapped: IStreamClientEndpoint

    def connect(self, protocolFactory: IFactory) -> Deferred[Any]:
        return _Agreement(protocolFactory, self.options).begin(self.wrapped)


def wrapClientTLS(
    connectionCreator: TLSOptions, wrappedEndpoint: IStreamClientEndpoint
) -> IStreamClientEndpoint:
    """*wrappedEndpoint* with its connection encrypted, by what optionsForClientTLS gives."""
    return _SecuredClientEndpoint(connectionCreator, wrappedEndpoint)


def _connected(
    factory: IFactory, connect: Callable[..., IConnector], **options: object
) -> Deferred[Any]:
    attempt = _Attempt(factory)
    connect(attempt, **options)
    return attempt.done


class _Attempt:
    """A client's factory for one connection: has *factory* build, and tells what came of it."""

    def __init__(self, factory: IFactory) -> None:
        self._factory = factory
        self._connector: IConnector | None = None
        self.done: Deferred[IProtocol] = Deferred(self._give_up)
        self.doStart, self.doStop = factory.doStart, factory.doStop

    def startedConnecting(self, connector: IConnector) -> None:
        self._connector = connector

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        protocol = self._factory.buildProtocol(addr)
        return None if protocol is None else _Announced(protocol, self.done)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        self._connector = None
        if not self.done.called:
            self.done.errback(reason)

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        self.clientConnectionFailed(connector, reason)  # before it had begun, or nobody listens

    def _give_up(self, _: object) -> None:
        if self._connector is not None:
            self._connector.disconnect()


class _Announced:
    """Stands for a protocol until it has begun, and tells that it has."""

    def __init__(self, protocol: IProtocol, done: Deferred[IProtocol]) -> None:
        self._protocol, self._done = protocol, done
        self.dataReceived, self.connectionLost = protocol.dataReceived, protocol.connectionLost

    def makeConnection(self, transport: ITransport) -> None:
        assert isinstance(transport, Transport)  # what every connector of ours gives
        transport.switch_protocol(self._protocol)
        self._protocol.makeConnection(transport)
        self._done.callback(self._protocol)


class _Agreement(SecuringFactory):
    """A factory whose one connection is encrypted, and which tells what came of that."""

    def __init__(self, factory: IFactory, options: TLSOptions) -> None:
        super().__init__(factory, options)
        self._done: Deferred[IProtocol] = Deferred(self._give_up)
        self._connecting: Deferred[Securing] | None = None
        self._securing: Securing | None = None

    def begin(self, endpoint: IStreamClientEndpoint) -> Deferred[IProtocol]:
        """Connect to *endpoint*; gives the Deferred of the protocol."""
        self._connecting = endpoint.connect(self)
        self._connecting.addCallbacks(self._connected, self._failed)
        return self._done

    def begun(self, protocol: IProtocol) -> None:
        """The two sides agree, and the protocol has begun."""
        self._done.callback(protocol)

    def neverBegun(self, addr: Address, reason: Failure) -> None:
        """They did not, and the connection is lost."""
        self._failed(reason)

    def _connected(self, securing: Securing) -> None:
        self._securing = securing

    def _failed(self, reason: Failure) -> None:
        if not self._done.called:
            self._done.errback(reason)

    def _give_up(self, _: object) -> None:
        if self._securing is not None:
            self._securing.giveUp()
        elif self._connecting is not None:
            self._connecting.cancel()


class _OneFactory(Factory):
    """Gives the protocol that is there already."""

    def __init__(self, protocol: IProtocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: Address) -> IProtocol:
        return self._protocol


def _bound(address: Bind) -> tuple[str, int] | None:
    return (address, 0) if isinstance(address, str) else address
