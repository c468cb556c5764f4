"""What can be read from, as the outcome of a render: a file on disk, in memory, or like one.

Theory. A file on disk has a size, so that its answer has one too, and ranges; the loop reads it as
it reads the files of a site. What is in memory is a body. Of anything else nobody knows how long it
takes to read (an archive, a pipe, a file of another server): that is done in threads, piece by
piece, each when the client has room for it.
"""

import io
import os
from collections.abc import AsyncIterator
from inspect import isawaitable, iscoroutinefunction
from stat import S_ISREG
from threading import Lock
from typing import IO, Any, TypeGuard

from weblayer.loop.deferred import Deferred
from weblayer.loop.threads import deferToThread
from weblayer.web.filebody import PIECE, send_file
from weblayer.web.request import NotDoneYet, Request
from weblayer.wire.ranges import Span

__all__ = ["read_out"]


# Any: whatever has a `read`.
def read_out(request: Request, file: Any) -> bytes | NotDoneYet | AsyncIterator[bytes | str]:
    """What a render would give that has read *file*, from where it stands to its end.

    The file is ours, and closed in the end. Raises Error (412, 416), OSError.
    """
    if isinstance(file, io.BytesIO):
        with file:
            return file.read()
    on_disk = getattr(file, "file", file)  # as tempfile wraps them
    if not _is_on_disk(on_disk):
        return _pieces(file)
    try:
        pieces = _pieces_on_disk(request, on_disk)
    except BaseException:
        file.close()
        raise
    return send_file(request, on_disk, pieces)


def _is_on_disk(file: Any) -> TypeGuard[IO[bytes]]:
    """Whether *file* gives the bytes of a file on disk, of whose size the system is sure.

    What unpacks has a fileno() as well, and gives other bytes than that has.
    """
    raw = getattr(file, "raw", file)
    return isinstance(raw, io.FileIO) and S_ISREG(os.fstat(raw.fileno()).st_mode)


def _pieces_on_disk(request: Request, file: IO[bytes]) -> list[bytes | Span]:
    file.flush()  # what was written to it is part of it
    start = file.tell()
    size = max(os.fstat(file.fileno()).st_size - start, 0)
    pieces = request._pieces(size, request.defaultContentType)
    if pieces is None:
        return [Span(start, start + size)]
    return [Span(start + p.start, start + p.stop) if isinstance(p, Span) else p for p in pieces]


# Any: whatever has a `read`.
async def _pieces(file: Any) -> AsyncIterator[bytes | str]:
    """What *file* gives, a piece at a time; its `read` may be a coroutine."""
    if not iscoroutinefunction(file.read):
        file = _Threaded(file)
    try:
        while data := await file.read(PIECE):
            yield data
    finally:
        closed = file.close() if hasattr(file, "close") else None
        if isawaitable(closed):
            await closed


class _Threaded:
    """A file that threads read. It is closed when none does, though nobody waits for the rest."""

    def __init__(self, file: Any) -> None:  # Any: as above
        self._file = file
        self._turn = Lock()

    def read(self, size: int) -> Deferred[bytes | str]:
        return deferToThread(self._read, size)

    def close(self) -> None:
        if not self._turn.locked():
            self._close()
        else:  # a thread still reads, for whom nobody waits any more: so will another, to close
            deferToThread(self._close)

    def _read(self, size: int) -> bytes | str:
        with self._turn:
            data: bytes | str = self._file.read(size)
        return data

    def _close(self) -> None:
        with self._turn:
            if hasattr(self._file, "close"):
                self._file.close()
