"""One request, and the response to it: what a resource is given to read and to write."""

from datetime import datetime
from enum import Enum
from typing import Any, Final

from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IPullProducer, IPushProducer
from weblayer.web.incoming import Incoming
from weblayer.web.setcookie import set_cookie
from weblayer.web.stream import Stream
from weblayer.wire.dates import format_date
from weblayer.wire.events import Head
from weblayer.wire.fields import is_value, split_list
from weblayer.wire.freshness import is_unmodified
from weblayer.wire.headers import Headers

__all__ = ["CACHED", "NOT_DONE_YET", "Cached", "NotDoneYet", "Request"]


class NotDoneYet(Enum):
    """What `render` gives when it will call `request.finish()` itself."""

    NOT_DONE_YET = "the answer comes later"


class Cached(Enum):
    """What `setLastModified` gives when the client has this already: answer with an empty body."""

    CACHED = "the client's copy is still good"


NOT_DONE_YET: Final = NotDoneYet.NOT_DONE_YET
CACHED: Final = Cached.CACHED

Text = str | bytes


class Request(Incoming):
    """What came, and what goes back.

    Text is str (names, values, path, arguments), bodies are bytes. `prepath` holds the segments
    that the walk has passed and `postpath` those that remain, each decoded once. A program may
    put attributes of its own on a request.
    """

    __slots__ = ("began", "finished", "sentLength", "site")

    defaultContentType = "text/html"
    site: Any  # the site that serves us; Any, since a program's own site has attributes of its own
    # What most responses leave as it is here costs them nothing; the rest is set on the request.
    code = 200
    lost = False
    _headers: Headers | None = None
    _phrase: bytes | None = None
    _notify: list[Deferred[None]] | None = None
    _reason: Failure | None = None  # why the client was lost

    def __init__(self, stream: Stream, head: Head) -> None:
        Incoming.__init__(self, stream, head)  # super() costs a tenth of a microsecond
        self.began = self.finished = False
        self.sentLength = 0

    # What goes back

    @property
    def responseHeaders(self) -> Headers:
        """The response's fields; changes after the first byte come too late."""
        if self._headers is None:
            self._headers = Headers()
        return self._headers

    def setHeader(self, name: Text, value: Text) -> None:
        """Set a field of the response, replacing what it had. Raises ValueError for CR, LF, NUL."""
        self.responseHeaders.setHeader(name, value)

    def hasResponseHeader(self, name: Text) -> bool:
        """Whether the response has this field yet."""
        return self._headers is not None and self._headers.hasHeader(name)

    def setResponseCode(self, code: int, message: Text | None = None) -> None:
        """Answer with *code*, and *message* in place of its registered phrase."""
        if isinstance(code, bool) or not isinstance(code, int) or not 200 <= code <= 599:
            raise ValueError(f"code must be a final status code, 200 to 599, not {code!r}")
        phrase = message.encode("latin-1") if isinstance(message, str) else message
        if phrase is not None and not is_value(phrase):
            raise ValueError(f"message may hold no control characters: {message!r}")
        self.code, self._phrase = int(code), phrase

    @property
    def phrase(self) -> str | None:
        """What stands in place of the code's registered phrase, if anything."""
        return None if self._phrase is None else self._phrase.decode("latin-1")

    def addCookie(
        self,
        name: Text,
        value: Text,
        expires: datetime | Text | None = None,
        domain: Text | None = None,
        path: Text | None = "/",
        maxAge: int | None = None,
        secure: bool | None = None,
        httpOnly: bool = True,
        sameSite: Text | None = "Lax",
    ) -> None:
        """Have the browser keep a cookie, for *maxAge* seconds, or until it is closed.

        The defaults are the safe ones: out of reach of scripts, not sent from other sites, and
        *secure* (never sent in the clear) when this request came encrypted.
        Raises ValueError for a name or value that would not come back as it was set.
        """
        cookie = set_cookie(
            name, value, expires=expires, domain=domain, path=path, max_age=maxAge,
            secure=self.isSecure() if secure is None else secure, http_only=httpOnly,
            same_site=sameSite,
        )  # fmt: skip
        self.responseHeaders.addRawHeader(b"Set-Cookie", cookie)

    def redirect(self, url: Text) -> None:
        """Answer 302 and *url*; give an empty body, or the page of `redirectTo`."""
        self.setHeader(b"Location", url)
        self.setResponseCode(302)

    def setLastModified(self, when: float) -> Cached | None:
        """Say when this was last changed, in seconds since 1970; CACHED when the client has it.

        When CACHED is given the code is 304 and the body should be empty.
        Source: RFC 9110, 8.8.2 (never in the future is the caller's to see) and 13.1.3.
        """
        self.setHeader(b"Last-Modified", format_date(when))
        # If-None-Match, where it is sent, is asked instead (RFC 9110, 13.1.3).
        since = None if self.getHeader(b"if-none-match") else self.getHeader(b"if-modified-since")
        if self.method in ("GET", "HEAD") and is_unmodified(since, int(when)):
            self.setResponseCode(304)
            return CACHED
        return None

    def write(self, data: bytes) -> None:
        """Send some of the body, after the head. Nothing happens once the client left."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}; encode text first")
        if self.finished:
            raise RuntimeError("write() after finish(): the response is whole already")
        if self.lost:
            return
        if not self.began:
            self._begin(None)
        if data:
            if self.method != "HEAD":
                self.sentLength += len(data)
            self._stream.send(bytes(data))

    def finish(self) -> None:
        """The response is whole. Nothing happens once the client left."""
        if self.finished:
            raise RuntimeError("finish() was called before: the response is whole already")
        if self.lost:
            if self._body is not None:
                self._body.close()
            return
        if not self.began:
            # Nothing was written to a HEAD, which does not mean that its GET has no body.
            self._begin(None if self.method == "HEAD" else 0)
        self.finished = True
        self._stream.end()
        if self._notify is not None:
            self._tell(None)

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
        if self.finished or self.lost:
            return
        if self.began:
            self.write(body)
            self.finish()
            return
        fields, length = self._frame(len(body), content_type)
        self.began = self.finished = True
        if self.method != "HEAD":
            self.sentLength = len(body)
        self._stream.answer(self.code, self._phrase, fields, length, body)
        if self._notify is not None:
            self._tell(None)

    def _begin(self, length: int | None) -> None:
        fields, length = self._frame(length, self.defaultContentType)
        self.began = True
        self._stream.begin(self.code, self._phrase, fields, length)

    def _frame(
        self, length: int | None, content_type: str
    ) -> tuple[list[tuple[bytes, bytes]], int | None]:
        """The fields of the response, and the length to announce, if any."""
        untyped = self.code not in _BODILESS
        if self._headers is None and untyped:
            own = _TYPES.get(content_type)
            return own or [(b"Content-Type", content_type.encode("latin-1"))], length
        if self.code == 304:
            length = None  # it would be that of the 200 (RFC 9110, 8.6), which we do not know
        fields = []
        for field in self.responseHeaders.pairs():
            name = field[0].lower()
            if name in _FRAMING:
                length = self._heed(name, field[1], length)
            else:
                fields.append(field)
                untyped = untyped and name != b"content-type"
        if untyped:
            fields.append((b"Content-Type", content_type.encode("latin-1")))
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

    def _tell(self, reason: Failure | None) -> None:
        waiting, self._notify = self._notify or [], None
        for told in waiting:
            if reason is None:
                told.callback(None)
            else:
                told.errback(reason)
                told.addErrback(_ignore)


# Neither has a body, so neither has a type of one.
_BODILESS = frozenset({204, 304})

# Fields that say where a message or its connection ends, which the stream writes itself.
_FRAMING = frozenset({b"connection", b"content-length", b"transfer-encoding"})

# The fields of an answer that set none itself, made once for the usual types.
_TYPES = {
    kind: [(b"Content-Type", kind.encode("ascii"))]
    for kind in ("text/html", "text/html; charset=utf-8", "application/json")
}


def _ignore(reason: Failure) -> None:
    """Nobody was interested."""
