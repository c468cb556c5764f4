"""Parts of a body that is written piece by piece: what lies between them is not sent.

The program writes the whole as if nobody had asked for less, and says how long it is.
"""

from typing import Any

from weblayer.web.stream import Stream
from weblayer.wire.ranges import Span

__all__ = ["Slicing", "is_ascending"]


def is_ascending(pieces: list[bytes | Span]) -> bool:
    """Whether the spans among *pieces* can be cut out of a body that comes once, in order."""
    starts = [piece.start for piece in pieces if isinstance(piece, Span)]
    return starts == sorted(starts)


class Slicing:
    """The stream of a request, which passes on *pieces* of a body of *size* bytes."""

    __slots__ = ("_at", "_request", "_size", "_under", "_waiting")

    # Any: a Request, which is a later module.
    def __init__(self, request: Any, under: Stream, pieces: list[bytes | Span], size: int) -> None:
        self._request, self._under, self._size = request, under, size
        self._waiting = pieces[::-1]
        self._at = 0  # bytes of the whole that were written

    def __getattr__(self, name: str) -> Any:  # whatever a stream has
        return getattr(self._under, name)

    def send(self, data: bytes) -> None:
        """Pass on what of *data* lies in a part, and what stands between the parts."""
        start, self._at = self._at, self._at + len(data)
        self._heed()
        sent = []
        while self._waiting:
            piece = self._waiting[-1]
            if isinstance(piece, Span):
                sent.append(data[max(piece.start - start, 0) : max(piece.stop - start, 0)])
                if piece.stop > self._at:
                    break
            else:
                sent.append(piece)
            self._waiting.pop()
        whole = b"".join(sent)
        self._request.sentLength += len(whole) - len(data)
        self._under.send(whole)

    def end(self, trailers: Any = ()) -> None:
        """The whole was written, if the program has kept its word on its length."""
        self._heed(self._size)
        self._under.end(trailers)

    def _heed(self, least: int = 0) -> None:
        if not least <= self._at <= self._size:
            self._under.abort()
            raise ValueError(f"the body is {self._at} bytes, and Content-Length says {self._size}")
