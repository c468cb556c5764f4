"""Requests from bytes. The only door to httptools.

Theory. llhttp (inside httptools) judges the grammar, and nobody else does. We decide how
much it is fed, so that we always know where a message begins and ends: a head is gathered
until its blank line and fed whole, a body by its length, a chunk line by line. From that
come, at no further cost:

* exact limits, counted before anything is parsed;
* the same events however the network cut the bytes;
* fields read from bytes already judged, and only when somebody asks for them;
* trailers that cannot overwrite a field: they are judged and dropped;
* an upgrade that is declined keeps its body: the parser that skipped it is replaced.

What llhttp is silent about (Host, versions, codings) is decided in `_read_head`.
"""

import re

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from weblayer.wire.errors import BadMessage
from weblayer.wire.events import END, Bad, Event, Head
from weblayer.wire.fields import is_host, is_token
from weblayer.wire.framing import CHUNKED, keeps_alive, request_length

__all__ = ["METHODS", "Limits", "RequestParser"]

# What llhttp takes as an HTTP method, RTSP's own left out. Anything else is 501.
METHODS = frozenset(
    b"GET HEAD POST PUT DELETE OPTIONS PATCH CONNECT TRACE QUERY PROPFIND PROPPATCH MKCOL COPY"
    b" MOVE LOCK UNLOCK SEARCH BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE MKCALENDAR"
    b" LINK UNLINK PURGE NOTIFY SUBSCRIBE UNSUBSCRIBE M-SEARCH".split()
)

BLANK_LINE = b"\r\n\r\n"
CR = 13


class Limits:
    """How much a head and the frame of a chunked body may grow. In bytes, save *fields*."""

    __slots__ = ("chunk_line", "fields", "frame", "head", "line")

    def __init__(
        self,
        # RFC 9112, 3 asks servers to take request lines of 8000 octets.
        line: int = 8 * 1024,
        # Cookies of one site may sum to 50 x 4 kB; the largest head browsers send in
        # practice is under 20 kB, and nginx stops at 32.
        head: int = 64 * 1024,
        # A browser sends 12 to 20, a chain of proxies adds a handful.
        fields: int = 100,
        # A size is 16 digits; nobody uses extensions, so a line of 256 is generous.
        chunk_line: int = 256,
        # Chunk lines and trailers without one byte of body between them.
        frame: int = 8 * 1024,
    ) -> None:
        self.line, self.head, self.fields = line, head, fields
        self.chunk_line, self.frame = chunk_line, frame


