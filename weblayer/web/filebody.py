"""A file as the body of a response: at once where it is small, else as fast as the client reads."""

import logging
from typing import IO

from weblayer.web.request import NOT_DONE_YET, NotDoneYet, Request

__all__ = ["PIECE", "send_file"]

log = logging.getLogger("weblayer")

# 64 KiB: up to here a head and its body go out in one write. A larger file is sent in such pieces:
# four times as much did not save CPU on a file of 50 MB, and a piece is what each client that
# does not read costs us.
PIECE = 64 * 1024


def send_file(request: Request, file: IO[bytes], size: int) -> bytes | NotDoneYet:
    """Answer with the first *size* bytes of *file*, which is closed in the end, whatever happens.

    What is announced is what is sent: a file that has grown is cut, and one that has become shorter
    breaks the answer off, so that it is never taken for whole.
    Raises EOFError for a small file that has become shorter.
    """
    if size <= PIECE:
        with file:
            return _read_whole(file, size)
    request.setHeader(b"Content-Length", str(size))
    if request.method == "HEAD":
        file.close()
        request.write(b"")
        request.finish()
    else:
        request.registerProducer(_FileProducer(request, file, size), False)
    return NOT_DONE_YET


def _read_whole(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise EOFError(f"{file.name!r} has become shorter: {len(data)} bytes of {size}")
    return data


class _FileProducer:
    """Writes the first bytes of a file, a piece each time it is asked."""

    __slots__ = ("_file", "_left", "_request")

    def __init__(self, request: Request, file: IO[bytes], size: int) -> None:
        self._request, self._file, self._left = request, file, size

    def resumeProducing(self) -> None:
        """Write a piece; after the last one the response is whole."""
        try:
            piece = _read_whole(self._file, min(PIECE, self._left))
        except (OSError, EOFError):
            log.exception("%s %s broke off", self._request.method, self._request.path)
            self._request.loseConnection()  # which comes back as stopProducing
            return
        self._left -= len(piece)
        self._request.write(piece)
        if not self._left:
            self._file.close()
            self._request.unregisterProducer()
            self._request.finish()

    def stopProducing(self) -> None:
        """The client is gone."""
        self._file.close()
