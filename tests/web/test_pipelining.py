"""Pipelining: many requests in one packet are as many answers, in their order."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, raw, tree
from weblayer.loop.deferred import succeed
from weblayer.loop.memory import HIGH_MARK, MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.limits import Limits
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.site import Site
from weblayer.web.testing import Conversation


async def waits(request):
    await asyncio.sleep(0.01)
    return request.uri


async def waits_not(request):
    return request.uri


def by_hand(request):
    request.write(request.uri.encode())
    request.finish()
    return NOT_DONE_YET


PAGES = {
    "bytes": lambda request: request.uri.encode(),
    "text": lambda request: request.uri,
    "async": waits_not,
    "later": waits,
    "deferred": lambda request: succeed(request.uri),
    "stream": lambda request: iter([request.uri[:4], request.uri[4:]]),
    "hand": by_hand,
    "body": lambda request: request.uri.encode() + request.content.read(),
}

ROOT = tree(**{name: Page(answer) for name, answer in PAGES.items()})


def asked(kind, number):
    """A request for one kind of page, which carries its number."""
    if kind == "body":
        return raw(f"POST /body?{number} HTTP/1.1", "Content-Length: 1", body=b"!")
    return raw(f"GET /{kind}?{number} HTTP/1.1")


def expected(kind, number):
    return f"/{kind}?{number}" + ("!" if kind == "body" else "")


@given(kinds=st.lists(st.sampled_from(sorted(PAGES)), max_size=12), cut=st.integers(1, 600))
def test_answers_come_in_the_order_of_the_requests(kinds, cut):
    """Sync, async, deferred and streamed answers mixed, in whatever packets the requests came."""
    data = b"".join(asked(kind, number) for number, kind in enumerate(kinds))
    with Conversation(ROOT) as conversation:
        for start in range(0, len(data), cut):
            conversation.send(data[start : start + cut])
        conversation.advance(1)
        answers = [answer.text() for answer in conversation.answers]
    assert answers == [expected(kind, number) for number, kind in enumerate(kinds)]


def test_a_thousand_requests_in_one_packet():
    """Are a thousand answers, in order, of every kind in turn: a loop and not a recursion."""
    kinds = [sorted(PAGES)[number % len(PAGES)] for number in range(1000)]
    conversation = Conversation(ROOT)
    conversation.send(b"".join(asked(kind, number) for number, kind in enumerate(kinds)))
    conversation.advance(60)
    answers = [answer.text() for answer in conversation.answers]
    assert answers == [expected(kind, number) for number, kind in enumerate(kinds)]


def test_one_exchange_is_in_flight_at_a_time():
    """A request is not begun before the answer to the one before it is whole."""
    running, most = [], []

    async def page(request):
        running.append(request)
        most.append(len(running))
        await asyncio.sleep(1)
        running.remove(request)
        return b"done"

    conversation = Conversation(Page(page))
    conversation.send(raw("GET / HTTP/1.1") * 10)
    conversation.advance(11)
    assert (len(conversation.answers), max(most)) == (10, 1)


def test_who_pipelines_and_does_not_read_is_not_read():
    """It costs a buffer and what one packet held: no more is answered, and no more received."""
    body = b"x" * 1000
    answered = []
    peer = MemoryPeer(Site(Page(lambda r: answered.append(1) or body), reactor=Clock()))
    peer.stopReading()
    packet = raw("GET / HTTP/1.1") * 1000
    peer.send(packet)
    assert not peer.transport.under.is_reading()
    peer.send(packet)
    assert peer.waiting < HIGH_MARK + 2 * len(body)
    assert len(answered) <= HIGH_MARK // len(body) + 1
    peer.startReading()
    assert peer.received.count(b"HTTP/1.1 200 OK") == len(answered) == 2000


def test_nothing_is_read_while_an_answer_is_awaited():
    """The next request may wait in our memory, and what is behind it waits with the client."""
    conversation = Conversation(Page(lambda request: asyncio.sleep(1, b"done")))
    conversation.send(raw("GET / HTTP/1.1"))
    assert conversation.isRead
    conversation.send(raw("GET / HTTP/1.1") * 2)
    assert not conversation.isRead
    conversation.advance(3)
    assert (len(conversation.answers), conversation.isRead) == (3, True)


@pytest.mark.parametrize("began", [False, True])
def test_who_pipelines_more_than_may_wait_has_one_answer_more(began):
    """The answer in flight says that it is the last; what was sent behind it is asked again."""

    async def page(request):
        if began:
            request.setHeader("Content-Length", "4")
            request.write(b"")
        await asyncio.sleep(1)
        return b"done"

    limits = Limits(maxPipelined=1000)
    conversation = Conversation(Site(Page(page), limits=limits))
    head = raw("GET / HTTP/1.1")
    conversation.send(head * (1 + 1000 // len(head)))  # as much as may wait
    conversation.send(head * 10)
    conversation.advance(60)
    assert len(conversation.answers) == 11 + 1000 // len(head)

    conversation = Conversation(Site(Page(page), limits=limits))
    conversation.send(head)
    conversation.send(head * (1 + 1000 // len(head)))
    conversation.advance(3)
    [answer] = conversation.answers
    assert (answer.body, conversation.isClosed) == (b"done", True)
    assert answer.getHeader("connection") == (None if began else "close")
