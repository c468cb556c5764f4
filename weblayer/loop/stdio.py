"""Standard input and output as one connection.

Both loops have transports for pipes, but neither for a file or /dev/null, which may well be
what a program is given. A descriptor that cannot be waited for is always ready, and is read a
piece in each turn of the loop.
"""

import asyncio
import logging
import os
from typing import cast

from weblayer.loop.address import Address, UNIXAddress
from weblayer.loop.connection import Connection
from weblayer.loop.failure import Failure
from weblayer.loop.loops import Soon
from weblayer.loop.ports import Roster
from weblayer.loop.protocol import IFactory, IProtocol
from weblayer.loop.transport import Transport

__all__ = ["StandardIO"]

log = logging.getLogger("weblayer")

# What a pipe holds on Linux: one read empties it.
READ_SIZE = 64 * 1024

# As asyncio and uvloop: a producer is paused above the one and resumed at the other.
HIGH_MARK = 64 * 1024


class StandardIO:
    """The connection that a program's descriptors *stdin* and *stdout* make, and its owner.

    They stay open when it ends; meanwhile, they do not block.
    """

    soon: Soon

    def __init__(
        self, loop: asyncio.AbstractEventLoop, factory: IFactory, roster: Roster,
        stdin: int = 0, stdout: int = 1,
    ) -> None:  # fmt: skip
        self.soon = loop.call_soon
        self._factory, self._roster = factory, roster
        factory.doStart()
        self._connection = Connection(self)
        _Descriptors(loop, self._connection, stdin, stdout).begin()

    @property
    def transport(self) -> Transport:
        """The protocol's transport."""
        return self._connection.transport

    def getHost(self) -> Address:
        """An address without a name: it has none."""
        return UNIXAddress(None)

    def startListening(self) -> None:
        """It has begun already; here, and the next, so that it may stand where a port does."""

    def stopListening(self) -> None:
        """The same as its transport's loseConnection."""
        self.transport.loseConnection()

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Have the factory build the protocol."""
        return self._factory.buildProtocol(addr)

    def opened(self, connection: Connection) -> None:
        """The connection has begun."""
        self._roster.add(connection)

    def lost(self, connection: Connection, reason: Failure) -> None:
        """The connection has ended."""
        self._roster.discard(connection)
        self._factory.doStop()


class _Descriptors(asyncio.Transport):
    """What an event loop's transport does, over one descriptor to read and one to write."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, connection: Connection, source: int, sink: int
    ) -> None:
        super().__init__({"peername": "", "sockname": ""})
        self._loop, self._connection = loop, connection
        self._source, self._sink = os.dup(source), os.dup(sink)
        self._blocked = [(fd, os.get_blocking(fd)) for fd in (self._source, self._sink)]
        self._buffer = bytearray()
        self._high = HIGH_MARK
        self._closing = self._paused = self._choked = self._read_end = self._wrote_end = False
        self._over = self._polls = self._turning = False

    def begin(self) -> None:
        for fd, _ in self._blocked:
            os.set_blocking(fd, False)
        self._connection.connection_made(self)
        self._watch()

    # The connection's side.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if self._closing or self._wrote_end or not data:
            return
        waits = bool(self._buffer)
        self._buffer += data
        if not waits:
            self._send()
            if self._buffer:
                self._loop.add_writer(self._sink, self._writable)
        self._mind_the_mark()

    def write_eof(self) -> None:
        self._wrote_end = True
        self._settle()

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self._closing = True
        self._unwatch()
        self._settle()

    def abort(self) -> None:
        self._end(None)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._paused = True
        self._unwatch()

    def resume_reading(self) -> None:
        self._paused = False
        self._watch()

    def is_reading(self) -> bool:
        return not (self._paused or self._closing or self._read_end)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._connection = cast("Connection", protocol)  # cast: or a layer, which is one to us

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH_MARK if high is None else high
        self._mind_the_mark()

    # The descriptors' side.

    def _watch(self) -> None:
        if not self.is_reading() or self._polls or self._turning:
            return
        try:
            self._loop.add_reader(self._source, self._readable)
            self._polls = True
        except OSError:  # EPERM: a file, or /dev/null
            self._turning = True
            self._loop.call_soon(self._turn)

    def _unwatch(self) -> None:
        if self._polls:
            self._polls = False
            self._loop.remove_reader(self._source)

    def _turn(self) -> None:
        self._turning = False
        if self.is_reading():
            self._readable()
            self._watch()

    def _readable(self) -> None:
        try:
            data = os.read(self._source, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error.with_traceback(None))
            return
        if data:
            self._deliver(data)
            return
        self._read_end = True
        self._unwatch()
        if not self._connection.eof_received():
            self.close()

    def _deliver(self, data: bytes) -> None:
        try:
            self._connection.data_received(data)
        except Exception as error:
            if not isinstance(error, OSError):  # as the loops: Connection logs those
                log.exception("an error escaped from dataReceived")
            self._end(error)

    def _send(self) -> None:
        try:
            del self._buffer[: os.write(self._sink, self._buffer)]
        except BlockingIOError:
            pass
        except OSError as error:
            # Without its traceback, by which it would be taken for a program's error.
            self._end(error.with_traceback(None))

    def _writable(self) -> None:
        self._send()
        if self._over or self._buffer:
            return
        self._loop.remove_writer(self._sink)
        if self._choked:
            self._choked = False
            self._connection.resume_writing()
        self._settle()

    def _mind_the_mark(self) -> None:
        if len(self._buffer) > self._high and not self._choked:
            self._choked = True
            self._connection.pause_writing()

    def _settle(self) -> None:
        """End what was to end once all was written."""
        if not self._buffer and self._closing:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        self._closing = True
        self._buffer.clear()
        if self._over:
            return
        self._over = True
        self._unwatch()
        self._loop.remove_writer(self._sink)
        for fd, blocking in self._blocked:
            os.set_blocking(fd, blocking)  # it is shared with who started us
            os.close(fd)
        self._loop.call_soon(self._connection.connection_lost, error)
