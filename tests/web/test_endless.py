"""A client that leaves without reading: what was to be sent to it is no longer produced."""

import asyncio

import pytest

from tests.web.trees import Page, raw
from weblayer.loop.memory import HIGH_MARK, LOW_MARK, MemoryPeer
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.site import Site

PIECE = b"x" * 10_000
TURNS = 1000  # of the loop, in which a program that nothing holds back would produce as much


class Counted:
    """An endless answer of one kind, and how many pieces of it were produced."""

    def __init__(self, kind):
        self.kind, self.pieces = kind, 0

    def __call__(self, request):
        return self.kind(self, request)

    def next(self):
        self.pieces += 1
        return PIECE

    def iterator(self, request):
        while True:
            yield self.next()

    async def asynchronous(self, request):
        while True:
            yield self.next()
            await asyncio.sleep(0)

    def pull(self, request):
        return Pull(self, request) and NOT_DONE_YET


class Pull:
    """Writes a piece whenever it is asked."""

    def __init__(self, source, request):
        self.source, self.request = source, request
        request.registerProducer(self, False)

    def resumeProducing(self):
        self.request.write(self.source.next())

    def stopProducing(self):
        pass


async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)


def client(answer):
    """A client of a site that gives *answer*."""
    return MemoryPeer(Site(Page(answer)), soon=asyncio.get_running_loop().call_soon)


async def ask_without_reading(answer):
    """A client that has asked, and whose answer stands still because it does not read."""
    peer = client(answer)
    peer.stopReading()
    peer.send(raw("GET / HTTP/1.1"))
    await turns(TURNS)
    return peer


async def read_until(peer, left):
    """Let the client read all but *left* bytes."""
    while peer.waiting > left:
        peer.read(peer.waiting - left)
        await turns(1)


async def produced_after(peer, answer):
    """How many pieces are produced in a thousand turns; at the end the client is gone."""
    before = answer.pieces
    await turns(TURNS)
    peer.reset()
    await turns(3)
    return answer.pieces - before


@pytest.fixture(params=[Counted.iterator, Counted.asynchronous, Counted.pull])
def answer(request):
    """An endless answer of each kind that follows its client's pace."""
    return Counted(request.param)


@pytest.mark.parametrize("left", [5000, LOW_MARK, 0])
def test_what_nobody_will_be_sent_is_not_produced(answer, left):
    """A client that ends its side, then reads what was written before, sets nothing going."""

    async def scenario():
        peer = await ask_without_reading(answer)
        peer.close()
        await read_until(peer, left)
        return await produced_after(peer, answer)

    assert asyncio.run(scenario()) <= 1


def test_a_client_that_ends_its_side_before_the_buffer_is_full(answer):
    """Production stops at the end of file, though nothing had paused it until then."""

    async def scenario():
        peer = client(answer)
        peer.send(raw("GET / HTTP/1.1"))
        await turns(3)
        peer.stopReading()
        await turns(3)
        assert 0 < peer.waiting < HIGH_MARK
        peer.close()
        return await produced_after(peer, answer)

    assert asyncio.run(scenario()) <= 1


def test_a_client_that_goes_on_reading_is_sent_more(answer):
    """The same client, without the end of file, has the answer go on: nothing is stuck."""

    async def scenario():
        peer = await ask_without_reading(answer)
        await read_until(peer, 5000)
        return await produced_after(peer, answer)

    assert asyncio.run(scenario()) > 1