class RequestParser:
    """One connection's requests, as events. Feed it bytes; it calls nobody.

    After Bad, and after a request that asked for the connection to be closed, what is
    fed is ignored.
    """

    __slots__ = (
        "_chunked",
        "_frame",
        "_judge",
        "_last",
        "_left",
        "_limits",
        "_over",
        "_rest",
        "_sink",
    )

    def __init__(self, limits: "Limits | None" = None) -> None:
        self._limits = limits or _LIMITS
        self._sink = _Sink()
        self._judge = HttpRequestParser(self._sink)
        self._rest = b""  # an unfinished head or chunk line
        self._left = 0  # bytes that remain of a body, or of a chunk with its CRLF
        self._chunked = False  # between the head and the end of a chunked message
        self._frame = 0  # bytes of chunk lines and trailers since the last byte of a body
        self._last = False  # the message being read is the last one
        self._over = False  # nothing more is read

    @property
    def is_idle(self) -> bool:
        """Whether no message has begun that has not ended."""
        return not (self._rest or self._left or self._chunked)

    def feed(self, data: bytes) -> list[Event]:
        """Read on. What is wrong is the last event, after every message that came before it."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        events = self._sink.events = []
        at, size = 0, len(data)
        try:
            while at < size and not self._over:
                if self._left:
                    at = self._feed_body(data, at)
                elif self._chunked:
                    at = self._feed_line(data, at)
                else:
                    at = self._feed_head(data, at)
        except BadMessage as bad:
            self._over = True
            events.append(Bad(bad.status, str(bad)))
        return events

    def _feed_head(self, data: bytes, at: int) -> int:
        if data[at] == CR and (at := _past_empty_lines(data, at)) == len(data):
            return at
        stop = data.find(BLANK_LINE, at) + 4
        # Short and whole is the rule; anything else is looked at the long way.
        if (stop == 3 or stop - at > self._limits.line) and _is_unfinished(
            data, at, stop, self._limits
        ):
            self._rest = data[at:]
            return len(data)
        self._take_head(data[at:stop])
        return stop

    def _take_head(self, raw: bytes) -> None:
        method, target, version = read_line(raw[: raw.find(b"\r\n")])
        skipped = self._judged(raw)
        if raw.count(b"\r\n") > self._limits.fields + 2:
            raise BadMessage(431, "too many fields")
        head = read_fields(raw, method, target, version)
        if skipped:
            self._replace_judge(head.length)
        self._last = not head.keep_alive
        self._sink.events.append(head)
        if self._sink.whole:
            self._end()
        else:
            self._chunked = head.length == CHUNKED
            self._left = 0 if self._chunked else head.length

    def _feed_body(self, data: bytes, at: int) -> int:
        part = data[at : at + self._left]
        self._judged(part)
        self._left -= len(part)
        self._frame = 0
        if self._sink.whole:
            self._end()
        return at + len(part)

    def _feed_line(self, data: bytes, at: int) -> int:
        """A chunk's size, or a line of the trailers: fed whole, so that we may read it too."""
        stop = data.find(b"\n", at) + 1
        line = data[at:stop] if stop else data[at:]
        if len(line) > self._limits.chunk_line or self._frame + len(line) > self._limits.frame:
            raise BadMessage(400, "chunk lines or trailers without end", line)
        if not stop:
            self._rest = line
            return len(data)
        self._frame += len(line)
        self._judged(line)
        if self._sink.whole:
            self._end()
        elif not self._sink.trailing:
            self._open_chunk(line)
        return stop

    def _open_chunk(self, line: bytes) -> None:
        size = int(line.partition(b";")[0].strip(), 16)  # hexadecimal: the judge has said so
        self._left = size + 2 if size else 0
        self._sink.trailing = not size

    def _end(self) -> None:
        self._sink.events.append(END)
        self._sink.whole = self._sink.trailing = self._chunked = False
        self._left = self._frame = 0
        # Nothing after a request with `Connection: close` is a request (RFC 9112, 9.6).
        self._over = self._last

    def _judged(self, data: bytes) -> bool:
        """Have llhttp judge *data*; whether it took it for an upgrade, and skipped a body."""
        try:
            self._judge.feed_data(data)
        except HttpParserUpgrade:
            return True
        except HttpParserError as error:
            raise BadMessage(400, f"malformed: {error}", data) from error
        return False

    def _replace_judge(self, length: int) -> None:
        """Go on after a head that llhttp took for an upgrade, and nobody upgraded.

        It has skipped the body, which would then read as the next request: a new judge
        is told of a plain message with the same body. Source: RFC 9110, 7.8: the server may
        ignore Upgrade; `curl --http2 -d` sends exactly this.
        """
        self._judge = HttpRequestParser(self._sink)
        if length:
            coding = (
                b"Transfer-Encoding: chunked"
                if length == CHUNKED
                else b"Content-Length: %d" % length
            )
            self._sink.whole = False
            self._judge.feed_data(b"POST / HTTP/1.1\r\n" + coding + BLANK_LINE)


class _Sink:
    """What llhttp calls back. Apart from the parser, so that no cycle outlives a connection."""

    __slots__ = ("events", "trailing", "whole")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.whole = self.trailing = False

    def on_body(self, body: bytes) -> None:
        self.events.append(body)

    def on_message_complete(self) -> None:
        self.whole = True


