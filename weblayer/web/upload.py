"""A part of a form, and a file among them: what its head says, and its content.

A file's content stands in the body in one piece, since nothing in a form is encoded. So an upload
is a window on the body as it was spooled: nothing is written twice, and a form of a thousand files
takes one descriptor.
"""

import io
import os
import re
from functools import cached_property
from typing import IO, Any

from weblayer.web.args import MissingArgument
from weblayer.wire.formdata import Part
from weblayer.wire.headers import Headers

__all__ = ["Files", "FormPart", "Upload"]

# What file systems take: 255 bytes in ext4, XFS, APFS and others.
LONGEST = 255

_SEPARATOR = re.compile(r"[/\\]")


class FormPart:
    """What the head of a part says: *name* is the field's; *headers* are the part's own fields.

    *filename* is what the client chose to send, None for a plain field, empty where a person
    chose no file. Show it, and never open it: `safeName` is for that. *contentType* is as sent, a
    claim; None without one.
    """

    def __init__(self, part: Part) -> None:
        self.name = _text(part.name)
        self.filename = None if part.filename is None else _text(part.filename)
        self.contentType = part.content_type and part.content_type.decode("latin-1")
        self.headers = Headers.fromPairs(part.fields)

    @property
    def safeName(self) -> str:
        """The file's name fit for a folder: one segment, printable, not hidden, 255 bytes at most.

        Others may send the same one: open it with mode "x", in a folder of uploads alone.
        """
        last = _SEPARATOR.split(self.filename or "")[-1]
        # Not printable are controls, halves of characters, and what turns a line round, by which
        # gpj.exe is shown as exe.jpg.
        shown = "".join(c if c.isprintable() else "_" for c in last)
        return _shortened(shown.strip(". ")) or "unnamed"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, filename {self.filename!r}>"


class Upload(FormPart):
    """A file of a form, which has come whole. *size* is in bytes."""

    filename: str

    def __init__(self, part: Part, size: int, body: IO[bytes]) -> None:
        super().__init__(part)
        self.size = size
        self._start, self._body = part.start, body

    @cached_property
    def file(self) -> IO[bytes]:
        """The content, to be read and sought in, also in a thread; closed with the request."""
        return io.BufferedReader(_Window(self._body, self._start, self.size))


class Files(dict[str, list[Upload]]):
    """Files by the name of their field, in the order sent.

    A name that was not sent raises MissingArgument, a KeyError which the client is told of.
    """

    __slots__ = ()

    def __missing__(self, key: Any) -> list[Upload]:  # a name of bytes is asked for as text
        name = _text(key) if isinstance(key, bytes) else key
        if name in self:
            return self[name]
        raise MissingArgument(key, "file")


class _Window(io.RawIOBase):
    """*size* bytes of a file, from *start* on, as a file with a place of its own."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size = file, start, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        at = offset + (0, self._at, self._size)[whence]
        if at < 0:
            raise ValueError(f"offset must not lead before the beginning: {offset}")
        self._at = at
        return at

    # mypy's own type for it: whatever may be written to.
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        most = max(0, min(len(buffer), self._size - self._at))
        data = _read_at(self._file, self._start + self._at, most)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _read_at(file: IO[bytes], at: int, most: int) -> bytes | memoryview:
    """Read from somewhere, the file's own place left as it is. Raises ValueError when closed."""
    if isinstance(file, io.BytesIO):
        return file.getbuffer()[at : at + most]
    return os.pread(file.fileno(), most, at)


def _shortened(name: str) -> str:
    """As much of a name as fits, its suffix kept."""
    stem, suffix = os.path.splitext(name)
    room = LONGEST - len(suffix.encode())
    if room < 1:
        stem, suffix, room = name, "", LONGEST
    return stem.encode()[:room].decode(errors="ignore") + suffix


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
