"""Lists of what a peer would rather have, with weights: `gzip;q=0.8, br`.

Source: RFC 9110, 12.4.2, 12.5.3 and 12.5.4.
"""

import re

from weblayer.wire.parameters import TOKEN

__all__ = ["parse_weights", "read_weight"]

# Browsers send up to 10 members. What is beyond this is not read, so that a field as long as a
# whole head costs no more than an honest one.
MAX_MEMBERS = 64

_MEMBER = re.compile(rb"[ \t]*(%b)[ \t]*(?:;[ \t]*[qQ]=([0-9.]*)[ \t]*)?" % TOKEN)
_WEIGHT = re.compile(rb"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def parse_weights(field: bytes) -> list[tuple[bytes, float]]:
    """Pairs of (token in lower case, weight), in the order sent; a malformed member is skipped.

    At most MAX_MEMBERS are read. For Accept, whose members are not tokens, see accept.py.
    """
    pairs = []
    for part in field.split(b",", MAX_MEMBERS)[:MAX_MEMBERS]:
        member = _MEMBER.fullmatch(part)
        weight = read_weight(b"1" if member[2] is None else member[2]) if member else None
        if member and weight is not None:
            pairs.append((member[1].lower(), weight))
    return pairs


def read_weight(value: bytes) -> float | None:
    """A weight between 0 and 1 with at most three decimals; None when it is none."""
    return float(value) if _WEIGHT.fullmatch(value) else None
