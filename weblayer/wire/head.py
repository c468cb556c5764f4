"""Reading a head: its request line, and the fields that decide where it ends and who takes it.

The request line is read before llhttp judges the head, the fields after; the rest of the
fields is read when somebody asks (`Head.fields`).
"""

import re

from weblayer.wire.errors import BadMessage
from weblayer.wire.events import Head
from weblayer.wire.fields import is_host, is_token, split_list
from weblayer.wire.framing import keeps_alive, request_length
from weblayer.wire.target import parse_target

__all__ = ["METHODS", "read_fields", "read_line"]

# What llhttp takes as an HTTP method, RTSP's own left out. Anything else is 501.
METHODS = frozenset(
    b"GET HEAD POST PUT DELETE OPTIONS PATCH CONNECT TRACE QUERY PROPFIND PROPPATCH MKCOL COPY"
    b" MOVE LOCK UNLOCK SEARCH BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE MKCALENDAR"
    b" LINK UNLINK PURGE NOTIFY SUBSCRIBE UNSUBSCRIBE M-SEARCH".split()
)

_VERSIONS = (b"HTTP/1.1", b"HTTP/1.0")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_DECIDING = re.compile(
    rb"\r\n(host|connection|content-length|transfer-encoding|expect|upgrade):([^\r]*)"
)

# Single bytes as numbers: `b"#" in target` asks for a number first, and costs four times as much.
SLASH, HASH = b"/#"


def read_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """The method, target and version of a request line. Source: RFC 9112, 3.

    What `_check_beginning` refuses is refused first, so that the verdict on a whole line is
    that on its beginning.
    """
    parts = line.split(b" ")
    if len(parts) != 3:
        raise BadMessage(400, "a request line is a method, a target and a version", line)
    method, target, version = parts
    if method in METHODS and version in _VERSIONS and target > b" ":
        return method, target, version
    # A target that is empty, or begins with a line feed, llhttp lets pass for CONNECT (where the
    # version is then the target, and HTTP/0.9 spoken).
    if not is_token(method) or target <= b" " or b"\n" in line:
        raise BadMessage(400, "this is not HTTP", line)
    if version not in _VERSIONS:
        # llhttp also takes RTSP and ICE for HTTP; those are no version of it.
        raise BadMessage(505 if _VERSION.fullmatch(version) else 400, "not HTTP/1.1", line)
    raise BadMessage(501, "an unknown method", line)


def read_fields(raw: bytes, method: bytes, target: bytes, version: bytes) -> Head:
    """The facts of a judged head that decide framing and routing; the other fields wait."""
    facts = _facts(raw)
    host = facts.get(b"host", b"")
    # RFC 9112, 3.2: one and well-formed, or 400. HTTP/1.0 may leave it out. Two of them,
    # joined, are no host.
    if not is_host(host) and (b"host" in facts or version == b"HTTP/1.1"):
        raise BadMessage(400, "Host must be there once, and be a host", host)
    length = 0
    if b"content-length" in facts or b"transfer-encoding" in facts:
        length = request_length(
            version, facts.get(b"content-length"), facts.get(b"transfer-encoding")
        )
    connection = facts.get(b"connection")
    if target[0] == SLASH and HASH not in target and method != b"CONNECT":
        path, _, query = target.partition(b"?")
    else:
        path, query, authority = parse_target(method, target)
        # An absolute target replaces Host, whatever that says (RFC 9112, 3.2.2).
        host = authority.lower() if authority else host
    return Head(
        raw,
        method,
        target,
        path,
        query,
        version,
        host,
        length,
        keeps_alive(version, connection),
        b"expect" in facts and _expects(version, facts[b"expect"]),
        _upgrade(version, connection, facts[b"upgrade"]) if b"upgrade" in facts else None,
    )


def _facts(raw: bytes) -> dict[bytes, bytes]:
    """The values of the fields that decide, by name, all in lower case, several lines joined.

    Source: RFC 9110, 5.3. In a judged head a line begins with a name and a colon, and
    CR stands nowhere but at its end: one search costs a quarter of splitting the head. Case
    means nothing in any of these fields, and a search that minds it costs half.
    """
    facts: dict[bytes, bytes] = {}
    for name, value in _DECIDING.findall(raw.lower()):
        text = value.strip(b" \t")
        facts[name] = text if name not in facts else b"%b, %b" % (facts[name], text)
    return facts


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
