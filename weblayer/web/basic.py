"""The scheme Basic: a name and a password with each request. Source: RFC 7617."""

import re
from base64 import b64decode

from weblayer.cred.credentials import UsernamePassword
from weblayer.cred.error import LoginFailed
from weblayer.web.challenges import Parameters, realmOf
from weblayer.web.request import Request

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
        try:
            data = b64decode(response.strip(" "), validate=True)
        except ValueError as error:
            raise LoginFailed("what came is no base64") from error
        username, colon, password = data.partition(b":")
        if not colon or re.search(rb"[\x00-\x1f\x7f]", data):  # RFC 7617, 2
            raise LoginFailed("what came is no name and password")
        return UsernamePassword(username, password)
