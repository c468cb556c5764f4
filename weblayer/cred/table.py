"""Text files of accounts, a line for each: read when they have changed, and edited in place."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from weblayer.cred.error import BadPasswordFile, MissingLibrary
from weblayer.cred.text import bytes_of, text_of

__all__ = ["FilePath", "Table", "remove_line", "replace_line"]

T = TypeVar("T")
FilePath = str | os.PathLike[str]


class Table(Generic[T]):
    """The accounts of a file, by key, read again when the file has changed.

    *parse* makes a key and a value of a line, or None of one that is no account, and raises
    ValueError or MissingLibrary, which then tell of file and line. Lines that are empty or begin
    with `#` are left out, and the first of two with one key counts, as it does for Apache. It is
    read in the loop: a thousand accounts take some milliseconds, once.
    """

    def __init__(
        self,
        path: FilePath,
        parse: Callable[[str], tuple[str, T] | None],
        cache: bool = True,
    ) -> None:
        self.path = os.fspath(path)
        self._parse, self._cache = parse, cache
        self._version: tuple[int, ...] | None = None
        self._found: Mapping[str, T] = {}

    def current(self) -> Mapping[str, T]:
        """The accounts that are there now. Raises OSError, BadPasswordFile, MissingLibrary.

        A file that cannot be read lets nobody in: who was removed by the same edit must stay out.
        """
        told = Path(self.path).stat()
        # ctime, since mtime can be set, and an edit may keep the size.
        version = (told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
        if version != self._version or not self._cache:
            self._version = None
            self._found = self._read()
            self._version = version
        return self._found

    def _read(self) -> dict[str, T]:
        found: dict[str, T] = {}
        for number, line in _lines(Path(self.path).read_bytes()):
            try:
                account = self._parse(line)
            except ValueError as error:
                raise BadPasswordFile(self.path, number, str(error)) from error
            except MissingLibrary as error:
                raise MissingLibrary(f"{self.path}, line {number}: {error}") from error
            if account is not None:
                found.setdefault(*account)
        return found


def replace_line(path: FilePath, begin: str, line: str, add: bool = True) -> bool:
    """Put *line* in the place of the first that begins with *begin*, else, to *add* it, at the end.

    The file is replaced as a whole by a new one of the same mode, or made, for its owner alone:
    whoever reads it meanwhile finds the old or the new. Others who call this wait. It blocks.
    Gives whether there was such a line.
    """
    return _edit(path, begin, [bytes_of(line)], add)


def remove_line(path: FilePath, begin: str) -> bool:
    """Take out the first line that begins with *begin*; as replace_line else."""
    return _edit(path, begin, [], add=False)


def _edit(path: FilePath, begin: str, lines: list[bytes], add: bool) -> bool:
    place = Path(path).resolve()  # a symbolic link stays what it is
    with _alone_in(place.parent):
        old = place.read_bytes() if place.exists() else b""
        kept, start = old.removesuffix(b"\n").split(b"\n") if old else [], bytes_of(begin)
        at = next((i for i, each in enumerate(kept) if each.startswith(start)), len(kept))
        is_there = at < len(kept)
        if add or is_there:
            kept[at : at + 1] = lines
            _replace(place, b"".join(each + b"\n" for each in kept))
    return is_there


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the lock of *folder*: the file itself is another one after each edit."""
    import fcntl  # not on Windows, where files can be read all the same

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Pairs of (number from 1, text) of the lines that say something."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        text = text_of(line.removesuffix(b"\r"), "line")
        if text.strip() and not text.startswith("#"):
            yield number, text


def _replace(place: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            told = place.stat()
            os.chown(name, told.st_uid, told.st_gid)
            os.chmod(name, told.st_mode)
        os.replace(name, place)
    except BaseException:
        os.unlink(name)
        raise
