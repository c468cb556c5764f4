"""The users of this machine, by PAM.

There is no way without: the standard library's `spwd` and `crypt` have left with Python 3.13, and
reading the shadow file needs root where PAM does not, and knows of no LDAP, no expiry and no lock.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from weblayer.cred.credentials import IUsernamePassword
from weblayer.cred.error import MissingLibrary, UnauthorizedLogin
from weblayer.cred.text import bytes_of
from weblayer.cred.turns import Turns
from weblayer.loop.deferred import Deferred

__all__ = ["UnixChecker"]

# PAM sleeps for seconds when it refuses, and one who guesses must not keep all others waiting. The
# loop has five threads at the least.
AT_ONCE = 4

# bytes; PAM takes no longer answer (PAM_MAX_RESP_SIZE).
MAX_SIZE = 512


class UnixChecker:
    """The users of this machine, by a *service* of PAM, a file in /etc/pam.d.

    PAM decides how long a refusal takes. A program that is not root can check nobody but the user
    that it runs as, unless PAM asks elsewhere. Raises MissingLibrary without weblayer[pam].
    """

    credentialInterfaces: Sequence[Any] = (IUsernamePassword,)

    def __init__(self, service: str = "login", turns: Turns | None = None) -> None:
        self.service = service
        self._pam = _pamela()
        self._turns = turns or Turns(AT_ONCE)

    def requestAvatarId(self, credentials: Any) -> Deferred[str]:
        """The user name; fails with UnauthorizedLogin, LoginBusy."""
        return self._turns.call(partial(self._check, credentials.username, credentials.password))

    def _check(self, username: str, password: str) -> str:
        name, secret = bytes_of(username), bytes_of(password)
        # C ends its strings at a NUL, and would believe what stands before it.
        if not name or b"\0" in name + secret or len(secret) >= MAX_SIZE:
            raise UnauthorizedLogin
        try:
            # As one of several, since pamela takes single bytes for a sequence of numbers.
            self._pam.authenticate(name, [secret], self.service)
        except self._pam.PAMError as error:
            raise UnauthorizedLogin from error
        return username


def _pamela() -> Any:  # Any: a module that may not be there, and has no types
    try:
        import pamela  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as error:
        raise MissingLibrary("the users of this machine need: pip install weblayer[pam]") from error
    return pamela
