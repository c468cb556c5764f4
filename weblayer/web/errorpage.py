"""Answering an error: the page in the form that the client asked for, or the tree's own."""

import logging
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

from weblayer.web.pagetext import CONTENT_TYPES, default_detail, error_body, error_form
from weblayer.web.request import Request
from weblayer.wire.headers import Headers
from weblayer.wire.status import phrase_of

__all__ = ["answer_error", "trace_of"]

log = logging.getLogger("weblayer")

# Of every error's page. It may say back what the client sent, and is of the type that it says.
_FIELDS = Headers({"Vary": ["Accept"], "X-Content-Type-Options": ["nosniff"]})
_USUAL = {
    form: Headers(
        {"Content-Type": [kind], "Vary": ["Accept"], "X-Content-Type-Options": ["nosniff"]}
    )
    for form, kind in CONTENT_TYPES.items()
}


def answer_error(
    request: Request,
    code: int,
    brief: str = "",
    detail: str = "",
    headers: Iterable[tuple[str, str]] = (),
    extra: str | None = None,
) -> bytes:
    """Prepare the response for an error, and give its body.

    *brief* and *detail* have general defaults for *code*; *extra* is for developers only, who see
    it in place of the page that the policy may have.
    """
    detail = detail or default_detail(code)
    body = None if extra is not None else _own_body(request, code, detail)
    if body is None:
        body = _usual_body(request, code, brief, detail, extra)
    request.setResponseCode(code)
    for name, value in headers:
        request.setHeader(name, value)
    return body


def trace_of(error: BaseException, request: Request) -> str:
    """The traceback of *error*, without what the client sent to prove who it is."""
    text = "".join(traceback.format_exception(error))
    for secret in sorted(set(_secrets(request)), key=len, reverse=True):
        text = text.replace(secret, "[hidden]")
    return text


def _own_body(request: Request, code: int, detail: str) -> bytes | None:
    """The page of the policy that holds; None where it has none, gives none, or fails."""
    page = request.policy.errorPage
    if page is None:
        return None
    try:
        return _typed(request, page(request, code, detail))
    except Exception:
        log.exception("%s %s: errorPage failed", request.method, request.path)
        request._reset()
        return None


# Any: what a program's function gives is for us to find out.
def _typed(request: Request, page: Any) -> bytes | None:
    """The body that *page* is, its type set unless the program has."""
    if page is None:
        return None
    if isinstance(page, dict):
        import json

        kind, body = CONTENT_TYPES["json"], json.dumps(page, allow_nan=False).encode("ascii")
    elif isinstance(page, str):
        kind, body = CONTENT_TYPES["html"], page.encode(errors="replace")
    elif isinstance(page, bytes):
        kind, body = request.defaultContentType, page
    else:
        raise TypeError(f"errorPage gave {page!r}; let it give str, bytes, a dict or None")
    if not request.hasResponseHeader(b"content-type"):
        request.setHeader(b"Content-Type", kind)
    request.responseHeaders.update(_FIELDS)
    return body


def _usual_body(request: Request, code: int, brief: str, detail: str, extra: str | None) -> bytes:
    form = error_form(request.getHeader(b"accept"))
    request.responseHeaders.update(_USUAL[form])
    brief = brief or phrase_of(code).decode() or f"Error {code}"
    if form == "json":
        return error_body(form, code, brief, detail, extra, instance=request.path, id=request.id)
    # A person is to name what the log has a word on: not each mistyped address.
    return error_body(form, code, brief, detail, extra, id=request.id if code >= 500 else None)


def _secrets(request: Request) -> Iterator[str]:
    """What a traceback may not show: words of the client's that are long enough to be no other."""
    fields = (request.getHeader(name) for name in ("authorization", "proxy-authorization"))
    words = [word for field in fields if field for word in (field, field.partition(" ")[2])]
    return (word for word in [*words, *request.receivedCookies.values()] if len(word) > 3)
