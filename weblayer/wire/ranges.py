"""Parts of a body: the Range field, and how the parts are sent. Source: RFC 9110, 14."""

import re
from typing import NamedTuple

from weblayer.wire.dates import parse_date
from weblayer.wire.errors import WireError
from weblayer.wire.etags import is_etag, match_strongly

__all__ = [
    "ByteRanges", "RangeNotSatisfiable", "Span",
    "allows_range", "content_range", "frame_byteranges", "parse_range", "unsatisfied_range",
]  # fmt: skip

# A reader of video asks for one part, of a PDF for a few, of an archive for a dozen; who wants more
# takes the whole, so that no request makes us send more than the body and 16 small heads.
MAX_PARTS = 16

# What is read of a field before parts are joined: hundreds of tiny ranges are no honest wish
# (RFC 9110, 14.2), and a head has room for twenty thousand.
MAX_ASKED = 128

# 40 digits are more bytes than any body has; int() refuses 4,301 of them with a ValueError.
_SPEC = re.compile(rb"([0-9]{1,40})-([0-9]{0,40})|-([0-9]{1,40})")


class Span(NamedTuple):
    """Bytes of a body from *start* on, *stop* excluded: a slice."""

    start: int
    stop: int


class RangeNotSatisfiable(WireError):
    """No part that was asked for touches the body, which has *size* bytes. To be answered 416."""

    status = 416

    def __init__(self, size: int) -> None:
        super().__init__(f"no range touches a body of {size} bytes")
        self.size = size


class ByteRanges(NamedTuple):
    """A body of type multipart/byteranges: before each part its head, behind the last *close*.

    *length* is the whole body's, parts and all.
    """

    heads: list[bytes]
    close: bytes
    length: int


def parse_range(field: bytes, size: int) -> list[Span] | None:
    """Read a Range field against a body of *size* bytes.

    Returns spans in the order asked, those that overlap or touch joined where the first of them
    stood; None when the field must or should be ignored and the whole be sent: it is malformed or
    in another unit, it asks for more than MAX_PARTS, or the body is empty.
    Raises RangeNotSatisfiable when no span touches the body.
    Only a GET has ranges. Source: RFC 9110, 14.1.2, 14.2 and 15.3.7.2.
    """
    unit, equals, wanted = field.strip(b" \t").partition(b"=")
    if not equals or unit.lower() != b"bytes" or not size:
        return None
    # A last piece that still holds commas is malformed.
    specs = [spec for part in wanted.split(b",", MAX_ASKED - 1) if (spec := part.strip(b" \t"))]
    spans = [_read_spec(spec, size) for spec in specs]
    if not spans or None in spans:
        return None
    found = _joined([span for span in spans if span and span.start < span.stop])
    if not found:
        raise RangeNotSatisfiable(size)
    return found if len(found) <= MAX_PARTS else None


def allows_range(if_range: bytes | None, etag: bytes | None, modified: int | None) -> bool:
    """Whether a part may be sent: the client, if it asks at all, holds parts of this same body.

    *etag* and *modified* (seconds since 1970) are those of the body as it is now, None when
    unknown. Only a strong tag serves, and a date only when it is exactly ours: the client may send
    one only where it knows it to be strong, and an earlier or later one is another body.
    Source: RFC 9110, 13.1.5.
    """
    if if_range is None:
        return True
    if is_etag(if_range):
        return match_strongly([if_range], etag)
    moment = parse_date(if_range)
    return moment is not None and moment == modified


def content_range(span: Span, size: int) -> bytes:
    """The Content-Range of one part, for instance b"bytes 0-9/100". Source: RFC 9110, 14.4."""
    return b"bytes %d-%d/%d" % (span.start, span.stop - 1, size)


def unsatisfied_range(size: int) -> bytes:
    """The Content-Range of a 416, which tells how much there is. Source: RFC 9110, 14.4."""
    return b"bytes */%d" % size


def frame_byteranges(
    spans: list[Span], size: int, content_type: bytes | None, boundary: bytes
) -> ByteRanges:
    """How to send *spans* of a body of *size* bytes as multipart/byteranges.

    *content_type* is the body's own, *boundary* what stands in no part of it: a random one.
    Source: RFC 9110, 14.6; RFC 2046, 5.1.1.
    """
    kind = b"" if content_type is None else b"Content-Type: %b\r\n" % content_type
    head = b"\r\n--%b\r\n%bContent-Range: %b\r\n\r\n"
    heads = [head % (boundary, kind, content_range(span, size)) for span in spans]
    heads[:1] = [first.removeprefix(b"\r\n") for first in heads[:1]]
    close = b"\r\n--%b--\r\n" % boundary
    parts = sum(span.stop - span.start for span in spans)
    return ByteRanges(heads, close, parts + sum(map(len, heads)) + len(close))


def _read_spec(spec: bytes, size: int) -> Span | None:
    """One range as a slice of the body, empty when it does not touch it; None when malformed."""
    found = _SPEC.fullmatch(spec)
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix:
        return Span(max(size - int(suffix), 0), size)
    if not last:
        return Span(int(first), size)
    return Span(int(first), min(int(last) + 1, size)) if int(first) <= int(last) else None


def _joined(spans: list[Span]) -> list[Span]:
    """*spans* that overlap or touch made one, each where the first of its parts stood."""
    groups: list[tuple[int, Span]] = []
    for place, span in sorted(enumerate(spans), key=lambda pair: pair[1]):
        if groups and span.start <= groups[-1][1].stop:
            first, last = groups.pop()
            place, span = min(first, place), Span(last.start, max(last.stop, span.stop))
        groups.append((place, span))
    return [span for _, span in sorted(groups)]
