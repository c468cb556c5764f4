"""One half of a connection ends before the other: plain, encrypted, and in memory."""

import asyncio
import logging

import pytest

from tests.certificates import certificates  # noqa: F401  a fixture
from weblayer.loop.error import ConnectionDone
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.ssl import CertificateOptions, optionsForClientTLS

BIG = 4 << 20  # bytes: more than the kernel's buffers of both sides hold


class Half(Protocol):
    """Asks for the ends of both halves, and remembers what it was told, in order."""

    def __init__(self):
        self.told, self.data = [], bytearray()

    def connectionMade(self):
        self.factory.began(self)

    def dataReceived(self, data):
        self.data += data

    def readConnectionLost(self):
        self.told.append("read")

    def writeConnectionLost(self):
        self.told.append("write")

    def connectionLost(self, reason):
        self.told.append(reason.type)
        self.factory.over()


class Halves(Factory):
    """Builds them; `whole` is a future that is done when the last has ended."""

    def __init__(self, kind=Half):
        self.protocol = kind
        self.made = asyncio.Queue()
        self.whole = asyncio.Event()

    began = property(lambda self: self.made.put_nowait)
    over = property(lambda self: self.whole.set)

    def startedConnecting(self, connector):
        pass

    def clientConnectionFailed(self, connector, reason):
        raise AssertionError(reason)

    def clientConnectionLost(self, connector, reason):
        pass


@pytest.fixture(params=["plain", "encrypted"])
def joined(request, reactor):
    """A coroutine function that gives a server's and a client's protocol, joined."""
    secret = request.param == "encrypted"
    found = request.getfixturevalue("certificates") if secret else None

    async def joined(server, client):
        if secret:
            options = CertificateOptions(found.server.both)
            port = reactor.listenSSL(0, server, options, interface="127.0.0.1")
            trusting = optionsForClientTLS("localhost", found.trusted)
            reactor.connectSSL("127.0.0.1", port.getHost().port, client, trusting)
        else:
            port = reactor.listenTCP(0, server, interface="127.0.0.1")
            reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        return await server.made.get(), await client.made.get()

    return joined


async def until(condition):
    """Let the loop turn until *condition* holds; the test's own limit is the end of it."""
    while not condition():  # noqa: ASYNC110  no event tells what a protocol was told
        await asyncio.sleep(0)


def test_a_server_answers_after_the_clients_end(reactor, drive, joined):
    """The client ends its half; what the server then writes arrives, though it comes later."""

    async def scenario():
        server, client = Halves(), Halves()
        ours, theirs = await joined(server, client)
        theirs.transport.write(b"question")
        theirs.transport.loseWriteConnection()
        theirs.transport.write(b"too late")
        await until(lambda: ours.told)
        assert (ours.told, ours.data) == (["read"], b"question")
        ours.transport.write(bytes(BIG))
        await asyncio.sleep(0.01)  # an answer that comes later
        ours.transport.write(b"answer")
        ours.transport.loseConnection()
        await server.whole.wait()
        await client.whole.wait()
        assert len(theirs.data) == BIG + 6
        assert theirs.data.endswith(b"answer")
        assert ours.told == ["read", ConnectionDone]
        assert theirs.told[0] == "write"
        assert theirs.told[-1] is ConnectionDone

    drive(scenario())


def test_writeConnectionLost_comes_when_all_is_sent(reactor, drive, joined):
    """While the peer does not read, the half that ends is not ended."""

    async def scenario():
        ours, theirs = await joined(server := Halves(), client := Halves())
        theirs.transport.pauseProducing()
        ours.transport.write(bytes(BIG * 4))
        ours.transport.loseWriteConnection()
        await asyncio.sleep(0.02)
        assert ours.told == []
        theirs.transport.resumeProducing()
        await until(lambda: ours.told)
        assert ours.told == ["write"]
        await until(lambda: theirs.told)
        assert (theirs.told, len(theirs.data)) == (["read"], BIG * 4)
        theirs.transport.loseConnection()
        await server.whole.wait()
        await client.whole.wait()

    drive(scenario())


def test_when_both_halves_have_ended_the_connection_has(reactor, drive, joined):
    """Two ends of writing make an end of the connection, on both sides."""

    async def scenario():
        ours, theirs = await joined(server := Halves(), client := Halves())
        theirs.transport.loseWriteConnection()
        await until(lambda: "read" in ours.told)
        ours.transport.loseWriteConnection()
        await server.whole.wait()
        await client.whole.wait()
        assert ours.told[-1] is theirs.told[-1] is ConnectionDone
        assert "read" in theirs.told

    drive(scenario())


