"""Redirects."""

from html import escape

from weblayer.web.request import Request
from weblayer.web.resource import Resource

__all__ = ["Redirect", "redirectTo"]


def redirectTo(URL: str | bytes, request: Request, code: int = 302) -> bytes:
    """Redirect to *URL*, and give a page that says so, for the few who see it.

    A relative URL stays one, which is right behind every proxy (RFC 9110, 10.2.2). *code* is

    | code | for how long | and then the method is |
    |---|---|---|
    | 302, 307 | this once | GET in place of POST by most clients; the same |
    | 303 | this once | GET: the answer to a form, which is not sent again by a reload |
    | 301, 308 | for good | GET in place of POST by most clients; the same |

    Raises ValueError for another code, for a URL with control characters, and with characters
    outside of ASCII: percent-encode those.
    """
    url = URL.decode("ascii") if isinstance(URL, bytes) else URL
    if not url.isascii():
        raise ValueError(f"URL must be percent-encoded, and {url!r} is not")
    request.redirect(url, code)
    request.setHeader("Content-Type", "text/html; charset=utf-8")
    href = escape(url)
    return (
        "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><title>Moved</title>\n"
        f'<p>This has moved to <a href="{href}">{href}</a>.\n'
    ).encode()


class Redirect(Resource):
    """Redirects every request for it to one URL, with *code* as in `redirectTo`."""

    isLeaf = True

    def __init__(self, url: str | bytes, code: int = 302) -> None:
        if not isinstance(url, str | bytes):
            raise TypeError(f"url must be str or bytes, not {url!r}")
        self.url, self.code = url, code

    def render(self, request: Request) -> bytes:
        """The redirect."""
        return redirectTo(self.url, request, self.code)
