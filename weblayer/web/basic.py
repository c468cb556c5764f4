"""The scheme Basic: a name and a password with each request. Source: RFC 7617."""

from weblayer.cred.credentials import UsernamePassword
from weblayer.cred.error import LoginFailed
from weblayer.web.challenges import Parameters, realmOf
from weblayer.web.request import Request
from weblayer.wire.basic import parse_basic

__all__ = ["BasicCredentialFactory"]


class BasicCredentialFactory:
    """Asks for a name and a password, in UTF-8, which a browser shows a window for.

    Whoever can read along has them: use it with HTTPS, or not beyond this machine.
    """

    scheme = "basic"

    def __init__(self, authenticationRealm: str | bytes) -> None:
        self.authenticationRealm = realmOf(authenticationRealm)

    def getChallenge(self, request: Request) -> Parameters:
        """The realm, and that we read UTF-8 (2.1)."""
        return {"realm": self.authenticationRealm, "charset": "UTF-8"}

    def decode(self, response: str, request: Request) -> UsernamePassword:
        """A UsernamePassword. Raises LoginFailed."""
        shown = parse_basic(response.encode("latin-1"))
        if shown is None:
            raise LoginFailed("what came is no name and password")
        return UsernamePassword(*shown)
