"""Checkers whose users stand in memory, and the one for who shows no credentials."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal

from weblayer.cred.checking import Account, PasswordChecker, Upgrade
from weblayer.cred.credentials import (
    IAnonymous,
    IUsernameHashedPassword,
    IUsernamePassword,
    unhashed,
)
from weblayer.cred.error import UnauthorizedLogin
from weblayer.cred.passwords import Passwords
from weblayer.cred.schemes import read_stored
from weblayer.cred.text import text_of
from weblayer.loop.deferred import Deferred, fail, succeed

__all__ = [
    "ANONYMOUS",
    "AllowAnonymousAccess",
    "InMemoryPasswords",
    "InMemoryUsernamePasswordDatabaseDontUse",
]


class _Nobody(Enum):
    """An enumeration of one, so that types can tell it from all other avatar ids."""

    ANONYMOUS = "ANONYMOUS"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


# The avatar id of nobody in particular. Compare with `is`; it is false, too.
ANONYMOUS: Literal[_Nobody.ANONYMOUS] = _Nobody.ANONYMOUS


class AllowAnonymousAccess:
    """Takes Anonymous credentials, and says that it is ANONYMOUS: the realm knows what they may."""

    credentialInterfaces: Sequence[Any] = (IAnonymous,)

    def requestAvatarId(self, credentials: object) -> Deferred[Any]:
        """ANONYMOUS, at once."""
        return succeed(ANONYMOUS)


class InMemoryPasswords(PasswordChecker):
    """Users with hashed passwords, as hashPassword and the files of others have them.

    Raises ValueError that names a user whose password is not hashed, or not in a way that can be
    read, and MissingLibrary.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        upgrade: Upgrade | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        super().__init__(upgrade, passwords)
        self._users: dict[str, str] = {}
        for username, stored in users.items():
            self.setStored(username, stored)

    def setStored(self, username: str, stored: str) -> None:
        """Let *username* in with the password that is *stored*, and with no other."""
        try:
            read_stored(stored)
        except ValueError as error:
            raise ValueError(f"{username!r}: {error}") from error
        self._users[username] = stored

    def removeUser(self, username: str) -> None:
        """Do not let *username* in any more. Raises KeyError when there is none."""
        del self._users[username]

    def accountOf(self, username: str) -> Account | None:
        """The account of a user, by the name and no other."""
        stored = self._users.get(username)
        return None if stored is None else Account(username, stored)


class InMemoryUsernamePasswordDatabaseDontUse:
    """Users with passwords in plain text, for tests and examples: who reads the program has them.

    It takes Digest and other proofs, for which the password must be known. For all else there is
    InMemoryPasswords.
    """

    credentialInterfaces: Sequence[Any] = (IUsernamePassword, IUsernameHashedPassword)

    def __init__(self, **users: str | bytes) -> None:
        self.users: dict[str, str] = {}
        for username, password in users.items():
            self.addUser(username, password)

    def addUser(self, username: str | bytes, password: str | bytes) -> None:
        """Let *username* in with *password*."""
        self.users[text_of(username, "username")] = text_of(password, "password")

    def requestAvatarId(self, credentials: Any) -> Deferred[str]:
        """The user name, at once; or UnauthorizedLogin."""
        found = unhashed(credentials, self.users)
        return checkPlain(found, found.username, self.users.get(found.username))


def checkPlain(credentials: Any, avatarId: str, password: str | None) -> Deferred[str]:
    """*avatarId*, if *credentials* prove to know the *password*, which is None for nobody's."""
    # Some password is checked in any case, for the time that it takes.
    matches = credentials.checkPassword(password or "nobody's")
    return succeed(avatarId) if matches and password else fail(UnauthorizedLogin())
