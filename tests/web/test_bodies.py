"""Bodies that come in: spooled, streamed or ignored, and never more of them than was allowed."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, raw, tree
from weblayer.loop.deferred import Deferred
from weblayer.web.errors import Forbidden
from weblayer.web.intake import HIGH, MEMORY
from weblayer.web.policy import Policy
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.testing import Conversation, ask

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

STREAM = Policy(takesBody="stream", maxBody=10**9)


async def gathered(request):
    """The body of a request, read as a stream."""
    return b"".join([piece async for piece in request.stream()])


def chunked(*pieces):
    """A chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


echo = Page(lambda request: request.content.read(), Policy(maxBody=10**9))
stream_echo = Page(gathered, STREAM)


# Whole


@pytest.mark.parametrize("page", [echo, stream_echo], ids=["spooled", "streamed"])
@given(pieces=st.lists(st.binary(min_size=1, max_size=50), max_size=5), cut=st.integers(1, 99))
def test_a_body_arrives_as_it_was_sent(page, pieces, cut):
    """By its length or in chunks, and however the network cut it, it is the same body."""
    body = b"".join(pieces)
    by_length = raw("POST / HTTP/1.1", f"Content-Length: {len(body)}", body=body)
    by_chunks = raw("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=chunked(*pieces))
    with Conversation(page) as conversation:
        for message in (by_length, by_chunks):
            for start in range(0, len(message), cut):
                conversation.send(message[start : start + cut])
        assert [answer.body for answer in conversation.answers] == [body, body]


@pytest.mark.parametrize("size", [MEMORY, MEMORY + 1, 3 * MEMORY])
def test_a_large_body_is_spooled_to_a_file_that_is_closed(size):
    """A body beyond MEMORY is kept in a file, which is closed with the request."""
    files = []

    def page(request):
        files.append(request.content)
        return str(len(request.content.read()))

    answer = ask(Page(page), "POST", body=b"x" * size)
    assert answer.text() == str(size)
    assert isinstance(files[0], io.BytesIO) == (size <= MEMORY)
    assert files[0].closed


def test_a_stream_of_a_spooled_body_gives_its_pieces():
    """request.stream() works whatever the policy."""
    body = bytes(range(256)) * 1000
    assert ask(Page(gathered), "POST", body=body).body == body


def test_a_streamed_body_is_no_content():
    """What streams has no file, and the error says what to use."""
    told = []

    def page(request):
        try:
            return request.content
        except TypeError as error:
            told.append(str(error))
            return b""

    ask(Page(page, STREAM), "POST", body=b"x")
    assert "use request.stream()" in told[0]


def test_a_render_that_streams_begins_before_its_body():
    """The head is enough to render; the pieces come to it as they come to us."""
    seen = []

    async def page(request):
        seen.append("begun")
        async for piece in request.stream():
            seen.append(piece)
        return b""

    conversation = Conversation(Page(page, STREAM))
    for part in (raw("POST / HTTP/1.1", "Content-Length: 4"), b"ab", b"cd"):
        conversation.send(part)
        seen.append("|")
    assert seen == ["begun", "|", b"ab", "|", b"cd", "|"]


# Limits


@pytest.mark.parametrize("kind", ["spool", "stream"])
def test_a_length_over_the_limit_is_413_before_anything_is_read(kind):
    """Content-Length alone decides, before 100 Continue and before the render."""
    rendered = []
    small = Page(lambda r: rendered.append(r) or b"", Policy(takesBody=kind, maxBody=3))
    conversation = Conversation(small)
    conversation.send(raw("POST / HTTP/1.1", "Content-Length: 4", "Expect: 100-continue"), "POST")
    assert conversation.code == 413
    assert CONTINUE not in conversation.received
    assert conversation.isClosed
    assert not rendered


@pytest.mark.parametrize("answer", [echo.answer, gathered], ids=["spooled", "streamed"])
def test_chunks_over_the_limit_are_413_by_count(answer):
    """A body that does not say its length is counted as it comes."""
    policy = Policy(takesBody="stream" if answer is gathered else "spool", maxBody=3)
    conversation = Conversation(Page(answer, policy))
    conversation.send(raw("POST / HTTP/1.1", "Transfer-Encoding: chunked"), "POST")
    conversation.send(b"2\r\nab\r\n")
    assert not conversation.answers
    conversation.send(b"2\r\ncd\r\n")
    assert (conversation.code, conversation.isClosed) == (413, True)
    assert "at most 3 B" in conversation.text()


def test_a_spooled_file_over_the_limit_is_closed(recwarn):
    """The file of a body that grew too large is not left to the collector."""
    page = Page(echo.answer, Policy(maxBody=2 * MEMORY))
    conversation = Conversation(page)
    conversation.send(raw("POST / HTTP/1.1", "Transfer-Encoding: chunked"), "POST")
    conversation.send(chunked(b"x" * MEMORY, b"x" * MEMORY, b"x"))
    assert conversation.code == 413
    assert not recwarn.list


# 100 Continue


def expecting(page, size=3, path="/"):
    conversation = Conversation(page)
    conversation.send(
        raw(f"POST {path} HTTP/1.1", f"Content-Length: {size}", "Expect: 100-continue"), "POST"
    )
    return conversation


@pytest.mark.parametrize("page", [echo, stream_echo], ids=["spooled", "streamed"])
def test_a_client_that_asks_first_is_told_to_go_on(page):
    """100 Continue goes out once, when the body is wanted, and the answer follows."""
    conversation = expecting(page)
    assert conversation.received == CONTINUE
    conversation.send(b"abc")
    assert conversation.received.count(b"100 Continue") == 1
    assert (conversation.code, conversation.body) == (200, b"abc")


def refused(request):
    raise Forbidden


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (tree(), 404),
        (Page(refused, STREAM), 403),
        (Page(lambda request: b"", STREAM), 200),
        (Page(lambda request: b"", Policy(takesBody="ignore")), 200),
    ],
)
def test_a_body_that_nobody_reads_is_not_asked_for(page, code):
    """The answer is the final one at once, and the connection closes without the body."""
    conversation = expecting(page, path="/x")
    assert (conversation.code, conversation.last.isWhole, conversation.isClosed) == (
        code, True, True,
    )  # fmt: skip
    assert CONTINUE not in conversation.received


