"""What a request that sets conditions, or asks for ranges, is to be answered with. Pure.

One function judges files and pages alike, in the order of RFC 9110, 13.2.2.
"""

from collections.abc import Iterable
from typing import NamedTuple

from weblayer.wire.freshness import Conditions, judge_conditions
from weblayer.wire.ranges import RangeNotSatisfiable, Span, allows_range, parse_range

__all__ = ["CONDITIONAL", "Selection", "select"]

# A request with none of these is never asked about.
CONDITIONAL = frozenset(
    {b"range", b"if-range", b"if-match", b"if-none-match", b"if-modified-since",
     b"if-unmodified-since"}
)  # fmt: skip


class Selection(NamedTuple):
    """*status* is 200 for the whole, 304, 412 or 416 for nothing of it, 206 for *spans* of it."""

    status: int
    spans: tuple[Span, ...] = ()


_WHOLE = Selection(200)


def select(
    method: bytes,
    asked: Iterable[tuple[bytes, bytes]],
    etag: bytes | None,
    modified: int | None,
    size: int | None = None,
    exists: bool = True,
) -> Selection:
    """Judge the fields of a request, *asked*, against a page that would be answered with 200.

    *etag* (quotes and all) and *modified* (seconds since 1970) are the page's, None where it has
    none; *size* is its bytes, None while they are not known, when no range can be judged; *exists*
    is whether there is a page yet.
    Source: RFC 9110, 13.2.2; only GET has ranges (14.2).
    """
    found = _found(asked)
    conditions = Conditions(
        found.get(b"if-match"),
        found.get(b"if-none-match"),
        found.get(b"if-modified-since"),
        found.get(b"if-unmodified-since"),
    )
    if status := judge_conditions(method, conditions, etag, modified, exists):
        return Selection(status)
    wanted = found.get(b"range")
    if wanted is None or size is None or method != b"GET":
        return _WHOLE
    if not allows_range(found.get(b"if-range"), etag, modified):
        return _WHOLE
    try:
        spans = parse_range(wanted, size)
    except RangeNotSatisfiable:
        return Selection(416)
    return Selection(206, tuple(spans)) if spans else _WHOLE


def _found(asked: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The fields that matter, lines of one name joined: two of what stands once are malformed."""
    found: dict[bytes, bytes] = {}
    for name, value in asked:
        key = name.lower()
        if key in CONDITIONAL:
            found[key] = b"%b, %b" % (found[key], value) if key in found else value
    return found
