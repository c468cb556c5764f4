"""Answering an error: the page in the form that the client asked for."""

from collections.abc import Iterable

from weblayer.web.pagetext import CONTENT_TYPES, default_detail, error_body, error_form
from weblayer.web.request import Request
from weblayer.wire.status import phrase_of

__all__ = ["answer_error"]


def answer_error(
    request: Request,
    code: int,
    brief: str = "",
    detail: str = "",
    headers: Iterable[tuple[str, str]] = (),
    extra: str | None = None,
) -> bytes:
    """Prepare the response for an error, and give its body.

    *brief* and *detail* have general defaults for *code*; *extra* is for developers only.
    """
    form = error_form(request.getHeader(b"accept"))
    request.setResponseCode(code)
    for name, value in headers:
        request.setHeader(name, value)
    request.setHeader(b"Content-Type", CONTENT_TYPES[form])
    request.setHeader(b"Vary", b"Accept")
    brief = brief or phrase_of(code).decode() or f"Error {code}"
    return error_body(form, code, brief, detail or default_detail(code), extra)
