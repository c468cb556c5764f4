"""What goes back, as far as a program says it: the code, the fields, the cookies."""

from collections.abc import Callable, Mapping
from functools import cache
from os import urandom
from typing import TYPE_CHECKING, Any

from weblayer.web.embodied import Embodied
from weblayer.wire.fields import is_value, varied
from weblayer.wire.headers import Headers

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Headed"]

Text = str | bytes


class Headed(Embodied):
    """A request, and the head of its response, which may be changed until the first byte is sent.

    No field, cookie, address or phrase can hold CR, LF or NUL: setting one is a ValueError, for
    it would be another field, or another response.
    """

    __slots__ = ("_dressers", "_headers", "_phrase", "code")

    # Set by Request's own __init__.
    code: int
    _headers: Headers | None
    _phrase: bytes | None
    # See beforeAnswer; few have any. Any: what is called is given a Request, a later module.
    _dressers: list[Callable[[Any], object]] | None
    _nonce: str | None = None
    _shield: Any = None  # the SecurityHeaders, a later module, that the walk has met last

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

    @property
    def cspNonce(self) -> str:
        """What lets a script of this page run, and no other: `<script nonce="{{ ... }}">`.

        128 random bits, made when it is asked for, and then said in the Content-Security-Policy of
        `SecurityHeaders`: ask before the first byte is sent. Without that it means nothing.
        """
        if self._nonce is None:
            self._nonce = urandom(16).hex()
        return self._nonce

    def setResponseCode(self, code: int, message: Text | None = None) -> None:
        """Answer with *code*, and *message* in place of its registered phrase."""
        if isinstance(code, bool) or not isinstance(code, int) or not 200 <= code <= 599:
            raise ValueError(f"code must be a final status code, 200 to 599, not {code!r}")
        phrase = message.encode("latin-1") if isinstance(message, str) else message
        if phrase is not None and not is_value(phrase):
            raise ValueError(f"message may hold no control characters: {message!r}")
        self.code, self._phrase = int(code), phrase

    def beforeAnswer(self, call: Callable[[Any], object]) -> None:
        """Have *call* called with this request just before the head of its answer goes out.

        Whatever the answer is, an error's page too: its code is known, and fields and cookies may
        still be set. Who asked first is called first. Where an answer cannot be sent, and becomes
        an error's page, all are called again, save one that was what failed. Where the client has
        left, they are called though nothing goes out: what has changed may have to be kept.
        """
        if self._dressers is None:
            self._dressers = []
        self._dressers.append(call)

    def _dress(self) -> None:
        for call in tuple(self._dressers or ()):
            try:
                call(self)
            except BaseException:
                assert self._dressers is not None
                self._dressers.remove(call)
                raise

    @property
    def phrase(self) -> str | None:
        """What stands in place of the code's registered phrase, if anything."""
        return None if self._phrase is None else self._phrase.decode("latin-1")

    def redirect(self, url: Text, code: int = 302) -> None:
        """Answer with *code* and *url*; give an empty body, or the page of `redirectTo`."""
        if code not in _REDIRECTS:
            raise ValueError(f"code must be 301, 302, 303, 307 or 308, not {code!r}")
        self.setHeader(b"Location", url)
        self.setResponseCode(code)

    def addCookie(
        self,
        name: Text,
        value: Text,
        expires: "datetime | Text | None" = None,
        domain: Text | None = None,
        path: Text | None = "/",
        maxAge: int | None = None,
        secure: bool | None = None,
        httpOnly: bool = True,
        sameSite: Text | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Have the browser keep a cookie, for *maxAge* seconds, or until it is closed.

        The defaults are the safe ones: out of reach of scripts, not sent from other sites, and
        *secure* (never sent in the clear) when this request came encrypted. *partitioned* gives
        each site that shows a page of ours a cookie of its own.
        Raises ValueError for a name or value that would not come back as it was set, and for
        attributes with which browsers drop it, of a name that begins with `__Host-` too.
        """
        cookie = _cookie_setter()(
            name, value, expires=expires, domain=domain, path=path, max_age=maxAge,
            secure=self.isSecure() if secure is None else secure, http_only=httpOnly,
            same_site=sameSite, partitioned=partitioned,
        )  # fmt: skip
        self.responseHeaders.addRawHeader(b"Set-Cookie", cookie)

    def removeCookie(
        self,
        name: Text,
        domain: Text | None = None,
        path: Text | None = "/",
        secure: bool | None = None,
        partitioned: bool = False,
    ) -> None:
        """Have the browser forget a cookie: the one that was set with this *domain* and *path*."""
        self.addCookie(name, "", _LONG_AGO, domain, path, 0, secure, partitioned=partitioned)

    def setCacheControl(
        self,
        *,
        maxAge: int | None = None,
        public: bool = False,
        private: bool = False,
        noStore: bool = False,
        noCache: bool = False,
        noTransform: bool = False,
        mustRevalidate: bool = False,
        immutable: bool = False,
        sharedMaxAge: int | None = None,
        staleWhileRevalidate: int | None = None,
        staleIfError: int | None = None,
    ) -> None:
        """Say what caches may do with the response; the numbers are seconds.

        *sharedMaxAge* is `s-maxage`, for caches that many people share. Raises ValueError for
        what contradicts itself. Source: RFC 9111, 5.2.2; RFC 5861; RFC 8246.
        """
        said = _cache_formatter()(
            max_age=maxAge, public=public, private=private, no_store=noStore, no_cache=noCache,
            no_transform=noTransform, must_revalidate=mustRevalidate, immutable=immutable,
            s_maxage=sharedMaxAge, stale_while_revalidate=staleWhileRevalidate,
            stale_if_error=staleIfError,
        )  # fmt: skip
        self.setHeader(b"Cache-Control", said)

    def setDisposition(self, kind: Text = "attachment", filename: str | None = None) -> None:
        """Have the body saved, or with "inline" shown, as *filename*; slashes in it become "_".

        Source: RFC 6266.
        """
        from weblayer.wire.disposition import format_disposition

        name = None if filename is None else filename.encode("utf-8", "surrogateescape")
        self.setHeader(b"Content-Disposition", format_disposition(name, _utf8(kind)))

    def _vary(self, name: bytes) -> None:
        """Tell caches that the answer depends on the field *name* of the request, too."""
        before = b", ".join(self.responseHeaders.getRawHeaders(b"vary") or ())
        self.setHeader(b"Vary", varied(before, name))

    def addLink(self, url: Text, rel: Text, parameters: Mapping[str, str] | None = None) -> None:
        """Add a Link: *rel* says what *url* is to this page, as in "next" or "preload".

            request.addLink("/style.css", "preload", {"as": "style"})

        Raises ValueError for a URL that is not percent-encoded. Source: RFC 8288, 3.
        """
        from weblayer.wire.link import format_link

        pairs = [(_utf8(name), _utf8(value)) for name, value in (parameters or {}).items()]
        self.responseHeaders.addRawHeader(b"Link", format_link(_utf8(url), _utf8(rel), pairs))


# Those that send a client elsewhere; 300 and 304 to 306 do not (RFC 9110, 15.4).
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

# For browsers that know no Max-Age.
_LONG_AGO = b"Thu, 01 Jan 1970 00:00:00 GMT"


def _utf8(text: Text) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


# Loaded when first asked for, and asked for by many pages then: an import costs a tenth of a plain
# answer though the module is loaded.


@cache
def _cookie_setter() -> Callable[..., bytes]:
    from weblayer.web.setcookie import set_cookie

    return set_cookie


@cache
def _cache_formatter() -> Callable[..., bytes]:
    from weblayer.wire.cachecontrol import format_cache_control

    return format_cache_control
