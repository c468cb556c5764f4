"""Ports that are held for other processes, which accept the connections.

How a port is shared was decided by trying. Where all workers accept from one socket, the first
that wakes takes nearly all that waits: of 64 connections, one of two workers had 58 to 64, on
either loop. With SO_REUSEPORT the kernel gives each worker a queue of its own and spreads the
connections by their addresses, but what waits in the queue of a worker that ends is reset. So we
open a socket for each worker, keep it open, and hand it to whoever takes that worker's place:
even, and nothing is lost. What has but one socket, that of a UNIX path or one that we were given,
is accepted from by all.
"""

import asyncio
import socket

from weblayer.loop.address import UNIXAddress
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.ports import Port, Roster, cannotListen
from weblayer.loop.protocol import IFactory
from weblayer.loop.reactor import SHUTDOWN, Reactor

__all__ = ["HeldPort", "HoldingReactor"]

# Seconds. Workers take up to SHUTDOWN to finish, and then to tell so.
PATIENCE = 2.0


class HeldPort(Port):
    """A port that never accepts: *sockets* are for the workers, one for each of *count*."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, factory: IFactory,
        backlog: int, roster: Roster, adopted: bool, count: int,
    ) -> None:  # fmt: skip
        super().__init__(loop, sock, factory, backlog, roster, adopted)
        single = adopted or isinstance(self.getHost(), UNIXAddress)
        self.sockets = [sock] * count if single else [sock, *_siblings(sock, count - 1, backlog)]

    def startListening(self) -> None:
        """It is for others to accept."""

    def stopListening(self) -> Deferred[None]:
        """Close it here; the workers have copies of their own."""
        self._close()
        for sock in self.sockets:
            sock.close()
        return succeed(None)


class HoldingReactor(Reactor):
    """A reactor whose ports are held for *count* workers."""

    def __init__(self, count: int) -> None:
        super().__init__(shutdownTimeout=SHUTDOWN + PATIENCE)
        self._count = count

    def _listen(
        self, sock: socket.socket, factory: IFactory, backlog: int, *, adopted: bool = False
    ) -> HeldPort:
        bond = self._bound()
        try:
            return HeldPort(bond.loop, sock, factory, backlog, bond.roster, adopted, self._count)
        except BaseException:
            sock.close()
            raise


def _siblings(sock: socket.socket, count: int, backlog: int) -> list[socket.socket]:
    """Sockets that share the port of *sock*. Raises CannotListenError."""
    made: list[socket.socket] = []
    name = sock.getsockname()
    try:
        # Only now: had it been bound so, it would have been with another program's that shares.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(count):
            made.append(socket.socket(sock.family, sock.type, sock.proto))
            made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made[-1].bind(name)
            made[-1].listen(backlog)
    except OSError as error:
        for sibling in made:
            sibling.close()
        raise cannotListen(name[0], name[1], error) from error
    return made
