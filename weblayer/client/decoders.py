"""What undoes a content coding, piece by piece. Source: RFC 9110, 8.4.1."""

import zlib
from typing import Any
from typing import Protocol as Face

__all__ = ["Deflate", "Gzip", "IDecoder"]


class IDecoder(Face):
    """What decodes one body."""

    def decode(self, data: bytes, most: int, /) -> tuple[bytes, bytes]: ...
    def isWhole(self) -> bool: ...


class Gzip:
    """Decodes gzip, one member behind another. Source: RFC 1952."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    def decode(self, data: bytes, most: int) -> tuple[bytes, bytes]:
        """At most *most* bytes of what *data* says, and what of *data* is left for later."""
        if self._inner.eof:
            self._inner = zlib.decompressobj(wbits=31)
        piece = self._inner.decompress(data, most)
        rest = self._inner.unused_data
        # What is behind the last member and no other one is padding, as gzip takes it.
        return piece, rest if rest[:1] == b"\x1f" else self._inner.unconsumed_tail

    def isWhole(self) -> bool:
        """Whether what has come may be all."""
        return self._inner.eof


class Deflate:
    """Decodes deflate: with the frame that it should have, or without, as some servers send it."""

    def __init__(self) -> None:
        self._inner: Any = None  # Any: the type of zlib's objects has no name

    def decode(self, data: bytes, most: int) -> tuple[bytes, bytes]:
        """As Gzip's."""
        if self._inner is None:
            # The first byte of a frame says 8, the method (RFC 1950, 2.2); that of data without
            # one, whose lowest bits are a block's kind, hardly ever does.
            framed = data[0] & 0x0F == 8
            self._inner = zlib.decompressobj(wbits=15 if framed else -15)
        piece = self._inner.decompress(data, most)
        return piece, b"" if self._inner.eof else self._inner.unconsumed_tail

    def isWhole(self) -> bool:
        """As Gzip's."""
        return self._inner is not None and bool(self._inner.eof)
