"""Errors that become responses: raised in `getChild` or in `render`, their page is the answer."""

from collections.abc import Sequence
from math import ceil

__all__ = [
    "BadRequest",
    "Conflict",
    "ContentTooLarge",
    "Error",
    "Forbidden",
    "Gone",
    "NotFound",
    "ServiceUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "UnprocessableContent",
    "UnsupportedMediaType",
    "UnsupportedMethod",
    "WebError",
]


class WebError(Exception):
    """The base of this room's errors."""


class Error(WebError):
    """What went wrong with one request. *code* is answered, *detail* is shown to the person.

    *headers* are pairs that the response carries. Tell in *detail* only what the peer may know;
    without one, the page says in general words what the code means.
    """

    def __init__(
        self, code: int, detail: str = "", headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        if not isinstance(code, int) or not 400 <= code <= 599:
            raise ValueError(f"code must be that of an error, 400 to 599, not {code!r}")
        super().__init__(code, detail)
        self.code, self.detail, self.headers = code, detail, headers

    def __str__(self) -> str:
        return f"{self.code} {self.detail}".rstrip()


class _Named(Error):
    """An error whose code has a name."""

    _code: int

    def __init__(self, detail: str = "") -> None:
        super().__init__(self._code, detail)


class BadRequest(_Named):
    """400: the request makes no sense to us."""

    _code = 400


class Unauthorized(Error):
    """401: we do not know who asks; *challenges* say how to tell us, as in 'Basic realm="shop"'.

    Source: RFC 9110, 15.5.2: the response must carry WWW-Authenticate.
    """

    def __init__(self, challenges: Sequence[str], detail: str = "") -> None:
        if isinstance(challenges, str) or not challenges:
            raise ValueError(f"challenges must be a list of at least one, not {challenges!r}")
        super().__init__(401, detail, [("WWW-Authenticate", ", ".join(challenges))])


class Forbidden(_Named):
    """403: we understand, and refuse."""

    _code = 403


class NotFound(_Named):
    """404: nothing here by this name."""

    _code = 404


class UnsupportedMethod(Error):
    """405: the resource does not take this method; it takes *allowedMethods*.

    Source: RFC 9110, 15.5.6: the response must carry Allow.
    """

    def __init__(self, allowedMethods: Sequence[str]) -> None:
        super().__init__(405, "", [("Allow", ", ".join(allowedMethods))])
        self.allowedMethods = tuple(allowedMethods)


class Conflict(_Named):
    """409: it would fit another state of the resource than the one it is in."""

    _code = 409


class Gone(_Named):
    """410: it was here, and will not be again."""

    _code = 410


class ContentTooLarge(_Named):
    """413: the body is larger than the resource takes."""

    _code = 413


class UnsupportedMediaType(_Named):
    """415: the resource does not take bodies of this type."""

    _code = 415


class UnprocessableContent(_Named):
    """422: the body is well-formed, and what it says cannot be done."""

    _code = 422


class _Later(Error):
    """An error that time may mend: *retryAfter* is in how many seconds, rounded up."""

    _code: int

    def __init__(self, detail: str = "", retryAfter: float | None = None) -> None:
        after = [] if retryAfter is None else [("Retry-After", str(max(0, ceil(retryAfter))))]
        super().__init__(self._code, detail, after)
        self.retryAfter = retryAfter


class TooManyRequests(_Later):
    """429: this client asks too often; *retryAfter* is in how many seconds it may again."""

    _code = 429


class ServiceUnavailable(_Later):
    """503: we cannot answer now; *retryAfter* is in how many seconds we may."""

    _code = 503
