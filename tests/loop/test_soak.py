"""Crowds of connections that end at any moment and in any way leave nothing behind.

Each test has rounds of the same clients, all connected at once. `WEBLAYER_SOAK` in the
environment says how many they are (1,000, which takes about ten seconds in all); tens of
thousands need a limit of open files to match, twice as many and some more.
"""

import asyncio
import gc
import logging
import os
import resource
import socket
import struct
import tracemalloc
from contextlib import suppress
from itertools import count, pairwise
from random import Random

import pytest

from tests.web.trees import Page, raw, tree
from weblayer.loop.error import ConnectionAborted, ConnectionDone, ConnectionLost
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.task import deferLater
from weblayer.web.site import Site

CROWD = int(os.environ.get("WEBLAYER_SOAK", "1000"))
FILES = 2 * CROWD + 200  # both ends of each connection, and what pytest has open

# Seconds for the last connections to end once their clients have gone.
PATIENCE = 5

# Rounds, the first of which fills caches. A leak costs each of the others something; a table of
# the interpreter that grows, only one.
ROUNDS = 3

# Bytes of growth: less than any object of ours takes that could be left for each connection, and
# more than the tables of a crowd grow by in every round.
MOST_GROWTH = 100 * CROWD

PIECE = b"x" * 16_000


# The clients.


class Client:
    """One connection, and a random sequence of its own of what is done on it."""

    def __init__(self, loop, sock, seed):
        self.loop, self.sock, self.random = loop, sock, Random(seed)

    async def run(self, talk):
        """Talk, then leave in any way; a server that has left first is no surprise."""
        with self.sock, suppress(ConnectionError):
            await talk(self)
            await self.random.choice(LEAVING)(self)

    async def send(self, data):
        await self.loop.sock_sendall(self.sock, data)

    async def read(self):
        return await self.loop.sock_recv(self.sock, 65536)

    def half_close(self):
        with suppress(OSError):  # the server has reset the connection
            self.sock.shutdown(socket.SHUT_WR)

    async def disappear(self):
        """Close: a reset by the kernel where something was not read."""

    async def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def half_close_and_read(self):
        self.half_close()
        for _ in range(20):  # some answers have no end
            if not await self.read():
                break

    async def half_close_and_disappear(self):
        self.half_close()
        await asyncio.sleep(0)

    async def half_close_and_reset(self):
        await self.half_close_and_disappear()
        await self.reset()


LEAVING = [
    Client.disappear,
    Client.reset,
    Client.half_close_and_read,
    Client.half_close_and_disappear,
    Client.half_close_and_reset,
]


async def connected(loop, address, seed):
    sock = socket.socket()
    sock.setblocking(False)
    await loop.sock_connect(sock, address)
    return Client(loop, sock, seed)


