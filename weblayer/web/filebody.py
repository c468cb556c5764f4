"""A file as the body of a response: at once where it is small, else as fast as the client reads."""

import logging
from collections.abc import Iterable
from typing import IO

from weblayer.web.request import NOT_DONE_YET, NotDoneYet, Request
from weblayer.wire.ranges import Span

__all__ = ["PIECE", "send_file"]

log = logging.getLogger("weblayer")

# 64 KiB: up to here a head and its body go out in one write. A larger file is sent in such pieces:
# four times as much did not save CPU on a file of 50 MB, and a piece is what each client that
# does not read costs us.
PIECE = 64 * 1024


def send_file(
    request: Request, file: IO[bytes], pieces: Iterable[bytes | Span]
) -> bytes | NotDoneYet:
    """Answer with *pieces*: spans of *file*, which is closed in the end, and bytes between them.

    What is announced is what is sent: a file that has grown is cut, and one that has become shorter
    breaks the answer off, so that it is never taken for whole.
    Raises EOFError for a small answer from a file that has become shorter.
    """
    source = _Pieces(file, pieces)
    if source.size <= PIECE:
        with file:
            return b"".join(source)
    request.setHeader(b"Content-Length", str(source.size))
    if request.method == "HEAD":
        file.close()
        request.write(b"")
        request.finish()
    else:
        request.registerProducer(_FileProducer(request, file, source), False)
    return NOT_DONE_YET


class _Pieces:
    """Gives the pieces one after the other, none larger than PIECE. *size* is what they have."""

    __slots__ = ("_at", "_file", "_waiting", "size")

    def __init__(self, file: IO[bytes], pieces: Iterable[bytes | Span]) -> None:
        self._file, self._at = file, 0  # where the file stands
        self._waiting = list(pieces)[::-1]
        self.size = sum(p.stop - p.start if isinstance(p, Span) else len(p) for p in self._waiting)

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

    def _read(self, start: int, stop: int) -> bytes:
        if start != self._at:
            self._file.seek(start)
        data = self._file.read(stop - start)
        self._at = start + len(data)
        if self._at < stop:
            raise EOFError(f"{self._file.name!r} has become shorter: {self._at} bytes, not {stop}")
        return data


class _FileProducer:
    """Writes the pieces of a file, one each time it is asked."""

    __slots__ = ("_file", "_request", "_source")

    def __init__(self, request: Request, file: IO[bytes], source: _Pieces) -> None:
        self._request, self._file, self._source = request, file, source

    def resumeProducing(self) -> None:
        """Write a piece; after the last one the response is whole."""
        try:
            piece = next(self._source)
        except (OSError, EOFError):
            log.exception("%s %s broke off", self._request.method, self._request.path)
            self._request.loseConnection()  # which comes back as stopProducing
            return
        self._request.write(piece)
        if not self._source:
            self._file.close()
            self._request.unregisterProducer()
            self._request.finish()

    def stopProducing(self) -> None:
        """The client is gone."""
        self._file.close()
