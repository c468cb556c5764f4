"""Files as Apache's programs make them: htpasswd's and htdigest's."""

import re
from collections.abc import Sequence
from typing import Any

from weblayer.cred.checking import Account, PasswordChecker, Upgrade
from weblayer.cred.credentials import IUsernameDigestHash, unhashed
from weblayer.cred.digest import digestOf
from weblayer.cred.error import UnauthorizedLogin, UnknownScheme
from weblayer.cred.passwords import Passwords
from weblayer.cred.schemes import PLAIN, read_stored
from weblayer.cred.table import FilePath, Table, remove_line, replace_line
from weblayer.loop.bridge import execute
from weblayer.loop.deferred import Deferred
from weblayer.loop.threads import deferToThread

__all__ = ["HtdigestFile", "HtpasswdFile", "removeHtpasswd", "setHtpasswd"]


class HtpasswdFile(PasswordChecker):
    """The users of a file of lines `user:hash`, as `htpasswd` makes it, read again on change.

    Hashes may be bcrypt (needs weblayer[bcrypt]), crypt's SHA-256 and SHA-512, Apache's MD5 and
    SHA-1, and our own; those of `-d` and plain text of `-p` are refused. Raises OSError,
    BadPasswordFile, MissingLibrary when it is made; a login fails with the same when the file
    has become so since.
    Where no other program reads the file, `checker.upgrade = checker.replaceStored` writes outdated
    hashes anew, see PasswordChecker.
    """

    def __init__(
        self,
        path: FilePath,
        upgrade: Upgrade | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        super().__init__(upgrade, passwords)
        self._users = Table(path, _htpasswd_line)
        self._users.current()

    @property
    def path(self) -> str:
        """Where the file is."""
        return self._users.path

    def accountOf(self, username: str) -> Account | None:
        """The account of a user of the file as it is now."""
        return self._users.current().get(username)

    def replaceStored(self, username: str, outdated: str, stored: str) -> Deferred[bool]:
        """Write *stored* in the place of *outdated*, in a thread, if that is what the file has."""
        begin, line = f"{username}:{outdated}", f"{username}:{stored}"
        return deferToThread(replace_line, self.path, begin, line, add=False)


class HtdigestFile:
    """The users of a file of lines `user:realm:HA1`, as `htdigest` makes it, read again on change.

    It takes Digest authentication without anybody's password in plain text. The program writes
    HA1s of MD5; further lines for the same users may have those that calcHA1 gives for SHA-256 or
    for SHA-512-256. Raises as HtpasswdFile.
    """

    credentialInterfaces: Sequence[Any] = (IUsernameDigestHash,)

    def __init__(self, path: FilePath) -> None:
        self._users = Table(path, _htdigest_line)
        self._users.current()

    def requestAvatarId(self, credentials: Any) -> Deferred[str]:
        """The user name, at once; or UnauthorizedLogin."""
        return execute(self._check, credentials)

    def _check(self, credentials: Any) -> str:
        users = self._users.current()
        found = unhashed(credentials, {key.partition(":")[0] for key in users})
        size = len(digestOf(found.algorithm, b""))
        ha1 = users.get(_digest_key(found.username, found.realm, size))
        if not found.checkHash(ha1 or "0" * size) or not ha1:
            raise UnauthorizedLogin
        name: str = found.username
        return name


def setHtpasswd(path: FilePath, username: str, stored: str) -> bool:
    """Have *username* in the file, with the password that is *stored*; it blocks.

    The file is replaced as a whole, or made, for its owner alone. Gives whether the user was in it
    before. Raises ValueError for a name that such a file cannot hold, and for what is stored in no
    way that can be read; OSError.
    """
    _check_name(username)
    read_stored(stored)
    return replace_line(path, f"{username}:", f"{username}:{stored}")


def removeHtpasswd(path: FilePath, username: str) -> bool:
    """Take *username* out of the file; it blocks. Gives whether they were in it. Raises OSError."""
    _check_name(username)
    return remove_line(path, f"{username}:")


def _check_name(username: str) -> None:
    if not username or username.startswith("#") or re.search(r"[:\n\r]", username):
        raise ValueError(f"username must have neither a colon nor a # before it: {username!r}")


def _htpasswd_line(line: str) -> tuple[str, Account]:
    username, colon, rest = line.partition(":")
    if not username or not colon:
        raise ValueError("a line must be written as user:hash")
    # Apache has a line end at a further colon, for remarks; no hash holds one, but a password may.
    stored = rest if rest.startswith(PLAIN) else rest.partition(":")[0].rstrip()
    _known(username, stored)
    return username, Account(username, stored)


def _known(username: str, stored: str) -> None:
    try:
        read_stored(stored)
    except UnknownScheme as error:
        raise ValueError(f"{username!r}: {error}") from error


def _htdigest_line(line: str) -> tuple[str, str]:
    parts = re.fullmatch(r"([^:]+):([^:]*):((?:[0-9A-Fa-f]{32}){1,2})\s*", line)
    if parts is None:
        raise ValueError("a line must be written as user:realm:hash, as htdigest does")
    return _digest_key(parts[1], parts[2], len(parts[3])), parts[3]


def _digest_key(username: str, realm: str, size: int) -> str:
    """What an HA1 stands under. Neither name has a colon in a file: no two keys are the same."""
    return f"{username}:{realm}:{size}"
