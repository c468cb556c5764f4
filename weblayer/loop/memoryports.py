"""The ports and connectors of a MemoryReactor: the test says who comes, and what gets through."""

import errno
from collections.abc import Callable
from typing import Any

from weblayer.loop.address import Address, HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from weblayer.loop.connection import Connection
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionRefusedError,  # noqa: A004  the field's name
    NotConnectingError,
    TimeoutError,  # noqa: A004  the field's name
)
from weblayer.loop.failure import Failure
from weblayer.loop.memory import MemoryPair, MemoryPeer
from weblayer.loop.protocol import IClientFactory, IFactory
from weblayer.loop.timers import Clock, DelayedCall

__all__ = ["MemoryConnector", "MemoryPort"]

SocketName = tuple[Any, ...] | str  # Any: as `getsockname` gives it, different for each family


class MemoryPort:
    """A port of a MemoryReactor: nobody reaches it but the test, by `connect`."""

    def __init__(self, host: Address, factory: IFactory) -> None:
        self.factory = factory
        self.listening = False
        self._host = host
        self.startListening()

    def connect(self, peer: SocketName = ("192.0.2.1", 49152)) -> MemoryPeer:
        """Come as a client from the address *peer*. Raises ConnectionRefusedError."""
        if not self.listening:
            raise ConnectionRefusedError(f"nobody listens at {self._host}", errno.ECONNREFUSED)
        return MemoryPeer(self.factory, peer=peer, host=_name_of(self._host))

    def getHost(self) -> Address:
        """The address it listens on, with a number for port 0."""
        return self._host

    def startListening(self) -> None:
        """Listen, again after stopListening."""
        if not self.listening:
            self.listening = True
            self.factory.doStart()

    def stopListening(self) -> Deferred[None]:
        """Refuse from now on. Has fired already."""
        if self.listening:
            self.listening = False
            self.factory.doStop()
        return succeed(None)


class MemoryConnector:
    """A connector of a MemoryReactor: the test says what becomes of the attempt."""

    def __init__(
        self, clock: Clock, destination: Address, factory: IClientFactory, timeout: float | None
    ) -> None:
        self.factory, self.timeout = factory, timeout
        self.state = "disconnected"
        self._clock, self._destination = clock, destination
        self._limit: DelayedCall | None = None
        self._peer: MemoryPeer | None = None
        self._started = False

    # What the test says.

    def accept(self) -> MemoryPeer:
        """Let it connect. Gives the server's side. Raises NotConnectingError."""
        self._end_attempt("accept")
        self.state = "connected"
        self._peer = _Accepted(self)
        return self._peer

    def refuse(self, error: ConnectError | None = None) -> None:
        """Let it fail with *error*, by default as if nobody listened. Raises NotConnectingError."""
        self._end_attempt("refuse")
        error = error or ConnectionRefusedError(
            f"nobody listens at {self._destination}", errno.ECONNREFUSED
        )
        self._end(self.factory.clientConnectionFailed, Failure(error))

    def join(self, port: MemoryPort) -> MemoryPair:
        """Let it connect to *port*, and carry bytes until both sides are quiet."""
        pair = _Joined(port.connect(), self.accept())
        pair.pump()
        return pair

    # What the program says.

    def connect(self) -> None:
        """Try to connect. Raises RuntimeError when it tries already, or is connected."""
        if self.state != "disconnected":
            raise RuntimeError(f"this connector is {self.state}; connect() is for after that")
        self.state = "connecting"
        if not self._started:
            self._started = True
            self.factory.doStart()
        self.factory.startedConnecting(self)
        if self.state == "connecting" and self.timeout is not None:
            late = TimeoutError(f"no connection in {self.timeout} seconds")
            self._limit = self._clock.callLater(self.timeout, self.refuse, late)

    def stopConnecting(self) -> None:
        """Give up the attempt; clientConnectionFailed is told. Raises NotConnectingError."""
        self.refuse(ConnectingCancelledError("stopConnecting() was called"))

    def disconnect(self) -> None:
        """Give up the attempt, or close the connection."""
        if self.state == "connecting":
            self.stopConnecting()
        elif self._peer is not None:
            self._peer.transport.loseConnection()
            self._peer.pump()

    def getDestination(self) -> Address:
        """What it connects to, as it was asked."""
        return self._destination

    def _end_attempt(self, verb: str) -> None:
        if self.state != "connecting":
            raise NotConnectingError(f"this connector is {self.state}, there is nothing to {verb}")
        if self._limit is not None and self._limit.active():
            self._limit.cancel()

    def _lost(self, connection: Connection, reason: Failure) -> None:
        self._peer = None
        told = self.factory.clientConnectionLost
        self._end(told if connection.begun else self.factory.clientConnectionFailed, reason)

    def _end(self, told: Callable[..., object], reason: Failure) -> None:
        self.state = "disconnected"
        told(self, reason)
        if self.state == "disconnected":
            self._started = False
            self.factory.doStop()


class _Accepted(MemoryPeer):
    """The server's side of a connection that a MemoryConnector made."""

    def __init__(self, connector: MemoryConnector) -> None:
        self._connector = connector
        super().__init__(
            connector.factory,
            peer=_name_of(connector.getDestination()),
            host=("192.0.2.2", 49152),
        )

    def lost(self, connection: Connection, reason: Failure) -> None:
        super().lost(connection, reason)
        self._connector._lost(connection, reason)


class _Joined(MemoryPair):
    """Two sides that are there already."""

    def __init__(self, server: MemoryPeer, client: MemoryPeer) -> None:
        self.server, self.client = server, client


def _name_of(address: Address) -> SocketName:
    """What `getsockname` would give for *address*."""
    match address:
        case UNIXAddress(name):
            return name or ""
        case HostnameAddress(host, port) | IPv4Address(_, host, port):
            return (host, port)
        case IPv6Address(_, host, port, flow, scope):
            return (host, port, flow, scope)
