"""Part of a file on a connection, from the kernel to the kernel: no byte of it comes by here.

Theory. A connection that is not encrypted has a socket, and the event loop's own transport one
buffer before it. While that is empty, what is written to the socket stands behind all that was
written before, so the kernel can be told to send from the file itself (sendfile). The loops do not
let a transport's socket be watched by others; a duplicate of its descriptor can be. It is made when
the peer does not read fast enough, and closed with the rest.

A file that is not in memory would have the loop wait for the disk. So the kernel is asked first
whether the end of the next piece is there, and where it is not, a thread reads the piece and
forgets it: then it is.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Protocol as Face

from weblayer.loop.loops import current_loop

__all__ = ["PIECE", "FileSender", "is_in_memory", "warm"]

# 1 MiB: such a call took 0.2 ms, and nobody waits longer for a turn. A file of 50 MB cost the same
# CPU, to a tenth, in a quarter of it and in four times as much.
PIECE = 1024 * 1024

Done = Callable[[Exception | None], object]


class Carrier(Face):
    """The transport of a connection."""

    under: asyncio.Transport
    connected: bool
    disconnecting: bool

    @property
    def secure(self) -> bool: ...


class FileSender:
    """Sends the bytes from *start* to *stop* of *file*, a descriptor, to the peer of *transport*.

    It is a producer, to be registered with the transport, so that nobody else writes meanwhile and
    that it hears of the end. *done* is called once, with None when the kernel has taken all, else
    with why it has not: EOFError for a file that has become shorter, an OSError, and in the end
    of the connection ConnectionError. Until then the descriptor must stay open.
    """

    is_bounded = True

    def __init__(self, transport: Carrier, file: int, start: int, stop: int, done: Done) -> None:
        self._transport = transport
        self._file, self._at, self._stop = file, start, stop
        self._done: Done | None = done
        self._socket = -1
        self._is_watched = self._is_warming = self._is_lost = False

    @staticmethod
    def can_send(transport: Carrier) -> bool:
        """Whether the connection has a socket, and nothing waits to be sent on it."""
        under = transport.under
        return (
            hasattr(os, "sendfile")
            and transport.connected
            and not under.is_closing()
            and not transport.secure
            and under.get_extra_info("socket") is not None
            and not under.get_write_buffer_size()
        )

    @property
    def left(self) -> int:
        """Bytes that have not been sent."""
        return self._stop - self._at

    def begin(self) -> None:
        """Send what the peer takes at once, and the rest as fast as it reads."""
        # A number of our own: that of the transport may be another connection's once it has closed.
        try:
            self._socket = os.dup(self._transport.under.get_extra_info("socket").fileno())
        except OSError as error:
            self._end(error)
        else:
            self._send()

    def pauseProducing(self) -> None:
        """Nothing is written to the transport, so that its buffer never grows."""

    def resumeProducing(self) -> None:
        """As above."""

    def stopProducing(self) -> None:
        """The connection is lost."""
        self._is_lost = True
        if not self._is_warming:  # else a thread reads from the descriptor
            self._end(ConnectionError("the connection was lost"))

    def _send(self) -> None:
        size = min(PIECE, self.left)
        if is_in_memory(self._file, self._at + size - 1):
            self._push(size)
        else:
            self._is_warming = True
            self._watch(False)
            reading = current_loop().run_in_executor(None, warm, self._file, self._at, size)
            reading.add_done_callback(self._warmed)

    def _push(self, size: int) -> None:
        try:
            sent = os.sendfile(self._socket, self._file, self._at, size)
        except (BlockingIOError, InterruptedError):
            self._watch(True)
            return
        except OSError as error:
            self._end(error)
            return
        self._at += sent
        if not self.left:
            self._end(None)
        elif sent:
            self._watch(True)
        else:
            self._end(EOFError(f"the file has become shorter: {self._at} bytes, not {self._stop}"))

    def _warmed(self, reading: "asyncio.Future[None]") -> None:
        self._is_warming = False
        if self._is_lost or reading.cancelled():
            self._end(ConnectionError("the connection was lost"))
        else:
            # What the disk says, is said again. Not asked a second time whether it is there: short
            # of memory, it may be gone already.
            reading.exception()
            self._push(min(PIECE, self.left))

    def _watch(self, is_watched: bool) -> None:
        if is_watched != self._is_watched:
            self._is_watched = is_watched
            if is_watched:
                current_loop().add_writer(self._socket, self._send)
            else:
                current_loop().remove_writer(self._socket)

    def _end(self, error: Exception | None) -> None:
        done, self._done = self._done, None
        if done is None:
            return
        if self._socket >= 0:
            self._watch(False)
            os.close(self._socket)
        done(error)


def is_in_memory(file: int, at: int) -> bool:
    """Whether the byte *at* of a file can be read without waiting for a disk.

    Also where nobody can say, behind the end, and outside of a loop, which nobody waits for.
    """
    if not _NOW or asyncio._get_running_loop() is None:
        return True
    try:
        os.preadv(file, [_BYTE], at, _NOW)
    except BlockingIOError:
        return False
    except OSError:  # a file system that does not tell; what is wrong else is told by the reading
        return True
    return True


def warm(file: int, start: int, size: int) -> None:
    """Read a piece, so that it is in memory. Raises OSError."""
    os.pread(file, size, start)


# Linux alone can be asked.
_NOW = getattr(os, "RWF_NOWAIT", 0)
_BYTE = bytearray(1)
