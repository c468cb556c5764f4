"""What a render may give, now or later: every outcome becomes an answer over one road."""

import asyncio
import json
from contextvars import ContextVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, errors_of
from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.task import deferLater
from weblayer.web.errors import Error, NotFound
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.resource import Resource
from weblayer.web.testing import Conversation, ask


async def pause(value):
    await asyncio.sleep(1)
    return value


async def pieces_later(*pieces):
    for piece in pieces:
        await asyncio.sleep(1)
        yield piece


def write_and_finish(request, *pieces):
    for piece in pieces:
        request.write(piece)
    request.finish()
    return NOT_DONE_YET


def finish_later(request):
    asyncio.get_running_loop().call_later(1, write_and_finish, request, b"12", b"3")
    return NOT_DONE_YET


class Pull:
    """Writes a digit each time it is asked, and finishes with the last."""

    def __init__(self, request, digits):
        self.request, self.digits = request, list(digits)
        request.registerProducer(self, False)

    def resumeProducing(self):
        self.request.write(self.digits.pop(0))
        if not self.digits:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self):
        self.digits.clear()


def pull(request):
    Pull(request, [b"1", b"2", b"3"])
    return NOT_DONE_YET


# Each of them is "123" in the end.
OUTCOMES = {
    "bytes": lambda request: b"123",
    "text": lambda request: "123",
    "JSON": lambda request: [123],
    "coroutine": lambda request: pause(b"123"),
    "coroutine of text": lambda request: pause("123"),
    "Deferred": lambda request: succeed(b"123"),
    "Deferred that waits": lambda request: deferLater(
        request.site.clock, 1, lambda: b"123"
    ),
    "coroutine of a Deferred": lambda request: pause(succeed(b"123")),
    "Deferred of a coroutine": lambda request: succeed(None).addCallback(lambda _: pause(b"123")),
    "future": lambda request: asyncio.ensure_future(pause(b"123")),
    "coroutine of an iterator": lambda request: pause(iter([b"1", b"23"])),
    "list iterator": lambda request: iter([b"1", b"2", b"3"]),
    "tuple": lambda request: ("1", b"2", "3"),
    "generator": lambda request: (digit for digit in "123"),
    "async generator": lambda request: pieces_later(b"1", b"2", b"3"),
    "async generator of text": lambda request: pieces_later("1", "", "23"),
    "written by hand": lambda request: write_and_finish(request, b"1", b"23"),
    "finished by hand, later": finish_later,
    "written, then given": lambda request: request.write(b"12") or b"3",
    "pull producer": pull,
}  # fmt: skip


@pytest.fixture(params=OUTCOMES)
def outcome(request):
    """A page with one kind of outcome."""
    return Page(OUTCOMES[request.param])


def settled(page, method="GET"):
    """The conversation in which *page* was asked, when all is over."""
    conversation = Conversation(page)
    conversation.site.clock = conversation.reactor
    conversation.ask(method)
    conversation.advance(50)
    return conversation


def test_every_outcome_becomes_the_answer(outcome):
    """Bytes, text, JSON, promises, iterators and what is written by hand all answer."""
    answer = settled(outcome)
    assert (answer.code, answer.text().strip("[]"), answer.isWhole) == (200, "123", True)


def test_the_connection_lives_on_behind_every_outcome(outcome):
    """The next request of the same connection is answered in its turn."""
    conversation = settled(outcome)
    conversation.ask("GET")
    conversation.advance(50)
    assert [answer.text().strip("[]") for answer in conversation.answers] == ["123", "123"]


def test_head_is_get_without_its_body(outcome):
    """HEAD has the status and the fields of GET, save what only a body has, and no body."""
    get, head = settled(outcome), settled(outcome, "HEAD")
    fields, told = dict(get.headers.getAllRawHeaders()), dict(head.headers.getAllRawHeaders())
    fields.pop("Transfer-Encoding", None)
    fields["Date"] = told["Date"]  # perhaps a second later
    assert head.isWhole
    assert (head.code, head.body, told) == (200, b"", fields)
    head.ask("GET")
    head.advance(50)
    assert head.text().strip("[]") == "123"


