"""Connectors: connections that we make, and try again when the factory says so."""

import asyncio
import builtins
import errno
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from weblayer.loop.address import (
    Address,
    HostnameAddress,
    IPv4Address,
    IPv6Address,
    UNIXAddress,
)
from weblayer.loop.connection import Connection
from weblayer.loop.deferred import Deferred
from weblayer.loop.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionRefusedError,  # noqa: A004  the field's name
    DNSLookupError,
    NotConnectingError,
    TimeoutError,  # noqa: A004  the field's name
)
from weblayer.loop.eyeballs import firstOf, interleaved
from weblayer.loop.failure import Failure
from weblayer.loop.loops import Soon
from weblayer.loop.ports import Roster
from weblayer.loop.protocol import IClientFactory, IProtocol
from weblayer.loop.timers import Timers

__all__ = ["Connector", "addressOf", "openTCP", "openUNIX"]

_AddrInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]  # Any: as each family's


class Connector:
    """One thing to connect to: the attempt, the connection, and the next attempt.

    *open* gives a connected socket; *timeout* is in seconds, None for no limit of ours.
    """

    soon: Soon

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        destination: Address,
        factory: IClientFactory,
        timeout: float | None,
        open: Callable[[], Awaitable[socket.socket]],  # noqa: A002  the one verb for it
        roster: Roster,
    ) -> None:
        self.factory = factory
        self.timeout = timeout
        self.state = "disconnected"
        self.soon = loop.call_soon
        self._loop, self._destination, self._open, self._roster = loop, destination, open, roster
        self._attempt: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._started = False

    def connect(self) -> None:
        """Try to connect. Raises RuntimeError when it tries already, or is connected."""
        if self.state != "disconnected":
            raise RuntimeError(f"this connector is {self.state}; connect() is for after that")
        self.state = "connecting"
        if not self._started:
            self._started = True
            self.factory.doStart()
        self.factory.startedConnecting(self)
        # startedConnecting may have called stopConnecting.
        if self.state == "connecting":
            self._roster.attempts.add(self)
            self._attempt = self._loop.create_task(self._connect())

    def stopConnecting(self) -> None:
        """Give up the attempt; clientConnectionFailed is told. Raises NotConnectingError."""
        if self.state != "connecting":
            raise NotConnectingError(f"this connector is {self.state}, there is nothing to stop")
        if self._attempt is not None:
            self._attempt.cancel()
        self._fail(ConnectingCancelledError("stopConnecting() was called"))

    def disconnect(self) -> None:
        """Give up the attempt, or close the connection."""
        if self.state == "connecting":
            self.stopConnecting()
        elif self._connection is not None:
            self._connection.transport.loseConnection()

    def getDestination(self) -> Address:
        """What it connects to, as it was asked."""
        return self._destination

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Have the factory build the protocol of the connection."""
        return None if self._connection is None else self.factory.buildProtocol(addr)

    def opened(self, connection: Connection) -> None:
        """The connection has been made."""
        if self.state != "connecting":
            return  # by an attempt that was given up in the same turn of the loop
        self.state = "connected"
        self._connection = connection
        self._attempt = None
        self._roster.attempts.discard(self)
        self._roster.add(connection)

    def lost(self, connection: Connection, reason: Failure) -> None:
        """The connection has ended, or the factory had no protocol for it."""
        if connection is not self._connection:
            return
        self._roster.discard(connection)
        self._connection = None
        told = self.factory.clientConnectionLost
        if not connection.begun:
            told = self.factory.clientConnectionFailed
        self._end(told, reason)

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                sock = await self._open()
                await self._adopt(sock)
        except builtins.TimeoutError as error:
            late = TimeoutError(f"no connection to {self._name()} in {self.timeout} seconds")
            self._fail(late, error)
        except OSError as error:
            self._fail(_translated(error, self._name()), error)

    async def _adopt(self, sock: socket.socket) -> None:
        connection = Connection(self)
        if sock.family == socket.AF_UNIX:
            await self._loop.create_unix_connection(lambda: connection, sock=sock)
        else:
            await self._loop.create_connection(lambda: connection, sock=sock)
        if not connection.transport.connected:
            # uvloop has closed the descriptor of a connection that ended as it began, and
            # forgot to tell the socket, which would close it again when it is another's.
            sock.detach()

    def _fail(self, error: ConnectError, cause: OSError | None = None) -> None:
        error.__cause__ = cause
        self._attempt = None
        self._roster.attempts.discard(self)
        if self.state == "connecting":
            self._end(self.factory.clientConnectionFailed, Failure(error))

    def _end(self, told: Callable[..., object], reason: Failure) -> None:
        self.state = "disconnected"
        try:
            told(self, reason)
        finally:
            if self.state == "disconnected":
                self._started = False
                self.factory.doStop()

    def _name(self) -> str:
        match self._destination:
            case UNIXAddress(name):
                return str(name)
            case HostnameAddress(host, port) | IPv4Address(_, host, port):
                return f"{host}:{port}"
            case IPv6Address(_, host, port):
                return f"[{host}]:{port}"


def addressOf(host: str, port: int) -> Address:
    """The address of *host*, which may be an IPv4 or IPv6 address or a name."""
    for family, kind in ((socket.AF_INET, IPv4Address), (socket.AF_INET6, IPv6Address)):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return kind("TCP", host, port)
    return HostnameAddress(host, port)


async def openTCP(
    loop: asyncio.AbstractEventLoop, host: str, port: int, bindAddress: tuple[str, int] | None,
    attemptDelay: float,
) -> socket.socket:  # fmt: skip
    """Connect a socket to the first address of *host* that answers. Raises OSError.

    Asked of the loop piecemeal, because its own create_connection gives several refusals
    as one error without a number, and uvloop's tries addresses one after the other.
    """
    found = interleaved(await _addresses(loop, host, port), lambda info: info[0])
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} has no address")
    opens = [partial(_open, loop, info, bindAddress) for info in found]
    if len(opens) == 1:
        return await opens[0]()
    attempts = [partial(_started, opening) for opening in opens]
    clock = Timers(loop.time, loop.call_at)
    return await firstOf(attempts, attemptDelay, clock, socket.socket.close)


async def _open(
    loop: asyncio.AbstractEventLoop, info: _AddrInfo, bindAddress: tuple[str, int] | None
) -> socket.socket:
    family, kind, number, _, name = info
    sock = socket.socket(family, kind, number)
    try:
        sock.setblocking(False)
        if bindAddress is not None:
            sock.bind(bindAddress)
        await loop.sock_connect(sock, name)
    except BaseException:
        sock.close()
        raise
    return sock


def _started(opening: Callable[[], Coroutine[Any, Any, socket.socket]]) -> Deferred[socket.socket]:
    return Deferred.fromCoroutine(opening())


async def openUNIX(loop: asyncio.AbstractEventLoop, path: str) -> socket.socket:
    """Connect a socket to the server that listens at *path*. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, path)
    except BaseException:
        sock.close()
        raise
    return sock


async def _addresses(loop: asyncio.AbstractEventLoop, host: str, port: int) -> Sequence[_AddrInfo]:
    try:  # an address, not a name: no thread is needed to look it up
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _translated(error: OSError, name: str) -> ConnectError:
    why = error.strerror or str(error)
    if isinstance(error, socket.gaierror):
        return DNSLookupError(f"cannot find {name}: {why}", error.errno)
    if error.errno == errno.ECONNREFUSED:
        return ConnectionRefusedError(f"nobody listens on {name}", error.errno)
    return ConnectError(f"cannot connect to {name}: {why}", error.errno)
