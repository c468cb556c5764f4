"""Reading a head: its request line, and the fields that decide where it ends and who takes it.

The request line is read before llhttp judges the head, the fields that decide after; the rest
of the fields is read when somebody asks (`Head.fields`).
"""

import re

from weblayer.wire.errors import BadMessage
from weblayer.wire.events import Facts
from weblayer.wire.fields import is_host, is_token, split_list
from weblayer.wire.framing import keeps_alive, request_length
from weblayer.wire.selection import CONDITIONAL

__all__ = ["METHODS", "read_facts", "read_line", "split_line"]

# What llhttp takes as an HTTP method, RTSP's own left out. Anything else is 501.
METHODS = frozenset(
    b"GET HEAD POST PUT DELETE OPTIONS PATCH CONNECT TRACE QUERY PROPFIND PROPPATCH MKCOL COPY"
    b" MOVE LOCK UNLOCK SEARCH BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE MKCALENDAR"
    b" LINK UNLINK PURGE NOTIFY SUBSCRIBE UNSUBSCRIBE M-SEARCH".split()
)

_VERSIONS = (b"HTTP/1.1\r\n", b"HTTP/1.0\r\n")
VERSION_SIZE = len(_VERSIONS[0])
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_DECIDING = re.compile(
    rb"\r\n(host|connection|content-length|transfer-encoding|expect|upgrade|range"
    rb"|if-(?:none-match|modified-since|match|unmodified-since|range)):([^\r]*)"
)

LF = 10


def read_line(head: bytes) -> tuple[bytes, bytes, bytes]:
    """The method, the target, and what stands behind them, from the version on.

    *head* begins with a whole request line, line end and all.
    What `_check_beginning` refuses is refused first, so that the verdict on a whole line is
    that on its beginning. Source: RFC 9112, 3.
    """
    line = split_line(head)
    if line is None or line[2][:VERSION_SIZE] not in _VERSIONS:
        raise _no_request(head[: head.find(b"\r\n")])
    return line


def split_line(head: bytes) -> tuple[bytes, bytes, bytes] | None:
    """What `read_line` gives, its version unread; None for no method that we know and a target."""
    try:
        method, target, behind = head.split(b" ", 2)
    except ValueError:
        return None
    if method in METHODS and target > b" " and LF not in target:
        return method, target, behind
    return None


def _no_request(line: bytes) -> BadMessage:
    parts = line.split(b" ")
    if len(parts) != 3:
        return BadMessage(400, "a request line is a method, a target and a version", line)
    method, target, version = parts
    # A target that is empty, or begins with a line feed, llhttp lets pass for CONNECT (where the
    # version is then the target, and HTTP/0.9 spoken).
    if not is_token(method) or target <= b" " or b"\n" in line:
        return BadMessage(400, "this is not HTTP", line)
    if version + b"\r\n" not in _VERSIONS:
        # llhttp also takes RTSP and ICE for HTTP; those are no version of it.
        return BadMessage(505 if _VERSION.fullmatch(version) else 400, "not HTTP/1.1", line)
    return BadMessage(501, "an unknown method", line)


def read_facts(behind: bytes) -> Facts:
    """The facts that decide framing and routing, of a judged head; the other fields wait.

    *behind* is all that stands behind its target, and the facts depend on nothing else. Lines
    of one field are joined (RFC 9110, 5.3). A line begins with a name and a colon, and CR
    stands nowhere but at its end: one search costs a quarter of splitting the head. Case means
    nothing in any of these fields, and a search that minds it costs half.
    """
    found: dict[bytes, bytes] = {}
    for name, value in _DECIDING.findall(behind.lower()):
        text = value.strip(b" \t")
        found[name] = text if name not in found else b"%b, %b" % (found[name], text)
    version = behind[: VERSION_SIZE - 2]
    host = found.get(b"host", b"")
    # RFC 9112, 3.2: one and well-formed, or 400. HTTP/1.0 may leave it out. Two of them,
    # joined, are no host.
    if not is_host(host) and (b"host" in found or version == b"HTTP/1.1"):
        raise BadMessage(400, "Host must be there once, and be a host", host)
    length = 0
    if b"content-length" in found or b"transfer-encoding" in found:
        length = request_length(
            version, found.get(b"content-length"), found.get(b"transfer-encoding")
        )
    connection = found.get(b"connection")
    return Facts(
        version,
        host,
        length,
        keeps_alive(version, connection),
        b"expect" in found and _expects(version, found[b"expect"]),
        _upgrade(version, connection, found[b"upgrade"]) if b"upgrade" in found else None,
        not CONDITIONAL.isdisjoint(found),
    )


def _expects(version: bytes, field: bytes) -> bool:
    """Whether the client waits for 100 Continue. Source: RFC 9110, 10.1.1."""
    expectations = split_list(field)
    if any(one != b"100-continue" for one in expectations):
        raise BadMessage(417, "an expectation we do not know", field)
    return bool(expectations) and version == b"HTTP/1.1"


def _upgrade(version: bytes, connection: bytes | None, field: bytes) -> bytes | None:
    """The protocols that the client offers to change to; None where it may not be heeded.

    Without the connection option somebody in between has passed on what was not meant for
    us, and HTTP/1.0 knows no upgrade. Source: RFC 9110, 7.8.
    """
    asked = connection is not None and b"upgrade" in split_list(connection)
    return field if asked and version == b"HTTP/1.1" else None
