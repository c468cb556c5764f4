"""Tokens that stand for somebody: opaque ones, which a store knows by their hashes."""

import secrets
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from weblayer.cred.credentials import BearerToken
from weblayer.cred.error import InsufficientScope, UnauthorizedLogin
from weblayer.cred.text import bytes_of
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.inline import inlineCallbacks

__all__ = ["Token", "TokenChecker", "hashToken", "newToken"]


class Token(NamedTuple):
    """What is known of a token: whose it is, what it is good for, and until when.

    *scope* holds words of the program's own; *expires* is in seconds since 1970, None for never.
    """

    avatarId: Any  # Any: see `portal`
    scope: Iterable[str] = ()
    expires: float | None = None

    def admit(self, needed: Iterable[str]) -> Any:
        """The avatar id. Raises InsufficientScope for one that is not good for all that is."""
        if not set(needed) <= set(self.scope):
            raise InsufficientScope(needed)
        return self.avatarId


def newToken() -> str:
    """A token, 256 bits by chance, to be given to somebody and not kept."""
    return secrets.token_urlsafe(32)


def hashToken(token: str) -> str:
    """What is kept of a token: its SHA-256, in hexadecimal.

    A quick hash, as is right for what nobody can guess, and wrong for passwords.
    """
    return sha256(bytes_of(token)).hexdigest()


class TokenChecker:
    """Takes tokens that *find* knows: given a hash, it gives a Token, or None, or an awaitable.

        TokenChecker({hashToken(token): Token("ada", ["read"])}.get)

    A store keeps hashes, so that who reads it has no token; and by a hash it can be asked without
    telling by its time how much of a token was right.
    """

    credentialInterfaces: Sequence[Any] = (BearerToken,)

    def __init__(
        self, find: Callable[[str], Any], *, seconds: Callable[[], float] = time.time
    ) -> None:
        self.find = find
        self._seconds = seconds

    @inlineCallbacks
    def requestAvatarId(self, credentials: Any) -> Generator[Any, Any, Any]:
        """Whose the token is; fails with UnauthorizedLogin, InsufficientScope."""
        token: Token | None = yield maybeDeferred(self.find, hashToken(credentials.token))
        if token is None or (token.expires is not None and token.expires <= self._seconds()):
            raise UnauthorizedLogin
        return token.admit(credentials.scope)
