"""Where a message ends, and whether the connection lives on: RFC 9112, 6.3 and 9.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.errors import BadMessage
from weblayer.wire.framing import (
    CHUNKED,
    Framing,
    keeps_alive,
    request_length,
    response_framing,
)


@pytest.mark.parametrize(
    ("length", "coding", "found"),
    [
        (None, None, 0),
        (b"0", None, 0),
        (b"0012", None, 12),
        (b"9" * 19, None, 10**19 - 1),
        (None, b"chunked", CHUNKED),
        (None, b"CHUNKED", CHUNKED),
    ],
)
def test_the_length_of_a_request(length, coding, found):
    """What is declared; nothing declared is nothing sent."""
    assert request_length(b"HTTP/1.1", length, coding) == found


@pytest.mark.parametrize(
    ("version", "length", "coding", "status"),
    [
        (b"HTTP/1.1", b"", None, 400),
        (b"HTTP/1.1", b" 1", None, 400),
        (b"HTTP/1.1", b"1_0", None, 400),
        (b"HTTP/1.1", b"+1", None, 400),
        (b"HTTP/1.1", b"1, 1", None, 400),
        (b"HTTP/1.1", b"\xb2", None, 400),
        (b"HTTP/1.1", b"1" * 20, None, 400),
        (b"HTTP/1.1", b"0", b"chunked", 400),
        (b"HTTP/1.0", None, b"chunked", 400),
        (b"HTTP/1.1", None, b"", 400),
        (b"HTTP/1.1", None, b",chunked", 400),
        (b"HTTP/1.1", None, b"chunked,", 400),
        (b"HTTP/1.1", None, b"chunked;q=1", 400),
        (b"HTTP/1.1", None, b"chunked, chunked", 400),
        (b"HTTP/1.1", None, b"chunked, gzip", 400),
        (b"HTTP/1.1", None, b"gzip", 400),
        (b"HTTP/1.1", None, b"gzip, chunked", 501),
    ],
)
def test_lengths_that_two_could_read_differently(version, length, coding, status):
    """They are refused; 501 only where the message is right and we cannot decode it."""
    with pytest.raises(BadMessage) as caught:
        request_length(version, length, coding)
    assert caught.value.status == status


@given(st.integers(0, 10**19 - 1))
def test_any_length_of_up_to_19_digits_is_read(length):
    """A decimal number is what it says."""
    assert request_length(b"HTTP/1.1", b"%d" % length, None) == length


@pytest.mark.parametrize(
    ("connection", "since_1_1", "before"),
    [
        (None, True, False),
        (b"", True, False),
        (b"keep-alive", True, True),
        (b"Keep-Alive", True, True),
        (b"te, keep-alive", True, True),
        (b"close", False, False),
        (b"CLOSE", False, False),
        (b"TE\t,\tclose", False, False),
        (b"keep-alive, close", False, False),
        (b"closed", True, False),
        (b"keep-alive;x", True, False),
        (b"not close", True, False),
    ],
)
def test_who_lives_on(connection, since_1_1, before):
    """HTTP/1.1 unless it says close, HTTP/1.0 only if it says keep-alive and not close."""
    assert keeps_alive(b"HTTP/1.1", connection) is since_1_1
    assert keeps_alive(b"HTTP/1.0", connection) is before


@pytest.mark.parametrize(
    ("method", "code", "version", "length", "framing"),
    [
        (b"GET", 200, b"HTTP/1.1", 5, Framing.LENGTH),
        (b"GET", 200, b"HTTP/1.0", 5, Framing.LENGTH),
        (b"GET", 200, b"HTTP/1.1", 0, Framing.LENGTH),
        (b"GET", 200, b"HTTP/1.1", None, Framing.CHUNKS),
        (b"GET", 200, b"HTTP/1.0", None, Framing.CLOSE),
        (b"HEAD", 200, b"HTTP/1.1", 5, Framing.NOTHING),
        (b"HEAD", 200, b"HTTP/1.0", None, Framing.NOTHING),
        (b"GET", 100, b"HTTP/1.1", None, Framing.NOTHING),
        (b"GET", 101, b"HTTP/1.1", None, Framing.NOTHING),
        (b"GET", 204, b"HTTP/1.1", None, Framing.NOTHING),
        (b"POST", 205, b"HTTP/1.1", 5, Framing.NOTHING),
        (b"GET", 304, b"HTTP/1.1", 5, Framing.NOTHING),
        (b"POST", 404, b"HTTP/1.1", None, Framing.CHUNKS),
    ],
)
def test_how_a_response_tells_its_end(method, code, version, length, framing):
    """By nothing, its length, a last chunk, or the end of the connection."""
    assert response_framing(method, code, version, length) is framing
