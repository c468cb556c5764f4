"""The head of a file's answer: what is said of it, and to whom in which coding."""

import os
import time
from functools import lru_cache

from weblayer.web.request import NOT_DONE_YET, NotDoneYet, Request
from weblayer.web.shelf import Ready
from weblayer.wire.coding import IDENTITY, choose_coding
from weblayer.wire.dates import format_date
from weblayer.wire.headers import Headers

__all__ = ["answer_ready", "chosen_coding", "file_fields", "say"]

Pairs = list[tuple[bytes, bytes]]

# What a program may have said before, of this one answer: it stands.
_YIELDING = frozenset({b"Content-Type", b"Cache-Control", b"X-Content-Type-Options"})

# Longer wishes are read each time: browsers send 25 bytes, and what is remembered is a stranger's.
_MOST_REMEMBERED = 200


def file_fields(
    kind: str,
    facts: os.stat_result,
    coding: bytes | None = None,
    varies: bool = False,
    cache: bytes | None = None,
) -> Pairs:
    """The fields of a file of type *kind*, sent in *coding*; *varies* where there are others."""
    if kind.startswith("text/") and "charset" not in kind:
        kind += "; charset=utf-8"
    # Not the inode, nor when that was changed: servers that hold the same files, as rsync and
    # archives leave them, are to agree. Other bytes are another page (RFC 9110, 8.8.3.3).
    tag = b'"%x-%x%b"' % (facts.st_mtime_ns, facts.st_size, b"-" + coding if coding else b"")
    # Not before 1970 and not in the future (RFC 9110, 8.8.2.1), whatever the disk says.
    modified = format_date(max(0, min(facts.st_mtime, time.time())))
    fields = [
        (b"Content-Type", kind.encode("latin-1")),
        (b"ETag", tag),
        (b"Last-Modified", modified),
        (b"Accept-Ranges", b"bytes"),
        # The type is the name's; a browser must not make a page of what looks like one.
        (b"X-Content-Type-Options", b"nosniff"),
    ]
    if coding:
        fields.append((b"Content-Encoding", coding))
    if varies:
        fields.append((b"Vary", b"Accept-Encoding"))
    if cache:
        fields.append((b"Cache-Control", cache))
    return fields


def answer_ready(request: Request, ready: Ready) -> bytes | NotDoneYet:
    """Answer with what is ready, or with the part of it that the client asks for."""
    if request._answer(ready.fields, ready.body):
        return NOT_DONE_YET
    say(request, ready.fields)
    return ready.body


def say(request: Request, fields: Pairs) -> None:
    """Set the fields of a file, beside what a program has set before."""
    if request._headers is None:
        request._headers = Headers.fromPairs(fields)
        return
    said = request._headers
    for name, value in fields:
        if name == b"Vary":
            request._vary(value)
        elif name not in _YIELDING or not said.hasHeader(name):
            said.setHeader(name, value)


def chosen_coding(offers: tuple[bytes, ...], accept: bytes | None) -> bytes:
    """Which of *offers* to send to a client that accepts that; IDENTITY for none of them."""
    if not offers or accept is None:
        return IDENTITY
    if len(accept) > _MOST_REMEMBERED:
        return choose_coding(offers, accept) or IDENTITY
    return _chosen(offers, accept)


@lru_cache(maxsize=256)  # a few browsers, and a few sets of siblings
def _chosen(offers: tuple[bytes, ...], accept: bytes) -> bytes:
    # Who refuses even what is not coded gets that: it is kinder than a 406.
    return choose_coding(offers, accept) or IDENTITY