def test_continue_waits_its_turn():
    """100 Continue is never inside the answer to an earlier request."""
    first = Deferred()
    pages = tree(slow=Page(lambda request: first), echo=echo)
    conversation = Conversation(pages)
    second = raw("POST /echo HTTP/1.1", "Content-Length: 3", "Expect: 100-continue")
    conversation.send(raw("GET /slow HTTP/1.1") + second, "GET", "POST")
    assert conversation.received == b""
    conversation.do(first.callback, b"first")
    assert conversation.received.endswith(b"first" + CONTINUE)


def test_continue_is_never_inside_the_answer_itself():
    """A render that has begun to answer before it reads gets the body without a 100."""

    async def page(request):
        request.write(b"begun ")
        return await gathered(request)

    conversation = expecting(Page(page, STREAM))
    conversation.send(b"abc")
    assert CONTINUE not in conversation.received
    assert conversation.body == b"begun abc"


def test_a_client_of_http_1_0_is_never_told_to_go_on():
    """HTTP/1.0 knows no 100 (RFC 9110, 10.1.1)."""
    conversation = Conversation(echo)
    conversation.send(
        b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "POST"
    )
    assert conversation.received == b""
    conversation.send(b"x")
    assert conversation.body == b"x"


def test_an_unknown_expectation_is_417():
    """What cannot be met is refused (RFC 9110, 10.1.1)."""
    assert ask(echo, "GET", "/", {"Expect": "a-miracle"}).code == 417


# Backpressure


