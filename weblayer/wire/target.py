"""The request target: its four forms, and the segments of its path.

Source: RFC 9112, 3.2.
"""

import re
from typing import NamedTuple

from weblayer.wire.errors import BadMessage
from weblayer.wire.fields import is_host
from weblayer.wire.percent import PERCENT, percent_decode

__all__ = ["Target", "parse_target", "path_segments"]

_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?]*)([^?]*)(\?.*)?", re.DOTALL)

_PORT = re.compile(rb":([0-9]+)\Z")


class Target(NamedTuple):
    """What is asked for: *path* as sent, *query* without its mark; *authority* when it was sent.

    The path of `*` is b"*", that of an authority-form target is empty.
    """

    path: bytes
    query: bytes
    authority: bytes | None = None


def parse_target(method: bytes, raw: bytes) -> Target:
    """Read a request target by its form. Raises BadMessage (400) when it has none."""
    # A fragment is never sent (RFC 9112, 3.2), and readers differ on where one would end.
    if b"#" in raw:
        raise BadMessage(400, "a target has no fragment", raw)
    if method == b"CONNECT":
        return Target(b"", b"", _with_port(raw))
    if raw.startswith(b"/"):
        path, _, query = raw.partition(b"?")
        return Target(path, query)
    if raw == b"*" and method == b"OPTIONS":
        return Target(b"*", b"")
    if match := _ABSOLUTE.fullmatch(raw):
        # An empty path of an absolute-form target is "/", save for OPTIONS, where it
        # asks about the server as a whole (RFC 9112, 3.2.4).
        path = match[2] or (b"*" if method == b"OPTIONS" and not match[3] else b"/")
        return Target(path, (match[3] or b"?")[1:], _checked(match[1], raw))
    raise BadMessage(400, "the target has none of the four forms", raw)


def path_segments(path: bytes) -> list[str]:
    """The segments of a path, each percent-decoded once as UTF-8.

    b"/a/b%20c/" gives ["a", "b c", ""]. Bytes that are not UTF-8 survive as surrogates
    (PEP 383), so that every file name can be asked for. `*` and nothing have no segments.
    """
    if PERCENT in path:
        parts = path.split(b"/")
        segments = [percent_decode(part).decode("utf-8", "surrogateescape") for part in parts]
    else:
        segments = path.decode().split("/")
    del segments[0]  # what stands before the first slash is nothing, or `*`
    return segments


def _with_port(authority: bytes) -> bytes:
    """The target of CONNECT, which has no default port. Source: RFC 9110, 9.3.6."""
    port = _PORT.search(_checked(authority, authority))
    if port is None or not 0 < int(port[1]) < 65536:
        raise BadMessage(400, "CONNECT needs a host and a port", authority)
    return authority


def _checked(authority: bytes, raw: bytes) -> bytes:
    # User information in a target is a way to disguise a host (RFC 9110, 4.2.4).
    if not is_host(authority):
        raise BadMessage(400, "the target's authority is not a host and a port", raw)
    return authority
