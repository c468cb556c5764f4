"""HTTP/1.1 on one connection: where an answer ends, whether the next may come, and when it is over.

Every test here sends bytes and reads bytes: the channel is the real one.
"""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, errors_of, raw, tree
from weblayer.loop.deferred import Deferred
from weblayer.web.policy import Policy
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.testing import Conversation, ask

hello = Page(lambda request: b"hello")


def sent(page, *messages):
    """The conversation in which these bytes were sent to *page*, one packet each."""
    conversation = Conversation(page)
    for message in messages:
        conversation.send(message)
    return conversation


def with_length(length, *pieces):
    """A page that announces *length* and writes *pieces*."""

    def page(request):
        request.setHeader("Content-Length", str(length))
        for piece in pieces:
            request.write(piece)
        request.finish()
        return NOT_DONE_YET

    return Page(page)


# Framing


def test_a_known_body_has_its_length():
    """Bytes go out with Content-Length, and the connection lives on."""
    answer = ask(hello)
    assert (answer.getHeader("content-length"), answer.getHeader("transfer-encoding")) == (
        "5",
        None,
    )
    assert (answer.getHeader("connection"), answer.isClosed) == (None, False)


def test_an_unknown_body_goes_out_in_chunks():
    """What is written piece by piece is chunked for HTTP/1.1."""
    conversation = ask(Page(lambda request: iter([b"hel", b"lo"])))
    assert conversation.received.endswith(b"\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
    assert conversation.getHeader("content-length") is None


def test_an_unknown_body_ends_with_the_connection_in_http_1_0():
    """HTTP/1.0 knows no chunks: the end of the connection is the end of the body."""
    conversation = sent(Page(lambda request: iter([b"hel", b"lo"])), b"GET / HTTP/1.0\r\n\r\n")
    assert conversation.received.endswith(b"\r\n\r\nhello")
    assert (conversation.isClosed, conversation.getHeader("connection")) == (True, "close")


@pytest.mark.parametrize("code", [204, 304])
@pytest.mark.parametrize("how", [lambda body: body, lambda body: iter([body])])
def test_what_may_have_no_body_has_none(code, how):
    """204 and 304 end with their head, whatever the program gives, and say nothing of a body."""

    def page(request):
        request.setResponseCode(code)
        return how(b"body")

    conversation = ask(Page(page))
    conversation.ask("GET")
    for answer in conversation.answers:
        assert (answer.code, answer.body, answer.isWhole) == (code, b"", True)
        assert answer.getHeader("content-length") is None
        assert answer.getHeader("content-type") is None


def test_a_length_that_the_program_keeps_is_announced():
    """A program that knows the length may write in pieces, without chunks."""
    conversation = ask(with_length(5, b"hel", b"lo"))
    assert (conversation.getHeader("content-length"), conversation.body) == ("5", b"hello")
    conversation.ask("GET")
    assert conversation.body == b"hello"


@pytest.mark.parametrize("page", [
    with_length(5, b"hell"), with_length(5, b"hello!"), with_length(5),
    Page(lambda r: r.setHeader("Content-Length", "5") or b"hell"),
    Page(lambda r: r.setHeader("Content-Length", "5") or iter([b"hell"])),
])  # fmt: skip
def test_a_broken_word_on_the_length_breaks_the_connection(page, caplog):
    """Too short or too long, the client never takes it for whole, and the log says why."""
    conversation = sent(page, raw("GET / HTTP/1.1") + raw("GET / HTTP/1.1"))
    assert conversation.isGone
    assert not any(answer.isWhole for answer in conversation.answers)
    assert "Content-Length says" in caplog.text


def test_no_byte_goes_out_beyond_the_length(caplog):
    """What is too much would be read as the beginning of the next answer."""
    conversation = sent(with_length(5, b"hello", b"HTTP/1.1 200"), raw("GET / HTTP/1.1") * 2)
    assert conversation.received.endswith(b"\r\n\r\nhello")
    assert conversation.isGone
    assert "Content-Length says" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [("Content-Length", "many"), ("Content-Length", "-1"), ("Transfer-Encoding", "chunked")],
)
@pytest.mark.parametrize("how", [lambda body: body, lambda body: iter([body])])
def test_what_the_program_may_not_say_of_the_framing_is_500(name, value, how, caplog):
    """An answer that two readers could read in two ways is not sent."""
    page = Page(lambda request: request.setHeader(name, value) or how(b"body"))
    answer = ask(page)
    assert (answer.code, answer.isWhole) == (500, True)
    assert name in caplog.text


