"""Conditions and ranges: what a client that holds a copy, or a part of one, is answered.

Theory. A page that says which state it is in (`setETag`, `setLastModified`) is judged twice. The
setters judge what is known so far, so that a program may spare itself the work (CACHED), and a
change is refused before it is made. A body that is known whole is judged when it is delivered: a
304, 412, 206 or 416 comes by itself, whether the program has looked at CACHED or not. Both ask
`wire/selection.py`, and requests without such fields ask nothing.
"""

from enum import Enum
from os import urandom
from typing import Final

from weblayer.web.errors import Error
from weblayer.web.headed import Headed, Text
from weblayer.wire.dates import format_date, parse_date
from weblayer.wire.etags import is_etag
from weblayer.wire.ranges import Span, content_range, frame_byteranges, unsatisfied_range
from weblayer.wire.selection import Selection, select

__all__ = ["CACHED", "Cached", "Validated"]


class Cached(Enum):
    """What `setETag` and `setLastModified` give when the client has this: give an empty body."""

    CACHED = "the client's copy is still good"


CACHED: Final = Cached.CACHED


class Validated(Headed):
    """A request that may be answered with less than its page."""

    __slots__ = ()

    _judged: tuple[bytes, ...] = ()  # the validators that have been judged; few requests need it

    def setETag(self, tag: Text | None) -> Cached | None:
        """Say which bytes the page has, by a tag; CACHED when the client has them.

        The code is 304 then, and the body should be empty. "v1" goes out as `"v1"`; `W/"v1"` is a
        weak tag: the page may have other bytes where it means the same. Where there is a date
        too, set the tag first.

        In a change (PUT, PATCH, DELETE) call it before anything is changed, with the tag of the
        page as it is, None when there is none yet: that is what the client's conditions are held
        against. Call it again with the tag of what the page has become.
        Raises Error (412) where the page is not the one that the client means, and ValueError for
        what can be no tag. Source: RFC 9110, 8.8.3 and 13.1.
        """
        if tag is None:
            self.responseHeaders.removeHeader(b"ETag")
        else:
            self.setHeader(b"ETag", _quoted(tag))
        return self._judge(b"etag", exists=tag is not None)

    def setLastModified(self, when: float) -> Cached | None:
        """Say when the page last changed, in seconds since 1970; CACHED when the client has it.

        The code is 304 then, and the body should be empty. In a change it is judged as `setETag`
        is. Raises Error (412). Source: RFC 9110, 8.8.2 (never in the future is the caller's to
        see) and 13.1.3.
        """
        self.setHeader(b"Last-Modified", format_date(when))
        return self._judge(b"last-modified")

    def _judge(self, validator: bytes, exists: bool = True) -> Cached | None:
        """Hold the conditions against what is set so far; of one validator only the first time."""
        if not self._head.facts.conditional or validator in self._judged:
            return None
        self._judged += (validator,)
        if not 200 <= self.code < 300:
            return None  # conditions are for what would succeed (RFC 9110, 13.2.1)
        return CACHED if self._select(None, exists).status == 304 else None

    def _pieces(self, size: int, content_type: str) -> "list[bytes | Span] | None":
        """What to send in place of a whole body of *size* bytes; None for all of it.

        Spans of the body, and bytes between them; nothing where the client has it. The head is
        made to fit. Raises Error (412, 416).
        """
        if not (self._head.facts.conditional and self.code == 200):
            return None
        if self.method not in ("GET", "HEAD"):
            return None  # it is done: what a change had to be asked for was asked for before
        selection = self._select(size)
        if selection.status == 304:
            return []
        return self._partial(selection.spans, size, content_type) if selection.spans else None

    def _select(self, size: int | None, exists: bool = True) -> Selection:
        fields = self.responseHeaders
        date = fields.getHeader(b"last-modified")
        selection = select(
            self._head.method,
            self._head.fields(),
            fields.getHeader(b"etag"),
            None if date is None else parse_date(date),
            size,
            exists,
        )
        if selection.status == 416:
            told = unsatisfied_range(size or 0).decode()
            raise Error(416, headers=[("Content-Range", told), ("Accept-Ranges", "bytes")])
        if selection.status == 412:
            raise Error(412)
        if selection.status == 304:
            self.setResponseCode(304)
        return selection

    def _partial(self, spans: tuple[Span, ...], size: int, content_type: str) -> list[bytes | Span]:
        """Make the head that of a part or of several. Source: RFC 9110, 15.3.7."""
        fields = self.responseHeaders
        self.setResponseCode(206)
        fields.removeHeader(b"Content-Length")  # the whole's
        fields.setHeader(b"Accept-Ranges", b"bytes")
        if len(spans) == 1:
            fields.setHeader(b"Content-Range", content_range(spans[0], size))
            return list(spans)
        kind = fields.getHeader(b"content-type") or content_type.encode("latin-1")
        # 96 random bits: it stands in no part, and nobody can have put it there.
        boundary = urandom(12).hex().encode()
        framed = frame_byteranges(list(spans), size, kind, boundary)
        fields.setHeader(b"Content-Type", b"multipart/byteranges; boundary=" + boundary)
        parts = zip(framed.heads, spans, strict=True)
        return [*(piece for part in parts for piece in part), framed.close]


def _quoted(tag: Text) -> bytes:
    sent = tag.encode("latin-1") if isinstance(tag, str) else tag
    if is_etag(sent):
        return sent
    quoted = b'"%b"' % sent
    if not is_etag(quoted):
        raise ValueError(f"tag may hold no space, quote or control character: {tag!r}")
    return quoted
