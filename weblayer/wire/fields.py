"""Field names and values: what may stand in them, and lists of them.

Source: RFC 9110, 5.1, 5.5 and 5.6.
"""

import re
from functools import lru_cache

__all__ = ["is_host", "is_token", "is_value", "split_list", "varied"]

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# CR, LF and NUL split messages; the other control characters have no business here either.
# The tab is allowed by the grammar.
_UNCLEAN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# uri-host [":" port]: a registered name or IPv4 address by its characters, or an IP
# literal in brackets. Narrower than RFC 3986 by the sub-delimiters, which no name in
# use has and which injection likes.
_HOST = re.compile(
    rb"(?:[A-Za-z0-9._~%-]+|\[(?=[^\]]*:[^\]]*:)[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._~-]+)?\])"
    rb"(?::[0-9]{0,5})?"
)


# A name of 253 characters (RFC 1035, 2.3.4), its last dot, and a port. Whoever asks chooses it,
# and must not choose how much we remember.
LONGEST_HOST = 260


def is_token(name: bytes) -> bool:
    """Whether *name* may be a field name or a method. Source: RFC 9110, 5.6.2."""
    return _TOKEN.fullmatch(name) is not None


def is_value(value: bytes) -> bool:
    """Whether *value* may stand in a field: no CR, LF, NUL or other control character."""
    return _UNCLEAN.search(value) is None


def is_host(value: bytes) -> bool:
    """Whether *value* may stand in Host: a name or address, and perhaps a port.

    An empty value is lawful for a target without an authority (RFC 9110, 7.2), which no
    request of ours has: it is refused, as nginx does.
    """
    return len(value) <= LONGEST_HOST and _is_host(value)


@lru_cache(maxsize=512)  # a site is asked for by a handful of names
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def split_list(value: bytes) -> list[bytes]:
    """The members of a comma-separated list of tokens, lower case, empty ones dropped.

    Not for lists whose members may hold quoted strings. Source: RFC 9110, 5.6.1.
    """
    return [part for part in (p.strip(b" \t") for p in value.lower().split(b",")) if part]


def varied(vary: bytes, name: bytes) -> bytes:
    """What Vary says, lines joined with commas, with *name* among it. Source: RFC 9110, 12.5.5."""
    if not {b"*", name.lower()}.isdisjoint(split_list(vary)):
        return vary
    return b"%b, %b" % (vary, name) if vary else name