def test_a_body_that_is_not_read_is_not_received():
    """A slow consumer costs what it was told to hold; the rest stays with the client."""
    gate = asyncio.Event()
    taken = []

    async def page(request):
        async for piece in request.stream():
            taken.append(len(piece))
            await gate.wait()
        return str(sum(taken))

    size, packet = 40 * HIGH, b"x" * (HIGH // 4)
    conversation = Conversation(Page(page, STREAM))
    conversation.send(raw("POST / HTTP/1.1", f"Content-Length: {size}"), "POST")
    sent = 0
    while conversation.isRead and sent < size:
        conversation.send(packet)
        sent += len(packet)
    assert sent <= 2 * HIGH
    conversation.send(b"x" * (size - sent))
    assert sum(taken) <= HIGH
    conversation.do(gate.set)
    assert conversation.text() == str(size)


def test_what_streams_through_never_gathers():
    """A body as long as you like passes with a bounded number of bytes held."""

    async def page(request):
        return str(sum([len(piece) async for piece in request.stream()]))

    conversation = Conversation(Page(page, STREAM))
    conversation.send(raw("POST / HTTP/1.1", "Content-Length: 3200000"), "POST")
    for _ in range(100):
        conversation.send(b"x" * 32_000)
        assert conversation.isRead
    assert conversation.text() == "3200000"


# Early answers


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_an_early_answer_is_whole_and_the_connection_closes_gently(framing):
    """The rest of the body is read away for a while, so that no reset loses the answer."""
    ignoring = Page(lambda request: b"early", Policy(takesBody="ignore"))
    conversation = Conversation(ignoring)
    conversation.send(raw("POST / HTTP/1.1", framing), "POST")
    assert (conversation.body, conversation.last.isWhole) == (b"early", True)
    assert conversation.getHeader("connection") == "close"
    assert conversation.isClosed
    assert conversation.isRead
    conversation.send(b"x" * 500)
    assert not conversation.isGone


def test_an_early_answer_lingers_for_some_seconds_only():
    """A client that neither reads nor closes is cut off."""
    ignoring = Page(lambda request: b"early", Policy(takesBody="ignore"))
    conversation = Conversation(ignoring)
    conversation.send(raw("POST / HTTP/1.1", "Content-Length: 1000"), "POST")
    conversation.advance(4)
    assert not conversation.isGone
    conversation.advance(4)
    assert conversation.isGone


def test_an_early_answer_lingers_for_some_megabytes_only():
    """A client that goes on sending what nobody wants is cut off."""
    ignoring = Page(lambda request: b"early", Policy(takesBody="ignore"))
    conversation = Conversation(ignoring)
    conversation.send(raw("POST / HTTP/1.1", "Content-Length: 1000000000"), "POST")
    sent = 0
    while not conversation.isGone:
        conversation.send(b"x" * 100_000)
        sent += 100_000
    assert sent < 5_000_000


def test_a_body_that_is_there_already_costs_no_connection():
    """An ignored body that came whole is passed over, and the next request is answered."""
    ignoring = Page(lambda request: request.method, Policy(takesBody="ignore"))
    conversation = Conversation(ignoring)
    requests = raw("POST / HTTP/1.1", "Content-Length: 5", body=b"GET /") + raw("GET / HTTP/1.1")
    conversation.send(requests, "POST", "GET")
    assert [answer.text() for answer in conversation.answers] == ["POST", "GET"]


def test_an_answer_before_the_stream_is_read_leaves_no_trace_in_the_next_request():
    """What an earlier request left unread neither feeds nor holds up the one behind it."""
    streams = []

    def page(request):
        streams.append(request.stream())
        return b"unread"

    conversation = Conversation(tree(a=Page(page, STREAM), b=echo))
    first = raw("POST /a HTTP/1.1", f"Content-Length: {2 * HIGH}", body=b"x" * 2 * HIGH)
    conversation.send(first + raw("POST /b HTTP/1.1", "Content-Length: 3") + b"ab", "POST", "POST")
    conversation.do(lambda: asyncio.ensure_future(anext(streams[0])).add_done_callback(repr))
    conversation.send(b"c")
    assert [answer.body for answer in conversation.answers] == [b"unread", b"abc"]


def test_the_content_of_a_change_stays_open_for_a_render_by_hand():
    """A POST that finishes by itself reads its body though the client left; then it is closed."""
    requests = []
    page = Page(lambda request: requests.append(request) or NOT_DONE_YET)
    conversation = ask(page, "POST", body=b"x" * 2 * MEMORY)
    conversation.reset()
    [request] = requests
    assert len(request.content.read()) == 2 * MEMORY
    request.finish()
    assert request.content.closed
