"""The scheme Digest: a proof of the password with each request, and not the password itself.

It guards against who listens, where there is no HTTPS, and against who replays. The passwords must
be known in plain text (InMemoryUsernamePasswordDatabaseDontUse, FilePasswordDB), or as the hashes
of one realm (HtdigestFile). Source: RFC 7616.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from functools import partial
from typing import IO

from weblayer.cred.credentials import DigestedCredentials
from weblayer.cred.digest import ALGORITHMS, QOPS, digestOfFile
from weblayer.cred.error import LoginFailed
from weblayer.cred.text import bytes_of, text_of
from weblayer.web.challenges import NeedsBody, Parameters, realmOf
from weblayer.web.errors import BadRequest
from weblayer.web.nonces import Nonces
from weblayer.web.request import Request
from weblayer.wire.challenge import parse_challenges
from weblayer.wire.extvalue import parse_ext_value

__all__ = ["DigestCredentialFactory", "StaleNonce"]

# What must be there (3.4), with a quality, since we never offer none.
_NEEDED = ("realm", "nonce", "uri", "response", "qop", "nc", "cnonce")


class StaleNonce(LoginFailed):
    """The proof is made with a nonce that is not ours, too old, or was used so before."""


class DigestCredentialFactory:
    """Asks for a proof by *algorithm*: MD5, SHA-256, SHA-512-256, each with `-sess` if you like.

    Several are several challenges, of which clients take the first that they know; SHA-512-256
    belongs behind SHA-256, since curl 7.88 has its own idea of it. *qop* may add "auth-int", which
    signs the body: then who asks is known only when all of it has come, and it is taken in as the
    policy before the guard says. *userhash* asks for the hash of the user's name. *domain* names
    the URLs that the proof is good for, instead of the whole site.

    A nonce is good for CHALLENGE_LIFETIME_SECS, in this process, each count once: what is replayed
    is `stale`, and a client that has the password proves it anew without asking anybody.
    """

    scheme = "digest"

    CHALLENGE_LIFETIME_SECS = 15 * 60

    def __init__(
        self,
        algorithm: str | bytes | Iterable[str | bytes],
        authenticationRealm: str | bytes,
        *,
        qop: Sequence[str] = ("auth",),
        userhash: bool = False,
        domain: Iterable[str] = (),
    ) -> None:
        several = [algorithm] if isinstance(algorithm, str | bytes) else list(algorithm)
        self.algorithms = [_one_of(each, ALGORITHMS, "algorithm") for each in several]
        self.authenticationRealm = realmOf(authenticationRealm)
        self.qop = [_one_of(each, QOPS, "qop") for each in qop]
        if not self.algorithms or not self.qop:
            raise ValueError("algorithm and qop must each have one at least")
        self.userhash = userhash
        self.domain = realmOf(" ".join(domain))
        self._opaque = secrets.token_urlsafe(12)
        self._nonces = Nonces(self.CHALLENGE_LIFETIME_SECS)

    def getChallenge(self, request: Request) -> list[Parameters]:
        """One for each algorithm, all with the same new nonce."""
        said = {"realm": self.authenticationRealm, "qop": ", ".join(self.qop)}
        said |= {"nonce": self._nonces.give(request.site.seconds()), "opaque": self._opaque}
        if self.domain:
            said["domain"] = self.domain
        said["charset"] = "UTF-8"
        if self.userhash:
            said["userhash"] = "true"
        return [{**said, "algorithm": each} for each in self.algorithms]

    def decode(self, response: str, request: Request) -> DigestedCredentials | NeedsBody:
        """DigestedCredentials, or what they need. Raises LoginFailed, StaleNonce, BadRequest."""
        said = _read(response)
        self._check(said, request)
        count = int(said["nc"], 16)
        if not self._nonces.use(said["nonce"], count, request.site.seconds()):
            raise StaleNonce("the nonce is not good any more")
        make = partial(
            DigestedCredentials,
            username=_username(said),
            method=request.method,
            algorithm=self._algorithm(said),
            userhash=_is_hashed(said),
            **{name: said[name] for name in _NEEDED},
        )
        if said["qop"] != "auth-int":
            return make()

        def complete(body: IO[bytes]) -> DigestedCredentials:
            return make(bodyHash=digestOfFile(self._algorithm(said), body))

        return NeedsBody(complete)

    def explain(self, error: LoginFailed) -> Parameters:
        """That the password was not wrong, where it was only the nonce (3.3)."""
        return {"stale": "true"} if isinstance(error, StaleNonce) else {}

    def _check(self, said: Parameters, request: Request) -> None:
        """Raises BadRequest for what breaks the rules, LoginFailed for what is not for us."""
        if missing := [name for name in _NEEDED if name not in said]:
            raise BadRequest(f"The Digest authorization lacks {', '.join(missing)}.")
        if not re.fullmatch(r"[0-9a-fA-F]{8}", said["nc"]) or int(said["nc"], 16) == 0:
            raise BadRequest("The nc of a Digest authorization is eight hexadecimal digits.")
        if not _is_target(said["uri"], request):  # 3.4.6
            raise BadRequest("The Digest authorization is for another address.")
        if said["qop"] not in self.qop or (_is_hashed(said) and not self.userhash):
            raise BadRequest("The Digest authorization has what was not offered.")
        if said["realm"] != self.authenticationRealm or not self._algorithm(said):
            raise LoginFailed("the proof is for another realm, or by another algorithm")
        if said.get("opaque") != self._opaque:  # we have started anew since, as with a nonce
            raise StaleNonce("the challenge is none of ours")

    def _algorithm(self, said: Parameters) -> str:
        """The one of ours that was used; empty when it is none."""
        asked = said.get("algorithm", "MD5").upper()
        return next((each for each in self.algorithms if each.upper() == asked), "")


def _one_of(value: str | bytes, known: Sequence[str], name: str) -> str:
    text = text_of(value, name)
    for each in known:
        if each.upper() == text.upper():
            return each
    raise ValueError(f"{name} must be one of {', '.join(known)}, not {text!r}")


def _read(response: str) -> Parameters:
    """The parameters of an Authorization. Raises BadRequest."""
    read = parse_challenges(b"Digest " + response.encode("latin-1"))
    if len(read) != 1:
        raise BadRequest("The Digest authorization cannot be read.")
    return {text_of(k, "name"): text_of(v, "value") for k, v in read[0].parameters.items()}


def _username(said: Parameters) -> str:
    """The user's name, however it is written (3.4)."""
    plain, extended = said.get("username"), said.get("username*")
    if (plain is None) == (extended is None) or (extended and _is_hashed(said)):
        raise BadRequest("The Digest authorization names no user, or two.")
    if extended is None:
        return plain or ""
    name = parse_ext_value(extended.encode("utf-8", "surrogateescape"))
    if name is None:
        raise BadRequest("The user's name in the Digest authorization cannot be read.")
    return text_of(name, "username")


def _is_hashed(said: Parameters) -> bool:
    return said.get("userhash", "").lower() == "true"


def _is_target(uri: str, request: Request) -> bool:
    """Whether *uri* is what was asked for, as it was sent, or without the server's name.

    Or with the prefix that a trusted proxy says it has taken off: the client signed it with that.
    """
    head, told = request._head, request._heard()
    path = b"%b?%b" % (head.path, head.query) if head.query else head.path
    prefix = bytes_of(told.prefix) if told else b""
    return bytes_of(uri) in (head.target, path, prefix + path)