def test_text_is_utf_8_and_says_so():
    """Text without a type is HTML in UTF-8; a text type that was set gets the charset too."""

    def csv(request):
        request.setHeader("Content-Type", "text/csv")
        return "é"

    html, plain = ask(Page(lambda request: "é")), ask(Page(csv))
    assert (html.body, html.getHeader("content-type")) == ("é".encode(), "text/html; charset=utf-8")
    assert plain.getHeader("content-type") == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    "kind", ["application/xml", "text/plain; charset=utf-8", "TEXT/X; CHARSET=Y"]
)
def test_a_type_that_needs_no_charset_stays(kind):
    """A type that is not text's, or has a charset, is left as the program set it."""

    def page(request):
        request.setHeader("Content-Type", kind)
        return "x"

    assert ask(Page(page)).getHeader("content-type") == kind


@pytest.mark.parametrize("body", [b"x", "x", ["x"], iter(["x"])])
def test_the_default_type_is_the_requests(body):
    """A request's defaultContentType is the type of bytes and text; JSON has its own."""

    def page(request):
        request.defaultContentType = "text/plain"
        return body

    kind = ask(Page(page)).getHeader("content-type")
    wanted = {bytes: "text/plain", list: "application/json"}
    assert kind == wanted.get(type(body), "text/plain; charset=utf-8")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).filter(lambda value: isinstance(value, list | dict))
)  # fmt: skip
def test_a_dict_or_a_list_is_json(value):
    """What goes out as JSON comes back as it was."""
    answer = ask(Page(lambda request: value))
    assert (answer.getHeader("content-type"), json.loads(answer.body)) == (
        "application/json",
        value,
    )


@pytest.mark.parametrize("value", [{"x": float("nan")}, [float("inf")], {"x": b""}, {1: {2}}])
def test_what_is_no_json_is_500(value, caplog):
    """NaN and what JSON has no word for are an error of the program."""
    assert ask(Page(lambda request: value)).code == 500
    assert len(errors_of(caplog)) == 1


@pytest.mark.parametrize("value", [None, 7, 1.5, True, object(), Resource, b"".join])
@pytest.mark.parametrize("later", [lambda value: value, succeed, pause])
def test_a_wrong_outcome_is_500_and_the_log_tells_what_to_give(value, later, caplog):
    """What nothing can be made of is named in the log with the request and with what to give."""
    page = Page(lambda request: later(value))
    conversation = ask(page, "GET", "/here")
    conversation.advance(1)
    assert conversation.code == 500
    assert "GET /here" in caplog.text
    assert "give bytes, str" in caplog.text


@pytest.mark.parametrize("value", [bytearray(b"123"), memoryview(b"123"), {1, 2}, range(3)])
def test_an_iterator_of_something_else_is_500_and_the_log_tells(value, caplog):
    """What iterates over no bytes and no text is told so by name."""
    assert ask(Page(lambda request: value), "GET", "/here").code == 500
    assert "GET /here gave an iterator" in caplog.text
    assert "let it give bytes or str" in caplog.text


# Errors


def boom(request):
    raise RuntimeError("boom")


async def boom_later(request):
    await asyncio.sleep(1)
    raise RuntimeError("boom")


async def boom_in_stream():
    await asyncio.sleep(1)
    raise RuntimeError("boom")
    yield b""


BEFORE = {
    "at once": boom,
    "in a coroutine": boom_later,
    "in a Deferred": lambda request: fail(RuntimeError("boom")),
    "before the first piece": lambda request: boom_in_stream(),
    "in a generator": lambda request: (boom(request) for _ in range(1)),
}


@pytest.mark.parametrize("page", BEFORE.values(), ids=BEFORE)
def test_an_error_before_the_first_byte_is_an_error_page(page, caplog):
    """The client gets a whole 500, what was prepared is forgotten, the log has the traceback."""

    def prepared(request):
        request.setHeader("X-Prepared", "yes")
        request.setResponseCode(201, "Fine")
        return page(request)

    conversation = settled(Page(prepared), "GET")
    answer = conversation.last
    assert (answer.code, answer.phrase, answer.isWhole) == (500, "Internal Server Error", True)
    assert answer.getHeader("x-prepared") is None
    assert b"boom" not in answer.body
    [record] = errors_of(caplog)
    assert str(record.exc_info[1]) == "boom"
    assert not conversation.isClosed


def test_an_error_that_is_an_answer_is_that_answer():
    """NotFound and its like may be raised anywhere, now or later, and are not logged."""

    async def later(request):
        await asyncio.sleep(1)
        raise NotFound("No such book.")

    answer = settled(Page(later))
    assert (answer.code, "No such book." in answer.text()) == (404, True)


def test_writing_nothing_sends_the_head():
    """A client may know early that there will be an answer; nothing in it ends the body."""

    async def page(request):
        request.write(b"")
        await asyncio.sleep(1)
        request.write(b"")
        request.write(b"body")
        request.write(b"")
        request.finish()
        return NOT_DONE_YET

    conversation = ask(Page(page))
    assert conversation.received.endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    conversation.advance(1)
    assert (conversation.body, conversation.isWhole) == (b"body", True)


