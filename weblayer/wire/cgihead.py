"""The head that a CGI program writes before its body.

Source: RFC 3875, 6.
"""

import re
from typing import NamedTuple

from weblayer.wire.errors import BadMessage
from weblayer.wire.fields import is_token, is_value

__all__ = ["MAX_CGI_HEAD", "CGIHead", "parse_cgi_head", "split_cgi_head"]

# As much as we take of a client: cookies and policies of what a program answers are no longer.
MAX_CGI_HEAD = 64 * 1024

# A program may end its lines as its system does.
_BLANK = re.compile(rb"(?:\A|\r?\n)\r?\n")

# "200 OK"; also the status line of a program that takes itself for the whole server (RFC 3875, 5).
_STATUS = re.compile(rb"([2-5][0-9][0-9])(?: (.*))?", re.DOTALL)
_STATUS_LINE = re.compile(rb"HTTP/[0-9](?:\.[0-9])? (.*)", re.DOTALL)

# A path of ours, and perhaps a query (6.3.2). Not "//", which names another host, and no
# fragment, which only a browser can keep.
_LOCAL = re.compile(rb"/(?!/)[!\"$-~]*")

# How the message and its connection end is the server's to say (6.3.4), and so is who it is.
_OURS = frozenset(
    b"connection date keep-alive proxy-connection server te trailer transfer-encoding upgrade"
    .split()
)  # fmt: skip

# More than one of these would be an answer that two readers understand in two ways.
_SINGLE = frozenset([b"status", b"location", b"content-type", b"content-length"])


class CGIHead(NamedTuple):
    """What a program says of its answer.

    *local* is the path, and query, of ours that is to answer in its place, None for an answer of
    its own: *code* and *phrase* (None for the registered one), and the *fields* to send, pairs
    in the order written, Content-Length among them.
    """

    code: int
    phrase: bytes | None
    fields: list[tuple[bytes, bytes]]
    local: bytes | None = None


def split_cgi_head(data: bytes) -> tuple[bytes, bytes] | None:
    """What stands before the first blank line, and behind it; None while that has not come.

    Raises BadMessage (502) for a head longer than MAX_CGI_HEAD.
    """
    blank = _BLANK.search(data, 0, MAX_CGI_HEAD)
    if blank is not None:
        return data[: blank.start()], data[blank.end() :]
    if len(data) >= MAX_CGI_HEAD:
        raise BadMessage(502, f"the head is longer than {MAX_CGI_HEAD} bytes", data)
    return None


def parse_cgi_head(head: bytes) -> CGIHead:
    """Read a head without its blank line. Raises BadMessage (502) for what is none."""
    own: dict[bytes, bytes] = {}
    fields = []
    for name, value in _pairs(head):
        key = name.lower()
        if key in _SINGLE:
            if own.setdefault(key, value) != value:
                raise BadMessage(502, f"two values of {name.decode()}", value)
            if key == b"status" or (name, value) in fields:
                continue
        if key not in _OURS:
            fields.append((name, value))
    return _judged(own, fields)


def _judged(own: dict[bytes, bytes], fields: list[tuple[bytes, bytes]]) -> CGIHead:
    status, location = own.get(b"status"), own.get(b"location")
    if status is None and location is None and b"content-type" not in own:
        raise BadMessage(502, "neither Content-Type nor Location nor Status")  # 6.2
    if not own.get(b"content-length", b"0").isdigit():
        raise BadMessage(502, "Content-Length is not a number", own[b"content-length"])
    if status is not None:
        found = _STATUS.fullmatch(status)
        if found is None:
            raise BadMessage(502, "Status is not that of an answer", status)
        return CGIHead(int(found[1]), found[2], fields)
    if location is None:
        return CGIHead(200, None, fields)
    # With a Content-Type too, which 6.2.2 forbids: many libraries cannot write a head without.
    local = location if _LOCAL.fullmatch(location) else None
    return CGIHead(302, None, fields, local)


def _pairs(head: bytes) -> list[tuple[bytes, bytes]]:
    lines = [line.removesuffix(b"\r") for line in head.split(b"\n")]
    if found := _STATUS_LINE.fullmatch(lines[0]):
        lines[0] = b"Status: " + found[1]
    return [_pair(line) for line in lines]


def _pair(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    value = value.strip(b" \t")
    if not (colon and is_token(name) and is_value(value)):
        raise BadMessage(502, "not a line of a head", line)
    return name, value
