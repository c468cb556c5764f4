"""Factories around factories: the ground that policies stand on.

A `ProtocolWrapper` is the protocol of a connection, and the transport of the protocol that
it wraps. What a policy does not change goes through: calls one way are forwarded, names the
other way are looked up on the real transport, whatever it has.
"""

from collections.abc import Iterable
from typing import Any, cast

from weblayer.loop.address import Address
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import (
    ClientFactory,
    IClientFactory,
    IConnector,
    IFactory,
    IProtocol,
    ITransport,
)

__all__ = ["ProtocolWrapper", "WrappingFactory"]


class ProtocolWrapper:
    """Stands between a connection and a protocol; override what shall be different."""

    # None until connected, but typed as what it is in every method that is called.
    transport: ITransport = None  # type: ignore[assignment]

    # Any: both are whatever the wrapped factory and a subclass make them.
    def __init__(self, factory: Any, wrappedProtocol: Any) -> None:
        self.factory = factory
        self.wrappedProtocol = wrappedProtocol

    def makeConnection(self, transport: ITransport) -> None:
        """Take the transport, and be the wrapped protocol's."""
        self.transport = transport
        self.factory.registerProtocol(self)
        # cast: what a transport has and this class does not, __getattr__ finds.
        self.wrappedProtocol.makeConnection(cast("ITransport", self))

    def dataReceived(self, data: bytes) -> None:
        """Pass on what came."""
        self.wrappedProtocol.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """Pass on the end."""
        self.factory.unregisterProtocol(self)
        # Let go, so that no cycle of the two waits for the collector.
        wrapped, self.wrappedProtocol = self.wrappedProtocol, None
        wrapped.connectionLost(reason)

    def write(self, data: bytes) -> None:
        """Send *data*."""
        self.transport.write(data)

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        """Send *pieces* as one; by way of `write`, so that none goes past a subclass's."""
        self.write(b"".join(pieces))

    # Any: it is whatever the transport has of that name.
    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


class WrappingFactory(ClientFactory):
    """A factory that wraps what another one builds; for servers and for clients.

    *protocol* is called with the factory and the wrapped protocol; a `ProtocolWrapper` or a
    subclass of it, set by a subclass. `protocols` are those that are connected.
    """

    protocol: Any = ProtocolWrapper

    def __init__(self, wrappedFactory: IFactory) -> None:
        self.wrappedFactory = wrappedFactory
        self.protocols: set[Any] = set()  # Any: what `protocol` makes

    def doStart(self) -> None:
        """Start the wrapped factory too."""
        self.wrappedFactory.doStart()
        super().doStart()

    def doStop(self) -> None:
        """Stop the wrapped factory too."""
        self.wrappedFactory.doStop()
        super().doStop()

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Wrap what the wrapped factory builds; None when it refuses."""
        return self.wrap(self.wrappedFactory.buildProtocol(addr))

    def wrap(self, protocol: IProtocol | None) -> IProtocol | None:
        """Put a wrapper around *protocol*, if there is one."""
        if protocol is None:
            return None
        wrapper: IProtocol = self.protocol(self, protocol)
        return wrapper

    def registerProtocol(self, p: Any) -> None:
        """A wrapper has been connected. Called by it, before the wrapped protocol is told."""
        self.protocols.add(p)

    def unregisterProtocol(self, p: Any) -> None:
        """A wrapper's connection has ended. Called by it, before the wrapped one is told."""
        self.protocols.discard(p)

    def startedConnecting(self, connector: IConnector) -> None:
        """Pass it on."""
        self._client().startedConnecting(connector)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Pass it on."""
        self._client().clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """Pass it on."""
        self._client().clientConnectionLost(connector, reason)

    def _client(self) -> IClientFactory:
        # cast: only connectors call for it, and those are for client factories.
        return cast("IClientFactory", self.wrappedFactory)
