"""What an error page says, and in which form: HTML, problem details in JSON, or plain text.

Pure: facts in, bytes out. An error must cost less than what it refuses, so pages that
repeat are rendered once.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

__all__ = ["CONTENT_TYPES", "Form", "default_detail", "error_body", "error_form"]

Form = Literal["html", "json", "text"]

CONTENT_TYPES: Final[dict[Form, str]] = {
    "html": "text/html; charset=utf-8",
    "json": "application/problem+json",
    "text": "text/plain; charset=utf-8",
}

# What a person is told when the program says nothing better: what happened, what to do, and
# nothing about our inside.
_DETAILS: Final[dict[int, str]] = {
    400: "The server could not understand this request.",
    401: "You need to sign in to see this.",
    403: "You are not allowed to see this.",
    404: "There is nothing at this address. Check it for a typing error.",
    405: "This address does not answer that kind of request.",
    408: "The request took too long to arrive. Please try again.",
    409: "This does not fit what is here now. Please load it again.",
    410: "This was here, and is gone for good.",
    411: "The request must say how long its body is.",
    412: "This has changed since you last saw it. Please load it again.",
    413: "What you sent is larger than this address accepts.",
    414: "The address of this request is too long.",
    415: "This address does not accept content of that type.",
    416: "The part you asked for is not within this content.",
    417: "The server cannot do what the request expects of it.",
    421: "This server does not answer for that host.",
    422: "What you sent can be read, but not carried out as it is.",
    426: "This address needs another protocol than the one you used.",
    429: "That was too many requests in a short time. Please wait a little.",
    431: "The headers of this request are too large. Deleting old cookies may help.",
    500: "Something went wrong on our side. It has been noted; please try again later.",
    501: "This server does not know that kind of request.",
    502: "Another server that this page depends on gave no good answer. Please try again later.",
    503: "The service cannot answer just now. Please try again in a moment.",
    504: "Another server that this page depends on took too long. Please try again later.",
    505: "This server does not speak that version of HTTP.",
}

_CLIENT_ERROR = "The server could not answer this request as it was sent."
_SERVER_ERROR = "The server could not answer this request. Please try again later."

# In this order, plain text first: who takes anything at all (curl, wget, a script) reads it in
# a terminal, while browsers name text/html and programs that want JSON name that.
_OFFERS: Final[dict[bytes, Form]] = {
    b"text/plain": "text",
    b"text/html": "html",
    b"application/problem+json": "json",
    b"application/json": "json",
}

# 64 pages of about 3 kB are the errors of a whole site. A longer Accept or text than these is
# nobody's usual one, and is not kept: a stranger must not choose what fills our memory.
_KEPT_PAGES = 64
_MAX_KEPT_ACCEPT = 256
_MAX_KEPT_TEXT = 512


def error_form(accept: bytes | None) -> Form:
    """Choose the form of an error page by the Accept field, plain text when it does not care.

    A peer that refuses every form gets plain text too: an error that cannot be read as asked is
    better than one that cannot be read (RFC 9110, 15.5.7).
    """
    if accept is None or len(accept) <= _MAX_KEPT_ACCEPT:
        return _kept_form(accept)
    return _choose_form(accept)


def default_detail(code: int) -> str:
    """The sentence for an error of status *code* when the program says nothing better."""
    return _DETAILS.get(code) or (_CLIENT_ERROR if code < 500 else _SERVER_ERROR)


def error_body(
    form: Form,
    code: int,
    brief: str,
    detail: str,
    extra: str | None = None,
    *,
    instance: str | None = None,
    id: str | None = None,  # noqa: A002  # what the request calls it
) -> bytes:
    """The body of an error page, to be sent as `CONTENT_TYPES[form]`.

    *brief* is the title ("Not Found"), *detail* the sentence below it, and *extra* what only a
    developer may see, such as a traceback. *instance*, the path that was asked for, stands in JSON
    alone; *id* names the request to whoever asks about it.
    """
    if extra is instance is id is None and len(brief) + len(detail) <= _MAX_KEPT_TEXT:
        return _kept_body(form, code, brief, detail)
    return _render(form, code, brief, detail, extra, instance, id)


class Problem(NamedTuple):
    """What an error page says; see `error_body`."""

    code: int
    brief: str
    detail: str
    extra: str | None = None
    instance: str | None = None
    id: str | None = None


def _choose_form(accept: bytes | None) -> Form:
    from weblayer.wire.accept import best  # as what follows, loaded when the first error needs it

    return _OFFERS[best(list(_OFFERS), accept) or b"text/plain"]


# Any: those of a Problem.
def _render(form: Form, *facts: Any) -> bytes:
    return _PAGES[form](Problem(*facts)).encode(errors="replace")


def _html(problem: Problem) -> str:
    from weblayer.web.template import OURS

    return OURS.page("error.html", **problem._asdict())


def _json(problem: Problem) -> str:
    """Problem details (RFC 9457, 3.1); `requestId` and `debug` are extension members."""
    import json

    members = {
        "type": "about:blank",
        "title": problem.brief,
        "status": problem.code,
        "detail": problem.detail,
        "instance": problem.instance,
        "requestId": problem.id,
        "debug": problem.extra,
    }
    return json.dumps({k: v for k, v in members.items() if v is not None}) + "\n"


def _text(problem: Problem) -> str:
    said = [f"{problem.code} {problem.brief}", problem.detail]
    if problem.id is not None:
        said.append(f"Request {problem.id}")
    if problem.extra is not None:
        said.append(problem.extra)
    return "\n\n".join(said) + "\n"


_PAGES: Final[dict[Form, Callable[[Problem], str]]] = {"html": _html, "json": _json, "text": _text}

_kept_form = lru_cache(maxsize=_KEPT_PAGES)(_choose_form)
_kept_body = lru_cache(maxsize=_KEPT_PAGES)(_render)