@pytest.mark.parametrize("size", [5, 200_000])
@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("how", [
    lambda data: data,
    lambda data: memoryview(data),
    lambda data: memoryview(data).toreadonly(),
    lambda data: memoryview(bytes(data)),
    lambda data: memoryview(bytes(data) * 2)[: len(data)],
    lambda data: memoryview(bytes(b for byte in data for b in (byte, 0)))[::2],
])  # fmt: skip
def test_a_view_is_sent_as_its_bytes(size, length, how):
    """A body may be written as whatever holds bytes, in the framing of any other."""
    body = bytearray(b"abcde" * (size // 5))

    def page(request):
        if length:
            request.setHeader("Content-Length", str(size))
        request.write(how(body))
        request.finish()
        return NOT_DONE_YET

    answer = ask(Page(page))
    assert (answer.body, answer.isWhole) == (body, True)


# Whether the connection lives on


@pytest.mark.parametrize(
    ("version", "connection", "said"),
    [
        ("1.1", None, None),
        ("1.1", "keep-alive", None),
        ("1.1", "close", "close"),
        ("1.1", "Close, TE", "close"),
        ("1.0", None, "close"),
        ("1.0", "Keep-Alive", "keep-alive"),
        ("1.0", "close", "close"),
    ],
)
def test_the_client_says_whether_the_connection_lives_on(version, connection, said):
    """By its version and its Connection field; the answer says the same."""
    line = f"Connection: {connection}\r\n" if connection else ""
    request = f"GET / HTTP/{version}\r\nHost: a.test\r\n{line}\r\n".encode()
    conversation = sent(hello, request)
    assert (conversation.getHeader("connection"), conversation.isClosed) == (said, said == "close")
    assert conversation.received.startswith(b"HTTP/1.1 200 OK\r\n")


def test_the_program_may_have_the_connection_closed():
    """A `Connection: close` that a resource sets is said once, and done."""
    page = Page(lambda request: request.setHeader("connection", "close") or b"last")
    conversation = sent(page, raw("GET / HTTP/1.1") * 2)
    assert conversation.headers.getRawHeaders("connection") == ["close"]
    assert (len(conversation.answers), conversation.isClosed) == (1, True)


def test_nothing_is_answered_behind_the_last_request():
    """What comes behind a `Connection: close` is no request."""
    conversation = sent(hello, raw("GET / HTTP/1.1", "Connection: close") + raw("GET / HTTP/1.1"))
    assert (len(conversation.answers), conversation.isClosed) == (1, True)


def test_lose_connection_breaks_off():
    """A program may break an answer off; the client sees that it is not whole."""

    def page(request):
        request.write(b"some")
        request.loseConnection()
        return NOT_DONE_YET

    conversation = ask(Page(page))
    assert conversation.isGone
    assert not conversation.last.isWhole


# Bad messages


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a.test\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET /" + b"a" * 9000, 414),
        (raw("GET / HTTP/1.1", "X: " + "a" * 70_000), 431),
        (raw("POST / HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"), 400),
        (raw("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked"), 501),
    ],
)
def test_a_bad_message_is_answered_and_the_connection_closes(message, code, caplog):
    """With the code that fits, in plain text, and no resource is asked."""
    rendered = []
    conversation = sent(Page(lambda request: rendered.append(1) or b""), message)
    assert (conversation.code, conversation.last.isWhole, conversation.isClosed) == (
        code,
        True,
        True,
    )
    assert conversation.getHeader("connection") == "close"
    assert not rendered
    assert not errors_of(caplog)


def test_a_bad_message_waits_its_turn():
    """Its 400 comes behind the answers to all that was well, never inside one of them."""
    coming = Deferred()
    pages = tree(slow=Page(lambda request: coming), stream=Page(lambda request: iter([b"a", b"b"])))
    conversation = sent(
        pages,
        raw("GET /slow HTTP/1.1") + raw("GET /stream HTTP/1.1") + b"no request\r\n\r\n",
    )
    assert conversation.received == b""
    conversation.do(coming.callback, b"slow")
    assert [(a.code, a.isWhole) for a in conversation.answers] == [(200, True)] * 2 + [(400, True)]
    assert conversation.isClosed


async def gathered(request):
    return b"".join([piece async for piece in request.stream()])


@pytest.mark.parametrize("kind", ["spool", "stream"])
def test_a_bad_chunk_is_400_at_once(kind, caplog):
    """A body that breaks the grammar is never whole: its reader and the client are told."""
    conversation = sent(
        Page(gathered, Policy(takesBody=kind)),
        raw("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\nwrong\r\n"),
    )
    assert [answer.code for answer in conversation.answers] == [400]
    assert conversation.isClosed
    assert not errors_of(caplog)


