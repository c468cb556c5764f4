"""What a server asks for with 401, and a proxy with 407. Source: RFC 9110, 11.6.1."""

import re
from typing import NamedTuple

from weblayer.wire.parameters import QUOTED, TOKEN, unquote

__all__ = ["Challenge", "parse_challenges"]

_SCHEME = re.compile(rb"[ \t,]*(%b)(?:[ \t]+|(?=,)|\Z)" % TOKEN)
_PARAMETER = re.compile(rb"[ \t,]*(%b)[ \t]*=[ \t]*(%b|%b)[ \t]*(?:,|\Z)" % (TOKEN, QUOTED, TOKEN))
_TOKEN68 = re.compile(rb"[A-Za-z0-9._~+/-]+=*[ \t]*(?:,|\Z)")


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
