"""Requests from bytes. The only door to httptools.

Theory. llhttp (inside httptools) judges the grammar, and nobody else does. We decide how
much it is fed, so that we always know where a message begins and ends: a head is gathered
until its blank line and fed whole, a body by its length, a chunk line by line. From that
come, at no further cost:

* exact limits, counted before anything is parsed;
* the same events however the network cut the bytes;
* fields read from bytes already judged, and only when somebody asks for them; those that
  decide are read once, and known again while the client sends the same with each request;
* trailers that cannot overwrite a field: they are judged and dropped;
* an upgrade that is declined keeps its body: the parser that skipped it is replaced.

What llhttp is silent about (Host, versions, codings) is decided in `wire/head.py`; so is
whether the connection lives on, where llhttp would also listen to Proxy-Connection and to
trailers.
"""

from contextlib import suppress

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from weblayer.wire.errors import BadMessage
from weblayer.wire.events import END, Bad, Event, Facts, Head
from weblayer.wire.fields import is_token
from weblayer.wire.framing import CHUNKED
from weblayer.wire.head import read_facts, read_line, split_line

__all__ = ["Limits", "RequestParser"]

BLANK_LINE = b"\r\n\r\n"

# Which line of a chunked body comes next: a chunk's size, the end of its data, or a trailer.
NONE, SIZE, DATA_END, TRAILER = range(4)

CR = 13

# What stands behind a target is kept up to this size, to be known when it comes again; while a
# connection is idle, nothing is. A browser sends 700 bytes, and its cookies: 8 kB is what nginx and
# Apache take of them. To read 2 kB of 60 fields anew cost a third of an answer.
MOST_REMEMBERED = 8 * 1024

# Events made of one feed. 256 kB, which a loop may read at once, hold 10,000 heads or 40,000
# chunks, and each would be an object that waits for the answer before it.
MOST_EVENTS = 64


class Limits:
    """How much a head and the frame of a chunked body may grow. In bytes, save *fields*.

    Raises ValueError when a head could not hold the longest request line.
    """

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
        # Chunk lines and trailers without one byte of body between them, and empty lines
        # without a request.
        frame: int = 8 * 1024,
    ) -> None:
        if head < line:
            raise ValueError(f"head must be at least line, {line} bytes, not {head}")
        self.line, self.head, self.fields = line, head, fields
        self.chunk_line, self.frame = chunk_line, frame


