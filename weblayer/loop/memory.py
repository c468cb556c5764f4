"""Connections without sockets: the real transport, with a test in the place of the network.

A `MemoryPeer` is the other side of a connection, played by hand. Between it and the
protocol stands the same `Transport` that a socket has; only what the event loop would
provide is replaced, with its buffer, its marks and its order of events: what a loop does a
turn later happens at the end of the peer's next method, or at `pump`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from weblayer.loop.address import Address
from weblayer.loop.connection import Connection
from weblayer.loop.failure import Failure
from weblayer.loop.loops import Soon
from weblayer.loop.protocol import IFactory, IProtocol
from weblayer.loop.transport import Transport

__all__ = ["MemoryPair", "MemoryPeer", "connect"]

log = logging.getLogger("weblayer")

# As asyncio and uvloop: a producer is paused above the one and resumed at the other.
HIGH_MARK = 64 * 1024
LOW_MARK = HIGH_MARK // 4


class MemoryPeer:
    """The other side of a connection to *factory*, in the hands of a test.

    It reads all that is written, into `received`, unless it is told to stop, or does not begin
    to (*reads*). Once the connection has ended, `reason` is what the protocol was told. *soon*
    has something called a turn later, `loop.call_soon` where there is a loop; *peer* and *host*
    are its address and the protocol's. Nothing is encrypted, but *secure* has it look so.
    """

    soon: Soon

    def __init__(
        self,
        factory: IFactory,
        *,
        soon: Soon | None = None,
        reads: bool = True,
        secure: bool = False,
        peer: tuple[Any, ...] | str = ("192.0.2.1", 49152),  # RFC 5737: nobody's address
        host: tuple[Any, ...] | str = ("192.0.2.2", 80),
    ) -> None:
        self.received = bytearray()
        self.hasLeft = False  # whether this side has sent its end of file
        self.hasEnded = False  # whether the protocol's side has, after its last byte
        self.hasBroken = False  # whether it has been cut off, by either side
        self.reason: Failure | None = None
        # Called when there is something to read, or the protocol's side will read again.
        self.stirred: Callable[[], object] = _nothing
        self._factory = factory
        self._turns: deque[Callable[[], object]] = deque()
        self.soon = soon or self._turns.append
        self._connection = Connection(self)
        self._socket = _Socket(self, self._connection, peer, host, secure)
        self._socket.flows = reads
        self._connection.connection_made(self._socket)
        self.pump()

    @property
    def protocol(self) -> Any:  # Any: it is whatever the factory builds
        """The protocol that the factory built; None when it refused, or all is over."""
        return self._connection.protocol

    @property
    def transport(self) -> Transport:
        """The protocol's transport."""
        return self._connection.transport

    @property
    def isClosed(self) -> bool:
        """Whether the connection has ended, on the protocol's side too."""
        return self.reason is not None

    @property
    def waiting(self) -> int:
        """How many bytes have been written that this peer has not read."""
        return self._socket.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        """Let *data* arrive at the protocol, or wait there while it has paused reading."""
        self._socket.arrive(data)
        self.pump()

    def stopReading(self) -> None:
        """Leave what is written in the protocol's buffer from now on."""
        self._socket.flows = False

    def startReading(self) -> None:
        """Read all that waits, and all that comes, as at the beginning."""
        self._socket.flows = True
        self.read(self.waiting)

    def read(self, size: int) -> bytes:
        """Read at most *size* of the bytes that wait."""
        piece = self._socket.flush(size)
        self.pump()
        return piece

    def close(self) -> None:
        """Leave: let the end of file arrive. What the protocol still writes is read."""
        self.hasLeft = True
        self._socket.end()
        self.pump()

    def reset(self) -> None:
        """Break the connection, as a peer that crashes."""
        self._socket.fall(ConnectionResetError(104, "Connection reset by peer"))
        self.pump()

    def pump(self) -> None:
        """Make the calls that a loop would make in its next turns, until there are none."""
        while self._turns:
            self._turns.popleft()()

    # What a Connection asks of its owner.

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Have the factory build the protocol."""
        return self._factory.buildProtocol(addr)

    def opened(self, connection: Connection) -> None:
        """The connection has begun."""

    def lost(self, connection: Connection, reason: Failure) -> None:
        """The connection has ended."""
        self.reason = reason
        self.stirred()


class MemoryPair:
    """A server's connection and a client's, joined; made by `connect`.

    With *soon*, as of a MemoryPeer, it pumps by itself, and who does not read has the other wait.
    """

    def __init__(
        self, server: IFactory, client: IFactory, *, soon: Soon | None = None, secure: bool = False
    ) -> None:
        reads = soon is None
        self.server = MemoryPeer(server, soon=soon, reads=reads, secure=secure)
        self.client = MemoryPeer(client, soon=soon, reads=reads, secure=secure)
        if soon is not None:
            self._soon, self._is_due = soon, False
            self.server.stirred = self.client.stirred = self._stir
            self._stir()

    def pump(self) -> None:
        """Carry what each has written to the other, until neither has written more."""
        while self._carry(self.server, self.client) | self._carry(self.client, self.server):
            pass

    def _stir(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._soon(self._turn)

    def _turn(self) -> None:
        """Carry once: what comes of it is another turn's, as on a loop."""
        self._is_due = False
        self._carry(self.server, self.client)
        self._carry(self.client, self.server)

    def _carry(self, near: MemoryPeer, far: MemoryPeer) -> bool:
        near.pump()
        if far.isClosed or far.transport.under.is_reading():
            near.read(near.waiting)
        piece = bytes(near.received)
        near.received.clear()
        if piece and not far.isClosed:
            far.send(piece)
        ended = near.hasEnded and not far.isClosed and not far.hasLeft
        if ended:
            (far.reset if near.hasBroken else far.close)()
        return bool(piece) or ended


