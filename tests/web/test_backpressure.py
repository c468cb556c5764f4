"""An answer goes out as fast as the client reads, and costs a buffer and no more."""

import asyncio

import pytest

from tests.web.trees import Page
from weblayer.loop.memory import HIGH_MARK
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.testing import Conversation, ask

PIECE = b"x" * 10_000


def endless(request):
    while True:
        yield PIECE


async def endless_async(request):
    while True:
        yield PIECE


class Pull:
    """Writes a piece whenever it is asked, *count* times."""

    def __init__(self, request, count):
        self.request, self.count = request, count
        request.registerProducer(self, False)

    def resumeProducing(self):
        self.request.write(PIECE)
        self.count -= 1
        if not self.count:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self):
        self.count = 0


class Push:
    """Writes a piece each millisecond, save while it is paused."""

    def __init__(self, request):
        self.request, self.paused = request, False
        request.registerProducer(self, True)
        self.work = asyncio.ensure_future(self.produce())

    async def produce(self):
        while True:
            if not self.paused:
                self.request.write(PIECE)
            await asyncio.sleep(0.001)

    def pauseProducing(self):
        self.paused = True

    def resumeProducing(self):
        self.paused = False

    def stopProducing(self):
        self.work.cancel()


def pull(request):
    Pull(request, 10**9)
    return NOT_DONE_YET


def push(request):
    Push(request)
    return NOT_DONE_YET


@pytest.mark.parametrize("endless", [endless, endless_async, pull, push])
def test_what_is_not_read_is_not_produced(endless):
    """An endless answer stands still at the high mark, however long nobody reads."""
    conversation = Conversation(Page(endless))
    conversation.stopReading()
    conversation.ask("GET")
    conversation.advance(10)
    first = conversation.waiting
    conversation.advance(10)
    assert HIGH_MARK < first == conversation.waiting < HIGH_MARK + 2 * len(PIECE)
    conversation.close()


@pytest.mark.parametrize("finite", [
    lambda request: iter([PIECE] * 100),
    lambda request: Pull(request, 100) and NOT_DONE_YET,
    lambda request: PIECE * 100,
])  # fmt: skip
def test_what_is_read_late_is_whole(finite):
    """A client that stops and starts again gets all of it, and its next answer too."""
    conversation = Conversation(Page(finite))
    conversation.stopReading()
    conversation.ask("GET")
    conversation.startReading()
    conversation.ask("GET")
    assert [answer.body == PIECE * 100 for answer in conversation.answers] == [True, True]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_pull_producer_is_asked_until_it_is_done(method):
    """Also where nobody is sent what it writes."""
    conversation = ask(Page(lambda request: Pull(request, 5) and NOT_DONE_YET), method)
    assert conversation.isWhole
    assert conversation.body == (PIECE * 5 if method == "GET" else b"")


def test_a_client_that_leaves_without_reading_ends_the_stream():
    """An answer that waits for its reader is not kept for one who is gone."""
    conversation = Conversation(Page(endless))
    conversation.stopReading()
    conversation.ask("GET")
    conversation.reset()
    assert (conversation.isGone, conversation.waiting) == (True, 0)