# A client that ends its side


async def slow(request):
    await asyncio.sleep(1)
    return request.uri


def test_who_ends_its_side_is_answered():
    """Every request that came whole, in order; then the connection is closed."""
    conversation = sent(Page(slow), raw("GET /1 HTTP/1.1") + raw("GET /2 HTTP/1.1") + b"GET")
    conversation.lose()
    assert not conversation.isClosed
    conversation.advance(3)
    assert [answer.text() for answer in conversation.answers] == ["/1", "/2"]
    assert conversation.isGone


def test_a_thousand_requests_of_one_who_ends_its_side():
    """Those that still wait as bytes are whole too."""
    conversation = sent(hello, raw("GET / HTTP/1.1") * 1000)
    conversation.lose()
    conversation.advance(1)
    assert (len(conversation.answers), conversation.isGone) == (1000, True)


@pytest.mark.parametrize("half", [b"", b"GET / HTTP/1.1\r\nX:", b"GET / HTTP/1.1", b"\r\n"])
def test_who_ends_its_side_before_a_request_is_whole_is_not(half):
    """Nothing is asked, so there is nothing to answer."""
    conversation = sent(hello, half)
    conversation.lose()
    assert (conversation.answers, conversation.isGone) == ([], True)


@pytest.mark.parametrize("kind", ["spool", "stream", "ignore"])
def test_who_ends_its_side_within_a_body_is_not_waited_for(kind):
    """The rest of that body will never come."""
    conversation = sent(
        Page(slow, Policy(takesBody=kind)), raw("POST / HTTP/1.1", "Content-Length: 9", body=b"a")
    )
    conversation.lose()
    assert (conversation.answers, conversation.isGone) == ([], True)


def test_who_ends_its_side_is_not_waited_for_long():
    """It may have left, which looks the same: what it asked for is given up after a while."""
    conversation = sent(Page(lambda request: Deferred()), raw("GET / HTTP/1.1"))
    conversation.lose()
    conversation.advance(4)
    assert not conversation.isGone
    conversation.advance(4)
    assert (conversation.answers, conversation.isGone) == ([], True)


def test_who_ends_its_side_may_be_slow_to_read():
    """An answer that waits to be read is waited for as ever."""
    conversation = sent(Page(slow), raw("GET / HTTP/1.1"))
    conversation.lose()
    conversation.stopReading()
    conversation.advance(30)
    assert not conversation.isGone
    conversation.startReading()
    assert (conversation.text(), conversation.isGone) == ("/", True)


# Anything


words = st.sampled_from(
    [b"GET ", b"POST ", b"/ ", b"HTTP/1.1", b"\r\n", b"\r\n\r\n", b"Host: a.test", b": ", b"5",
     b"Content-Length", b"Transfer-Encoding: chunked", b"0\r\n\r\n", b"Connection: close",
     b"Expect: 100-continue", b"Upgrade: h2c", b"Connection: Upgrade"]
)  # fmt: skip
honest = [
    raw("GET / HTTP/1.1"),
    raw("POST / HTTP/1.1", "Content-Length: 3", body=b"abc"),
    raw("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    b"GET /a/b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
]


@st.composite
def damaged(draw):
    """An honest request with something put in, taken out or changed."""
    data = draw(st.sampled_from(honest))
    start = draw(st.integers(0, len(data)))
    stop = draw(st.integers(start, min(len(data), start + 5)))
    return data[:start] + draw(st.binary(max_size=5) | words) + data[stop:]


stream_of_bytes = st.lists(
    st.binary(max_size=30) | words | st.sampled_from(honest) | damaged(), max_size=12
).map(b"".join)


@given(data=stream_of_bytes, cut=st.integers(1, 200))
def test_whatever_is_sent_the_connection_ends_and_nothing_escapes(data, cut):
    """Any bytes, cut anywhere: answers or a close, never an error of ours, never a hang."""
    seen = []

    async def page(request):
        seen.append(request.method)
        return request.content.read()

    with Conversation(Page(page)) as conversation:
        for start in range(0, len(data), cut):
            conversation.send(data[start : start + cut])
        conversation.lose()
        assert conversation.isGone
        codes = [answer.code for answer in conversation.answers]
    assert all(code == 200 or 400 <= code < 600 for code in codes)
    assert 500 not in codes
    assert codes.count(200) <= len(seen)
