"""The scheme Bearer: whoever has the token may come in. Source: RFC 6750."""

import re
from collections.abc import Iterable

from weblayer.cred.credentials import BearerToken
from weblayer.cred.error import InsufficientScope, LoginFailed, UnauthorizedLogin
from weblayer.web.challenges import Parameters, challengesOf, realmOf
from weblayer.web.errors import Error
from weblayer.web.request import Request

__all__ = ["BearerCredentialFactory"]

_SCOPE = re.compile(r"[!#-\[\]-~]+")  # a word of it: RFC 6750, 3


class BearerCredentialFactory:
    """Asks for a token, as TokenChecker and SignedTokens take them, over HTTPS only.

    *scope* is what a token must be good for to come in here, in words of the program's own; who
    has one that is not is told so with 403.
    """

    scheme = "bearer"

    def __init__(self, realm: str | bytes, scope: Iterable[str] = ()) -> None:
        self.realm = realmOf(realm)
        self.scope = frozenset([scope] if isinstance(scope, str) else scope)
        for word in self.scope:
            if not _SCOPE.fullmatch(word):
                raise ValueError(f"scope must be words without spaces and quotes, not {word!r}")

    def getChallenge(self, request: Request) -> Parameters:
        """The realm, and the scope if any is needed."""
        said = {"realm": self.realm}
        return {**said, "scope": " ".join(sorted(self.scope))} if self.scope else said

    def decode(self, response: str, request: Request) -> BearerToken:
        """A BearerToken. Raises Error (400)."""
        token = response.strip(" ")
        if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token):
            [asked] = challengesOf(self, request, {"error": "invalid_request"})
            fields = [("WWW-Authenticate", asked.decode("latin-1"))]
            raise Error(400, "The token is not written as one.", fields)
        return BearerToken(token, self.scope)

    def explain(self, error: LoginFailed) -> Parameters:
        """The word of RFC 6750, 3.1 for *error*."""
        if isinstance(error, InsufficientScope):
            return {"error": "insufficient_scope"}
        return {"error": "invalid_token"} if isinstance(error, UnauthorizedLogin) else {}
