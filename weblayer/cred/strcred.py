"""Checkers from strings, as a command line has them: `makeChecker("htpasswd:/etc/web.users")`.

How arguments are written is told in `weblayer.loop.description`; a backslash takes the meaning
from a colon. A program may add kinds of its own with `registerKind`.
"""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from weblayer.cred.database import DatabaseChecker
from weblayer.cred.filedb import FilePasswordDB
from weblayer.cred.htpasswd import HtdigestFile, HtpasswdFile
from weblayer.cred.memory import AllowAnonymousAccess, InMemoryUsernamePasswordDatabaseDontUse
from weblayer.cred.portal import ICredentialsChecker
from weblayer.cred.unix import UnixChecker
from weblayer.loop.description import Shape, flagOf, numberOf, parseDescription

__all__ = ["Kind", "helpForCheckers", "listKinds", "makeChecker", "registerKind"]


class Kind(NamedTuple):
    """A kind of checker: *name* stands before the colon, and *make* is given what is behind it.

    *make* raises ValueError, OSError or CredError for what it cannot use. *written* and *help* are
    for people: `htpasswd:FILE`, and a sentence or two.
    """

    name: str
    written: str
    help: str
    make: Callable[[str], ICredentialsChecker]


def makeChecker(description: str) -> ICredentialsChecker:
    """The checker that *description* writes. Files are read now.

    Raises ValueError that says what was expected, OSError, BadPasswordFile, MissingLibrary.
    """
    if not isinstance(description, str):
        raise TypeError(f"description must be a str, as in 'htpasswd:users', not {description!r}")
    name, _, rest = description.partition(":")
    if name not in _kinds:
        written = ", ".join(kind.written for kind in _kinds.values())
        raise ValueError(f"{description!r} should be written as one of {written}")
    return _kinds[name].make(rest)


def registerKind(kind: Kind) -> None:
    """Have makeChecker know *kind*, in place of one with the same name."""
    if not kind.name.isidentifier():
        raise ValueError(f"the name of a kind must be letters and digits, not {kind.name!r}")
    _kinds[kind.name] = kind


def listKinds() -> list[Kind]:
    """All kinds that makeChecker knows."""
    return list(_kinds.values())


def helpForCheckers() -> str:
    """All kinds, how they are written and what they are, as lines for a person."""
    return "\n\n".join(f"{kind.written}\n    {kind.help}" for kind in _kinds.values())


def _found(name: str, shape: Shape, rest: str) -> dict[str, str]:
    """The arguments of a kind, all *places* among them."""
    found = parseDescription(f"{name}:{rest}", {name: shape}).found
    for place in shape.places:
        if not found.get(place):
            raise ValueError(f"{name}: needs {place}, as in {shape.example}")
    return found


_FILE = Shape(
    ["path"], ["delim", "usernameField", "passwordField", "caseSensitive"], "file:passwords.txt"
)


def _file(rest: str) -> FilePasswordDB:
    found = _found("file", _FILE, rest)
    return FilePasswordDB(
        found["path"],
        found.get("delim", ":"),
        numberOf(found.get("usernameField", "0"), "usernameField", 99),
        numberOf(found.get("passwordField", "1"), "passwordField", 99),
        flagOf(found.get("caseSensitive", "1"), "caseSensitive"),
    )


def _htpasswd(rest: str) -> HtpasswdFile:
    return HtpasswdFile(_found("htpasswd", Shape(["path"], [], "htpasswd:users"), rest)["path"])


def _htdigest(rest: str) -> HtdigestFile:
    return HtdigestFile(_found("htdigest", Shape(["path"], [], "htdigest:users"), rest)["path"])


def _memory(rest: str) -> InMemoryUsernamePasswordDatabaseDontUse:
    # More places than there can be. No name of an argument has a space, so that a part with an
    # equals sign is what it looks like.
    shape = Shape([f"part {i}" for i in range(rest.count(":") + 1)], [], "memory:ada:secret")
    values = list(parseDescription(f"memory:{rest}", {"memory": shape}).found.values())
    if not all(values) or len(values) % 2 or not values:
        raise ValueError(f"memory: needs a name and a password for each user: {shape.example}")
    checker = InMemoryUsernamePasswordDatabaseDontUse()
    for username, password in zip(values[::2], values[1::2], strict=True):
        checker.addUser(username, password)
    return checker


def _sqlite(rest: str) -> DatabaseChecker:
    import sqlite3

    example = "sqlite:users.db:SELECT password FROM users WHERE name = ?"
    found = _found("sqlite", Shape(["path", "query"], [], example), rest)
    # Read only: else a database that is not there would be made.
    path = f"{Path(found['path']).absolute().as_uri()}?mode=ro"
    connect = partial(sqlite3.connect, path, uri=True)
    try:
        with closing(connect()) as connection:
            connection.execute(found["query"], ("",)).close()
    except sqlite3.Error as error:
        raise ValueError(
            f"{found['path']}: {error}, as the query should be in {example}"
        ) from error
    return DatabaseChecker(connect, found["query"])


def _unix(rest: str) -> UnixChecker:
    found = parseDescription(f"unix:{rest}", {"unix": Shape(["service"], [], "unix:login")}).found
    return UnixChecker(found.get("service", "login"))


def _anonymous(rest: str) -> AllowAnonymousAccess:
    _found("anonymous", Shape([], [], "anonymous:"), rest)
    return AllowAnonymousAccess()


_KINDS = (
    Kind(
        "htpasswd",
        "htpasswd:PATH",
        "A file as `weblayer passwd` makes it, or Apache's `htpasswd`: with -B, which needs"
        " weblayer[bcrypt].",
        _htpasswd,
    ),
    Kind(
        "file",
        "file:PATH[:delim=:][:usernameField=0][:passwordField=1][:caseSensitive=1]",
        "A text file with a name and a password in each line, hashed or not.",
        _file,
    ),
    Kind(
        "htdigest",
        "htdigest:PATH",
        "A file as Apache's `htdigest` makes it, for Digest authentication.",
        _htdigest,
    ),
    Kind(
        "sqlite",
        "sqlite:PATH:QUERY",
        "The hashed password that a query finds for a name, which stands for a question mark:"
        " SELECT password FROM users WHERE name = ?",
        _sqlite,
    ),
    Kind(
        "unix",
        "unix:[SERVICE]",
        "The users of this machine, by PAM; the service is `login` unless told otherwise. Install"
        " weblayer[pam].",
        _unix,
    ),
    Kind(
        "memory",
        "memory:USER:PASSWORD[:USER:PASSWORD...]",
        "Users written here. Others on this machine can read a command line, and so these.",
        _memory,
    ),
    Kind("anonymous", "anonymous:", "Anybody, who then is nobody in particular.", _anonymous),
)
_kinds: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
