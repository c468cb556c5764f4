"""Ports: sockets that listen, and the roster of what is open.

A port binds and listens when it is made, so that a taken port is an error then and there;
connections are accepted as soon as the loop runs.
"""

import asyncio
import errno
import os
import socket
import stat
from typing import Any

from weblayer.loop.address import Address, UNIXAddress, fromSocketName
from weblayer.loop.connection import Connection
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.error import CannotListenError, ConnectionLost
from weblayer.loop.failure import Failure
from weblayer.loop.loops import Soon
from weblayer.loop.protocol import IConnector, IFactory, IListeningPort, IProtocol

__all__ = ["Port", "Roster", "bindTCP", "bindUNIX", "cannotListen", "checkNumber"]

_ADVICE = {
    errno.EADDRINUSE: "Stop what listens there, or choose another port.",
    errno.EACCES: "Choose a port above 1023 or a folder you may write to, or ask for the right.",
    errno.EADDRNOTAVAIL: "Give as interface an address of this machine.",
}

# Seconds. In shorter turns the loop itself soon accepts all who come, and for 8 us less each.
TURN = 0.05


class Roster:
    """What is open on a reactor: a loop knows its connections but does not tell."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.ports: set[IListeningPort] = set()
        self.attempts: set[IConnector] = set()
        self._empty: asyncio.Event | None = None

    def add(self, connection: Connection) -> None:
        self.connections.add(connection)
        if self._empty is not None:  # accepted while the rest is being closed
            connection.owner.soon(connection.retire)  # a turn later it has a protocol

    def discard(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if self._empty and not self.connections:
            self._empty.set()

    async def close(self, seconds: float) -> None:
        """Close what is open; abort what has not sent its bytes in *seconds*."""
        self._begin_nothing()
        self._empty = asyncio.Event()
        for connection in list(self.connections):
            connection.retire()
        try:
            for _ in range(2):  # what asyncio has accepted takes two turns to become a connection
                await asyncio.sleep(0)
            await asyncio.wait_for(self._emptied(), seconds)
        except TimeoutError:
            self.abort()
            await asyncio.sleep(0)  # in which they are told
        finally:
            self._empty = None

    async def _emptied(self) -> None:
        while self._empty and self.connections:
            self._empty.clear()
            await self._empty.wait()

    def abort(self) -> None:
        """Drop every connection, whatever it still had to send."""
        self._begin_nothing()
        for connection in list(self.connections):
            connection.transport.drop(ConnectionLost("the reactor has stopped"))

    def _begin_nothing(self) -> None:
        for port in list(self.ports):
            port.stopListening()
        for attempt in list(self.attempts):
            attempt.stopConnecting()


class Port:
    """A listening socket and the factory it listens for.

    The file of a UNIX socket that was *adopted* is not ours to remove.
    """

    soon: Soon

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        factory: IFactory,
        backlog: int,
        roster: Roster,
        adopted: bool = False,
    ) -> None:
        self.factory = factory
        self.soon = loop.call_soon
        self._loop, self._sock, self._backlog, self._roster = loop, sock, backlog, roster
        self._host = fromSocketName(sock.getsockname())
        self._server: asyncio.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._last, self._slow = 0.0, False  # when the loop last accepted one, and was long at it
        self._accepting: set[asyncio.Task[Any]] = set()  # Any: what we need not know
        self._file = None if adopted else _identity(self._path())

    def getHost(self) -> Address:
        """The address it listens on, with the number the system chose for port 0."""
        return self._host

    def startListening(self) -> None:
        """Accept connections once the loop runs. `listenTCP` and its like have done so."""
        if self._serving is not None:
            return
        if self._sock.fileno() < 0:
            raise RuntimeError("this port is closed for good; listen again for another")
        self.factory.doStart()
        self._roster.ports.add(self)
        self._serving = self._loop.create_task(self._serve())

    def stopListening(self) -> Deferred[None]:
        """Close the port; connections that were made stay. Fires when it is closed."""
        if self._serving is not None:
            self._serving.cancel()
            self._serving = None
            self._close()
            self._roster.ports.discard(self)
            self.factory.doStop()
        return self._closed()

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Have the factory build a protocol, for one connection."""
        return self.factory.buildProtocol(addr)

    def opened(self, connection: Connection) -> None:
        """One of its connections has been made."""
        self._roster.add(connection)

    def lost(self, connection: Connection, reason: Failure) -> None:
        """One of its connections has ended."""
        self._roster.discard(connection)

    async def _serve(self) -> None:
        # Any: the two take the same arguments here, of the many they take otherwise.
        is_unix = isinstance(self._host, UNIXAddress)
        listen: Any = self._loop.create_unix_server if is_unix else self._loop.create_server
        # In two steps: cancelled in the middle of one, the server would be out of reach.
        self._server = await listen(
            self._accepted, sock=self._sock, backlog=self._backlog, start_serving=False
        )
        await self._server.start_serving()

    def _accepted(self) -> Connection:
        """The loop has accepted one; have those that wait behind it, where turns are long.

        uvloop (0.23) accepts one in a turn, however long that is: beside 9,000 connections that
        are busy, who comes waits for minutes, and is told nothing (seen with wrk -c 10000).
        """
        now = self._loop.time()
        was_slow, self._slow = self._slow, now - self._last >= TURN
        self._last = now
        if was_slow and self._slow:  # once may be chance
            self._empty()
        return Connection(self)

    def _empty(self) -> None:
        """Accept all that wait, as asyncio's own loop does in each turn."""
        for _ in range(self._backlog):
            try:
                sock = self._sock.accept()[0]
            except OSError:  # none waits; or there is no descriptor for it, which the loop will see
                return
            sock.setblocking(False)
            joining = self._loop.connect_accepted_socket(lambda: Connection(self), sock)
            task = self._loop.create_task(joining)
            self._accepting.add(task)  # the loop itself holds it weakly
            task.add_done_callback(self._accepting.discard)

    def _close(self) -> None:
        path = self._path()
        if path and self._file and self._file == _identity(path):
            os.unlink(path)
        if self._server is None:
            self._sock.close()
        elif not self._loop.is_running():
            self._server.close()
        else:
            # A turn later: an asyncio server that is closed at once forgets, and leaves open, what
            # it has accepted in this turn (seen in Python 3.11 to 3.13).
            self._loop.remove_reader(self._sock)
            self._loop.call_soon(self._server.close)

    def _closed(self) -> Deferred[None]:
        if not self._loop.is_running():
            return succeed(None)
        closed: Deferred[None] = Deferred()
        # A turn after that, when uvloop has let go of the socket too.
        self._loop.call_soon(self._loop.call_soon, closed.callback, None)
        return closed

    def _path(self) -> str | None:
        name = self._host.name if isinstance(self._host, UNIXAddress) else None
        return None if name is None or name.startswith("\0") else name


