"""Where to go back to, as an address says it: a path below the root of this site, and no other.

An address that is followed wherever it leads (an open redirect) lends our name to whoever writes
it. Source: the WHATWG's URL standard, by which browsers read `\\` as `/` and drop tabs and line
ends; CWE-601.
"""

import re

from weblayer.web.request import Request
from weblayer.wire.percent import percent_encode

__all__ = ["pathAsked", "returnLink", "safePath"]

# Printable ASCII without the backslash; a second slash would begin the name of a host.
_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")

# Letters. Longer than any address that a person has come by, and short in a form.
MOST = 2000


def safePath(path: str) -> str | None:
    """*path* if it is one below the root, with a query or not; None for anything else.

    What is not ASCII is percent-encoded, as a browser would.
    """
    encoded = "".join(c if c.isascii() else _encoded(c) for c in path)
    return encoded if len(encoded) <= MOST and _PATH.fullmatch(encoded) else None


def pathAsked(request: Request) -> str:
    """What was asked for, to come back to: its path and its query."""
    return f"{request.path}?{request.query}" if request.query else request.path


def returnLink(request: Request, path: str | None) -> str:
    """A relative link to *path* where that is safe, else to the root of the site.

    Relative, it holds behind a proxy that takes something off our paths.
    """
    return request.rootLink() + (safePath(path or "") or "/")[1:]


def _encoded(letter: str) -> str:
    return percent_encode(letter.encode("utf-8", "surrogateescape")).decode("ascii")
