"""Redirects."""

from html import escape

from weblayer.web.request import Request
from weblayer.web.resource import Resource

__all__ = ["Redirect", "redirectTo"]


def redirectTo(URL: str | bytes, request: Request) -> bytes:
    """Redirect to *URL* (302), and give a page that says so, for the few who see it.

    Raises ValueError for a URL with control characters, and with characters outside of ASCII:
    percent-encode those.
    """
    url = URL.decode("ascii") if isinstance(URL, bytes) else URL
    if not url.isascii():
        raise ValueError(f"URL must be percent-encoded, and {url!r} is not")
    request.redirect(url)
    request.setHeader("Content-Type", "text/html; charset=utf-8")
    href = escape(url)
    return (
        "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><title>Moved</title>\n"
        f'<p>This has moved to <a href="{href}">{href}</a>.\n'
    ).encode()


class Redirect(Resource):
    """Redirects every request for it to one URL."""

    isLeaf = True

    def __init__(self, url: str | bytes) -> None:
        self.url = url

    def render(self, request: Request) -> bytes:
        """The redirect."""
        return redirectTo(self.url, request)
