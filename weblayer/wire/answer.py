"""Responses from bytes.

Theory. A response does not say by itself where it ends: that depends on what was asked (HEAD,
CONNECT), on its status, on its fields, and sometimes on the end of the connection. So the parser
is told each method before its answer comes (`begin`), and told of the end of file (`feed_end`).

The grammar of a head is one expression, to be read beside RFC 9112, 4 and 5. Requests are
judged by llhttp; here it would hear the heads only, costs the same, and takes other protocols
(ICE, RTSP) and versions for HTTP. Exact limits and the same events however the network cut the
bytes come as in `wire/parse.py`: a head is gathered until its blank line, a chunk's frame is
read line by line.
"""

import re
from typing import Final

from weblayer.wire.errors import BadMessage
from weblayer.wire.events import END, Bad, End
from weblayer.wire.framing import CHUNKED, keeps_alive, request_length
from weblayer.wire.headers import Headers
from weblayer.wire.parse import Limits

__all__ = ["UNTIL_CLOSE", "AnswerEvent", "AnswerHead", "AnswerParser"]

# What AnswerHead.length is for a body that ends with the connection.
UNTIL_CLOSE: Final = -2

# As for requests, but programs that answer say more: a page with its policies, hints and cookies
# may have more than the hundred fields that no browser sends.
LIMITS: Final = Limits(fields=256)

# Interim answers (102 Processing, 103 Early Hints) are dropped when they have been told of, so
# it is not memory that ends them: a server that says nothing else is broken.
MOST_INTERIM = 100

# What a head that comes again is known by is kept up to this size, as for requests.
MOST_REMEMBERED = 2 * 1024

BLANK_LINE = b"\r\n\r\n"

_TEXT = rb"[\t\x20-\x7e\x80-\xff]*+"
_FIELD = rb"[!#$%%&'*+.^_`|~0-9A-Za-z-]++:%b\r\n" % _TEXT
_HEAD = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}(?: %b)?\r\n(?:%b)*+\r\n" % (_TEXT, _FIELD))
_TRAILER = re.compile(_FIELD)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;%b)?\r\n" % _TEXT)
_DECIDING = re.compile(rb"\r\n(connection|content-length|transfer-encoding):([^\r]*)")
_FOLD = re.compile(rb"\r\n[ \t]+")

# What comes next: a head, what is left of a body or of a chunk, a line of a chunked body's frame,
# bytes until the end of the connection, or nothing of ours.
HEAD, BODY, CHUNK, SIZE, DATA_END, TRAILER, STREAM, OVER = range(8)