class RequestParser:
    """One connection's requests, as events. Feed it bytes; it calls nobody.

    *has_more* says that bytes enough for another event may wait: feed it none to go on.
    After Bad, and after a request that asked for the connection to be closed, what is
    fed is ignored.
    """

    __slots__ = (
        "_behind",
        "_chunked",
        "_facts",
        "_frame",
        "_judge",
        "_last",
        "_left",
        "_limits",
        "_line",
        "_over",
        "_rest",
        "_searched",
        "has_more",
    )

    def __init__(self, limits: "Limits | None" = None) -> None:
        self._limits = limits or _LIMITS
        self._judge = _new_judge()
        self._behind: bytes | None = None  # what stood behind the last target, and what it says
        self._facts = _NO_FACTS
        self._rest = b""  # an unfinished head or line, or whatever there was no room for
        self.has_more = False
        self._searched = 0  # bytes of an unfinished head in which no blank line begins
        self._left = 0  # bytes that remain of a body, or of a chunk
        self._line = NONE  # which line of a chunked body comes next
        self._chunked = False  # between the head and the end of a chunked message
        self._frame = 0  # bytes of frame since the last message or byte of a body
        self._last = False  # the message being read is the last one
        self._over = False  # nothing more is read

    @property
    def waiting(self) -> int:
        """Bytes that were fed and are no events yet."""
        return len(self._rest)

    def stop(self) -> None:
        """Forget what waits, and ignore what comes."""
        self._rest, self.has_more, self._over = b"", False, True

    @property
    def is_idle(self) -> bool:
        """Whether no message has begun that has not ended."""
        return not (self._rest or self._left or self._chunked)

    def forget(self) -> None:
        """Keep nothing that can be made again, where `is_idle`: a third of what one holds."""
        self._judge, self._behind, self._facts = _SPENT, None, _NO_FACTS

    def feed(self, data: bytes) -> list[Event]:
        """Read on, to MOST_EVENTS. What is wrong is the last, after all messages before it."""
        if self._rest:
            data, self._rest, self.has_more = self._rest + data, b"", False
        events: list[Event] = []
        at, size = 0, len(data)
        try:
            while at < size and not self._over and len(events) < MOST_EVENTS:
                if self._left:
                    at = self._feed_body(data, at, events)
                elif self._chunked:
                    at = self._feed_line(data, at, events)
                else:
                    at = self._feed_head(data, at, events)
        except BadMessage as bad:
            self._over = True
            events.append(Bad(bad.status, str(bad)))
        if at < size and not self._over:
            self._rest, self.has_more = data[at:], True
        return events

    def _feed_head(self, data: bytes, at: int, events: list[Event]) -> int:
        if data[at] == CR and (at := self._past_empty_lines(data, at)) == len(data):
            return at
        # Most packets are one head, and most heads of a client are alike behind their targets:
        # then this one ends where that does. To search for its end costs as much as to judge it.
        line = None if at or len(data) > self._limits.line else split_line(data)
        is_known = line is not None and line[2] == self._behind
        raw, stop = data, len(data)
        if line is None or not is_known:
            stop = self._find_end(data, at)
            if not stop:
                return len(data)
            raw = data[at:stop]
            line = read_line(raw)
        self._searched = 0
        method, target, behind = line
        skipped = False
        try:  # a call of _judged costs what the judge does
            self._judge.feed_data(raw)
        except HttpParserUpgrade:
            skipped = True
        except HttpParserError:
            # llhttp takes the word of Proxy-Connection and of trailers for the end of a
            # connection, which we do not. (Its leniency for data after a close will not do: it
            # then passes over whatever comes, and judges nothing.)
            self._judge = _new_judge()
            skipped = self._judged(raw)
        facts = self._facts if is_known or behind == self._behind else self._learn(behind)
        events.append(Head(raw, method, target, facts))
        if skipped:
            self._replace_judge(facts.length)
        if not facts.length:  # it is whole by itself
            self._over, self._frame = not facts.keep_alive, 0
            return stop
        self._last = not facts.keep_alive
        if facts.length == CHUNKED:
            self._chunked, self._line = True, SIZE
        else:
            self._left = facts.length
        return stop

    def _find_end(self, data: bytes, at: int) -> int:
        """Where the head ends that begins *at*; 0 where that has not come, and then it is kept."""
        # From where the last search ended: a head that comes in a thousand packets is not
        # searched a thousand times.
        new = at + self._searched
        stop = data.find(BLANK_LINE, new) + 4
        # Short and whole is the rule; anything else is looked at the long way.
        if 3 < stop <= at + self._limits.line or not _is_unfinished(
            data, at, new, stop, self._limits
        ):
            return stop
        self._rest = data[at:]
        self._searched = max(len(self._rest) - 3, 0)
        return 0

    def _learn(self, behind: bytes) -> Facts:
        """Read what a judged head says *behind* its target; most often that comes again."""
        # Each line end is one, says the judge: the request's, the fields', an empty one's.
        if behind.count(b"\r\n") > self._limits.fields + 2:
            raise BadMessage(431, "too many fields")
        facts = read_facts(behind)
        if len(behind) <= MOST_REMEMBERED:
            self._behind, self._facts = behind, facts
        return facts

    def _past_empty_lines(self, data: bytes, at: int) -> int:
        """Servers pass over empty lines before a request. Source: RFC 9112, 2.2."""
        start = at
        while data.startswith(b"\r\n", at):
            at += 2
        self._frame += at - start
        if self._frame > self._limits.frame:
            raise BadMessage(400, "empty lines without end")
        return at

    def _feed_body(self, data: bytes, at: int, events: list[Event]) -> int:
        part = data[at : at + self._left]
        self._judged(part)
        events.append(part)
        self._left -= len(part)
        self._frame = 0
        if not self._left:
            if self._chunked:
                self._line = DATA_END
            else:
                self._end(events)
        return at + len(part)

    def _feed_line(self, data: bytes, at: int, events: list[Event]) -> int:
        """A line of a chunked body's frame: fed whole, so that we may read it too."""
        stop = data.find(b"\n", at) + 1
        line = data[at:stop] if stop else data[at:]
        if len(line) > self._limits.chunk_line or self._frame + len(line) > self._limits.frame:
            raise BadMessage(400, "chunk lines or trailers without end", line)
        if not stop:
            self._rest = line
            return len(data)
        self._frame += len(line)
        self._judged(line)
        if self._line == DATA_END:
            self._line = SIZE
        elif self._line == SIZE:
            self._left = int(line.partition(b";")[0].strip(), 16)  # as the judge has read it
            self._line = DATA_END if self._left else TRAILER
        elif line == b"\r\n":
            self._end(events)
        return stop

    def _end(self, events: list[Event]) -> None:
        events.append(END)
        self._chunked = False
        self._frame = 0
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
        self._judge = _new_judge()
        if length:
            coding = (
                b"Transfer-Encoding: chunked"
                if length == CHUNKED
                else b"Content-Length: %d" % length
            )
            self._judge.feed_data(b"POST / HTTP/1.1\r\n" + coding + BLANK_LINE)


def _new_judge() -> HttpRequestParser:
    # It calls nothing back: a call costs more than the look at the same bytes, and an object
    # that it calls would be in a cycle with us.
    return HttpRequestParser(object())


def _spent_judge() -> HttpRequestParser:
    judge = _new_judge()
    with suppress(HttpParserError):
        judge.feed_data(b"-")
    return judge


# It refuses whatever it is fed, and is then replaced by a new one.
_SPENT = _spent_judge()


def _is_unfinished(data: bytes, at: int, new: int, stop: int, limits: Limits) -> bool:
    """Whether a head that is not short and whole needs more bytes; raises when it has had enough.

    It begins *at*, and ends at *stop*, if it does; what stands before *new* was seen before.

    Asks in the order in which a whole head is judged, and of the bytes within the limits
    only, so that the verdict does not depend on how the bytes arrived.
    """
    end = data.find(b"\r\n", at, at + limits.line + 2)
    if end < 0:
        _check_beginning(data[at : at + limits.line])
        if len(data) - at >= limits.line + 2:
            raise BadMessage(414, "the request line is too long")
        return True
    read_line(data[at : end + 2])
    most = at + limits.head
    seen = most if stop == 3 else min(stop, most)  # what stands behind a head is not its own
    if data.count(b"\n", new, seen) != data.count(b"\r\n", max(new - 1, 0), seen):
        raise BadMessage(400, "a line feed alone ends no line", data[at:])
    if (stop == 3 and len(data) >= most) or stop > most:
        raise BadMessage(431, "the head is too large")
    return stop == 3


def _check_beginning(line: bytes) -> None:
    """Tell at once what will never be a request: TLS on a plain port, another greeting."""
    # A carriage return by itself may be half of an empty line.
    method = line.partition(b" ")[0]
    if b"\n" in line or (line != b"\r" and not is_token(method)):
        raise BadMessage(400, "this is not HTTP", line)


_LIMITS = Limits()
_NO_FACTS = Facts(b"HTTP/1.1")
