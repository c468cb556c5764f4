"""What a server asks for with 401, and a proxy with 407. Source: RFC 9110, 11.6.1."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from weblayer.wire.parameters import QUOTED, TOKEN, quoted, unquote

__all__ = ["Challenge", "format_challenge", "parse_challenges"]

_SCHEME = re.compile(rb"[ \t,]*(%b)(?:[ \t]+|(?=,)|\Z)" % TOKEN)
_PARAMETER = re.compile(rb"[ \t,]*(%b)[ \t]*=[ \t]*(%b|%b)[ \t]*(?:,|\Z)" % (TOKEN, QUOTED, TOKEN))
_TOKEN68 = re.compile(rb"[A-Za-z0-9._~+/-]+=*[ \t]*(?:,|\Z)")

# Those that must not be quoted; realm, qop and others must be (RFC 7616, 3.3).
_BARE = frozenset({b"algorithm", b"stale", b"userhash"})


class Challenge(NamedTuple):
    """A scheme in lower case, and its parameters: names in lower case, values without quotes."""

    scheme: bytes
    parameters: dict[bytes, bytes]


def parse_challenges(field: bytes) -> list[Challenge]:
    """Read a WWW-Authenticate or Proxy-Authenticate field, as far as it is well-formed.

    One field may hold several challenges, and its commas stand between them and inside them.
    """
    found, at = [], 0
    while scheme := _SCHEME.match(field, at):
        at = scheme.end()
        parameters: dict[bytes, bytes] = {}
        while one := _PARAMETER.match(field, at):
            parameters.setdefault(one[1].lower(), unquote(one[2]))
            at = one.end()
        if not parameters and (token := _TOKEN68.match(field, at)) and scheme[0][-1:] in b" \t":
            at = token.end()
        found.append(Challenge(scheme[1].lower(), parameters))
    return found


def format_challenge(scheme: bytes, parameters: Mapping[bytes, bytes]) -> bytes:
    """A challenge as the value of a field of its own.

    The caller has seen that no value holds control characters.
    """
    written = (b"%b=%b" % (k, v if k in _BARE else quoted(v)) for k, v in parameters.items())
    return b" ".join([scheme, b", ".join(written)]).rstrip()
