"""Forms with files, as browsers send them. Source: RFC 7578; WHATWG HTML, 4.10.21.8."""

import secrets
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from weblayer.client.bodies import FilePieces, PiecesProducer, piecesOf
from weblayer.loop import cooperate as cooperation
from weblayer.wire.fields import is_value

__all__ = ["FilePart", "MultiPartProducer"]

# What would end a quoted name, or its line, as browsers write it.
_QUOTED = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


class FilePart(NamedTuple):
    """A file in a form: its name there, its bytes or a file open for bytes, and its type."""

    filename: str
    content: bytes | BinaryIO
    contentType: str = "application/octet-stream"


Value = str | bytes | FilePart


class MultiPartProducer(PiecesProducer):
    """Writes *fields*, pairs of a name and a text, bytes or a FilePart, in their order.

    `contentType` is the value of Content-Type that goes with it. Files are read as they are
    sent, from where they stand, and not closed; where all can seek, it can be replayed. Raises
    ValueError, TypeError for what cannot be a field.
    """

    def __init__(
        self, fields: Iterable[tuple[str, Value]], cooperator: Any = cooperation
    ) -> None:  # Any: see PiecesProducer
        # 128 bits: no content holds it, not even one that was made to.
        boundary = secrets.token_hex(16)
        parts: list[Iterable[bytes]] = []
        for name, value in fields:
            head, content = _part(boundary, name, value)
            body = [content] if isinstance(content, bytes) else piecesOf(content)
            parts += [[head], body, [b"\r\n"]]
        parts.append([f"--{boundary}--\r\n".encode()])
        if any(isinstance(part, Iterator) for part in parts):
            super().__init__(chain.from_iterable(parts), None, cooperator)
        else:
            super().__init__(_Joined(parts), sum(map(_size, parts)), cooperator)
        self.contentType = f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, name: str, value: Value) -> tuple[bytes, bytes | BinaryIO]:
    """The head of a part, and what stands behind it."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted("name", name)}"'
    if isinstance(value, FilePart):
        kind = value.contentType
        if not is_value(kind.encode()):
            raise ValueError(f"contentType may hold no control characters: {kind!r}")
        filename = _quoted("filename", value.filename)
        head += f'; filename="{filename}"\r\nContent-Type: {kind}'
        return f"{head}\r\n\r\n".encode(), value.content
    if not isinstance(value, str | bytes):
        raise TypeError(f"the value of {name!r} must be str, bytes or a FilePart, not {value!r}")
    return f"{head}\r\n\r\n".encode(), value.encode() if isinstance(value, str) else value


class _Joined:
    """The pieces of *parts*, as often as they are gone through."""

    def __init__(self, parts: list[Iterable[bytes]]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return chain.from_iterable(self._parts)


def _size(part: Iterable[bytes]) -> int:
    return part.length if isinstance(part, FilePieces) else sum(map(len, part))


def _quoted(parameter: str, text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{parameter} must be str, not {text!r}")
    return text.translate(_QUOTED)
