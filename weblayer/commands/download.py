"""Where a body goes: the output or a file, whole or from where it broke off, and its checksum."""

import hashlib
import os
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import click

from weblayer.client.response import Readable
from weblayer.commands.errors import CommandError
from weblayer.commands.progress import Progress
from weblayer.commands.wanted import told_of
from weblayer.wire.dates import format_date, parse_date
from weblayer.wire.headers import Headers

__all__ = ["Download", "Mismatch", "Target"]

KNOWN = ("sha256", "sha512", "sha1", "md5")

PIECE = 1024 * 1024  # bytes read at once of what is there already

_PART = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_NONE_OF = re.compile(r"bytes \*/(\d+)")


class Mismatch(Exception):
    """The body does not hash to what was said."""


class Target:
    """A file, or the output where *path* is None, and what it must hash to.

    A file that may be resumed is asked for from its end on, by its time: that is set to
    the server's Last-Modified after each download, so that a file which has changed
    there, or was not ours, comes whole (RFC 9110, 13.1.5).
    """

    def __init__(self, path: Path | None, resumes: bool, checksum: str | None) -> None:
        self.path = path
        self.kind, self._wanted = _parsed(checksum)
        self._size = _size(path) if path is not None and resumes else 0

    def ask(self, headers: Headers) -> None:
        """Say which part is wanted."""
        if self._size and self.path is not None:
            headers.setHeader("Range", f"bytes={self._size}-")
            headers.setHeader("If-Range", format_date(self.path.stat().st_mtime))

    def is_complete(self, response: Readable) -> bool:
        """Whether there is nothing more of it."""
        said = _NONE_OF.fullmatch(response.headers.getHeader("content-range") or "")
        return bool(response.code == 416 and self._size and said and int(said[1]) == self._size)

    def begins(self, response: Readable) -> int:
        """Where in the file the body of *response* begins. Raises CommandError."""
        if response.code != 206:
            return 0
        said = _PART.fullmatch(response.headers.getHeader("content-range") or "")
        if said is None or int(said[1]) != self._size:
            raise CommandError("the server sent another part than was asked for")
        return self._size

    def open(self, start: int) -> AbstractContextManager[BinaryIO]:
        """What to write to, from *start* on. Raises CommandError."""
        if self.path is None:
            return nullcontext(sys.stdout.buffer)
        try:
            return self.path.open("ab" if start else "wb")
        except OSError as error:
            raise told_of(error, "Give another --output.") from error

    def stamp(self, response: Readable) -> None:
        """Give the file the time that it has on the server."""
        moment = parse_date(response.headers.getHeader(b"last-modified") or b"")
        if self.path is not None and self.path.is_file() and moment is not None:
            os.utime(self.path, (moment, moment))

    def check(self, summed: Any = None) -> None:  # Any: a hash of hashlib's
        """Raise Mismatch unless the body hashes to what was said; *summed* of it, or the file."""
        if self.kind is None:
            return
        found = (summed or self.summed()).hexdigest()
        if found != self._wanted:
            raise Mismatch(f"the {self.kind} is {found}, and should be {self._wanted}")

    def summed(self) -> Any:
        """The hash of what is in the file so far."""
        summed = hashlib.new(self.kind or "sha256", usedforsecurity=False)
        if self.path is not None and self.path.exists():
            with self.path.open("rb") as file:
                while piece := file.read(PIECE):
                    summed.update(piece)
        return summed


class Download:
    """One body on its way to its target."""

    def __init__(self, target: Target, response: Readable) -> None:
        self._target, self._response = target, response
        self._start = target.begins(response)

    async def run(self) -> None:
        """Write all of it. Raises Mismatch, CommandError, OSError, ClientError."""
        target = self._target
        summed = target.summed() if self._start else hashlib.new(target.kind or "sha256")
        with ExitStack() as stack:
            # First, so that what came before it broke off has its time, too.
            stack.callback(target.stamp, self._response)
            file = stack.enter_context(target.open(self._start))
            advance = stack.enter_context(self._progress())
            is_first = True
            async for piece in self._response:
                if is_first and target.path is None:
                    _spare_terminal(piece)
                is_first = False
                file.write(piece)
                if target.kind:
                    summed.update(piece)
                advance(len(piece))
            file.flush()
        target.check(summed)

    def _progress(self) -> AbstractContextManager[Callable[[int], object]]:
        """A line on the terminal, where somebody looks at one and it knows how to write over it."""
        is_seen = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        if self._target.path is None or not is_seen:
            return nullcontext(lambda _: None)
        return Progress(self._target.path.name, self._start, self._total())

    def _total(self) -> int | None:
        length: int | None = getattr(self._response, "length", None)
        return None if length is None else self._start + length


def _parsed(checksum: str | None) -> tuple[str | None, str]:
    if checksum is None:
        return None, ""
    kind, colon, value = checksum.lower().partition(":")
    if not colon or kind not in KNOWN:
        raise click.BadParameter(
            f"must be one of {', '.join(KNOWN)}, a colon and the sum", param_hint="--checksum"
        )
    return kind, value.strip()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # it is not there yet; what else is wrong is told when it is opened


def _spare_terminal(piece: bytes) -> None:
    """Do not write to a terminal what is no text: it would change what it shows, and how."""
    if b"\0" in piece and sys.stdout.isatty():
        raise CommandError("this is no text; give it a file with --output, or a pipe")
