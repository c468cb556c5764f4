"""Which language an answer should have: the Accept-Language field.

Source: RFC 9110, 12.5.4; RFC 4647, 3.3.1 (filtering) and 3.4 (lookup).
"""

from collections.abc import Sequence

from weblayer.wire.weights import parse_weights

__all__ = ["choose_language"]

# How well a range fits an offer, the better the higher.
_EXACT, _WITHIN, _ABOVE, _ANY, _NOT = 4, 3, 2, 1, 0


def choose_language(offers: Sequence[bytes], accept: bytes | None) -> bytes | None:
    """Choose the one of *offers* that the peer wants most; None when it wants none of them.

    Offers are tags such as `b"de"` or `b"pt-BR"`, our favourite first. A range takes the tags
    within it (`de` takes `de-AT`), and one that is too narrow takes the tag above it (`de-CH` takes
    `de`) when nothing fits better. Among equal weights the better fit wins, then what the peer
    named first, then ours. Without a field the first offer is as good as any.
    """
    ranges = parse_weights(accept or b"")
    if not ranges:
        return offers[0] if offers else None
    ranked = [(_rank(offer.lower(), ranges), offer) for offer in offers]
    welcome = [(rank, offer) for rank, offer in ranked if rank[0] > 0]
    return max(welcome, key=lambda pair: pair[0])[1] if welcome else None


def _rank(offer: bytes, ranges: Sequence[tuple[bytes, float]]) -> tuple[float, int, int]:
    """The weight of *offer*, which its best fit decides, then what breaks a tie."""
    fits = [
        (fit, -place, q)
        for place, (tag, q) in enumerate(ranges)
        # Who refuses Swiss German has not refused German.
        if (fit := _fit(tag, offer)) and (q or fit != _ABOVE)
    ]
    fit, place, q = max(fits, default=(_NOT, 0, 0.0))
    return q, fit, place


def _fit(tag: bytes, offer: bytes) -> int:
    if tag == offer:
        return _EXACT
    if offer.startswith(tag + b"-"):
        return _WITHIN
    if tag.startswith(offer + b"-"):
        return _ABOVE
    return _ANY if tag == b"*" else _NOT