class AnswerHead:
    """The head of a response, judged well-formed. Its fields are read when they are asked for.

    *raw* is the head as sent, blank line and all (a folded field on one line). *length* is what
    it says of a body's bytes, CHUNKED or UNTIL_CLOSE, whether or not there can be a body;
    *keep_alive* whether the server means the connection to live on.
    Equal heads of one connection are one object: it is never changed.
    """

    __slots__ = ("_headers", "code", "keep_alive", "length", "raw")

    def __init__(self, raw: bytes, code: int, length: int, keep_alive: bool) -> None:
        self.raw = raw
        self.code = code
        self.length = length
        self.keep_alive = keep_alive
        self._headers: Headers | None = None

    @property
    def version(self) -> bytes:
        """`HTTP/1.1` or `HTTP/1.0`."""
        return self.raw[:8]

    @property
    def phrase(self) -> bytes:
        """What stands behind the code; may be empty."""
        return self.raw[13 : self.raw.index(b"\r\n")]

    def headers(self) -> Headers:
        """Its fields, for the caller to change."""
        if self._headers is None:
            self._headers = Headers.fromPairs(self.fields())
        return self._headers.copy()

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Pairs of (name, value), names as sent, in the order sent. Made anew at each call."""
        pairs = (line.partition(b":") for line in self.raw.split(b"\r\n")[1:-2])
        return [(name, value.strip(b" \t")) for name, _, value in pairs]


AnswerEvent = AnswerHead | bytes | End | Bad


class AnswerParser:
    """One connection's responses, as events, each between its `begin` and its END or Bad.

    An interim head (1xx, but not 101) comes before the head of the answer, and has no END.
    After 101, and after 2xx to CONNECT, the connection speaks another protocol: END comes at once.
    *rest* is what was fed behind the end of an answer.
    """

    __slots__ = (
        "_frame", "_gathered", "_interim", "_known", "_left", "_limits", "_method", "_searched",
        "_state", "_whole", "has_begun", "rest",
    )  # fmt: skip

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._known: AnswerHead | None = None  # the last head, which mostly comes again
        self._whole = 0  # bytes of an answer with that head and a body; 0: it tells no such number
        self._gathered = b""  # an unfinished head or line
        self._searched = 0  # bytes of an unfinished head in which no blank line begins
        self._left = 0  # bytes that remain of a body, or of a chunk
        self._frame = 0  # bytes of frame since the last byte of a body
        self._interim = 0
        self._method = b""
        self._state = OVER
        self.has_begun = False
        self.rest = b""

    def begin(self, method: bytes) -> None:
        """What comes next answers a request with *method*."""
        if method != self._method:
            self._method, self._whole = method, 0
        self._state = HEAD
        self.has_begun = False  # whether any byte of the answer has come

    @property
    def is_over(self) -> bool:
        """Whether the answer has come to its end, well or badly."""
        return self._state == OVER

    def feed(self, data: bytes) -> list[AnswerEvent]:
        """Read on. What is wrong is the last event."""
        if not self.has_begun:
            self.has_begun = True
            known = self._known
            # Most answers come at once, with the head of the last: they are not searched.
            if known is not None and len(data) == self._whole and data.startswith(known.raw):
                self._state = OVER
                return [known, data[len(known.raw) :], END]
            self._interim = self._frame = 0
        if self._gathered:
            data, self._gathered = self._gathered + data, b""
        events: list[AnswerEvent] = []
        at, size = 0, len(data)
        try:
            while at < size:
                if self._state == HEAD:
                    at = self._feed_head(data, at, events)
                elif self._state == OVER:
                    self.rest += data[at:]
                    break
                else:
                    at = self._feed_body(data, at, events)
        except BadMessage as bad:
            self._state = OVER
            events.append(Bad(bad.status, str(bad)))
        return events

    def feed_end(self) -> list[AnswerEvent]:
        """The connection has ended in order: the end of a body that is framed by it, else Bad."""
        state, self._state = self._state, OVER
        if state == OVER:
            return []
        if state == STREAM:
            return [END]
        where = "its head" if state == HEAD else "its body"
        return [Bad(502, f"the answer was cut off in {where}")]

    def _feed_head(self, data: bytes, at: int, events: list[AnswerEvent]) -> int:
        # From where the last search ended: a head that comes in a thousand packets is not
        # searched a thousand times.
        new = at + self._searched
        stop = data.find(BLANK_LINE, new) + 4
        if stop == 3 or stop - at > self._limits.head:
            _check_beginning(data[at : at + self._limits.head], new - at)
            if len(data) - at >= self._limits.head:
                raise BadMessage(502, "the head is too large")
            self._gathered = data[at:]
            self._searched = max(len(self._gathered) - 3, 0)
            return len(data)
        self._searched = 0
        head = self._known
        raw = data[at:stop]
        if head is None or head.raw != raw:
            head = read_head(raw, self._limits.fields)
            self._known = head if len(raw) <= MOST_REMEMBERED else None
        self._whole = 0
        events.append(head)
        self._frame_body(head, events)
        return stop

    def _frame_body(self, head: AnswerHead, events: list[AnswerEvent]) -> None:
        """Decide where the answer ends. Source: RFC 9112, 6.3."""
        code, length = head.code, head.length
        if code < 200 and code != 101:
            self._interim += 1
            if self._interim > MOST_INTERIM:
                raise BadMessage(502, "interim answers without end")
        elif not length or is_bodiless(self._method, code):
            self._end(events)
        elif length > 0:
            self._state, self._left = BODY, length
            self._whole = len(head.raw) + length
        else:
            self._state = SIZE if length == CHUNKED else STREAM

    def _feed_body(self, data: bytes, at: int, events: list[AnswerEvent]) -> int:
        state = self._state
        if state == STREAM:
            events.append(data[at:] if at else data)
            return len(data)
        if state > CHUNK:
            return self._feed_line(data, at, events)
        part = data[at : at + self._left]
        events.append(part)
        self._left -= len(part)
        self._frame = 0
        if not self._left:
            if state == BODY:
                self._end(events)
            else:
                self._state = DATA_END
        return at + len(part)

    def _feed_line(self, data: bytes, at: int, events: list[AnswerEvent]) -> int:
        """A line of a chunked body's frame. Source: RFC 9112, 7.1."""
        stop = data.find(b"\n", at) + 1
        line = data[at:stop] if stop else data[at:]
        if len(line) > self._limits.chunk_line or self._frame + len(line) > self._limits.frame:
            raise BadMessage(502, "chunk lines or trailers without end", line)
        if not stop:
            self._gathered = line
            return len(data)
        self._frame += len(line)
        if self._state == SIZE:
            self._left = read_size(line)
            self._state = CHUNK if self._left else TRAILER
        elif self._state == DATA_END:
            if line != b"\r\n":
                raise BadMessage(502, "a chunk is longer than its size", line)
            self._state = SIZE
        elif line == b"\r\n":
            self._end(events)
        elif not _TRAILER.fullmatch(line):
            raise BadMessage(502, "malformed trailer", line)
        return stop

    def _end(self, events: list[AnswerEvent]) -> None:
        events.append(END)
        self._state = OVER


