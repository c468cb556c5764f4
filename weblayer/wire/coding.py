"""Which Content-Encoding an answer should have: the Accept-Encoding field.

Source: RFC 9110, 12.5.3.
"""

from collections.abc import Sequence

from weblayer.wire.weights import parse_weights

__all__ = ["IDENTITY", "choose_coding"]

IDENTITY = b"identity"  # no coding at all

# Below every weight that can be written: what nobody has named is welcome, but asked for last.
_UNNAMED = 0.0001

_ALIASES = {b"x-gzip": b"gzip"}  # RFC 9110, 8.4.1.3


def choose_coding(offers: Sequence[bytes], accept: bytes | None) -> bytes | None:
    """Choose the one of *offers* that the peer wants most, our favourite first; or IDENTITY.

    Offers are codings such as `b"br"`; IDENTITY need not be among them. Among equal weights our
    order decides, and any coding goes before none. Without a field the answer is IDENTITY: what
    does not say that it can decode usually cannot. None when the peer refuses them all, which the
    caller may answer with 406 or, more kindly, with no coding.
    """
    named: dict[bytes, float] = {}
    for coding, weight in parse_weights(accept or b""):
        named.setdefault(_ALIASES.get(coding, coding), weight)
    others = named.get(b"*", 0.0)
    weights = [(named.get(offer, others), offer) for offer in offers if offer != IDENTITY]
    weights.append((named.get(IDENTITY, named.get(b"*", _UNNAMED)), IDENTITY))
    weight, coding = max(weights, key=lambda pair: pair[0])  # the first of equals
    return coding if weight else None
