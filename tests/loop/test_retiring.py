"""A protocol that ends by itself when the reactor shuts down, and one that does not."""

import asyncio
from contextlib import suppress

import pytest

from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.reactor import Reactor

pytestmark = pytest.mark.weblayer(loop="both")


class Polite(Protocol):
    """Says goodbye when it is told to end, and waits for the last word of the other."""

    def connectionMade(self):
        self.transport.write(b"welcome")

    def retire(self):
        self.transport.write(b"goodbye")

    def dataReceived(self, data):
        self.transport.loseConnection()


class Blunt(Protocol):
    def connectionMade(self):
        self.transport.write(b"welcome")


class Broken(Blunt):
    def retire(self):
        raise KeyError("retire")


async def met(protocol, seconds):
    """The reactor's end, and a client of *protocol* that has been welcomed."""
    reactor = Reactor(asyncio.get_running_loop(), shutdownTimeout=seconds)
    port = reactor.listenTCP(0, Factory.forProtocol(protocol), interface="127.0.0.1").getHost()
    reader, writer = await asyncio.open_connection(port.host, port.port)
    await reader.readexactly(len(b"welcome"))
    return asyncio.ensure_future(reactor.fireSystemEvent("shutdown")), reader, writer


async def test_one_that_can_retire_ends_by_itself():
    """It is told, and waited for."""
    ending, reader, writer = await met(Polite, 60)
    assert await reader.readexactly(7) == b"goodbye"
    assert not ending.done()
    writer.write(b"goodbye")
    assert await reader.read() == b""
    await ending
    writer.close()


async def test_one_that_does_not_come_to_an_end_is_made_to():
    """When the seconds of the shutdown are over."""
    ending, reader, writer = await met(Polite, 0.01)
    await ending
    with suppress(ConnectionResetError):
        assert await reader.read() in (b"goodbye", b"")
    writer.close()


async def test_any_other_is_closed_at_once():
    """As soon as what it has written is sent."""
    ending, reader, writer = await met(Blunt, 60)
    assert await reader.read() == b""
    await ending
    writer.close()


async def test_one_that_fails_to_retire_does_not_stop_the_shutdown(flushLoggedErrors):
    """The error is logged, and the connection dropped at the end."""
    ending, _, writer = await met(Broken, 0.01)
    await ending
    assert [type(error) for error in flushLoggedErrors()] == [KeyError]
    writer.close()
