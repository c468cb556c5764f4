"""A file as the body of a response: at once where it is small, else as fast as the client reads."""

import asyncio
import io
import logging
import os
from collections.abc import Iterable
from typing import IO

from weblayer.loop.loops import current_loop
from weblayer.loop.sendfile import is_in_memory, warm
from weblayer.web.request import NOT_DONE_YET, NotDoneYet, Request
from weblayer.wire.ranges import Span

__all__ = ["PIECE", "open_at_once", "read_now", "send_file"]

log = logging.getLogger("weblayer")

# 64 KiB: up to here a head and its body go out in one write. A larger file is sent in such pieces
# where the kernel cannot do it: four times as much did not save CPU on a file of 50 MB, and a
# piece is what each client that does not read costs us.
PIECE = 64 * 1024


def open_at_once(path: str) -> IO[bytes]:
    """Open a file without waiting, should it be a FIFO, and without taking a terminal for ours.

    Raises OSError, and ValueError for a name that the system cannot write.
    """
    return io.FileIO(path, opener=_opener)


def read_now(file: IO[bytes], size: int) -> bytes | None:
    """The *size* bytes of a file that is opened; None where a disk would have to be waited for.

    Raises EOFError when it has become shorter, OSError.
    """
    number = file.fileno()
    if size and not (is_in_memory(number, 0) and is_in_memory(number, size - 1)):
        return None
    data = os.pread(number, size, 0)
    if len(data) < size:
        raise _shorter(file, len(data), size)
    return data


def send_file(
    request: Request, file: IO[bytes], pieces: Iterable[bytes | Span]
) -> bytes | NotDoneYet:
    """Answer with *pieces*: spans of *file*, which is closed in the end, and bytes between them.

    What is announced is what is sent: a file that has grown is cut, and one that has become shorter
    breaks the answer off, so that it is never taken for whole.
    Raises EOFError for a small answer from a file that has become shorter.
    """
    source = _Pieces(file, pieces)
    if source.size <= PIECE and source.is_ready:
        with file:
            return b"".join(source)
    request.setHeader(b"Content-Length", str(source.size))
    if request.method == "HEAD":
        file.close()
        request.write(b"")
        request.finish()
    elif source.span is None or not _hand_over(request, file, source.span):
        request.registerProducer(_FileProducer(request, file, source), False)
    return NOT_DONE_YET


def _hand_over(request: Request, file: IO[bytes], span: Span) -> bool:
    """Have the kernel send *span*, where there is a way. Gives whether there is."""

    def done(error: Exception | None) -> None:
        file.close()
        if error is None:
            request.sentLength += span.stop - span.start
            request.finish()
        elif isinstance(error, ConnectionError):
            request.loseConnection()  # the client's doing, and not worth a word
        else:
            _broke_off(request, error)

    request.write(b"")
    return request._stream.send_file(file.fileno(), span.start, span.stop, done)


def _broke_off(request: Request, error: BaseException) -> None:
    log.error("%s %s broke off", request.method, request.path, exc_info=error)
    request.loseConnection()


class _Pieces:
    """Gives the pieces one after the other, none larger than PIECE. *size* is what they have.

    *span* is the one piece of the file, where there is no more to it and the kernel could send it.
    """

    __slots__ = ("_at", "_file", "_number", "_waiting", "size", "span")

    def __init__(self, file: IO[bytes], pieces: Iterable[bytes | Span]) -> None:
        self._file, self._at = file, 0  # where the file stands
        self._number = file.fileno() if type(file) is io.FileIO else None
        self._waiting = list(pieces)[::-1]
        self.size = sum(p.stop - p.start if isinstance(p, Span) else len(p) for p in self._waiting)
        first = self._waiting[0] if self._waiting else b""
        is_one = len(self._waiting) == 1 and self._number is not None
        self.span = first if is_one and isinstance(first, Span) else None

    def __iter__(self) -> "_Pieces":
        return self

    def __next__(self) -> bytes:
        if not self._waiting:
            raise StopIteration
        piece = self._waiting.pop()
        if not isinstance(piece, Span):
            return piece
        stop = min(piece.stop, piece.start + PIECE)
        if stop < piece.stop:
            self._waiting.append(Span(stop, piece.stop))
        return self._read(piece.start, stop)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_ready(self) -> bool:
        """Whether the next piece can be had without waiting for a disk."""
        piece = self._waiting[-1] if self._waiting else b""
        if self._number is None or not isinstance(piece, Span):
            return True
        return is_in_memory(self._number, min(piece.stop, piece.start + PIECE) - 1)

    def warm(self) -> None:
        """Wait for the disk, in a thread. Raises OSError."""
        piece = self._waiting[-1]
        assert self._number is not None and isinstance(piece, Span)  # or it is ready
        warm(self._number, piece.start, PIECE)

    def _read(self, start: int, stop: int) -> bytes:
        if start != self._at:
            self._file.seek(start)
        data = self._file.read(stop - start)
        self._at = start + len(data)
        if self._at < stop:
            raise _shorter(self._file, self._at, stop)
        return data


class _FileProducer:
    """Writes the pieces of a file, one each time it is asked."""

    __slots__ = ("_file", "_is_lost", "_is_warming", "_request", "_source")

    def __init__(self, request: Request, file: IO[bytes], source: _Pieces) -> None:
        self._request, self._file, self._source = request, file, source
        self._is_lost = self._is_warming = False

    def resumeProducing(self) -> None:
        """Write a piece, as soon as it is there; after the last one the response is whole."""
        if self._source.is_ready:
            self._write()
        elif not self._is_warming:
            self._is_warming = True
            reading = current_loop().run_in_executor(None, self._source.warm)
            reading.add_done_callback(self._warmed)

    def stopProducing(self) -> None:
        """The client is gone."""
        self._is_lost = True
        if not self._is_warming:
            self._file.close()

    def _warmed(self, reading: asyncio.Future[None]) -> None:
        self._is_warming = False
        if self._is_lost or reading.cancelled():
            self._file.close()
        else:
            reading.exception()  # which the reading will say again
            self._write()

    def _write(self) -> None:
        try:
            piece = next(self._source)
        except (OSError, EOFError) as error:
            _broke_off(self._request, error)  # which comes back as stopProducing
            return
        self._request.write(piece)
        if not self._source:
            self._file.close()
            self._request.unregisterProducer()
            self._request.finish()


def _shorter(file: IO[bytes], at: int, stop: int) -> EOFError:
    name = getattr(file, "name", "the file")
    return EOFError(f"{name!r} has become shorter: {at} bytes, not {stop}")


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
