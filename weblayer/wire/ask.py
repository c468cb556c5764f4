"""The head of a request, as bytes."""

import re
from collections.abc import Iterable
from typing import Final

from weblayer.wire.fields import is_host, is_token, is_value
from weblayer.wire.framing import CHUNKED

__all__ = ["IDEMPOTENT", "encode_ask", "is_target"]

# Asked twice, these do what they do once (RFC 9110, 9.2.2).
IDEMPOTENT: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE", b"QUERY"))

# Where a body is expected, its absence is said too (RFC 9110, 8.6).
_EXPECTING: Final = frozenset((b"POST", b"PUT", b"PATCH", b"QUERY"))

# How long the body is, and how it ends, is for us to say: another's word would let a second
# request hide in the body of this one.
_OURS: Final = frozenset((b"host", b"content-length", b"transfer-encoding"))

_TARGET = re.compile(rb"[\x21-\x7e\x80-\xff]+")


def encode_ask(
    method: bytes,
    target: bytes,
    host: bytes,
    fields: Iterable[tuple[bytes, bytes]] = (),
    length: int | None = None,
    close: bool = False,
) -> bytes:
    """Write a head, blank line and all.

    *target* is in the form that the request needs: `/path?query`, `http://host/path` for a proxy,
    `host:port` for CONNECT, `*`. A Host among the *fields* replaces *host*, and stands first
    either way (RFC 9110, 7.2). *length* is the body's in bytes, CHUNKED, or None without a body;
    *close* says that no other request will follow.
    Raises ValueError that names what could not be written as it is.
    """
    if not is_token(method):
        raise ValueError(f"method must be a token (RFC 9110, 9.1), not {method!r}")
    if not is_target(target):
        raise ValueError(f"target must have no blanks and no control characters: {target!r}")
    lines = []
    for name, value in fields:
        # `is_token` first: most names are, and few are among ours.
        if not is_token(name):
            raise ValueError(f"a header's name must be a token (RFC 9110, 5.1), not {name!r}")
        if not is_value(value):
            raise ValueError(
                f"the value of {name.decode()} may hold no CR, LF, NUL or control: {value!r}"
            )
        if name.lower() not in _OURS:
            lines.append(b"%b: %b\r\n" % (name, value))
        elif name.lower() == b"host":
            host = value
        else:
            _check_framing(name, value, length)
    if not is_host(host):
        raise ValueError(f"Host must be a host and perhaps a port, not {host!r}")
    lines.insert(0, b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (method, target, host))
    lines.append(_framing(method, length))
    lines.append(b"Connection: close\r\n\r\n" if close else b"\r\n")
    return b"".join(lines)


def is_target(target: bytes) -> bool:
    """Whether *target* may stand in a request line."""
    return _TARGET.fullmatch(target) is not None


def _framing(method: bytes, length: int | None) -> bytes:
    """How the body ends. Source: RFC 9112, 6.1 and 6.2."""
    if length == CHUNKED:
        return b"Transfer-Encoding: chunked\r\n"
    if length is None:
        return b"Content-Length: 0\r\n" if method in _EXPECTING else b""
    return b"Content-Length: %d\r\n" % length


def _check_framing(name: bytes, value: bytes, length: int | None) -> None:
    """Let the caller say of the body what is true, and nothing else."""
    said = b"content-length" if (length or 0) >= 0 else b"transfer-encoding"
    true = b"chunked" if length == CHUNKED else b"%d" % (length or 0)
    if name.lower() != said or value.strip().lower() != true:
        raise ValueError(f"{name.decode()} says {value!r}, and the body given is {true.decode()}")
