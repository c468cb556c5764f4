"""Which form of an answer the peer would rather have: the Accept field."""

import re
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from weblayer.wire.parameters import TOKEN
from weblayer.wire.weights import read_weight

__all__ = ["MediaRange", "best", "names_type", "parse_accept"]

# Browsers send up to 8 ranges of at most 60 bytes; what is beyond these is not read, so that
# a field as long as a whole head costs no more than an honest one.
MAX_RANGES = 32
MAX_RANGE_BYTES = 256

_TYPE = re.compile(rb"(%b)/(%b)" % (TOKEN, TOKEN))
_PARAMETER = re.compile(rb'(%b)=(?:(%b)|"([^"\\]*)")' % (TOKEN, TOKEN))

_Specificity = tuple[bool, bool, int]


class MediaRange(NamedTuple):
    """One part of an Accept field, in lower case: `text/html`, `text/*` or `*/*`, and a weight."""

    type: bytes
    subtype: bytes
    parameters: frozenset[tuple[bytes, bytes]]
    q: float

    @property
    def specificity(self) -> _Specificity:
        """How narrow the range is; the narrowest that matches decides (RFC 9110, 12.5.1)."""
        return self.type != b"*", self.subtype != b"*", len(self.parameters)

    def matches(self, offer: "MediaRange") -> bool:
        """Whether *offer*, a type without wildcards, lies in this range."""
        return (
            self.type in (b"*", offer.type)
            and self.subtype in (b"*", offer.subtype)
            and self.parameters <= offer.parameters
        )


def parse_accept(field: bytes) -> list[MediaRange]:
    """Read an Accept field, several lines joined with commas, into its ranges in the order sent.

    A part that is malformed is skipped, as if it had not been sent; so is one whose quoted
    parameter holds a comma, a semicolon or a backslash, which no registered type needs.
    At most MAX_RANGES parts are read.
    Source: RFC 9110, 12.4.2 and 12.5.1.
    """
    parts = field.split(b",", MAX_RANGES)[:MAX_RANGES]
    return [found for part in parts if (found := _read_range(part))]


def best(offers: Sequence[bytes], accept: bytes | None) -> bytes | None:
    """Choose the one of *offers* that the peer wants most; None when it refuses them all.

    Offers are media types such as `b"text/html"`, our favourite first. Among equal weights the
    type named more exactly wins, then the one the peer named first, then ours. Without a
    field, or with nothing readable in it, everything is welcome (RFC 9110, 12.5.1).
    Raises ValueError when an offer is not a media type.
    """
    ranges = parse_accept(accept or b"")
    if not ranges:
        return offers[0] if offers else None
    ranked = [(_rank(_read_offer(offer), ranges), offer) for offer in offers]
    welcome = [(rank, offer) for rank, offer in ranked if rank[0] > 0]
    return max(welcome, key=itemgetter(0))[1] if welcome else None


def names_type(kind: bytes, accept: bytes | None) -> bool:
    """Whether the peer names the media type *kind*, and does not refuse it.

    A browser that goes to a page names text/html; what loads a script or a picture, or follows
    every link, takes anything at all.
    """
    offer = _read_offer(kind)
    named = (one for one in parse_accept(accept or b"") if b"*" not in (one.type, one.subtype))
    return any(one.q > 0 and one.matches(offer) for one in named)


def _rank(offer: MediaRange, ranges: Iterable[MediaRange]) -> tuple[float, _Specificity, int]:
    """The weight of *offer*, then what breaks a tie: how exactly and how early it was named."""
    found = [
        (one.specificity, one.q, -place) for place, one in enumerate(ranges) if one.matches(offer)
    ]
    specificity, q, place = max(found, default=((False, False, 0), 0.0, 0))
    return q, specificity, place


def _read_offer(offer: bytes) -> MediaRange:
    found = _read_range(offer)
    if found is None or b"*" in (found.type, found.subtype):
        raise ValueError(f"offers must be media types such as b'text/html', not {offer!r}")
    return found


def _read_range(part: bytes) -> MediaRange | None:
    if len(part) > MAX_RANGE_BYTES:
        return None
    name, *rest = (piece.strip(b" \t") for piece in part.lower().split(b";"))
    kind = _TYPE.fullmatch(name)
    parameters = _read_parameters(rest)
    if kind is None or parameters is None or (kind[1] == b"*" != kind[2]):
        return None
    weight = read_weight(parameters.pop(b"q", b"1"))
    # Everybody writes UTF-8 now: `application/json;charset=utf-8` asks for plain JSON.
    parameters.pop(b"charset", None)
    if weight is None:
        return None
    return MediaRange(kind[1], kind[2], frozenset(parameters.items()), weight)


def _read_parameters(pieces: Iterable[bytes]) -> dict[bytes, bytes] | None:
    """Parameters by name, the weight among them wherever it stands; None when one is malformed."""
    found = {}
    for piece in filter(None, pieces):
        parameter = _PARAMETER.fullmatch(piece)
        if parameter is None:
            return None
        name, token, quoted = parameter.groups()
        found[name] = quoted if token is None else token
    return found
