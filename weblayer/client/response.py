"""What a server answered, and reading its body."""

from collections import deque
from collections.abc import Callable
from io import BytesIO
from typing import Any, Self

from weblayer.client.body import Body, Kept
from weblayer.client.error import (
    BadStatus,
    BodyTooLarge,
    PotentialDataLoss,
    ResponseDone,
    ResponseFailed,
)
from weblayer.client.uri import URI
from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IProtocol, Protocol
from weblayer.wire.answer import AnswerHead
from weblayer.wire.headers import Headers

__all__ = [
    "UNKNOWN_LENGTH", "Chunks", "ClientRequest", "Coming", "Readable", "Response", "Wrapping",
    "madeResponse", "readBody",
]  # fmt: skip

UNKNOWN_LENGTH = None
"""The `length` of a body of which nobody can say how long it is."""

# What is read into memory unless the caller names another limit: more than any page or answer of
# an API, and not so much that a server can end our program with it.
MOST_READ = 64 * 1024 * 1024

# What is reserved for a body by its announced length alone: a server's word costs it nothing.
MOST_RESERVED = 1024 * 1024

# What a chunk-wise reader is kept ahead, before the connection is not read any more.
MOST_AHEAD = 64 * 1024


class ClientRequest:
    """What was asked: `Response.request`. Those who asked the same may have the same."""

    __slots__ = ("_headers", "method", "uri")

    def __init__(self, method: str, uri: URI, headers: Headers | None) -> None:
        self.method = method
        self.uri = uri
        self._headers = headers

    @property
    def absoluteURI(self) -> str:
        """The URI as text."""
        return self.uri.toText()

    @property
    def headers(self) -> Headers:
        """The fields that the caller gave."""
        return Headers() if self._headers is None else self._headers

    def __repr__(self) -> str:
        return f"<ClientRequest {self.method} {self.absoluteURI}>"


class Readable:
    """The ways to read a body, all by `deliverBody`: what wraps a response overrides that one."""

    __slots__ = ("_content", "code", "previousResponse", "request")

    def __init__(self, request: ClientRequest, code: int) -> None:
        self.request = request
        self.code = code
        self.previousResponse: Readable | None = None
        self._content: bytes | None = None

    @property
    def phrase(self) -> str:
        """What the server said beside the code; may be empty."""
        raise NotImplementedError

    @property
    def headers(self) -> Headers:
        """The fields, as they came; yours to change."""
        raise NotImplementedError

    @property
    def length(self) -> int | None:
        """The body's bytes as announced; None (UNKNOWN_LENGTH) where nobody can say."""
        raise NotImplementedError

    def deliverBody(self, protocol: IProtocol) -> None:
        """Give the body to *protocol*, once: dataReceived as it comes, then connectionLost.

        Its reason is ResponseDone; PotentialDataLoss where a body without a length ended with
        the connection; ResponseFailed, or a RequestTimeout, where it broke off. The protocol's
        `transport` can pauseProducing, resumeProducing, and abortConnection to want no more.
        """
        raise NotImplementedError

    def discard(self) -> None:
        """Want no more of a body that nobody reads: its connection is free again, or ends."""
        raise NotImplementedError

    def setPreviousResponse(self, response: "Readable") -> None:
        """Say which response led to this one: a redirect, a challenge."""
        self.previousResponse = response

    def raiseForStatus(self) -> Self:
        """Itself, when its code is below 400. Raises BadStatus."""
        if self.code >= 400:
            raise BadStatus(self)
        return self

    def _whole(self) -> bytes | None:
        """All of the body where it is here already and unread: nobody needs to wait for it."""
        return None

    async def content(self, maxSize: int = MOST_READ) -> bytes:
        """All of the body; asked again, the same again.

        Raises BodyTooLarge for more than *maxSize* bytes, ResponseFailed, RequestTimeout.
        """
        if self._content is None:
            whole = self._whole()
            self._content = await readBody(self, maxSize) if whole is None else whole
        if len(self._content) > maxSize:
            raise BodyTooLarge(maxSize)
        return self._content

    async def text(self, encoding: str | None = None, maxSize: int = MOST_READ) -> str:
        """All of the body as text, by *encoding*, else by the charset it came with, else UTF-8.

        What cannot be decoded is replaced by U+FFFD. Raises as content.
        """
        data = await self.content(maxSize)
        try:
            return data.decode(encoding or self._charset() or "utf-8", "replace")
        except LookupError:
            return data.decode("utf-8", "replace")  # a charset that nobody knows

    async def json(self, maxSize: int = MOST_READ) -> Any:  # Any: as json.loads
        """What the body says in JSON. Raises ValueError where it says none, and as content."""
        import json

        return json.loads(await self.content(maxSize))

    def __aiter__(self) -> "Chunks":
        """The body piece by piece, as it comes, no faster than it is taken."""
        return Chunks(self)

    def _charset(self) -> str | None:
        _, *parameters = (self.headers.getHeader("content-type") or "").split(";")
        pairs = (one.partition("=") for one in parameters)
        found = {name.strip().lower(): value.strip(' \t"') for name, _, value in pairs}
        return found.get("charset")