async def crowd(loop, address, talk):
    """A round: connect everybody, let all talk and leave, and some more come and leave at once."""
    clients = [await connected(loop, address, seed) for seed in range(CROWD)]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run(talk))
    for _ in range(CROWD // 10):
        with socket.create_connection(address) as sock:
            await Client(loop, sock, 0).reset()
    # When the last has been answered, all before it have been accepted.
    await (await connected(loop, address, 0)).run(Client.half_close_and_read)


# What must be as before.


def census():
    """How many files and tasks there are."""
    return {"files": len(os.listdir("/dev/fd")), "tasks": len(asyncio.all_tasks())}


async def turns():
    for _ in range(10):
        await asyncio.sleep(0)


async def settled(before):
    """The census when it is as *before*, or when that has not come about for a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while census() != before:  # noqa: ASYNC110  the kernel sends no event
                await asyncio.sleep(0)
    return census()


async def soak(reactor, factory, talk):
    """All rounds against *factory*: the census before and behind, and the least bytes of growth."""
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    address = (port.getHost().host, port.getHost().port)
    await turns()  # in which the port begins to accept
    before, sizes = census(), []
    tracemalloc.start()
    try:
        for _ in range(ROUNDS):
            await crowd(reactor.loop, address, talk)
            behind = await settled(before)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return before, behind, min(later - size for size, later in pairwise(sizes))


def is_news(record):
    """Whether a record is more than asyncio's remark on writing on in the turn of a reset."""
    return record.getMessage() != "socket.send() raised exception."


@pytest.fixture(autouse=True)
def log(caplog):
    """What is logged; what is no news is not even kept, for that would be growth."""
    logger = logging.getLogger("asyncio")
    logger.addFilter(is_news)
    yield caplog
    logger.removeFilter(is_news)


@pytest.fixture(autouse=True)
def files():
    """Leave to open as many files as the crowd needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        pytest.skip(f"{FILES} open files are needed, {hard} allowed; set WEBLAYER_SOAK lower")
    if soft != resource.RLIM_INFINITY and soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Protocols that do all that a transport can be asked for.


class Counted(Protocol):
    """Tells its factory, which is where the promise of one connectionLost is looked at."""

    losses = 0

    def connectionMade(self):
        self.factory.made += 1
        self.begin()

    def begin(self):
        pass

    def connectionLost(self, reason):
        self.losses += 1
        self.factory.lost += self.losses
        self.factory.reasons.add(reason.type)
        self.use_everything()

    def use_everything(self):
        """What a program may do late, and what must then do nothing."""
        self.transport.write(b"late")
        self.transport.resumeProducing()
        self.transport.loseWriteConnection()
        self.transport.loseConnection()
        self.transport.abortConnection()


class Echo(Counted):
    def dataReceived(self, data):
        self.transport.write(data)


class HalfCloseable(Echo):
    def readConnectionLost(self):
        self.transport.write(b"bye")
        self.transport.loseConnection()

    def writeConnectionLost(self):
        pass


class Closing(Echo):
    def dataReceived(self, data):
        self.transport.write(data)
        self.transport.loseConnection()
        self.transport.write(data)


class Aborting(Echo):
    def dataReceived(self, data):
        self.transport.write(data)
        self.transport.abortConnection()


class EndingFirst(HalfCloseable):
    def dataReceived(self, data):
        self.transport.write(data)
        self.transport.loseWriteConnection()


class Hesitating(Echo):
    def begin(self):
        self.transport.pauseProducing()
        self.factory.reactor.callLater(0, self.transport.resumeProducing)


class Pushing(Counted):
    """Writes without end, as fast as the client reads, in the field's manner: until it is paused.

    That must come long before *MOST*, where it gives up, for the sake of this test.
    """

    MOST = 1000

    def begin(self):
        self.transport.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self):
        self.paused = False
        for _ in range(self.MOST):
            if self.paused:
                return
            self.transport.write(PIECE)
        self.factory.runaways += 1

    def pauseProducing(self):
        self.paused = True

    def stopProducing(self):
        self.paused = True


class Pulled(Counted):
    """Writes without end, a piece each time it is asked."""

    def begin(self):
        self.transport.registerProducer(self, False)

    def resumeProducing(self):
        self.transport.write(PIECE)

    def stopProducing(self):
        pass


class Medley(Factory):
    """Each connection gets another kind of protocol than the one before."""

    kinds = (Echo, HalfCloseable, Closing, Aborting, EndingFirst, Hesitating, Pushing, Pulled)

    def __init__(self, reactor):
        self.reactor = reactor
        self.made = self.lost = self.runaways = 0
        self.reasons = set()
        self.counter = count()

    def buildProtocol(self, addr):
        protocol = self.kinds[next(self.counter) % len(self.kinds)]()
        protocol.factory = self
        return protocol


async def chat(client):
    """Send a few messages, small and large, and read now and then."""
    for _ in range(client.random.randrange(4)):
        await client.send(bytes(client.random.choice([1, 64, 5_000, 80_000])))
        if client.random.random() < 0.5:
            await client.read()


def test_a_crowd_of_connections_leaves_nothing(reactor, drive, log):
    """Whatever 1,000 clients do, each loss is told once, and no file, task or memory is left."""
    factory = Medley(reactor)
    before, behind, growth = drive(soak(reactor, factory, chat))
    assert log.records == []
    assert behind == before
    assert factory.made == factory.lost
    assert factory.reasons <= {ConnectionDone, ConnectionLost, ConnectionAborted}
    assert factory.runaways == 0
    assert growth < MOST_GROWTH


# The same for a site.


def site(reactor):
    """A tree in which every kind of answer is found."""

    def many(request):
        yield from [PIECE] * 20

    def endless(request):
        while True:
            yield PIECE

    async def later(request):
        await asyncio.sleep(0)
        return b"later"

    pages = {
        "bytes": lambda request: b"hello",
        "echo": lambda request: request.content.read(),
        "many": many,
        "endless": endless,
        "later": later,
        "deferred": lambda request: deferLater(reactor, 0.001, lambda: "deferred"),
    }
    return Site(tree(**{name: Page(answer) for name, answer in pages.items()}), reactor=reactor)


REQUESTS = [
    *(raw(f"GET /{name} HTTP/1.1") for name in ["bytes", "many", "endless", "later", "deferred"]),
    raw("HEAD /many HTTP/1.1"),
    raw("GET /nothing HTTP/1.1"),
    raw("GET /bytes HTTP/1.0"),
    raw("GET /bytes HTTP/1.1") * 10,
    raw("POST /echo HTTP/1.1", "Content-Length: 50000", body=bytes(50_000)),
    raw("POST /bytes HTTP/1.1", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    b"NOT HTTP\r\n\r\n",
]


async def browse(client):
    """Ask for a few pages, reading now and then; the last request may be cut short."""
    for _ in range(client.random.randrange(4)):
        await client.send(client.random.choice(REQUESTS))
        if client.random.random() < 0.5:
            await client.read()
    last = client.random.choice(REQUESTS)
    await client.send(last[: client.random.randrange(len(last))])


def test_a_crowd_of_browsers_leaves_nothing(reactor, drive, log):
    """Whatever 1,000 clients of a site do, no file, task or memory is left."""
    before, behind, growth = drive(soak(reactor, site(reactor), browse))
    assert log.records == []
    assert behind == before
    assert growth < MOST_GROWTH