def bindTCP(port: int, interface: str, backlog: int, reusePort: bool) -> socket.socket:
    """Make a socket that listens. Raises CannotListenError.

    *interface* is an address of this machine, "" for all of IPv4, "::" for all of IPv6.
    """
    checkNumber(port)
    try:
        # As text, Python would load the tables of international names, for a millisecond.
        host = interface.encode() if interface.isascii() else interface
        family, kind, number, _, name = socket.getaddrinfo(
            host or b"0.0.0.0",  # the field's meaning of no interface
            port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE,
        )[0]  # fmt: skip
        sock = socket.socket(family, kind, number)
        try:
            # A restarted server takes its port back from connections that linger.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reusePort:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            return _listening(sock, name, backlog)
        except OSError:
            sock.close()
            raise
    except OSError as error:
        raise cannotListen(interface, port, error) from error


def bindUNIX(path: str, mode: int, backlog: int) -> socket.socket:
    """Make a UNIX socket that listens at *path*, with file *mode*. Raises CannotListenError.

    A socket file that a dead server has left there is removed first.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_stale(path):
            os.unlink(path)
        sock.bind(path)
        if not path.startswith("\0"):
            os.chmod(path, mode)  # before listen: nobody has been let in yet
        return _listening(sock, None, backlog)
    except OSError as error:
        sock.close()
        raise cannotListen("", path, error) from error


def _listening(sock: socket.socket, name: Any, backlog: int) -> socket.socket:
    sock.setblocking(False)
    if name is not None:
        sock.bind(name)
    sock.listen(backlog)
    return sock


def _is_stale(path: str) -> bool:
    """Whether there is a socket file at *path* that nobody listens on."""
    if path.startswith("\0") or not _is_socket(path):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a server whose backlog is full is not a dead one
        return probe.connect_ex(path) == errno.ECONNREFUSED


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:  # and binding tells why, if it is a reason
        return False


def _identity(path: str | None) -> tuple[int, int] | None:
    """Which file is at *path*, so that another server's is not removed for ours."""
    try:
        found = os.lstat(path) if path else None
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino) if found and stat.S_ISSOCK(found.st_mode) else None


def checkNumber(port: int) -> None:
    """Raise TypeError or ValueError for what is no port: the system would take it for another."""
    if not isinstance(port, int):
        raise TypeError(f"port must be a number, not {port!r}")
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be a number from 0 to 65535, not {port!r}")


def cannotListen(interface: str, port: int | str, error: OSError) -> CannotListenError:
    """What to raise for an *error* of the system, with advice."""
    advice = "Check the interface, the port or the path."
    if isinstance(error, socket.gaierror):
        advice = "Give as interface an address of this machine."
    advice = _ADVICE.get(error.errno or 0, advice)
    return CannotListenError(interface, port, error, advice)
