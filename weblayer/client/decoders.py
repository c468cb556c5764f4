"""What undoes a content coding, piece by piece. Source: RFC 9110, 8.4.1."""

import zlib
from collections.abc import Callable
from typing import Any, Final
from typing import Protocol as Face

from weblayer.wire.coders import brotli_decompressor, coders, zstd_decompressor
from weblayer.wire.zstd import Blocks

__all__ = ["Brotli", "Deflate", "Gzip", "IDecoder", "Zstd", "decodersHere"]

# What a body in zstd may have us keep of it: who sends more may not send it as a content coding
# (RFC 9659, 3).
ZSTD_WINDOW = 8 * 1024 * 1024


class IDecoder(Face):
    """What decodes one body."""

    def decode(self, data: bytes, most: int, /) -> tuple[bytes, bytes | None]: ...
    def isWhole(self) -> bool: ...


class Gzip:
    """Decodes gzip, one member behind another. Source: RFC 1952."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    def decode(self, data: bytes, most: int) -> tuple[bytes, bytes | None]:
        """Some *most* bytes of what *data* says, and what of *data* is left for the next call.

        That is None, and not empty, where there is nothing to give before more has come.
        """
        if self._inner.eof:
            self._inner = zlib.decompressobj(wbits=31)
        piece = self._inner.decompress(data, most)
        if not self._inner.eof:
            return piece, _left(self._inner, piece, most)
        rest = self._inner.unused_data
        # What is behind the last member and no other one is padding, as gzip takes it.
        return piece, rest if rest[:1] == b"\x1f" else None

    def isWhole(self) -> bool:
        """Whether what has come may be all."""
        return self._inner.eof


class Deflate:
    """Decodes deflate: with the frame that it should have, or without, as some servers send it."""

    def __init__(self) -> None:
        self._inner: Any = None  # Any: the type of zlib's objects has no name

    def decode(self, data: bytes, most: int) -> tuple[bytes, bytes | None]:
        """As Gzip's."""
        if self._inner is None:
            # The first byte of a frame says 8, the method (RFC 1950, 2.2); that of data without
            # one, whose lowest bits are a block's kind, hardly ever does.
            framed = data[0] & 0x0F == 8
            self._inner = zlib.decompressobj(wbits=15 if framed else -15)
        piece = self._inner.decompress(data, most)
        return piece, None if self._inner.eof else _left(self._inner, piece, most)

    def isWhole(self) -> bool:
        """As Gzip's."""
        return self._inner is not None and bool(self._inner.eof)


class Brotli:
    """Decodes br. Source: RFC 7932."""

    def __init__(self) -> None:
        self._inner = brotli_decompressor()

    def decode(self, data: bytes, most: int) -> tuple[bytes, bytes | None]:
        """As Gzip's."""
        if self._inner.is_finished():
            return b"", None  # padding
        # It keeps what it has taken in, and takes in no more before it has given that.
        taken = data if self._inner.can_accept_more_data() else b""
        piece = self._inner.process(taken, output_buffer_limit=most)
        has_more = len(piece) >= most or not self._inner.can_accept_more_data()
        rest = data[len(taken) :]
        return piece, rest if rest or has_more else None

    def isWhole(self) -> bool:
        """As Gzip's."""
        return bool(self._inner.is_finished())


class Zstd:
    """Decodes zstd, one frame behind another. Source: RFC 8878; RFC 9659."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._inner: Any = None  # Any: the package has no types

    def decode(self, data: bytes, most: int) -> tuple[bytes, bytes | None]:
        """As Gzip's, but a block at a time, whatever *most* is: 128 KiB or less."""
        if self._inner is None:
            self._inner = zstd_decompressor(ZSTD_WINDOW)
        at = self._blocks.cut(data)
        piece = self._inner.decompress(data[:at])
        if self._blocks.is_between:
            self._inner = None
        return piece, data[at:] or None

    def isWhole(self) -> bool:
        """As Gzip's."""
        return self._blocks.is_between


_OURS: Final[dict[bytes, Callable[[], IDecoder]]] = {
    b"gzip": Gzip, b"deflate": Deflate, b"br": Brotli, b"zstd": Zstd,
}  # fmt: skip


def decodersHere() -> list[tuple[bytes, Callable[[], IDecoder]]]:
    """What can be decoded here, our favourite first; br and zstd where they are installed."""
    return [(coding, _OURS[coding]) for coding in coders()]


def _left(inner: Any, piece: bytes, most: int) -> bytes | None:
    """What a zlib object has not taken yet: it may have taken all, and not given all."""
    rest: bytes = inner.unconsumed_tail
    return rest if rest or len(piece) == most else None