def connect(
    server: IFactory, client: IFactory, *, soon: Soon | None = None, secure: bool = False
) -> MemoryPair:
    """Join a protocol of each factory in memory, and carry bytes until both are quiet.

    With *soon*, `loop.call_soon`, it carries by itself, from the next turn on. *secure* is as of
    a MemoryPeer.
    """
    pair = MemoryPair(server, client, soon=soon, secure=secure)
    if soon is None:
        pair.pump()
    return pair


class _Secret:
    """What is asked of an encryption, where there only seems to be one."""

    def selected_alpn_protocol(self) -> None:
        """Nothing was agreed on."""

    def getpeercert(self, binary_form: bool = False) -> None:
        """The other side has shown nothing."""


def _nothing() -> None:
    pass


class _Socket(asyncio.Transport):
    """What an event loop's transport does, with a MemoryPeer at the other end."""

    def __init__(
        self,
        peer: MemoryPeer,
        connection: Connection,
        peername: object,
        sockname: object,
        secure: bool,
    ) -> None:
        secret = _Secret() if secure else None
        super().__init__({"peername": peername, "sockname": sockname, "ssl_object": secret})
        self.flows = True
        self._peer = peer
        self._connection = connection
        self._out, self._in = bytearray(), bytearray()
        self._paused = self._choked = self._closing = self._over = False
        self._ended_in = self._ended_out = False
        self._high, self._low = HIGH_MARK, LOW_MARK

    # The protocol's side.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if self._closing or self._ended_out:
            return
        self._out += data
        if self.flows:
            self.flush(len(self._out))
        self._mind_the_mark()
        self._peer.stirred()

    def write_eof(self) -> None:
        self._ended_out = True
        self._settle()
        self._peer.stirred()

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self._closing = True
        self._settle()

    def abort(self) -> None:
        self.fall(None)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._peer.soon(self._deliver)
        self._peer.stirred()

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._connection = cast("Connection", protocol)  # cast: a Connection sets only itself

    def get_write_buffer_size(self) -> int:
        return len(self._out)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH_MARK if high is None else high
        self._low = self._high // 4 if low is None else low
        self._mind_the_mark()

    # The peer's side.

    def arrive(self, data: bytes) -> None:
        self._in += data
        self._deliver()

    def end(self) -> None:
        self._ended_in = True
        self._deliver()

    def flush(self, size: int) -> bytes:
        """Pass at most *size* of the bytes written to the peer."""
        piece = bytes(self._out[:size])
        del self._out[:size]
        self._peer.received += piece
        if self._choked and len(self._out) <= self._low:
            self._choked = False
            self._connection.resume_writing()
        self._settle()
        return piece

    def fall(self, error: Exception | None) -> None:
        """End at once, and drop what was written."""
        self._peer.hasBroken = True
        self._closing = True
        self._out.clear()
        self._lose(error)

    def _deliver(self) -> None:
        if self._in and self.is_reading():
            data = bytes(self._in)
            self._in.clear()
            try:
                self._connection.data_received(data)
            except Exception as error:
                if not isinstance(error, OSError):  # as the loops: Connection logs those
                    log.exception("an error escaped from dataReceived")
                self.fall(error)
        if self._ended_in and not self._in and self.is_reading():
            self._ended_in = False
            if not self._connection.eof_received():
                self.close()

    def _mind_the_mark(self) -> None:
        if len(self._out) > self._high and not self._choked:
            self._choked = True
            self._connection.pause_writing()

    def _settle(self) -> None:
        if self._out:
            return
        if self._closing:
            self._lose(None)
        elif self._ended_out:
            self._peer.hasEnded = True

    def _lose(self, error: Exception | None) -> None:
        self._peer.hasEnded = True
        if not self._over:
            self._over = True
            self._peer.soon(partial(self._connection.connection_lost, error))
