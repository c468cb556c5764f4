"""Safe paths: which segment may name a file, and which file lies below a root.

Theory. A path is grown one segment at a time, and each step is looked at before the next is
taken. A segment that `is_served` cannot climb, so only a symlink can lead out; while none is
met the path is inside, and the one `lstat` of the step is all it costs. Where one is met, the
whole path is resolved and must lie below the resolved root. The root itself is resolved then
and not before, since it may be a link that the next release turns elsewhere.

Who may write into the tree can turn a link between the look and the opening: below a root
that strangers write to, the server's own rights are the fence.
"""

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from weblayer.web.errors import Forbidden, NotFound

__all__ = ["Root", "absolute", "is_served", "refusal"]

# A slash or a NUL is in no file's name. A backslash may be in one, and yet is refused: programs
# that the path is handed to, and other systems, take it for a slash.
_SEPARATORS = re.compile(r"[/\\\0]")

# What the system says when there is no such file, or when no file can have such a name.
_ABSENT = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO,
     errno.EILSEQ, errno.EINVAL}
)  # fmt: skip


def absolute(path: str | os.PathLike[str]) -> str:
    """*path*, wherever the program goes from here; a symlink in it stays one."""
    name = os.fspath(path)
    if not isinstance(name, str):
        raise TypeError(f"path must be str or a path of text, not {path!r}")
    return str(Path(name).absolute())


def is_served(name: str, shows_hidden: bool = False) -> bool:
    """Whether *name* can be asked for: one segment that leads downward, and is not hidden.

    Hidden is what begins with a dot, save `.well-known` (RFC 8615).
    """
    if name.startswith("."):
        if not shows_hidden:
            return name == ".well-known"
        return name not in (".", "..") and not _SEPARATORS.search(name)
    return name != "" and not _SEPARATORS.search(name)


def refusal(error: OSError | ValueError) -> Exception:
    """What to raise for a file that could not be had: NotFound, Forbidden, else *error* itself.

    A ValueError is what Python raises for a name that the system cannot write.
    """
    if isinstance(error, PermissionError):
        return Forbidden()
    if isinstance(error, ValueError) or error.errno in _ABSENT:
        return NotFound()
    return error


@dataclass(frozen=True, slots=True)
class Root:
    """The folder or file at *path* (absolute) that nothing leads out of.

    Save symlinks, where *follows_symlinks*. What begins with a dot is there where *shows_hidden*.
    """

    path: str
    follows_symlinks: bool = False
    shows_hidden: bool = False

    def serves(self, name: str) -> bool:
        """Whether *name*, one segment, can be asked for; see `is_served`."""
        return is_served(name, self.shows_hidden)

    def find(self, path: str) -> os.stat_result:
        """Look at a file or folder whose parent was found, or is the root.

        Raises NotFound also for what is neither (opening a device may already do something),
        and for a symlink that leads out; Forbidden where the system does.
        """
        try:
            facts = os.lstat(path)
            if S_ISLNK(facts.st_mode):
                if not self.follows_symlinks and not self._holds(path):
                    raise NotFound
                facts = os.stat(path)
        except (OSError, ValueError) as error:
            raise refusal(error) from error
        if not S_ISREG(facts.st_mode) and not S_ISDIR(facts.st_mode):
            raise NotFound
        return facts

    def names_to(self, path: str) -> list[str]:
        """The names that lead from the root to *path*, below it."""
        return path.removeprefix(self.path).strip("/").split("/") if path != self.path else []

    def _holds(self, path: str) -> bool:
        root = os.path.realpath(self.path)
        return os.path.commonpath((root, os.path.realpath(path))) == root
