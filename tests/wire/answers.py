"""Responses for hypothesis: what honest servers send, and what others do."""

from typing import NamedTuple

from hypothesis import strategies as st

from weblayer.wire.answer import AnswerHead, AnswerParser
from weblayer.wire.events import END, Bad
from weblayer.wire.parse import Limits

METHODS = st.sampled_from([b"GET", b"HEAD", b"POST", b"CONNECT"])
_SIZES = st.sampled_from([b"%x", b"%X", b"000%x", b"%x ", b"%x;a=b", b'%x;a="b;c"'])
_LINES = st.sampled_from(
    [b"Server: x", b"X-A:", b"x-b: \xff\x80\t", b"Connection: close", b"Connection: keep-alive",
     b"Content-Length: 5", b"Content-Length: 5, 5", b"Content-Length: +5", b"Content-Length: 99",
     b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"transfer-encoding: x",
     b"Folded: a\r\n b", b" c", b"No colon", b"Bad : a", b"X: \x00", b"X: a\rb", b"X: a\nb"]
)  # fmt: skip
_STATUS_LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No", b"HTTP/1.1 304 ",
     b"HTTP/1.1 100 Continue", b"HTTP/1.1 101 Switching", b"HTTP/1.1 404 \xff", b"HTTP/1.1 999 a",
     b"HTTP/2 200", b"HTTP/1.1 20 OK", b"HTTP/1.1 099 a", b"ICY 200 OK", b"SSH-2.0-x", b"http/1.1"]
)  # fmt: skip


@st.composite
def chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """*body* in chunks, with what may stand around them."""
    raw, at = b"", 0
    while at < len(body):
        size = draw(st.integers(1, len(body) - at))
        raw += draw(_SIZES) % size + b"\r\n" + body[at : at + size] + b"\r\n"
        at += size
    return (
        raw
        + b"0\r\n"
        + draw(st.sampled_from([b"", b"X: a\r\n", b"Content-Length: 1\r\n"]))
        + b"\r\n"
    )


class Sent(NamedTuple):
    """A response as bytes, and its body; *until_close* where its end is the connection's."""

    raw: bytes
    body: bytes
    until_close: bool


@st.composite
def honest(draw: st.DrawFn) -> Sent:
    """What an honest server answers to GET."""
    body = draw(st.binary(max_size=60) | st.just(b"HTTP/1.1 200 OK\r\n\r\n"))
    interim = draw(
        st.sampled_from([b"", b"HTTP/1.1 100 \r\n\r\n", b"HTTP/1.1 103 E\r\nLink: a\r\n\r\n" * 3])
    )
    head = interim + draw(
        st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404\r\nX: a\r\n b\r\n"])
    )
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return Sent(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body), body, False)
    if kind == 1:
        raw = head + b"Transfer-Encoding: Chunked\r\n\r\n" + draw(chunked(body))
        return Sent(raw, body, False)
    return Sent(head + b"\r\n" + body, body, True)


@st.composite
def odd(draw: st.DrawFn) -> bytes:
    """What any server might send."""
    lines = [draw(_STATUS_LINES), *draw(st.lists(_LINES, max_size=4))]
    body = draw(
        st.binary(max_size=30) | chunked(b"hello") | st.sampled_from([b"hello", b"5\r\nhelloX\r\n"])
    )
    return (
        b"\r\n".join(lines) + draw(st.sampled_from([b"\r\n\r\n", b"\r\n\r\n", b"\n\n", b""])) + body
    )


ANSWERS = st.one_of(
    honest().map(lambda sent: sent.raw),
    odd(),
    st.lists(odd(), max_size=3).map(b"".join),
    st.binary(max_size=80),
)

small_limits = st.builds(
    Limits,
    line=st.just(10), head=st.integers(10, 80), fields=st.integers(0, 3),
    chunk_line=st.integers(3, 20), frame=st.integers(5, 40),
)  # fmt: skip


def reading_of(pieces, method=b"GET", limits=None, *, ends=True):
    """The events of one answer, made comparable: bodies in one piece, heads by what they say."""
    parser = AnswerParser(limits) if limits else AnswerParser()
    parser.begin(method)
    events = [event for piece in pieces for event in parser.feed(piece)]
    if ends:
        events += parser.feed_end()
    found = told(events)
    return found, None if found and found[-1] == "bad" else parser.rest


def told(events):
    """What *events* say, made comparable."""
    found = []
    for event in events:
        if isinstance(event, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += event
        elif isinstance(event, AnswerHead):
            found.append((event.raw, event.code, event.length, event.keep_alive))
        else:
            found.append("bad" if isinstance(event, Bad) else "end" if event is END else event)
    return found
