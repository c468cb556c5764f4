"""Each rule of reading answers, in a table."""

import pytest

from weblayer.wire.answer import UNTIL_CLOSE, AnswerParser
from weblayer.wire.events import END, Bad
from weblayer.wire.framing import CHUNKED

OK = b"HTTP/1.1 200 OK\r\n"
CODED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def events_of(raw, method=b"GET", *, ends=False):
    parser = AnswerParser()
    parser.begin(method)
    events = parser.feed(raw)
    return events + parser.feed_end() if ends else events


# What comes, in answer to what, and the framing and the body that are read.
TAKEN = {
    "a length": (b"GET", OK + b"Content-Length: 2\r\n\r\nab", 2, b"ab"),
    "no body": (b"GET", OK + b"Content-Length: 0\r\n\r\n", 0, b""),
    "chunks": (b"GET", CODED + b"2\r\nab\r\n0\r\n\r\n", CHUNKED, b"ab"),
    "until close": (b"GET", OK + b"\r\nab", UNTIL_CLOSE, b"ab"),
    "HTTP/1.0": (b"GET", b"HTTP/1.0 200 OK\r\n\r\nab", UNTIL_CLOSE, b"ab"),
    "HEAD": (b"HEAD", OK + b"Content-Length: 2\r\n\r\n", 2, b""),
    "HEAD in chunks": (b"HEAD", CODED, CHUNKED, b""),
    "HEAD without a length": (b"HEAD", OK + b"\r\n", UNTIL_CLOSE, b""),
    "204": (b"GET", b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", 0, b""),
    "304": (b"GET", b"HTTP/1.1 304 Not\r\nContent-Length: 2\r\n\r\n", 2, b""),
    "CONNECT": (b"CONNECT", OK + b"\r\n", UNTIL_CLOSE, b""),
    "CONNECT refused": (b"CONNECT", b"HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\na", 1, b"a"),
    "101": (b"GET", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", 0, b""),
    "no phrase": (b"GET", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 0, b""),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_an_answer_is_framed(name):
    """Where it ends follows from what was asked, the status and the fields (RFC 9112, 6.3)."""
    method, raw, length, body = TAKEN[name]
    head, *pieces, end = events_of(raw, method, ends=True)
    assert head.length == length
    assert b"".join(pieces) == body
    assert end is END


REFUSED = {
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a sign": OK + b"Content-Length: +1\r\n\r\n",
    "no number": OK + b"Content-Length: 1_0\r\n\r\n",
    "both framings": OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "a coding below": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a fold behind the status": OK + b" X: a\r\n\r\n",
    "a blank before the colon": OK + b"X : a\r\n\r\n",
    "no colon": OK + b"X\r\n\r\n",
    "NUL": OK + b"X: \x00\r\n\r\n",
    "a bare CR": OK + b"X: a\rb\r\n\r\n",
    "a bare LF": OK + b"X: a\nb\r\n\r\n",
    "LF only": b"HTTP/1.1 200 OK\n\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "HTTP/0.9": b"<html>",
    "ICY": b"ICY 200 OK\r\n\r\n",
    "an empty line first": b"\r\n" + OK + b"\r\n",
    "four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a chunk size with a sign": CODED + b"+1\r\na\r\n",
    "a chunk size in 0x": CODED + b"0x1\r\na\r\n",
    "a huge chunk": CODED + b"f" * 17 + b"\r\n",
    "a chunk too long": CODED + b"1\r\nab\r\n",
    "a chunk line in LF": CODED + b"1\na\r\n",
    "a bad trailer": CODED + b"0\r\nX : a\r\n\r\n",
    "too many fields": OK + b"X: a\r\n" * 300 + b"\r\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_two_readers_could_read_in_two_ways_is_refused(name):
    """It is Bad at once, without waiting for more."""
    assert isinstance(events_of(REFUSED[name])[-1], Bad)


def test_a_folded_field_is_read_on_one_line():
    """As a client must (RFC 9112, 5.2)."""
    head = events_of(OK + b"X: a\r\n \t b\r\nContent-Length:\r\n 0\r\n\r\n")[0]
    assert head.fields() == [(b"X", b"a b"), (b"Content-Length", b"0")]
    assert head.length == 0


def test_interim_answers_come_before_the_answer():
    """Each is told of, and none ends the exchange, even with a length (RFC 9110, 15.2)."""
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nContent-Length: 9\r\n\r\n"
    *heads, end = events_of(raw + OK + b"Content-Length: 0\r\n\r\n")
    assert [head.code for head in heads] == [100, 103, 200]
    assert end is END


@pytest.mark.parametrize(
    ("raw", "lives"),
    [
        (OK + b"Content-Length: 0\r\n\r\n", True),
        (OK + b"Content-Length: 0\r\nConnection: Close\r\n\r\n", False),
        (OK + b"\r\n", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_whether_the_connection_lives_on(raw, lives):
    """By version and Connection (RFC 9112, 9.3); what the framing says to it is another thing."""
    assert events_of(raw)[0].keep_alive is lives


def test_a_head_tells_its_parts():
    """Version, code, phrase and fields, as sent."""
    head = events_of(b"HTTP/1.0 404 Not \xff\r\nA: 1\r\na:\t2 \r\n\r\n")[0]
    assert (head.version, head.code, head.phrase) == (b"HTTP/1.0", 404, b"Not \xff")
    assert head.fields() == [(b"A", b"1"), (b"a", b"2")]
    assert events_of(b"HTTP/1.1 200\r\n\r\n")[0].phrase == b""
