"""What came: the reading half of a request."""

import io
import json
from collections.abc import AsyncIterator
from typing import IO, AnyStr

from weblayer.loop.address import Address
from weblayer.web.args import Args
from weblayer.web.errors import BadRequest
from weblayer.web.stream import Stream
from weblayer.wire.cookies import parse_cookies
from weblayer.wire.errors import BadMessage
from weblayer.wire.events import Head
from weblayer.wire.forms import parse_urlencoded
from weblayer.wire.headers import Headers
from weblayer.wire.target import path_segments

__all__ = ["Incoming"]

_FORM = b"application/x-www-form-urlencoded"


class Incoming:
    """The facts of a request, each read from the head when it is asked for.

    `Request` is this and the response. It inherits instead of holding, because one object
    fewer per request is worth it.
    """

    __slots__ = ("__dict__", "_head", "_stream", "method", "postpath", "prepath")

    # What few requests need is made when it is asked for, and then lives in the dict.
    _body: IO[bytes] | None = None  # whole
    _coming: AsyncIterator[bytes] | None = None  # still on its way
    _fields: Headers | None = None
    _args: Args | None = None
    _cookies: dict[str, str] | None = None

    def __init__(self, stream: Stream, head: Head) -> None:
        self._stream = stream
        self._head = head
        self.method = head.method.decode()
        self.prepath: list[str] = []
        self.postpath = path_segments(head.path)

    @property
    def uri(self) -> str:
        """The target as it was sent, query and all."""
        return self._head.target.decode("latin-1")

    @property
    def path(self) -> str:
        """The path as it was sent, not decoded, without the query."""
        return self._head.path.decode("latin-1")

    @property
    def query(self) -> str:
        """What stood behind the question mark, as it was sent."""
        return self._head.query.decode("latin-1")

    @property
    def clientproto(self) -> str:
        """The version the client speaks, for instance "HTTP/1.1"."""
        return self._head.version.decode("ascii")

    @property
    def requestHeaders(self) -> Headers:
        """The request's fields."""
        if self._fields is None:
            self._fields = Headers.fromPairs(self._head.fields())
        return self._fields

    def getHeader(self, name: AnyStr) -> AnyStr | None:
        """A field's value in the type of its name, None without one; many lines are joined.

        Source: RFC 9110, 5.3, and for Cookie, whose lines join with a semicolon, RFC 9113, 8.2.3.
        """
        values = self.requestHeaders.getRawHeaders(name)
        if values is None:
            return None
        if isinstance(name, bytes):
            return (b"; " if name.lower() == b"cookie" else b", ").join(values)
        return ("; " if name.lower() == "cookie" else ", ").join(values)

    def getAllHeaders(self) -> dict[str, str]:
        """Every field by its lower-case name, many lines of a name joined."""
        names = (name.lower() for name, _ in self.requestHeaders.getAllRawHeaders())
        return {name: self.getHeader(name) or "" for name in names}

    @property
    def args(self) -> Args:
        """The values of the query, then those of an urlencoded form, by name.

        Raises BadRequest for more fields than any honest form has.
        """
        if self._args is None:
            args = Args.fromPairs(_form(self._head.query))
            if self._body is not None and self._content_type() == _FORM:
                args.addPairs(_form(self._whole_body()))
            self._args = args
        return self._args

    @property
    def content(self) -> IO[bytes]:
        """The body as a file, at its beginning when the render starts; empty without one.

        Raises TypeError where the policy takes the body as a stream.
        """
        if self._coming is not None:
            raise TypeError('the policy takesBody="stream": use request.stream(), not content')
        if self._body is None:
            self._body = io.BytesIO()
        return self._body

    def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes, with backpressure to the client; a spooled one in pieces.

        Raises ContentTooLarge, from the iteration, when it grows over the policy's maxBody.
        """
        return self._coming or _pieces(self.content)

    def json(self) -> object:
        """The body read as JSON. Raises BadRequest when it is none."""
        try:
            return json.loads(self._whole_body())
        except (ValueError, RecursionError):
            raise BadRequest("The body is not JSON.") from None

    @property
    def receivedCookies(self) -> dict[str, str]:
        """The cookies sent, by name; of several with one name the first (the closest path)."""
        if self._cookies is None:
            pairs = parse_cookies(self.getHeader(b"cookie") or b"")
            self._cookies = {_utf8(name): _utf8(value) for name, value in reversed(pairs)}
        return self._cookies

    def getCookie(self, key: AnyStr) -> AnyStr | None:
        """A cookie's value in the type of its name; None when it was not sent."""
        if isinstance(key, bytes):
            value = self.receivedCookies.get(_utf8(key))
            return None if value is None else value.encode("utf-8", "surrogateescape")
        return self.receivedCookies.get(key)

    def getClientAddress(self) -> Address:
        """Who asked: an IPv4Address, an IPv6Address or a UNIXAddress."""
        return self._stream.getPeer()

    def getHost(self) -> Address:
        """The address of ours that was asked."""
        return self._stream.getHost()

    def isSecure(self) -> bool:
        """Whether the connection is encrypted."""
        return self._stream.isSecure()

    def getRequestHostname(self) -> str:
        """The host's name without its port: of an absolute target, else of Host."""
        host = self._head.host.decode("latin-1")
        return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]

    def _content_type(self) -> bytes:
        return (self.getHeader(b"content-type") or b"").partition(b";")[0].strip().lower()

    def _whole_body(self) -> bytes:
        """All of a spooled body, the file left where it stood."""
        content, place = self.content, self.content.tell()
        content.seek(0)
        try:
            return content.read()
        finally:
            content.seek(place)


async def _pieces(content: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := content.read(_PIECE):
        yield piece


# 64 KiB: what the transport takes before it asks a producer to pause.
_PIECE = 64 * 1024


def _form(data: bytes) -> list[tuple[bytes, bytes]]:
    try:
        return parse_urlencoded(data)
    except BadMessage as error:
        raise BadRequest(f"This has {error.rule}.") from error


def _utf8(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
