"""Whether a person goes to a page, as against a page that loads something: pure."""

from collections.abc import Collection, Sequence

from weblayer.wire.accept import names_type

__all__ = ["is_navigation"]


def is_navigation(
    method: str,
    accept: bytes | None,
    mode: bytes | None,
    segments: Sequence[str],
    assets: Collection[str],
) -> bool:
    """Whether a request for *segments*, below the root of a site, is for a page.

    A page is gone to by GET or HEAD, in a browser's navigation (*mode*, Sec-Fetch-Mode) or by
    whatever names text/html in Accept; its name has no extension, and the first of its segments is
    none of *assets*, the folders that hold no pages.
    """
    names = [segment for segment in segments if segment]
    if method not in ("GET", "HEAD") or (names and names[0] in assets):
        return False
    if names and "." in names[-1]:
        return False
    return mode == b"navigate" or names_type(b"text/html", accept)