def is_bodiless(method: bytes, code: int) -> bool:
    """Whether the answer to *method* has no body, whatever its fields say.

    Source: RFC 9112, 6.3, first and second.
    """
    return (
        method == b"HEAD" or code in (101, 204, 304) or (method == b"CONNECT" and 200 <= code < 300)
    )


def read_head(raw: bytes, most_fields: int) -> AnswerHead:
    """Judge a head that has come whole. Raises BadMessage."""
    if not _HEAD.fullmatch(raw):
        raw = _unfolded(raw)
        if not _HEAD.fullmatch(raw):
            raise _malformed(raw)
    if raw.count(b"\r\n") > most_fields + 2:
        raise BadMessage(502, "too many fields")
    found: dict[bytes, bytes] = {}
    for name, value in _DECIDING.findall(raw.lower()):
        text = value.strip(b" \t")
        found[name] = text if name not in found else b"%b, %b" % (found[name], text)
    version, code = raw[:8], int(raw[9:12])
    length = _length(code, version, found)
    return AnswerHead(raw, code, length, keeps_alive(version, found.get(b"connection")))


def _unfolded(raw: bytes) -> bytes:
    """The head with each field on one line, as a client must read it. Source: RFC 9112, 5.2.

    Blanks behind the status line begin no field, and are refused (RFC 9112, 2.2).
    """
    end = raw.index(b"\r\n") + 1
    return raw[:end] + _FOLD.sub(b" ", raw[end:])


def _length(code: int, version: bytes, found: dict[bytes, bytes]) -> int:
    """The body's length by the fields; the rules that refuse are those for a request.

    Source: RFC 9112, 6.3, third to eighth.
    """
    length, coding = found.get(b"content-length"), found.get(b"transfer-encoding")
    if code < 200 or code == 204:
        return 0  # they must not have these fields, and what they say is not heeded
    if length is None and coding is None:
        return UNTIL_CLOSE if code != 304 else 0
    return request_length(version, length, coding)


def read_size(line: bytes) -> int:
    """The size that a chunk's first line tells. Raises BadMessage."""
    size = _SIZE.fullmatch(line)
    if size is None:
        raise BadMessage(502, "malformed chunk size", line)
    return int(size[1], 16)


def _check_beginning(part: bytes, seen: int) -> None:
    """Tell at once what will never be a head; the first *seen* bytes were looked at before."""
    if not part.startswith(b"HTTP/1."[: len(part)]):
        raise BadMessage(502, "this is not an answer in HTTP/1.1", part)
    start = max(seen - 1, 0)
    if part.count(b"\n", seen) != part.count(b"\r\n", start):
        raise BadMessage(502, "a line feed alone ends no line", part)


def _malformed(raw: bytes) -> BadMessage:
    """What is wrong with a head, told by its first wrong line."""
    line, *fields = raw.split(b"\r\n")[:-2]
    if not _HEAD.fullmatch(line + BLANK_LINE):
        return BadMessage(502, "malformed status line", line)
    wrong = next((one for one in fields if not _TRAILER.fullmatch(one + b"\r\n")), raw)
    return BadMessage(502, "malformed field", wrong)