def test_a_producer_is_waited_for(reactor, drive, joined):
    """loseWriteConnection lets a registered producer finish, as loseConnection does."""

    class Slow:
        def __init__(self, transport):
            self.transport, self.left = transport, 3
            transport.registerProducer(self, False)

        def resumeProducing(self):
            self.left -= 1
            self.transport.write(b"piece ")
            if not self.left:
                self.transport.unregisterProducer()

        def stopProducing(self):
            raise AssertionError("it was stopped")

    async def scenario():
        ours, theirs = await joined(server := Halves(), client := Halves())
        Slow(ours.transport)
        ours.transport.loseWriteConnection()
        await until(lambda: theirs.told)
        assert (theirs.told, theirs.data) == (["read"], b"piece " * 3)
        theirs.transport.loseConnection()
        await server.whole.wait()
        await client.whole.wait()

    drive(scenario())


def test_a_protocol_that_does_not_ask_is_closed(reactor, drive, joined):
    """Without the two methods the peer's end is the end, when all is written."""

    class Whole(Protocol):
        told = ()

        def connectionMade(self):
            self.factory.began(self)
            self.transport.write(bytes(BIG))

        def connectionLost(self, reason):
            self.told += (reason.type,)
            self.factory.over()

    async def scenario():
        ours, theirs = await joined(server := Halves(Whole), client := Halves())
        theirs.transport.loseWriteConnection()
        await server.whole.wait()
        await until(lambda: len(theirs.data) == BIG)
        assert ours.told == (ConnectionDone,)
        theirs.transport.loseConnection()
        await client.whole.wait()

    drive(scenario())


def test_the_end_waits_while_reading_is_paused(reactor, drive, joined):
    """A protocol that has paused hears of the end after the bytes before it."""

    async def scenario():
        ours, theirs = await joined(server := Halves(), client := Halves())
        ours.transport.pauseProducing()
        theirs.transport.write(b"bytes")
        theirs.transport.loseWriteConnection()
        await until(lambda: theirs.told)
        await asyncio.sleep(0.01)
        assert (ours.told, ours.data) == ([], b"")
        ours.transport.resumeProducing()
        await until(lambda: ours.told)
        assert (ours.told, ours.data) == (["read"], b"bytes")
        ours.transport.loseConnection()
        await server.whole.wait()
        await client.whole.wait()

    drive(scenario())


class Noting(Half):
    """As Half, in memory."""

    def connectionMade(self):
        pass

    def connectionLost(self, reason):
        self.told.append(reason.type)


def peer_of(protocol):
    peer = MemoryPeer(Factory.forProtocol(protocol))
    return peer, peer.protocol


def test_in_memory_the_same_is_told():
    """A peer that leaves reads on, and is answered until the connection is closed."""
    peer, protocol = peer_of(Noting)
    peer.close()
    assert protocol.told == ["read"]
    assert not peer.isClosed
    protocol.transport.write(b"answer")
    assert peer.received == b"answer"
    protocol.transport.loseWriteConnection()
    peer.pump()
    assert peer.isClosed
    assert protocol.told == ["read", ConnectionDone]


def test_in_memory_the_end_of_writing_waits_for_the_reader():
    """writeConnectionLost comes when the peer has read the last byte."""
    peer, protocol = peer_of(Noting)
    peer.stopReading()
    protocol.transport.write(b"words")
    protocol.transport.loseWriteConnection()
    peer.pump()
    assert protocol.told == []
    peer.read(5)
    assert protocol.told == ["write"]
    assert peer.hasEnded


def test_loseWriteConnection_twice_is_once():
    """The second call changes nothing, and neither does a producer that comes after it."""

    class Late:
        stopped = 0

        def stopProducing(self):
            self.stopped += 1

    peer, protocol = peer_of(Noting)
    protocol.transport.loseWriteConnection()
    protocol.transport.loseWriteConnection()
    late = Late()
    protocol.transport.registerProducer(late, True)
    peer.pump()
    assert protocol.told == ["write"]
    assert late.stopped == 1


@pytest.mark.parametrize("name", ["readConnectionLost", "writeConnectionLost"])
def test_an_error_at_the_end_of_a_half_is_logged(caplog, name):
    """It does not escape; after an error over the peer's end the connection is dropped."""
    mine = KeyError("mine")

    class Broken(Noting):
        def fail(self):
            raise mine

    setattr(Broken, name, Broken.fail)
    peer, protocol = peer_of(Broken)
    if name == "readConnectionLost":
        peer.close()
        assert peer.reason.value is mine
    else:
        protocol.transport.loseWriteConnection()
        peer.pump()
        assert not peer.isClosed
    assert [r.exc_info[1] for r in caplog.records if r.levelno == logging.ERROR] == [mine]
