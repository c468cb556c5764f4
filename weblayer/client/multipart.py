"""Forms with files, as browsers send them. Source: RFC 7578; WHATWG HTML, 4.10.21.8."""

import secrets
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from weblayer.client.bodies import PIECE, PiecesProducer, piecesOf, sizeLeft
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
    sent, from where they stand, and not closed. Raises ValueError, TypeError for what cannot be
    a field.
    """

    def __init__(
        self, fields: Iterable[tuple[str, Value]], cooperator: Any = cooperation
    ) -> None:  # Any: see PiecesProducer
        # 128 bits: no content holds it, not even one that was made to.
        boundary = secrets.token_hex(16)
        parts = [_part(boundary, name, value) for name, value in fields]
        end = f"--{boundary}--\r\n".encode()
        sizes = [_size(content) for _, content in parts]
        length = None
        if None not in sizes:
            heads = sum(len(head) + 2 for head, _ in parts)
            length = heads + sum(filter(None, sizes)) + len(end)
        super().__init__(chain(_pieces(parts), (end,)), length, cooperator)
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


def _pieces(parts: Iterable[tuple[bytes, bytes | BinaryIO]]) -> Iterator[bytes]:
    for head, content in parts:
        yield head
        if isinstance(content, bytes):
            yield content
        else:
            yield from piecesOf(content, PIECE)
        yield b"\r\n"


def _size(content: bytes | BinaryIO) -> int | None:
    return len(content) if isinstance(content, bytes) else sizeLeft(content)


def _quoted(parameter: str, text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"{parameter} must be str, not {text!r}")
    return text.translate(_QUOTED)