class Response(Readable):
    """What a server answered; its body comes after it, when it is read.

    *length* is the body's in bytes, None (UNKNOWN_LENGTH) where nobody can say. A response that is
    dropped without its body being read gives its connection back, or closes it.
    """

    __slots__ = ("_body", "_head", "_headers", "_length")

    def __init__(
        self, request: ClientRequest, head: AnswerHead, body: Body | Kept, length: int | None
    ) -> None:
        Readable.__init__(self, request, head.code)  # less than super(), and made for each answer
        self._length = length
        self._head, self._body = head, body
        self._headers: Headers | None = None

    @property
    def version(self) -> tuple[str, int, int]:
        """("HTTP", 1, 1), or with 0 at its end."""
        return "HTTP", 1, self._head.version[7] - ord("0")

    @property
    def phrase(self) -> str:
        return self._head.phrase.decode("latin-1")

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = self._head.headers()
        return self._headers

    @property
    def length(self) -> int | None:
        return self._length

    def deliverBody(self, protocol: IProtocol) -> None:
        self._body.deliver(protocol)

    def discard(self) -> None:
        self._body.drop()

    def _whole(self) -> bytes | None:
        return self._body.take()

    def __repr__(self) -> str:
        return f"<Response {self.code} {self.phrase}>"


class Coming(Response):
    """A response whose body has yet to come: *drop* is told when nobody will read it.

    Most bodies come with their heads; those have nobody called when the last of them goes.
    """

    __slots__ = ("_awaited", "_drop")

    def __init__(
        self, request: ClientRequest, head: AnswerHead, body: Body, drop: Callable[[Body], object]
    ) -> None:
        super().__init__(request, head, body, body.left)
        self._awaited, self._drop = body, drop

    def __del__(self) -> None:
        if self._awaited.reason is None and not self._awaited.is_claimed:
            self._drop(self._awaited)


class Wrapping(Readable):
    """A response before another one, with all that it has; what differs is overridden."""

    __slots__ = ("_response",)

    def __init__(self, response: Response) -> None:
        super().__init__(response.request, response.code)
        self._response = response
        self.previousResponse = response.previousResponse

    @property
    def version(self) -> tuple[str, int, int]:
        """As Response's."""
        return self._response.version

    @property
    def phrase(self) -> str:
        return self._response.phrase

    @property
    def headers(self) -> Headers:
        return self._response.headers

    @property
    def length(self) -> int | None:
        return self._response.length

    def deliverBody(self, protocol: IProtocol) -> None:
        self._response.deliverBody(protocol)

    def discard(self) -> None:
        self._response.discard()

    def __repr__(self) -> str:
        return repr(self._response)


def madeResponse(request: ClientRequest, raw: bytes, code: int, body: bytes) -> Response:
    """A response that nobody has sent just now; *raw* is its head, as AnswerHead has it."""
    data = b"" if request.method == "HEAD" else body
    return Response(request, AnswerHead(raw, code, len(body), True), Kept(data), len(data))


