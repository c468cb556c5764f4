"""Errors that become responses: raised in `getChild` or in `render`, their page is the answer."""

from collections.abc import Sequence

__all__ = [
    "BadRequest",
    "ContentTooLarge",
    "Error",
    "Forbidden",
    "NotFound",
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
        super().__init__(f"{code} {detail}".rstrip())
        self.code, self.detail, self.headers = code, detail, headers


class BadRequest(Error):
    """400: the request makes no sense to us."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(400, detail)


class Forbidden(Error):
    """403: we understand, and refuse."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(403, detail)


class NotFound(Error):
    """404: nothing here by this name."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(404, detail)


class UnsupportedMethod(Error):
    """405: the resource does not take this method; it takes *allowedMethods*.

    Source: RFC 9110, 15.5.6: the response must carry Allow.
    """

    def __init__(self, allowedMethods: Sequence[str]) -> None:
        super().__init__(405, "", [("Allow", ", ".join(allowedMethods))])
        self.allowedMethods = tuple(allowedMethods)


class ContentTooLarge(Error):
    """413: the body is larger than the resource takes."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(413, detail)
