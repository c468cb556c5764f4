"""The head of a response, as bytes."""

from collections.abc import Iterable

from weblayer.wire.framing import CHUNKS, LENGTH, Framing
from weblayer.wire.status import PHRASES, phrase_of

__all__ = [
    "CONTINUE", "LAST_CHUNK",
    "encode_chunk", "encode_head", "encode_hints", "encode_last_chunk", "server_fields",
    "without",
]  # fmt: skip

# Made once: the same few lines begin nearly every answer.
_LINES = {code: b"HTTP/1.1 %d %b\r\n" % (code, phrase) for code, phrase in PHRASES.items()}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def encode_head(
    code: int,
    phrase: bytes | None,
    common: bytes,
    fields: Iterable[tuple[bytes, bytes]],
    framing: Framing,
    length: int | None,
    connection: bytes | None = None,
) -> bytes:
    """Write a head, blank line and all.

    *common* is field lines that every answer carries (see `server_fields`), *fields* pairs
    that were checked when they were set, *connection* the value of Connection, if any. The
    version is always ours (RFC 9110, 2.5).
    """
    line = _LINES.get(code) if phrase is None else None
    lines = [line or status_line(code, phrase), common]
    for name, value in fields:
        lines += name, b": ", value, b"\r\n"
    if connection is not None:
        lines.append(b"Connection: %b\r\n" % connection)
    if length is not None and framing is LENGTH:
        lines.append(b"Content-Length: %d\r\n\r\n" % length)
    elif framing is CHUNKS:
        lines.append(b"Transfer-Encoding: chunked\r\n\r\n")
    elif code == 205:
        lines.append(b"Content-Length: 0\r\n\r\n")
    elif length is not None and code >= 200 and code != 204:
        lines.append(b"Content-Length: %d\r\n\r\n" % length)
    else:
        lines.append(b"\r\n")
    return b"".join(lines)


def status_line(code: int, phrase: bytes | None) -> bytes:
    """The first line of a response; without a phrase, the registered one."""
    return b"HTTP/1.1 %d %b\r\n" % (code, phrase_of(code) if phrase is None else phrase)


def server_fields(server: bytes, date: bytes) -> bytes:
    """The lines that say who answers and when; they are the same for a whole second."""
    return b"Server: %b\r\nDate: %b\r\n" % (server, date)


def without(common: bytes, names: Iterable[bytes]) -> bytes:
    """The lines of *common*, but for those of *names* (in lower case): the answer has its own."""
    for name in names:
        start = common.lower().find(name + b":")
        if start >= 0:
            common = common[:start] + common[common.index(b"\r\n", start) + 2 :]
    return common


def encode_chunk(data: bytes) -> bytes:
    """One chunk. *data* must not be empty, which would end the body. Source: RFC 9112, 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def encode_last_chunk(trailers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The end of a chunked body, with pairs that were checked. Source: RFC 9112, 7.1.2."""
    return b"0\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % pair for pair in trailers)


def encode_hints(links: Iterable[bytes]) -> bytes:
    """An answer before the answer: 103, with values of Link that were checked. Source: RFC 8297."""
    return status_line(103, None) + b"".join(b"Link: %b\r\n" % link for link in links) + b"\r\n"
