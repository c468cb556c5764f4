"""One request, and the response to it: what a resource is given to read and to write."""

from collections.abc import Sequence
from enum import Enum
from typing import Final, cast

from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IPullProducer, IPushProducer
from weblayer.web.errors import Error
from weblayer.web.policy import DEFAULT_POLICY
from weblayer.web.stream import Stream
from weblayer.web.validated import CACHED, Cached
from weblayer.web.visited import Visited
from weblayer.wire.events import Head
from weblayer.wire.fields import is_value, split_list
from weblayer.wire.framing import is_trailer
from weblayer.wire.freshness import kept_fields
from weblayer.wire.headers import Headers
from weblayer.wire.ranges import Span
from weblayer.wire.target import path_segments

__all__ = ["CACHED", "NOT_DONE_YET", "Cached", "NotDoneYet", "Request"]


class NotDoneYet(Enum):
    """What `render` gives when it will call `request.finish()` itself."""

    NOT_DONE_YET = "the answer comes later"


NOT_DONE_YET: Final = NotDoneYet.NOT_DONE_YET


class Request(Visited):
    """What came, and what goes back.

    Text is str (names, values, path, arguments), bodies are bytes. `prepath` holds the segments
    that the walk has passed and `postpath` those that remain, each decoded once. A program may
    put attributes of its own on a request.
    """

    __slots__ = ("_notify", "began", "finished", "lost", "sentLength")

    defaultContentType = "text/html"
    _reason: Failure | None = None  # why the client was lost
    _trailers: Sequence[tuple[bytes, bytes]] = ()
    _isShuttingDown = False
    _ending: "list[Deferred[None]] | None" = None  # told when the server shuts down

    def __init__(self, stream: Stream, head: Head) -> None:
        self._stream = stream
        self._head = head
        self.method = head.method.decode()
        self.policy = DEFAULT_POLICY
        self.prepath = []
        self.postpath = path_segments(head.path)
        self.code = 200
        self.began = self.finished = self.lost = False
        self.sentLength = 0
        self._headers = self._phrase = self._dressers = None
        self._notify: list[Deferred[None]] | None = None

    # What goes back

    def write(self, data: bytes) -> None:
        """Send some of the body, after the head; b"" sends that alone, if it has not been sent.

        Nothing happens once the client left. A large memoryview of what cannot be written to, as
        bytes or a file that is mapped for reading, goes out without being copied first.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}; encode text first")
        if self.lost:
            return
        if self.finished:
            raise RuntimeError("write() after finish(): the response is whole already")
        if not self.began:
            self._begin(None)
        if type(data) is not bytes:
            data = _steady(data)
        if self.method != "HEAD":
            self.sentLength += len(data)
        self._stream.send(data)

    def finish(self) -> None:
        """The response is whole. Nothing happens once the client left."""
        if self.lost:
            if self._body is not None:
                self._body.close()
            if not self.began:
                self._dress()
            return
        if self.finished:
            raise RuntimeError("finish() was called before: the response is whole already")
        if not self.began:
            # Nothing was written to a HEAD, which does not mean that its GET has no body.
            self._begin(None if self.method == "HEAD" else 0)
        self.finished = True
        self._stream.end(self._trailers)
        if self._notify is not None:
            self._tell(None)

    def sendEarlyHints(self) -> None:
        """Send the links that were added so far ahead of the answer, which takes its time.

        A browser loads them meanwhile (103 Early Hints, RFC 8297); the answer repeats them.
        Nothing happens without a link, once the answer has begun, and for a client of HTTP/1.0.
        """
        links = self.responseHeaders.getRawHeaders(b"link", [])
        if links and not (self.began or self.lost):
            self._stream.hint(links)

    def setTrailer(self, name: bytes | str, value: bytes | str) -> None:
        """Set a field that goes out behind the body, because it is not known before: a checksum.

        It is sent with a body that is written piece by piece, without a Content-Length, and to a
        client that says `TE: trailers`; to others it is not, so let it be of use and no need.
        Set before the first byte, it is announced in the head (Trailer).
        Raises ValueError for a field that is needed before the body (RFC 9110, 6.5.1), and for
        CR, LF and NUL.
        """
        fields = Headers()
        fields.setHeader(name, value)
        for pair in fields.pairs():
            if not is_trailer(pair[0]):
                raise ValueError(f"{name!r} must be known before the body: it can be no trailer")
            if b"trailers" in split_list(self.getHeader(b"te") or b""):
                self._trailers = [*self._trailers, pair]
                if not self.began:
                    self.responseHeaders.addRawHeader(b"Trailer", pair[0])

    def notifyFinish(self) -> "Deferred[None]":
        """Fires with None when the response is finished, or fails with why the client was lost.

        A failure that nobody handles is not logged: clients leave all the time. Asked afterwards,
        it gives one that has fired, or failed, already.
        """
        if self.finished:
            return succeed(None)
        if self._reason is not None:
            return fail(self._reason)
        told: Deferred[None] = Deferred()
        if self._notify is None:
            self._notify = []
        self._notify.append(told)
        return told

    def notifyShutdown(self) -> "Deferred[None]":
        """Fires with None when the server begins to shut down, or has begun to.

        For an answer that has no end of its own, which should come to one then: it is broken off
        when the seconds of the shutdown are over. Where the answer ends before, it never fires.
        """
        if self._isShuttingDown:
            return succeed(None)
        told: Deferred[None] = Deferred()
        if self._ending is None:
            self._ending = []
        self._ending.append(told)
        return told

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """Have *producer* write as fast as the client reads; see Transport.registerProducer.

        Raises RuntimeError when another is registered, or the response is finished.
        """
        if self.finished:
            raise RuntimeError("registerProducer() after finish(): the response is whole already")
        self._stream.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """The producer is done; `finish` still has to be called."""
        if not self.finished:  # the stream serves another request by now
            self._stream.unregisterProducer()

    def loseConnection(self) -> None:
        """Break off: the client sees that the response is not whole; finished, it stays so."""
        if not self.finished:
            self._stream.abort()

    # What the exchange does with us

    def _deliver(self, body: bytes, content_type: str) -> None:
        """Answer with a body that is known whole, in one write."""
        if self.began or self.lost:
            if not self.finished:
                self.write(body)
                self.finish()
            return
        if self._head.facts.conditional:
            body = self._chosen(body, content_type)
        fields, length = self._frame(len(body), content_type)
        self.began = self.finished = True
        if self.method != "HEAD":
            self.sentLength = len(body)
        self._stream.answer(self.code, self._phrase, fields, length, body)
        if self._notify is not None:
            self._tell(None)

    def _answer(self, fields: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Answer with what is ready, its *fields* as they are to go out; the shortest way there is.

        Gives whether it did: not where the client may want less than the whole, and not where
        something has been said of the answer already.
        """
        if self._headers is not None or self._dressers is not None or self._head.facts.conditional:
            return False
        if self.code != 200 or self._phrase is not None or self.began or self.lost:
            return False
        self.began = self.finished = True
        if self.method != "HEAD":
            self.sentLength = len(body)
        self._stream.answer(200, None, fields, len(body), body)
        if self._notify is not None:
            self._tell(None)
        return True

    def _chosen(self, body: bytes, content_type: str) -> bytes:
        """What of *body* is to be sent. Raises Error (412, 416)."""
        pieces = self._pieces(len(body), content_type)
        if pieces is None:
            return b"" if self.code == 304 else body
        return b"".join(body[p.start : p.stop] if isinstance(p, Span) else p for p in pieces)

    def _begin(self, length: int | None) -> None:
        if self._head.facts.conditional and length is None and self._headers is not None:
            self._slice()
        fields, length = self._frame(length, self.defaultContentType)
        self.began = True
        self._stream.begin(self.code, self._phrase, fields, length)

    def _slice(self) -> None:
        """Have what is about to be written in pieces judged as a body that is known whole.

        Where its length is known, that is, and where its parts can be cut out as it comes. A
        refusal (412, 416) would come too late for who writes from a timer: the whole is sent.
        """
        size = self.responseHeaders.getHeader(b"content-length")
        if size is None or not size.isdigit() or self.method != "GET":
            return
        from weblayer.web.slicing import Slicing, is_ascending  # few need it

        before = self.responseHeaders.copy()
        try:
            pieces = self._pieces(int(size), self.defaultContentType)
        except Error:
            pieces = None
        if pieces is None:
            return
        if not is_ascending(pieces):
            self.code, self._headers = 200, before
            return
        if pieces:
            length = sum(p.stop - p.start if isinstance(p, Span) else len(p) for p in pieces)
            self.setHeader(b"Content-Length", str(length))
        self._stream = cast(Stream, Slicing(self, self._stream, pieces, int(size)))

    def _frame(
        self, length: int | None, content_type: str
    ) -> tuple[list[tuple[bytes, bytes]], int | None]:
        """The fields of the response, and the length to announce, if any."""
        if self._dressers is not None:
            self._dress()
        untyped = length != 0 and self.code not in _BODILESS  # no body has no type
        if self._headers is None and untyped:
            return _TYPES.get(content_type) or [_typed(content_type)], length
        pairs = self.responseHeaders.pairs()
        if self.code == 304:
            length = None  # it would be that of the 200 (RFC 9110, 8.6), which we do not know
            pairs = kept_fields(pairs)
        fields, supplied = [], []
        for field in pairs:
            name = field[0].lower()
            if name in _FRAMING:
                length = self._heed(name, field[1], length)
                continue
            fields.append(field)
            if name == b"content-type":
                untyped = False
            elif name in _COMMON:
                supplied.append(name)
        if untyped:
            fields.append(_typed(content_type))
        if supplied:
            self._stream.supply(supplied)
        return fields, length

    def _heed(self, name: bytes, value: bytes, length: int | None) -> int | None:
        """What the program has set of the framing. Gives the length to announce."""
        if name == b"transfer-encoding":
            raise ValueError("do not set Transfer-Encoding: the connection does, where it is due")
        if name == b"content-length":
            if not value.isdigit():
                raise ValueError(f"Content-Length must be a number of bytes, not {value!r}")
            return int(value)
        if b"close" in split_list(value):
            self._stream.close_after()
        return length

    def _reset(self) -> None:
        """Forget the response as far as it was prepared, to answer something else."""
        self.code, self._phrase, self._headers = 200, None, None

    def _lose(self, reason: Failure) -> None:
        """The client is gone."""
        self.lost, self._reason = True, reason
        if self._notify is not None:
            self._tell(reason)

    def _tell_shutdown(self) -> None:
        self._isShuttingDown = True
        waiting, self._ending = self._ending or [], None
        for told in waiting:
            told.callback(None)

    def _tell(self, reason: Failure | None) -> None:
        waiting, self._notify = self._notify or [], None
        for told in waiting:
            if reason is None:
                told.callback(None)
            else:
                told.errback(reason)
                told.addErrback(_ignore)


# None has a body, so none has a type of one.
_BODILESS = frozenset({204, 205, 304})

# Fields that say where a message or its connection ends, which the stream writes itself.
_FRAMING = frozenset({b"connection", b"content-length", b"transfer-encoding"})

# Fields that every answer has, unless it says them itself.
_COMMON = frozenset({b"date", b"server"})

# The fields of an answer that set none itself, made once for the usual types.
_TYPES = {
    kind: [(b"Content-Type", kind.encode("ascii"))]
    for kind in ("text/html", "text/html; charset=utf-8", "application/json")
}


def _typed(kind: str) -> tuple[bytes, bytes]:
    """The field of a type that is a program's, which may have it from a stranger."""
    sent = kind.encode("latin-1")
    if not is_value(sent):
        raise ValueError(f"defaultContentType may hold no control characters: {kind!r}")
    return b"Content-Type", sent


def _steady(data: bytes) -> bytes:
    """What does not change until it is sent: a view of what cannot be written to, else a copy."""
    view = memoryview(data)
    if not view.readonly or not view.contiguous:
        return bytes(data)
    return view.cast("B")  # type: ignore[return-value]  # measured, joined and written alike


def _ignore(reason: Failure) -> None:
    """Nobody was interested."""
