"""Asking a tree in memory: what a program's own tests stand on."""

import asyncio
import gc
import threading

import pytest

from tests.web.trees import Page
from weblayer.loop.deferred import Deferred
from weblayer.loop.task import deferLater
from weblayer.loop.threads import deferToThread
from weblayer.web.testing import Conversation, ask


def test_ask_knows_the_answer():
    """Code, fields, body and text of the last answer."""

    def page(request):
        request.setHeader("X-Way", request.method)
        return f"{request.uri} {request.content.read().decode()}"

    answer = ask(Page(page), "PUT", "/x?y", {"X": "z"}, b"body")
    assert (answer.code, answer.text(), answer.getHeader("x-way")) == (200, "/x?y body", "PUT")
    assert answer.isWhole


def test_a_host_and_a_length_are_sent_unless_they_are_given():
    """Whatever the case of their names."""
    page = Page(
        lambda request: [*request.requestHeaders.getRawHeaders("host"), request.clientproto]
    )
    assert ask(page).text() == '["weblayer.test", "HTTP/1.1"]'
    assert ask(page, "GET", "/", {"hOsT": "mine.test"}).text() == '["mine.test", "HTTP/1.1"]'
    assert ask(page, "POST", "/", {"content-LENGTH": "1"}, b"x").code == 200


def test_time_stands_still():
    """What waits, waits until time is let pass, and no longer."""
    conversation = ask(Page(lambda request: asyncio.sleep(3600, b"at last")))
    conversation.advance(3599.9)
    assert not conversation.answers
    conversation.advance(0.1)
    assert conversation.body == b"at last"


@pytest.mark.parametrize("step", [0.1, 0.3, 1 / 3, 0.7])
def test_time_that_passes_in_steps_sums_up(step):
    """What is due when the last step ends has happened, whatever floats make of the sum."""
    conversation = ask(Page(lambda request: asyncio.sleep(step * 1000, b"due")))
    for _ in range(1000):
        conversation.advance(step)
    assert conversation.body == b"due"


def test_the_reactors_timers_run_on_the_conversations_time():
    """callLater of the conversation's reactor too, each at its own moment."""
    conversation = Conversation(Page(lambda request: b""))
    seen = []
    for delay in (2, 1, 3):
        conversation.reactor.callLater(delay, lambda: seen.append(conversation.reactor.seconds()))
    conversation.advance(2.5)
    assert seen == [1, 2]


def test_a_deferred_may_be_fired_from_outside():
    """`do` calls in the loop, as a timer or another connection would."""
    coming = Deferred()
    conversation = ask(Page(lambda request: coming))
    conversation.do(coming.callback, b"here")
    assert conversation.body == b"here"


def test_what_a_call_raises_is_raised():
    """An error in `do` is the test's."""
    with pytest.raises(ZeroDivisionError):
        Conversation(Page(lambda request: b"")).do(lambda: 1 / 0)


def test_threads_are_waited_for_in_real_time():
    """waitFor gives threads their time, and says so when it was too short."""
    gate = threading.Event()
    conversation = ask(Page(lambda request: deferToThread(gate.wait, 10).addCallback(str)))
    with pytest.raises(TimeoutError):
        conversation.waitFor(lambda: conversation.answers, 0.05)
    gate.set()
    conversation.waitFor(lambda: conversation.answers)
    assert conversation.text() == "True"


def test_nothing_answered_is_told_plainly():
    """A code that is not there is a LookupError, not a wrong one."""
    conversation = ask(Page(lambda request: Deferred()))
    assert (conversation.answers, conversation.isWhole) == ([], False)
    with pytest.raises(LookupError, match="nothing"):
        conversation.code  # noqa: B018


def test_an_answer_that_has_begun_is_not_whole():
    """What came of it is told, and that more is to come."""
    conversation = ask(Page(lambda request: request.write(b"some") or Deferred()))
    assert (conversation.body, conversation.last.isWhole, conversation.isWhole) == (
        b"some",
        False,
        False,
    )


def test_an_answer_that_was_cut_is_not_whole():
    """Also where its end is the connection's, in HTTP/1.0."""
    page = Page(lambda request: request.write(b"some") or Deferred())
    conversation = Conversation(page)
    conversation.send(b"GET / HTTP/1.0\r\n\r\n", "GET")
    conversation.reset()
    assert (conversation.body, conversation.last.isWhole) == (b"some", False)


def test_the_answer_to_what_was_no_request_is_there_too():
    """A 408 or 400 behind the answers is an answer."""
    conversation = ask(Page(lambda request: b"fine"))
    conversation.send(b"no request\r\n\r\n")
    assert [answer.code for answer in conversation.answers] == [200, 400]


def test_closing_ends_what_waits():
    """Tasks that nobody waits for any more are cancelled and their cleanup runs; twice is once."""
    ended = []

    async def page(request):
        try:
            await asyncio.sleep(10**6)
        finally:
            ended.append(True)

    with Conversation(Page(page)) as conversation:
        conversation.ask("POST")
    conversation.close()
    assert ended == [True]


def test_a_conversation_may_just_be_dropped(caplog):
    """What waited in it goes without a warning or a word in the log."""

    async def page(request):
        await deferLater(request.site.clock, 10**6, lambda: None)

    def talk():
        conversation = Conversation(Page(page))
        conversation.site.clock = conversation.reactor
        conversation.ask("GET")

    talk()
    gc.collect()
    assert not caplog.records