def started(request):
    request.write(b"some")


def stop_after_start(request):
    started(request)
    boom(request)


async def stop_later(request):
    started(request)
    await asyncio.sleep(1)
    boom(request)


async def stop_in_stream():
    yield b"some"
    raise RuntimeError("boom")


AFTER = {
    "at once": stop_after_start,
    "in a coroutine": stop_later,
    "in a Deferred": lambda request: started(request) or fail(RuntimeError("boom")),
    "in a stream": lambda request: stop_in_stream(),
    "with a wrong outcome": lambda request: started(request) or pause(7),
}


@pytest.mark.parametrize("page", AFTER.values(), ids=AFTER)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_error_after_the_first_byte_breaks_the_answer_off(page, version, caplog):
    """The connection is aborted, so that a cut answer is never taken for whole."""
    conversation = Conversation(Page(page))
    conversation.send(f"GET / HTTP/{version}\r\nHost: a.test\r\n\r\n".encode(), "GET")
    conversation.advance(2)
    assert conversation.isClosed
    assert not conversation.last.isWhole
    assert len(errors_of(caplog)) == 1


def test_a_hidden_error_of_an_error_is_answered_all_the_same(caplog):
    """An error whose fields cannot be sent ends the exchange, and both are logged."""

    def page(request):
        error = NotFound("gone")
        error.headers = [("X", "a\r\nb")]
        raise error

    conversation = ask(Page(page))
    assert conversation.isClosed
    assert "CR, LF" in caplog.text


@pytest.mark.parametrize("code", [200, 302, 999, "404", None])
def test_an_error_has_the_code_of_an_error(code):
    """The mistake is told where the error is made."""
    with pytest.raises(ValueError, match="code must be"):
        Error(code)


# Coroutines


def test_a_coroutine_runs_in_a_real_task():
    """asyncio.timeout and TaskGroup work inside render_GET."""

    class Asks(Resource):
        isLeaf = True

        async def render_GET(self, request):
            async with asyncio.timeout(10), asyncio.TaskGroup() as group:
                one, two = group.create_task(pause("a")), group.create_task(pause("b"))
            return one.result() + two.result() + asyncio.current_task().get_name()[:4]

    conversation = ask(Asks())
    conversation.advance(1)
    assert conversation.text() == "abTask"


def test_a_timeout_in_a_coroutine_is_its_own():
    """asyncio.timeout cancels what it holds, and the render goes on."""

    async def page(request):
        try:
            async with asyncio.timeout(3):
                await asyncio.sleep(10)
        except TimeoutError:
            return "too slow"

    assert settled(Page(page)).text() == "too slow"


def test_a_coroutine_keeps_its_context_to_itself():
    """What one request sets in a context variable, the next on its connection does not see."""
    visitor = ContextVar("visitor", default="nobody")

    class Page(Resource):
        isLeaf = True

        async def render_POST(self, request):
            visitor.set("somebody")
            await asyncio.sleep(1)
            return visitor.get()

        def render_GET(self, request):
            return visitor.get()

    conversation = Conversation(Page())
    for method in ("POST", "GET"):
        conversation.send(f"{method} / HTTP/1.1\r\nHost: a.test\r\n\r\n".encode(), method)
    conversation.advance(1)
    assert [answer.text() for answer in conversation.answers] == ["somebody", "nobody"]


def test_a_coroutine_that_is_ended_before_it_begins_is_answered(caplog):
    """Who cancels every task of a loop leaves nobody waiting, however early."""

    def end():
        for task in asyncio.all_tasks():
            task.cancel()

    def page(request):
        asyncio.get_running_loop().call_soon(end)
        return pause("never")

    conversation = ask(Page(page))
    assert (conversation.code, conversation.isWhole) == (500, True)
    assert len(errors_of(caplog)) == 1


# Streams


def test_a_stream_is_sent_as_it_comes():
    """Each piece goes out when it is there, not when all are."""
    conversation = ask(Page(lambda request: pieces_later("a", "b")))
    seen = []
    for _ in range(2):
        conversation.advance(1)
        seen.append(conversation.body)
    assert seen == [b"a", b"ab"]
    assert conversation.isWhole


def test_an_empty_stream_is_an_empty_answer():
    """An iterator that gives nothing is an empty body."""
    answer = ask(Page(lambda request: iter(())))
    assert (answer.code, answer.getHeader("content-length"), answer.isWhole) == (200, "0", True)


