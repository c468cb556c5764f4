"""Where a message ends, and whether the connection lives on: pure decisions.

Source: RFC 9112, 6.3 and 9.3; RFC 9110, 6.4.1.
"""

import enum
from functools import lru_cache

from weblayer.wire.errors import BadMessage
from weblayer.wire.fields import split_list

__all__ = [
    "CHUNKED", "CHUNKS", "CLOSE", "LENGTH", "NOTHING",
    "Framing", "is_trailer", "keeps_alive", "request_length", "response_framing",
]  # fmt: skip

# What request_length gives for a body that says itself where it ends.
CHUNKED = -1


class Framing(enum.Enum):
    """How a response tells its end."""

    NOTHING = "no body at all"
    LENGTH = "by Content-Length"
    CHUNKS = "by a last chunk"
    CLOSE = "by the end of the connection"


# A member costs 60 ns to look up by its class (Python 3.11), and every answer asks for several.
NOTHING, LENGTH, CHUNKS, CLOSE = Framing


def request_length(version: bytes, length: bytes | None, coding: bytes | None) -> int:
    """The length of a request's body in bytes; CHUNKED when it is chunked, 0 without one.

    *length* and *coding* are the values of Content-Length and Transfer-Encoding, None when absent.
    Raises BadMessage where two readers could disagree (400) or we cannot decode (501).
    Source: RFC 9112, 6.1 and 6.3.
    """
    if coding is None:
        return _declared(length)
    if length is not None:
        raise BadMessage(400, "Content-Length beside Transfer-Encoding", length)
    if version != b"HTTP/1.1":
        raise BadMessage(400, "Transfer-Encoding before HTTP/1.1", coding)
    if coding.lower() == b"chunked":
        return CHUNKED
    # Not `,chunked`, though a list may have empty members: others take it for no coding at all.
    *others, last = split_list(coding) or [b""]
    if not others or last != b"chunked" or b"chunked" in others:
        raise BadMessage(400, "chunked must be applied once, and last", coding)
    raise BadMessage(501, "a transfer coding other than chunked", coding)


def _declared(length: bytes | None) -> int:
    if length is None:
        return 0
    # Not int() alone, which takes signs, spaces and underscores. 19 digits stay below 2**64,
    # where counters of 64 bits, llhttp's among them, come to their end.
    if not length.isdigit() or len(length) > 19:
        raise BadMessage(400, "Content-Length is not a number of bytes", length)
    return int(length)


# What clients say in Connection is a few words; what is longer is read anew, and not remembered.
LONGEST_KEPT = 128


def keeps_alive(version: bytes, connection: bytes | None) -> bool:
    """Whether the client wants the connection to live on after this exchange.

    *connection* is the value of Connection, a list of tokens. Source: RFC 9112, 9.3.
    """
    usual = connection is None or len(connection) <= LONGEST_KEPT
    return (_keeps_alive if usual else _keeps_alive.__wrapped__)(version, connection)


@lru_cache(maxsize=64)  # clients say one of a few things here, with every request
def _keeps_alive(version: bytes, connection: bytes | None) -> bool:
    options = split_list(connection) if connection else []
    if b"close" in options:
        return False
    return version == b"HTTP/1.1" or b"keep-alive" in options


# What frames or routes a message, says who asks or how long it keeps, or how its body is to be
# read, comes too late behind the body.
_NO_TRAILERS = frozenset(
    b"content-length transfer-encoding trailer te connection upgrade keep-alive host"
    b" content-encoding content-type content-range content-location content-disposition"
    b" authorization proxy-authorization www-authenticate proxy-authenticate set-cookie cookie"
    b" cache-control expires age date vary location retry-after pragma expect max-forwards"
    b" range accept-ranges allow warning".split()
)


def is_trailer(name: bytes) -> bool:
    """Whether a field of this name may be sent behind a body. Source: RFC 9110, 6.5.1."""
    return name.lower() not in _NO_TRAILERS


def response_framing(method: bytes, code: int, version: bytes, length: int | None) -> Framing:
    """How the response to *method* tells its end; *length* is None while it is not known.

    NOTHING also where a length is announced but no body may follow (HEAD, 304), and for 205, whose
    length is 0 (RFC 9110, 15.3.6). Source: RFC 9112, 6.3.
    """
    if method == b"HEAD" or code < 200 or code in (204, 205, 304):
        return NOTHING
    if length is not None:
        return LENGTH
    return CHUNKS if version == b"HTTP/1.1" else CLOSE
