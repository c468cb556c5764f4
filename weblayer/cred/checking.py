"""What checkers of stored passwords share: the look-up is their own, the rest is here."""

import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, NamedTuple

from weblayer.cred.credentials import IUsernamePassword
from weblayer.cred.error import MissingLibrary, UnauthorizedLogin, UnknownScheme
from weblayer.cred.passwords import Passwords, Verdict
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.inline import inlineCallbacks

__all__ = ["Account", "PasswordChecker", "Upgrade"]

log = logging.getLogger("weblayer")

# Told a user name, what is stored for it, and what to store instead; may give an awaitable.
Upgrade = Callable[[str, str, str], object]


class Account(NamedTuple):
    """What is known of a user: the *avatarId*, and the password as it is *stored*."""

    avatarId: Any  # Any: see `portal`
    stored: str


class PasswordChecker:
    """The base of checkers of passwords that are stored in ways `verifyPassword` can read.

    A subclass says in accountOf where. *upgrade* is called at a login with a password whose hash is
    outdated, with the user name, that hash and a new one, which it is to store if the old one is
    still there: the user may have changed the password meanwhile. The login waits for it, but does
    not fail with it: its error is logged. *passwords* may be shared with other checkers.
    """

    credentialInterfaces: Sequence[Any] = (IUsernamePassword,)

    def __init__(self, upgrade: Upgrade | None = None, passwords: Passwords | None = None) -> None:
        self.upgrade = upgrade
        self.passwords = passwords or Passwords()

    def accountOf(self, username: str) -> Account | Awaitable[Account | None] | None:
        """The account of *username*, None when there is none, or an awaitable of either."""
        raise NotImplementedError

    @inlineCallbacks
    def requestAvatarId(self, credentials: Any) -> Generator[Any, Any, Any]:
        """Whose *credentials* are; fails with UnauthorizedLogin, LoginBusy."""
        username, password = credentials.username, credentials.password
        account = yield maybeDeferred(self.accountOf, username)
        verdict = yield self._verdict(username, account and account.stored, password)
        if not verdict.matches:
            raise UnauthorizedLogin
        if verdict.isOutdated and self.upgrade:
            yield self._upgrade(self.upgrade, username, account.stored, password)
        return account.avatarId

    @inlineCallbacks
    def _verdict(
        self, username: str, stored: str | None, password: str
    ) -> Generator[Any, Any, Verdict]:
        verdict: Verdict
        try:
            verdict = yield self.passwords.verify(stored, password)
        except (UnknownScheme, MissingLibrary) as error:
            # Nothing that a stranger should hear of: it would tell that there is such a user.
            log.error("%r cannot log in: %s", username, error)  # noqa: TRY400  said on purpose
            verdict = yield self.passwords.verify(None, password)
        return verdict

    @inlineCallbacks
    def _upgrade(
        self, upgrade: Upgrade, username: str, outdated: str, password: str
    ) -> Generator[Any, Any, None]:
        try:
            stored = yield self.passwords.hash(password)
            yield maybeDeferred(upgrade, username, outdated, stored)
        except Exception:
            log.exception("the password of %r could not be stored anew", username)