def test_others_are_served_between_the_pieces():
    """A plain iterator leaves the loop to others after each piece."""
    seen = []

    def count(request):
        loop = asyncio.get_running_loop()
        for number in range(3):
            loop.call_soon(seen.append, f"other {number}")
            yield b"."
            seen.append(f"piece {number}")

    ask(Page(count))
    assert seen == [f"{who} {n}" for n in range(3) for who in ("other", "piece")]


class Closing:
    """Endless bytes that know whether they were closed."""

    closed = False

    def __iter__(self):
        try:
            while True:
                yield b"x" * 1000
        finally:
            self.closed = True

    async def __aiter__(self):
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(1)
        finally:
            self.closed = True


@pytest.mark.parametrize("how", [iter, aiter])
def test_a_generator_is_closed_when_the_client_leaves(how):
    """What a generator opened it closes in its finally, at once."""
    source = Closing()
    conversation = Conversation(Page(lambda request: how(source)))
    conversation.stopReading()
    conversation.ask("GET")
    assert not source.closed
    conversation.reset()
    assert source.closed


@pytest.mark.parametrize("how", [iter, aiter])
def test_head_closes_the_generator_after_its_first_piece(how):
    """The first piece has shown what the head is; an endless generator goes no further."""
    source = Closing()
    answer = ask(Page(lambda request: how(source)), "HEAD")
    assert (answer.isWhole, answer.body, source.closed) == (True, b"", True)


def test_a_generator_is_closed_by_its_own_error(caplog):
    """A wrong piece ends the stream and closes what gave it."""
    closed = []

    def page(request):
        try:
            yield b"some"
            yield 7
        finally:
            closed.append(True)

    assert not ask(Page(page)).isWhole
    assert closed


# By hand


def test_finish_twice_and_write_after_finish_tell_plainly():
    """A response that is whole cannot be added to, nor finished again."""
    request = []
    ask(Page(lambda r: request.append(r) or b"done"))
    for act in (request[0].finish, lambda: request[0].write(b"x")):
        with pytest.raises(RuntimeError, match="whole already"):
            act()


@pytest.mark.parametrize("data", ["text", 7, None, [b"x"]])
def test_write_takes_bytes(data):
    """Anything else is a TypeError that names the parameter."""
    told = []

    def page(request):
        try:
            request.write(data)
        except TypeError as error:
            told.append(str(error))
        return b""

    ask(Page(page))
    assert told[0].startswith("data must be bytes")


def test_notify_finish_fires_when_the_response_is_whole():
    """It fires with None, also for one who asks afterwards."""
    fired, requests = [], []

    def page(request):
        requests.append(request)
        request.notifyFinish().addCallback(fired.append)
        return b"done"

    ask(Page(page))
    requests[0].notifyFinish().addCallback(fired.append)
    assert fired == [None, None]


def test_a_finished_request_cannot_touch_the_next_one():
    """Late calls on a finished request leave the exchange alone that has its connection now."""
    requests, coming = [], Deferred()

    def page(request):
        requests.append(request)
        return b"first" if len(requests) == 1 else coming

    conversation = ask(Page(page))
    conversation.ask("GET")
    conversation.do(requests[0].loseConnection)
    conversation.do(requests[0].unregisterProducer)
    conversation.do(coming.callback, b"second")
    assert [answer.body for answer in conversation.answers] == [b"first", b"second"]
    with pytest.raises(RuntimeError, match="whole already"):
        requests[0].registerProducer(None, True)


def test_a_request_has_one_producer():
    """A second one is refused, as a transport does."""
    told = []

    def page(request):
        request.registerProducer(Gate(), True)
        try:
            request.registerProducer(Gate(), True)
        except RuntimeError as error:
            told.append(str(error))
        request.unregisterProducer()
        return b""

    assert ask(Page(page)).isWhole
    assert "unregisterProducer() first" in told[0]


class Gate:
    """A push producer that only listens."""

    def pauseProducing(self):
        pass

    resumeProducing = stopProducing = pauseProducing


@pytest.mark.parametrize("give", [str, lambda text: iter([text])], ids=["whole", "streamed"])
def test_text_that_a_visitor_spoilt_is_said_back(give):
    """What came as no UTF-8 goes out as a question mark, and is no error of the program."""
    page = Page(lambda request: give("Hello, " + request.args["name"][0]))
    with ask(page, "GET", "/?name=%ff") as conversation:
        assert conversation.text() == "Hello, ?"
