"""Answers compressed on their way out, where the policy asks for it.

Theory. What compresses stands between a request and its stream, and looks like the stream to it:
whole bodies and what is written piece by piece come by here, whatever the render gave. An answer
has two faces then, and both say so (Vary); a strong ETag becomes weak, because it names one body
and there are several (RFC 9110, 8.8.1). Weak tags still find the client's copy (304), and never
lead to parts of one body being put to those of another.

A part (206) is never compressed: its bytes are counted in the body as it lies here.
"""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, cast

from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.stream import Stream
from weblayer.wire.cachecontrol import parse_cache_control
from weblayer.wire.coders import Coder, coders, pack
from weblayer.wire.coding import IDENTITY, choose_coding
from weblayer.wire.fields import varied

__all__ = ["compress", "is_listed"]

Pairs = list[tuple[bytes, bytes]]

# 64 KiB: a larger body is compressed in such pieces, as fast as the client reads and with a turn
# of the loop between them, so that nobody else waits for more than a millisecond or two.
PIECE = 64 * 1024

# Where one of these is set, the bytes are as they must be: coded already, a part, or signed, which
# is also what most trailers are for.
_FIXED = frozenset(
    {b"content-encoding", b"content-range", b"content-digest", b"repr-digest", b"trailer"}
)


def compress(request: Request) -> None:
    """Have the answer to *request*, which has not begun, compressed as its policy says.

    *sentLength* counts what goes out.
    """
    # cast: all that it does not have itself is the stream's.
    request._stream = cast(Stream, _Compression(request, request._stream))


class _Compression:
    """The stream of a request, which compresses what it can."""

    __slots__ = ("_coder", "_left", "_request", "_under")

    def __init__(self, request: Request, under: Stream) -> None:
        self._request, self._under = request, under
        self._coder: Coder | None = None
        self._left: int | None = None  # bytes that the program has announced and not written

    # Any: whatever a stream has.
    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)

    def begin(
        self,
        code: int,
        phrase: bytes | None,
        fields: Iterable[tuple[bytes, bytes]],
        length: int | None,
    ) -> None:
        """Decide whether to compress; what is written tells the length then."""
        fields, coding = _decide(self._request, code, list(fields), length)
        if coding is not None:
            self._coder, self._left, length = coders()[coding](), length, None
        self._under.begin(code, phrase, fields, length)

    def send(self, data: bytes) -> None:
        """Send some of the body; the client can read all of it at once."""
        if self._coder is None or not data or self._request.method == "HEAD":
            self._under.send(data)
            return
        if self._left is not None:
            self._left -= len(data)
        coded = self._coder.feed(data) + self._coder.flush()
        self._request.sentLength += len(coded) - len(data)
        self._under.send(coded)

    def send_file(
        self, file: int, start: int, stop: int, done: Callable[[Exception | None], object]
    ) -> bool:
        """What is compressed has to come by here."""
        return self._coder is None and self._under.send_file(file, start, stop, done)

    def end(self, trailers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """The answer is whole, if the program has kept its word on the length."""
        if self._coder is not None and self._request.method != "HEAD":
            if self._left:
                self._under.abort()
                raise ValueError(f"the body is {self._left} bytes off what Content-Length says")
            rest = self._coder.end()
            self._request.sentLength += len(rest)
            self._under.send(rest)
        self._under.end(trailers)

    def answer(
        self,
        code: int,
        phrase: bytes | None,
        fields: Iterable[tuple[bytes, bytes]],
        length: int | None,
        body: bytes,
    ) -> None:
        """Answer with a body that is known whole: at once, or piece by piece where it is large."""
        fields, coding = _decide(self._request, code, list(fields), length)
        if coding is not None and self._request.method == "HEAD":
            self._under.answer(code, phrase, fields, None, b"")  # nobody knows without the work
        elif coding is None or length != len(body):  # the stream will not have the second
            self._under.answer(code, phrase, fields, length, body)
        elif len(body) > PIECE:
            self._coder, self._request.sentLength = coders()[coding](), 0
            self._under.begin(code, phrase, fields, None)
            self._under.registerProducer(_Large(self._request, self, body), False)
        else:
            body = pack(coding, body)
            self._request.sentLength = len(body)
            self._under.answer(code, phrase, fields, len(body), body)


class _Large:
    """Writes a large body, a piece each time that the client has room for it."""

    __slots__ = ("_at", "_body", "_request", "_stream")

    def __init__(self, request: Request, stream: _Compression, body: bytes) -> None:
        self._request, self._stream, self._body, self._at = request, stream, body, 0

    def resumeProducing(self) -> None:
        """Write a piece; after the last one the answer is whole."""
        piece = self._body[self._at : self._at + PIECE]
        self._at += PIECE
        self._request.sentLength += len(piece)
        self._stream.send(piece)
        if self._at >= len(self._body):
            self._stream.unregisterProducer()
            self._stream.end()

    def stopProducing(self) -> None:
        """The client is gone."""
        self._body = b""


def _decide(
    request: Request, code: int, fields: Pairs, length: int | None
) -> tuple[Pairs, bytes | None]:
    """The fields as they are to be sent, and the coding to send the body in, if any."""
    policy, named = request.policy, {name.lower(): value for name, value in fields}
    accept = request.getHeader(b"accept-encoding")
    coding = choose_coding(tuple(coders()), accept)  # refusing even none at all gets that
    if coding == IDENTITY:
        coding = None
    if code in (206, 304):  # they say what the 200 would (RFC 9110, 15.3.7 and 15.4.5)
        fields = _varied(fields)
        return (_weakened(fields) if coding and code == 304 else fields), None
    if not _is_fit(policy, named) or (length is not None and length < (policy.compressFrom or 0)):
        return fields, None
    fields = _varied(fields)
    if coding is None:
        return fields, None
    kept = [(name, value) for name, value in fields if name.lower() != b"accept-ranges"]
    return [*_weakened(kept), (b"Content-Encoding", coding)], coding


def _is_fit(policy: Policy, named: dict[bytes, bytes]) -> bool:
    """Whether such an answer is compressed for those who accept it."""
    if not _FIXED.isdisjoint(named) or b"content-type" not in named:
        return False
    if b"no-transform" in parse_cache_control(named.get(b"cache-control", b"")):
        return False
    return is_listed(named[b"content-type"], policy.compressTypes or ())


@lru_cache(maxsize=256)  # a site has a handful of types
def is_listed(content_type: bytes, patterns: tuple[str, ...]) -> bool:
    """Whether a content type, parameters and all, matches one of *patterns*."""
    kind = content_type.partition(b";")[0].strip(b" \t").lower().decode("latin-1")
    return any(fnmatchcase(kind, pattern) for pattern in patterns)


def _varied(fields: Pairs) -> Pairs:
    """With Accept-Encoding in Vary, once."""
    before = b", ".join(value for name, value in fields if name.lower() == b"vary")
    others = [(name, value) for name, value in fields if name.lower() != b"vary"]
    return [*others, (b"Vary", varied(before, b"Accept-Encoding"))]


def _weakened(fields: Pairs) -> Pairs:
    """With a weak ETag in place of a strong one."""
    return [
        (name, b"W/" + value if name.lower() == b"etag" and value[:1] == b'"' else value)
        for name, value in fields
    ]
