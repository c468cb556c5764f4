"""What somebody shows to be let in, as values. Names and passwords are text; bytes are decoded.

A checker says which interfaces it takes, and an interface is any class: credentials are of it
when it is in the line of their class's bases. A program's own credentials inherit from one of these
interfaces to be checked as it is, or from none and bring a checker of their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from weblayer.cred.digest import (
    QOPS,
    calcHA1,
    calcHA2,
    calcResponse,
    digestOf,
    hashUsername,
)
from weblayer.cred.text import is_same, text_of

if TYPE_CHECKING:
    from weblayer.loop.ssl import Certificate

__all__ = [
    "Anonymous",
    "BearerToken",
    "ClientCertificate",
    "DigestedCredentials",
    "IAnonymous",
    "IUsernameDigestHash",
    "IUsernameHashedPassword",
    "IUsernamePassword",
    "UsernameHashedPassword",
    "UsernamePassword",
    "unhashed",
]


C = TypeVar("C")


class IUsernamePassword(Protocol):
    """A user name, and a password as it was typed: any stored form of it can be checked."""

    username: str
    password: str

    def checkPassword(self, password: str | bytes) -> bool:
        """Whether *password* is this one, in constant time."""


class IUsernameHashedPassword(Protocol):
    """A user name, and a proof that can be checked by who knows the password in plain text."""

    username: str

    def checkPassword(self, password: str | bytes) -> bool:
        """Whether *password* is the one proved, in constant time."""


class IUsernameDigestHash(Protocol):
    """A user name, and a proof that can be checked by who knows the HA1 of Digest."""

    username: str
    realm: str
    algorithm: str

    def checkHash(self, digestHash: str | bytes) -> bool:
        """Whether *digestHash*, as calcHA1 gives it, is the one proved, in constant time."""


class IAnonymous(Protocol):
    """Nobody in particular."""


class UsernamePassword(IUsernamePassword):
    """A user name and a password, as a form or Basic authentication brings them."""

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self.username = text_of(username, "username")
        self.password = text_of(password, "password")

    def checkPassword(self, password: str | bytes) -> bool:
        """Whether *password* is this one, in constant time."""
        return is_same(self.password, text_of(password, "password"))

    def __repr__(self) -> str:
        return f"<UsernamePassword of {self.username!r}>"


class UsernameHashedPassword(IUsernameHashedPassword):
    """A user name, and the hash of a password by a rule that the checker's store has too."""

    def __init__(self, username: str | bytes, hashed: str | bytes) -> None:
        self.username = text_of(username, "username")
        self.hashed = text_of(hashed, "hashed")

    def checkPassword(self, password: str | bytes) -> bool:
        """Whether *password*, which is stored hashed, is this hash, in constant time."""
        return is_same(self.hashed, text_of(password, "password"))

    def __repr__(self) -> str:
        return f"<UsernameHashedPassword of {self.username!r}>"


class Anonymous(IAnonymous):
    """Credentials of somebody who shows none."""


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token, and whoever has it may come in, if it is good for *scope*. Source: RFC 6750."""

    token: str
    scope: frozenset[str] = frozenset()

    def checkToken(self, token: str) -> bool:
        """Whether *token* is this one, in constant time."""
        return is_same(self.token, token)

    def __repr__(self) -> str:
        return "<BearerToken>"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The certificate of a peer who has proved to have its key.

    Whether an authority that we trust has signed it was decided when the connection was made.
    """

    certificate: "Certificate"


@dataclass(frozen=True, kw_only=True, repr=False)
class DigestedCredentials(IUsernameHashedPassword, IUsernameDigestHash):
    """A response of Digest authentication, with all that it signs.

    *username* is hashed with *userhash*; *nc* is the count as eight hexadecimal digits, *bodyHash*
    is digestOf the body where *qop* is auth-int, and *qop* None is the way before there was one.
    Whether *nonce* is ours, fresh and not used before is for whoever gave it to know, and whether
    *uri* is what was asked for. Raises ValueError for what is no response.
    """

    username: str
    realm: str
    method: str
    uri: str
    nonce: str
    response: str
    algorithm: str = "MD5"
    qop: str | None = None
    cnonce: str = ""
    nc: str = ""
    userhash: bool = False
    bodyHash: str = ""

    def __post_init__(self) -> None:
        digestOf(self.algorithm, b"")
        if self.qop is not None and self.qop not in QOPS:
            raise ValueError(f"qop must be auth or auth-int, not {self.qop!r}")
        if self.qop == "auth-int" and not self.bodyHash:
            raise ValueError("bodyHash must be given where qop is auth-int")

    def checkPassword(self, password: str | bytes) -> bool:
        """Whether the response was made with *password*, in constant time.

        False for a hashed user name: see `unhashed`.
        """
        plain = text_of(password, "password")
        return self.checkHash(calcHA1(self.algorithm, self.username, self.realm, plain))

    def checkHash(self, digestHash: str | bytes) -> bool:
        """Whether the response was made with this HA1, in constant time."""
        ha1 = text_of(digestHash, "digestHash").lower()
        ha2 = calcHA2(self.algorithm, self.method, self.uri, self.qop, self.bodyHash)
        expected = calcResponse(
            self.algorithm, ha1, ha2, self.nonce, self.qop, self.nc, self.cnonce
        )
        return is_same(self.response.lower(), expected)

    def __repr__(self) -> str:
        return f"<DigestedCredentials of {self.username!r}>"


def unhashed(credentials: C, usernames: Iterable[str]) -> C:
    """The same *credentials*, with the one of *usernames* that they name by its hash, if so.

    For checkers that know the names of all their users. Source: RFC 7616, 3.4.4.
    """
    if not (isinstance(credentials, DigestedCredentials) and credentials.userhash):
        return credentials
    algorithm, realm, found = credentials.algorithm, credentials.realm, credentials.username
    for name in usernames:  # to the end: the time must not tell who it was
        if is_same(hashUsername(algorithm, name, realm), credentials.username.lower()):
            found = name
    return replace(credentials, username=found, userhash=False)
