"""One end of a pipe, or of a terminal, as the transport that an event loop would give.

The loops have transports for these, but make them in a coroutine, and a program writes to a
child in the same turn in which it has started it. This one is there at once, means the same
on both loops, and notices that the other end of a pipe that we write to is closed though
nothing is written.
"""

import asyncio
import errno
import logging
import os
from contextlib import suppress
from typing import cast

from weblayer.loop.connection import Connection, Owner

__all__ = ["Pipe", "open_pipe"]

log = logging.getLogger("weblayer")

# What a pipe holds on Linux: one read empties it.
READ_SIZE = 64 * 1024

# As asyncio and uvloop: a producer is paused above the one and resumed at the other.
HIGH_MARK = 64 * 1024
LOW_MARK = HIGH_MARK // 4


class Pipe(asyncio.Transport):
    """A descriptor of ours that is read, or written, or (a terminal's) both.

    It owns *fd*, and tells *connection* what a loop's transport would. It waits for `begin`.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, fd: int, connection: Connection,
        reads: bool, writes: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        os.set_blocking(fd, False)
        self._loop, self._fd, self._connection = loop, fd, connection
        self._reads, self._writes = reads, writes
        self._buffer = bytearray()
        self._closing = self._paused = self._choked = False

    def begin(self) -> None:
        """Tell the connection that it is made, and watch the descriptor."""
        self._connection.connection_made(self)
        self._watch()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if self._closing or not data:
            return
        if self._buffer:
            self._buffer += data
        elif (sent := self._send(data)) < len(data) and not self._closing:
            self._buffer += memoryview(data)[sent:]
            self._loop.add_writer(self._fd, self._writable)
        if len(self._buffer) > HIGH_MARK and not self._choked:
            self._choked = True
            self._connection.pause_writing()

    def close(self) -> None:
        """Close when all has been written; what is not read yet is lost."""
        if self._closing:
            return
        self._closing = True
        if self._buffer:
            self._loop.remove_reader(self._fd)
        else:
            self._end(None)

    def abort(self) -> None:
        self._end(None)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._paused = True
        if self._reads and self._fd >= 0:
            self._loop.remove_reader(self._fd)

    def resume_reading(self) -> None:
        self._paused = False
        self._watch()

    def is_reading(self) -> bool:
        return self._reads and not self._paused and not self._closing

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._connection = cast("Connection", protocol)  # cast: a Connection sets only itself

    def _watch(self) -> None:
        if self.is_reading():
            self._loop.add_reader(self._fd, self._readable)
        elif not self._reads and not self._closing:
            # Nothing can be read here, but the loops call it when the other end is closed.
            self._loop.add_reader(self._fd, self._unwanted)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            # EIO is how Linux says that the last program has left a terminal.
            self._end(None if error.errno == errno.EIO else error)
            return
        if data:
            self._deliver(data)
        else:
            self._end(None)

    def _deliver(self, data: bytes) -> None:
        try:
            self._connection.data_received(data)
        except Exception as error:
            if not isinstance(error, OSError):  # as the loops: Connection logs those
                log.exception("an error escaped from dataReceived")
            self._end(error)

    def _unwanted(self) -> None:
        self._end(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def _writable(self) -> None:
        del self._buffer[: self._send(self._buffer)]
        if self._fd >= 0 and not self._buffer:
            self._loop.remove_writer(self._fd)
            if self._closing:
                self._end(None)
        if self._fd >= 0 and self._choked and len(self._buffer) <= LOW_MARK:
            self._choked = False
            self._connection.resume_writing()

    def _send(self, data: bytes | bytearray | memoryview) -> int:
        """Write what the other end takes now; how many bytes that was."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            # Without its traceback, by which Connection would take it for a program's error.
            self._end(error.with_traceback(None))
            return 0

    def _end(self, error: Exception | None) -> None:
        self._closing = True
        self._buffer.clear()
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        self._loop.remove_reader(fd)
        self._loop.remove_writer(fd)
        with suppress(OSError):  # EIO, of a terminal: closed all the same
            os.close(fd)
        self._loop.call_soon(self._connection.connection_lost, error)


def open_pipe(
    loop: asyncio.AbstractEventLoop, fd: int, owner: Owner, *, reads: bool, writes: bool
) -> Connection:
    """Make the connection of *owner* over *fd*, which it takes over."""
    connection = Connection(owner)
    Pipe(loop, fd, connection, reads, writes).begin()
    return connection