def read_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """The method, target and version of a request line. Source: RFC 9112, 3."""
    parts = line.split(b" ")
    if len(parts) != 3:
        raise BadMessage(400, "a request line is a method, a target and a version", line)
    method, target, version = parts
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        # llhttp also takes RTSP and ICE for HTTP; those are no version of it.
        raise BadMessage(505 if _VERSION.fullmatch(version) else 400, "not HTTP/1.1", line)
    if method not in METHODS:
        raise BadMessage(501 if is_token(method) else 400, "an unknown method", line)
    return method, target, version


def read_fields(raw: bytes, method: bytes, target: bytes, version: bytes) -> Head:
    """The facts of a judged head that decide framing and routing; the other fields wait.

    A search in the lower-cased head costs a third of splitting a browser's 13 fields.
    """
    low = raw.lower()
    hosts = low.count(b"\r\nhost:")
    host = _value(raw, low, b"\r\nhost:") if hosts else b""
    # RFC 9112, 3.2: one and well-formed, or 400. HTTP/1.0 may leave it out.
    if hosts > 1 or (not hosts and version == b"HTTP/1.1") or (hosts and not is_host(host)):
        raise BadMessage(400, "Host must be there once, and be a host", host)
    connection = _value(raw, low, b"\r\nconnection:") if b"\r\nconnection:" in low else None
    length = _value(raw, low, b"\r\ncontent-length:") if b"\r\ncontent-length:" in low else None
    coding = (
        _value(raw, low, b"\r\ntransfer-encoding:") if b"\r\ntransfer-encoding:" in low else None
    )
    return Head(
        raw,
        method,
        target,
        version,
        host,
        request_length(version, length, coding),
        keeps_alive(version, connection),
        b"\r\nexpect:" in low and _expects(_value(raw, low, b"\r\nexpect:"), version),
        _value(raw, low, b"\r\nupgrade:") if b"\r\nupgrade:" in low else None,
    )


def _value(raw: bytes, low: bytes, name: bytes) -> bytes:
    """The value of a field, all its lines joined. *name* comes with its CRLF and colon.

    Source: RFC 9110, 5.3.
    """
    values, at = [], low.find(name)
    while at >= 0:
        start = at + len(name)
        stop = raw.find(b"\r\n", start)
        values.append(raw[start:stop].strip(b" \t"))
        at = low.find(name, stop)
    return values[0] if len(values) == 1 else b", ".join(values)


def _expects(field: bytes, version: bytes) -> bool:
    """Whether the client waits for 100 Continue. Source: RFC 9110, 10.1.1."""
    if field.lower() != b"100-continue":
        raise BadMessage(417, "an expectation we do not know", field)
    return version == b"HTTP/1.1"


def _past_empty_lines(data: bytes, at: int) -> int:
    """Servers pass over empty lines before a request. Source: RFC 9112, 2.2."""
    while data.startswith(b"\r\n", at):
        at += 2
    return at


def _is_unfinished(data: bytes, at: int, stop: int, limits: Limits) -> bool:
    """Whether a head that is not short and whole needs more bytes; raises when it has had enough.

    Asks in the order in which a whole head is judged, and of the bytes within the limits
    only, so that the verdict does not depend on how the bytes arrived.
    """
    end = data.find(b"\r\n", at, at + limits.line + 2)
    if end < 0:
        _check_beginning(data[at : at + limits.line])
        if len(data) - at >= limits.line + 2:
            raise BadMessage(414, "the request line is too long")
        return True
    read_line(data[at:end])
    fields = data[end : at + limits.head]
    if fields.count(b"\n") != fields.count(b"\r\n"):
        raise BadMessage(400, "a line feed alone ends no line", fields)
    if (stop == 3 and len(data) - at >= limits.head) or stop - at > limits.head:
        raise BadMessage(431, "the head is too large")
    return stop == 3


def _check_beginning(line: bytes) -> None:
    """Tell at once what will never be a request: TLS on a plain port, another greeting."""
    # A carriage return at the end may be half of a line's end.
    method = line.removesuffix(b"\r").partition(b" ")[0]
    if b"\n" in line or (line != b"\r" and not is_token(method)):
        raise BadMessage(400, "this is not HTTP", line)


_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_LIMITS = Limits()
