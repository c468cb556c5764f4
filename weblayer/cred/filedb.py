"""Users in a text file of a program's own making: FilePasswordDB."""

import logging
import re
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from weblayer.cred.checking import Account, PasswordChecker
from weblayer.cred.credentials import IUsernameHashedPassword, IUsernamePassword, unhashed
from weblayer.cred.error import UnauthorizedLogin
from weblayer.cred.memory import checkPlain
from weblayer.cred.passwords import Passwords
from weblayer.cred.schemes import PLAIN, looks_hashed, read_stored
from weblayer.cred.table import FilePath, Table
from weblayer.cred.text import is_same, text_of
from weblayer.cred.turns import Turns
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.deferred import Deferred
from weblayer.loop.inline import inlineCallbacks

__all__ = ["FilePasswordDB"]

log = logging.getLogger("weblayer")

# What stands for a password where there is none to log in with: in passwd and shadow files.
_LOCKED = re.compile(r"x|[*!]*|[*!]+\$.*", re.DOTALL)

# Gives what should be stored for (username, password, what is stored).
Hash = Callable[[str, str, str], str | bytes]


class FilePasswordDB(PasswordChecker):
    """The users of a text file, a line for each: fields with *delim* between, counted from 0.

    The file is read when this is made, and again when it has changed (each time, with *cache*
    False). A password may be hashed in any way that verifyPassword reads. One in plain text works
    too, is warned of in the log, and alone can check Digest. Where passwd and shadow files have
    `x`, `*` or `!` for it, nobody is let in. Without *caseSensitive* a name may be written in any
    case, and the avatar id is as the file has it.
    With *hash*, what it gives in a thread for (username, password, stored) must be what is stored.
    Raises OSError, BadPasswordFile, MissingLibrary, as does a login when the file has changed.
    """

    def __init__(
        self,
        filename: FilePath,
        delim: str | bytes = ":",
        usernameField: int = 0,
        passwordField: int = 1,
        caseSensitive: bool = True,
        hash: Hash | None = None,  # noqa: A002  the field's name
        cache: bool = True,
        passwords: Passwords | None = None,
    ) -> None:
        super().__init__(passwords=passwords)
        self.delim = text_of(delim, "delim")
        self.ufield, self.pfield = usernameField, passwordField
        self.caseSensitive, self.hash = caseSensitive, hash
        if hash is None:
            self.credentialInterfaces = (IUsernamePassword, IUsernameHashedPassword)
        self._turns = Turns()  # for *hash*
        self._users = Table(filename, self._account, cache)
        self._begin()

    def accountOf(self, username: str) -> Account | None:
        """The account of a user of the file as it is now."""
        return self._users.current().get(self._key(username))

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """The user name; fails with UnauthorizedLogin, LoginBusy."""
        # Not isinstance, which a Protocol does not take.
        if IUsernamePassword not in type(credentials).__mro__:
            return maybeDeferred(self._check_proof, credentials)
        if self.hash is not None:
            return self._check_hash(self.hash, credentials)
        return super().requestAvatarId(credentials)

    def _check_proof(self, credentials: Any) -> Deferred[str]:
        users = self._users.current()
        found = unhashed(credentials, [account.avatarId for account in users.values()])
        account = users.get(self._key(found.username))
        if account is None or not account.stored.startswith(PLAIN):
            return checkPlain(found, found.username, None)
        return checkPlain(found, account.avatarId, account.stored.removeprefix(PLAIN))

    @inlineCallbacks
    def _check_hash(self, hash_of: Hash, credentials: Any) -> Generator[Any, Any, Any]:
        users = self._users.current()
        name, password = credentials.username, credentials.password
        account = users.get(self._key(name))
        # Somebody else's for a user who is not there, for the time that it takes.
        stored = (account or next(iter(users.values()), Account(None, ""))).stored
        made = yield self._turns.call(partial(hash_of, name, password, stored))
        if account is None or not is_same(text_of(made, "what hash gives"), stored):
            raise UnauthorizedLogin
        return account.avatarId

    def _begin(self) -> None:
        users = self._users.current().values()
        plain = 0 if self.hash else sum(each.stored.startswith(PLAIN) for each in users)
        if plain:
            log.warning(
                "%s has %d passwords in plain text, for all who can read it; hashPassword gives"
                " what to write instead", self._users.path, plain,
            )  # fmt: skip

    def _account(self, line: str) -> tuple[str, Account] | None:
        parts = line.split(self.delim)
        if max(self.ufield, self.pfield) >= len(parts):
            raise ValueError(
                f"a line must have a name in field {self.ufield} and a password in field"
                f" {self.pfield}, with {self.delim!r} between fields, which count from 0"
            )
        username, password = parts[self.ufield], parts[self.pfield]
        if _LOCKED.fullmatch(password):
            return None
        return self._key(username), Account(username, self._stored(username, password))

    def _stored(self, username: str, password: str) -> str:
        if self.hash is not None:
            return password
        if not looks_hashed(password):
            return PLAIN + password
        try:
            read_stored(password)
        except ValueError as error:
            raise ValueError(f"{username!r}: {error}") from error
        return password

    def _key(self, username: str) -> str:
        return username if self.caseSensitive else username.lower()
