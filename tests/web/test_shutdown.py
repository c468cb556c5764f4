"""The server shuts down: what is in flight is finished, nothing begins, nobody waits for long."""

import asyncio
from contextlib import suppress

import pytest

from tests.web.trees import Page, raw
from weblayer.loop.address import IPv4Address
from weblayer.loop.testing import StringTransport
from weblayer.loop.timers import Clock
from weblayer.web.policy import Policy
from weblayer.web.site import Site

pytestmark = pytest.mark.weblayer(loop="both")

HERE = "tcp:0:interface=127.0.0.1"
GET = raw("GET / HTTP/1.1")


class Serving:
    """A site in a task, and what its clients send and read."""

    def __init__(self, page, **options):
        self.address = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(
            Site(page).serve(HERE, whenListening=self.address.set_result, **options)
        )

    async def connect(self):
        address = await self.address
        return await asyncio.open_connection(address.host, address.port)

    async def ask(self, data=GET):
        reader, writer = await self.connect()
        writer.write(data)
        return reader, writer

    def stop(self):
        self.task.cancel()

    async def ended(self):
        with suppress(asyncio.CancelledError):
            await self.task


class Gate:
    """A page that tells when it was asked, and answers when it may."""

    def __init__(self, begins=b"", policy=None):
        self.asked, self.open = asyncio.Event(), asyncio.Event()
        self.begins = begins
        self.page = Page(self.answer, policy)

    async def answer(self, request):
        if self.begins:
            request.write(self.begins)
        self.asked.set()
        await self.open.wait()
        return b"answer"


@pytest.mark.parametrize("begins", [b"", b"the "])
async def test_what_is_in_flight_is_finished(begins):
    """A render that takes its time is waited for; its connection is closed behind it."""
    gate = Gate(begins)
    serving = Serving(gate.page)
    reader, writer = await serving.ask(GET + GET)
    await gate.asked.wait()
    serving.stop()
    for _ in range(3):  # until the connections are told
        await asyncio.sleep(0)
    gate.open.set()
    answer = await reader.read()
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 1
    assert b"answer" in answer
    assert (b"\r\nConnection: close\r\n" in answer) is not bool(begins)
    await serving.ended()
    writer.close()


async def test_a_body_that_is_on_its_way_is_taken():
    """Half an upload is in flight too."""
    serving = Serving(Page(lambda request: request.content.read()))
    half = raw("POST / HTTP/1.1", "Content-Length: 4", body=b"ab")
    reader, writer = await serving.ask(
        raw("POST / HTTP/1.1", "Content-Length: 2", body=b"xy") + half
    )
    await reader.readuntil(b"xy")  # so the other has arrived
    serving.stop()
    await asyncio.sleep(0)
    writer.write(b"cd")
    assert (await reader.read()).endswith(b"\r\n\r\nabcd")
    await serving.ended()
    writer.close()


async def test_a_request_that_is_on_its_way_is_answered():
    """Its client could not know; the answer says that it is the last."""
    serving = Serving(Page(lambda request: b"answer"))
    reader, writer = await serving.ask()
    await reader.readuntil(b"answer")
    serving.stop()
    for _ in range(3):
        await asyncio.sleep(0)
    writer.write(GET)
    answer = await reader.read()
    assert answer.endswith(b"answer")
    assert b"\r\nConnection: close\r\n" in answer
    await serving.ended()
    writer.close()


def test_a_request_that_came_while_we_were_held_up_is_answered():
    """Where no turn of the loop came for a round trip, what has arrived is read before it ends."""
    clock = Clock()
    site = Site(Page(lambda request: b"answer"), reactor=clock)
    channel, transport = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1)), StringTransport()
    channel.makeConnection(transport)
    channel.dataReceived(GET)
    transport.clear()
    channel.retire()
    clock.advance(0.5)
    channel.dataReceived(GET)
    assert transport.value().endswith(b"answer")
    assert transport.disconnecting


async def test_nobody_is_let_in():
    """The port is closed while the last answers are made."""
    gate = Gate()
    serving = Serving(gate.page)
    reader, writer = await serving.ask()
    await gate.asked.wait()
    serving.stop()
    for _ in range(5):
        await asyncio.sleep(0)
    with pytest.raises(ConnectionRefusedError):
        await serving.connect()
    gate.open.set()
    assert (await reader.read()).endswith(b"answer")
    await serving.ended()
    writer.close()


async def test_an_endless_answer_is_told():
    """It ends by itself when it hears of the shutdown, and the client has the whole of it."""

    async def news(request):
        over = request.notifyShutdown().asFuture(asyncio.get_running_loop())
        yield b"news "
        await over
        yield b"goodbye"

    serving = Serving(Page(news))
    reader, writer = await serving.ask()
    await reader.readuntil(b"news ")
    serving.stop()
    assert (await reader.read()).endswith(b"goodbye\r\n0\r\n\r\n")
    await serving.ended()
    writer.close()


async def test_who_asks_late_is_told_at_once():
    """notifyShutdown has fired already for who asks after the beginning of the end."""
    gate = Gate()

    async def page(request):
        await gate.answer(request)
        await request.notifyShutdown()
        return b"told"

    serving = Serving(Page(page))
    reader, writer = await serving.ask()
    await gate.asked.wait()
    serving.stop()
    for _ in range(5):  # in which the server hears of it
        await asyncio.sleep(0)
    gate.open.set()
    assert (await reader.read()).endswith(b"told")
    await serving.ended()
    writer.close()


@pytest.mark.parametrize("begins", [b"", b"begun"])
async def test_what_does_not_end_is_broken_off(begins):
    """When the seconds of the shutdown are over, whatever it is."""
    gate = Gate(begins, Policy(cancelWhenLost=True))
    serving = Serving(gate.page, shutdownTimeout=0.05)
    reader, writer = await serving.ask()
    await gate.asked.wait()
    serving.stop()
    await serving.ended()
    with suppress(ConnectionResetError):
        assert not (await reader.read()).endswith(b"0\r\n\r\n")
    writer.close()


async def test_half_a_head_is_not_waited_for_beyond_the_bound():
    """A client that drips its head does not hold the server up."""
    serving = Serving(Page(lambda request: b"answer"), shutdownTimeout=0.05)
    reader, writer = await serving.ask(GET + b"GET / HTTP/1.1\r\n")
    await reader.readuntil(b"answer")  # so the other half has arrived
    serving.stop()
    await serving.ended()
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_idle_connections_are_closed_at_once():
    """One that has been silent for a second has no request under way."""
    clock = Clock()
    site = Site(Page(lambda request: b"answer"), reactor=clock)
    address = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(site.serve(HERE, whenListening=address.set_result))
    reader, writer = await asyncio.open_connection((await address).host, address.result().port)
    writer.write(GET)
    await reader.readuntil(b"answer")
    clock.pump([1, 1])
    task.cancel()  # the clock stands still: nothing else would close it before the bound
    assert await reader.read() == b""
    with suppress(asyncio.CancelledError):
        await task
    writer.close()


def test_a_site_says_what_it_speaks():
    """HTTP/1.1 alone, for the negotiation of an encrypted connection."""
    assert Site(Page(lambda request: b"")).acceptableProtocols() == [b"http/1.1"]
