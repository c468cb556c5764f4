"""The face between a guard and the schemes that it asks with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol, runtime_checkable

from weblayer.cred.text import bytes_of, text_of
from weblayer.web.request import Request
from weblayer.wire.challenge import format_challenge
from weblayer.wire.fields import is_value

__all__ = [
    "IConnectionFactory",
    "ICredentialFactory",
    "NeedsBody",
    "Parameters",
    "challengesOf",
    "realmOf",
]

# Of a challenge, as text: names in lower case, values without quotes.
Parameters = Mapping[str, str]


class ICredentialFactory(Protocol):
    """A scheme of HTTP authentication."""

    @property
    def scheme(self) -> str | bytes:
        """Its name, in lower case."""

    def getChallenge(self, request: Request, /) -> Parameters | Sequence[Parameters]:
        """What it asks for with 401; several where any will do, the one liked best first."""

    def decode(self, response: str, request: Request, /) -> Any:
        """Credentials, of what stands behind the scheme in Authorization; or NeedsBody.

        Raises LoginFailed, and Error for what should be answered otherwise than by asking again.
        A factory may also have `explain`, which is given a LoginFailed and gives the parameters
        with which its challenge tells of it.
        """


@runtime_checkable
class IConnectionFactory(Protocol):
    """Knows who asks by their connection, and asks for nothing."""

    def ofConnection(self, request: Request, /) -> Any:
        """Credentials; None where the connection tells nothing."""


@dataclass(frozen=True, slots=True)
class NeedsBody:
    """Credentials that sign the body: *complete* makes them, given it as a file."""

    complete: Callable[[IO[bytes]], Any]


def challengesOf(factory: ICredentialFactory, request: Request, said: Parameters) -> list[bytes]:
    """The values of WWW-Authenticate that ask by *factory*, a field line for each.

    *said* is what they say more, of credentials that were shown.
    """
    asked = factory.getChallenge(request)
    several = [asked] if isinstance(asked, Mapping) else asked
    scheme = bytes_of(text_of(factory.scheme, "scheme")).capitalize()
    return [format_challenge(scheme, _encoded({**each, **said})) for each in several]


def realmOf(realm: str | bytes) -> str:
    """A realm's name as text. Raises TypeError, ValueError."""
    name = text_of(realm, "realm")
    if not is_value(bytes_of(name)):
        raise ValueError(f"realm may hold no control characters: {name!r}")
    return name


# Any: a program that was written for another framework has bytes on either side.
def _encoded(parameters: Mapping[Any, Any]) -> dict[bytes, bytes]:
    return {
        bytes_of(text_of(k, "name")): bytes_of(text_of(v, "value")) for k, v in parameters.items()
    }