def readBody(response: Readable, maxSize: int = MOST_READ) -> Deferred[bytes]:
    """All of the body of *response*; cancelling it ends the connection.

    A body that ended with its connection is taken for whole: there is nothing that could tell.
    Fails with BodyTooLarge for more than *maxSize* bytes, ResponseFailed, RequestTimeout.
    """
    whole = response._whole()
    if whole is None:
        reader = _Collector(response, maxSize)
        response.deliverBody(reader)
        return reader.done
    return succeed(whole) if len(whole) <= maxSize else fail(BodyTooLarge(maxSize))


class _Collector(Protocol):
    """Reads a body into memory."""

    def __init__(self, response: Readable, most: int) -> None:
        self._response: Readable | None = response
        self._most = most
        self._read = _reserved(min(response.length or 0, MOST_RESERVED))
        self.done: Deferred[bytes] = Deferred(self._give_up)

    def dataReceived(self, data: bytes) -> None:
        self._read.write(data)
        if self._read.tell() > self._most and not self.done.called:
            self._read = BytesIO()
            self.done.errback(BodyTooLarge(self._most))
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure) -> None:
        response, self._response = self._response, None
        if self.done.called:
            return
        if _is_good(reason):
            self._read.truncate()
            self.done.callback(self._read.getvalue())
        else:
            self.done.errback(_told_of(reason, response))

    def _give_up(self, _: object) -> None:
        self.transport.abortConnection()


class Chunks:
    """The body of a response, piece by piece: what `async for` goes through.

    When it is dropped before the end, so is the rest of the body, and the connection with it.
    """

    def __init__(self, response: Readable) -> None:
        self._response = response
        self._reader: _Ahead | None = None

    def __aiter__(self) -> "Chunks":
        return self

    async def __anext__(self) -> bytes:
        """The next piece. Raises ResponseFailed, RequestTimeout."""
        if self._reader is None:
            self._reader = _Ahead()
            self._response.deliverBody(self._reader)
        while not self._reader.pieces:
            if self._reader.reason is None:
                await self._reader.wait()
            elif _is_good(self._reader.reason):
                raise StopAsyncIteration
            else:
                _told_of(self._reader.reason, self._response).raiseException()
        return self._reader.take()

    def __del__(self) -> None:
        if self._reader is not None and self._reader.reason is None:
            self._reader.transport.abortConnection()


class _Ahead(Protocol):
    """Reads a body a little ahead of who takes it."""

    def __init__(self) -> None:
        self.pieces: deque[bytes] = deque()
        self.reason: Failure | None = None
        self._size = 0
        self._waiting: Deferred[None] | None = None

    def wait(self) -> Deferred[None]:
        """Fires when there is a piece, or the end."""
        self._waiting = Deferred()
        return self._waiting

    def take(self) -> bytes:
        """The next piece, which must be there."""
        piece = self.pieces.popleft()
        self._size -= len(piece)
        if not self.pieces:
            self.transport.resumeProducing()
        return piece

    def dataReceived(self, data: bytes) -> None:
        self.pieces.append(data)
        self._size += len(data)
        if self._size > MOST_AHEAD:
            self.transport.pauseProducing()
        self._wake()

    def connectionLost(self, reason: Failure) -> None:
        self.reason = reason
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.callback(None)


def _reserved(size: int) -> BytesIO:
    """A file in memory with room for *size* bytes: to read a body into, piece by piece.

    Pieces that are joined at the end are twice the memory at once, which the C library gives back
    and takes anew for each body, page by page: that costs more than all else that is done to a
    megabyte.
    """
    file = BytesIO()
    if size:
        file.seek(size - 1)
        file.write(b"\0")
        file.seek(0)
    return file


def _is_good(reason: Failure) -> bool:
    """Whether a body that ended for *reason* is whole, as far as anybody can know."""
    return reason.check(ResponseDone, PotentialDataLoss) is not None


def _told_of(reason: Failure, response: "Readable | None") -> Failure:
    """The *reason* with the response that it broke off."""
    if isinstance(reason.value, ResponseFailed):
        reason.value.response = response
    return reason
