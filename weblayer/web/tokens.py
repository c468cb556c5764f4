"""Tokens that say themselves whose they are, signed: there is nothing to be kept, or looked up."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from weblayer.cred.credentials import BearerToken
from weblayer.cred.error import UnauthorizedLogin
from weblayer.cred.tokens import Token
from weblayer.loop.bridge import execute
from weblayer.loop.deferred import Deferred
from weblayer.web.signing import BadSignature, Key, Signer

__all__ = ["SignedTokens"]


class SignedTokens:
    """Gives tokens, and takes them again for *maxAge* seconds.

        tokens = SignedTokens(os.environ["KEY"], maxAge=3600)
        tokens.give("ada", ["read"])

    *keys* are as in Signer: one, or several to change them. Whoever has a token can read what it
    says, and it cannot be taken back but with its key: let *maxAge* be short. *purpose* keeps the
    tokens of several of these apart, which share a key.
    """

    credentialInterfaces: Sequence[Any] = (BearerToken,)

    def __init__(
        self,
        keys: Key | Sequence[Key],
        maxAge: float,
        *,
        purpose: str = "bearer token",
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self._signer = Signer(keys, purpose, seconds=seconds)
        self.maxAge = maxAge

    def give(self, avatarId: Any, scope: Iterable[str] = ()) -> str:  # Any: what JSON can say
        """A token for *avatarId*, good for *scope*."""
        return self._signer.sign([avatarId, sorted(scope)])

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Whose the token is, at once; or UnauthorizedLogin, InsufficientScope."""
        return execute(self._check, credentials)

    def _check(self, credentials: BearerToken) -> Any:
        try:
            said = self._signer.unsign(credentials.token, self.maxAge)
        except BadSignature as error:
            raise UnauthorizedLogin from error
        return Token(*said).admit(credentials.scope)
