"""The head of a response, as bytes: RFC 9112, 4, 6 and 7.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.encode import (
    CONTINUE,
    LAST_CHUNK,
    encode_chunk,
    encode_head,
    encode_hints,
    encode_last_chunk,
    server_fields,
)
from weblayer.wire.framing import Framing
from weblayer.wire.status import PHRASES, phrase_of


def encoded(code=200, phrase=None, fields=(), framing=Framing.LENGTH, length=5, connection=None):
    return encode_head(code, phrase, b"Server: s\r\n", fields, framing, length, connection)


def test_a_head_is_its_lines():
    """Status, what is common, the fields, the connection, the framing, a blank line."""
    raw = encoded(fields=[(b"X-a", b"1"), (b"x-A", b"2")], connection=b"close")
    assert raw == (
        b"HTTP/1.1 200 OK\r\nServer: s\r\nX-a: 1\r\nx-A: 2\r\n"
        b"Connection: close\r\nContent-Length: 5\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("code", "framing", "length", "line"),
    [
        (200, Framing.LENGTH, 0, b"Content-Length: 0\r\n"),
        (200, Framing.CHUNKS, None, b"Transfer-Encoding: chunked\r\n"),
        (200, Framing.CLOSE, None, b""),
        (200, Framing.NOTHING, 5, b"Content-Length: 5\r\n"),
        (200, Framing.NOTHING, None, b""),
        (304, Framing.NOTHING, 5, b"Content-Length: 5\r\n"),
        (304, Framing.NOTHING, None, b""),
        (204, Framing.NOTHING, 0, b""),
        (205, Framing.NOTHING, 5, b"Content-Length: 0\r\n"),
        (205, Framing.NOTHING, None, b"Content-Length: 0\r\n"),
        (101, Framing.NOTHING, 0, b""),
    ],
)
def test_the_framing_is_said_once_and_only_where_it_may_be(code, framing, length, line):
    """No length for 1xx and 204 (RFC 9110, 8.6), none but 0 for 205, GET's for HEAD and 304."""
    raw = encoded(code, framing=framing, length=length)
    assert raw.partition(b"Server: s\r\n")[2] == line + b"\r\n"


@pytest.mark.parametrize(
    ("code", "phrase", "line"),
    [
        (404, None, b"HTTP/1.1 404 Not Found\r\n"),
        (404, b"Gone Fishing", b"HTTP/1.1 404 Gone Fishing\r\n"),
        (404, b"", b"HTTP/1.1 404 \r\n"),
        (799, None, b"HTTP/1.1 799 \r\n"),
    ],
)
def test_the_status_line(code, phrase, line):
    """The registered phrase, or the one given; the space stays without any (RFC 9112, 4)."""
    assert encoded(code, phrase).startswith(line)


def test_phrases():
    """Registered codes have one, and it can stand on a line."""
    assert phrase_of(418) == phrase_of(0) == b""
    for code, phrase in PHRASES.items():
        assert 100 <= code <= 599
        assert phrase.isascii()
        assert phrase.decode().isprintable()


def test_lines_of_the_server():
    """Who answers, and when."""
    assert server_fields(b"s", b"d") == b"Server: s\r\nDate: d\r\n"


def test_continue_is_a_whole_head():
    """It goes out before the answer, by itself."""
    assert CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_chunks_can_be_read_again(pieces):
    """A size in hex, a line end, the data, a line end; a size of zero ends it."""
    raw, found = b"".join(map(encode_chunk, pieces)) + LAST_CHUNK, []
    while (size := int(raw[: raw.index(b"\r\n")], 16)) > 0:
        start = raw.index(b"\r\n") + 2
        found.append(raw[start : start + size])
        raw = raw[start + size :].removeprefix(b"\r\n")
    assert found == pieces
    assert raw == b"0\r\n\r\n"


def test_trailers_stand_in_the_last_chunk():
    """Behind the size of zero, before the empty line."""
    assert encode_last_chunk([(b"A", b"1"), (b"B", b"2")]) == b"0\r\nA: 1\r\nB: 2\r\n\r\n"


def test_hints_are_a_whole_head():
    """A 103 with each link on its own line, and nothing else."""
    hints = encode_hints([b"</a>; rel=next", b"</b>; rel=prev"])
    assert hints == (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=next\r\nLink: </b>; rel=prev\r\n\r\n"
    )
