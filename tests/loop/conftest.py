"""A reactor on each event loop, which leaves nothing behind, and a protocol that remembers."""

import asyncio
from contextlib import contextmanager
from pathlib import Path

import pytest

from weblayer.loop.loops import new_loop
from weblayer.loop.protocol import ClientFactory, Protocol
from weblayer.loop.reactor import Reactor
from weblayer.loop.timers import Clock

LIMIT = 20  # seconds after which a test is taken to hang


class Recorder(Protocol):
    """Remembers what happened to it; `lost` is a future of the reason."""

    def __init__(self):
        self.data = bytearray()
        self.reasons = []
        self.lost = asyncio.get_running_loop().create_future()

    def connectionMade(self):
        self.factory.connected.put_nowait(self)
        self.factory.whenMade(self)

    def dataReceived(self, data):
        self.data += data
        self.factory.whenReceived(self, data)

    def connectionLost(self, reason):
        self.reasons.append(reason)
        if not self.lost.done():
            self.lost.set_result(reason)


class Recording(ClientFactory):
    """Builds Recorders, and remembers them, failures and losses in queues.

    `whenMade(protocol)` and `whenReceived(protocol, data)` are what they do besides.
    """

    protocol = Recorder

    def __init__(self, whenMade=None, whenReceived=None):
        self.whenMade = whenMade or (lambda protocol: None)
        self.whenReceived = whenReceived or (lambda protocol, data: None)
        self.connected, self.failed, self.ended = asyncio.Queue(), asyncio.Queue(), asyncio.Queue()
        self.calls = []

    def startFactory(self):
        self.calls.append("start")

    def stopFactory(self):
        self.calls.append("stop")

    def startedConnecting(self, connector):
        self.calls.append("connecting")

    def clientConnectionFailed(self, connector, reason):
        self.calls.append("failed")
        self.failed.put_nowait(reason)

    def clientConnectionLost(self, connector, reason):
        self.calls.append("lost")
        self.ended.put_nowait(reason)


@pytest.fixture
def recording():
    """The class of factories whose protocols remember what happened to them."""
    return Recording


@contextmanager
def clean_reactor(kind):
    """A reactor on a loop of *kind*; fails at the end if it has left anything open there."""
    sockets = open_sockets()
    loop = new_loop(kind)
    reactor = Reactor(loop, shutdownTimeout=5)
    reactor.errors = errors = []
    loop.set_exception_handler(lambda loop, context: errors.append(context))
    yield reactor
    left = [*reactor.getDelayedCalls(), *asyncio.all_tasks(loop)]
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert not left, f"left in the loop: {left}"
    assert not errors, f"errors that no test looked at: {errors}"
    assert open_sockets() <= sockets, "sockets were left open"


@pytest.fixture(params=["asyncio", "uvloop"])
def reactor(request):
    """A reactor on a loop of each kind; the test fails if it leaves anything open there.

    `reactor.errors` are the errors that the loop was told of; a test that expects some clears it.
    """
    with clean_reactor(request.param) as reactor:
        yield reactor


@pytest.fixture(params=["Clock", "asyncio", "uvloop"])
def timed(request):
    """A clock or a reactor, and a function that lets seconds pass on it."""
    if request.param == "Clock":
        clock = Clock()
        yield clock, clock.advance
        return
    with clean_reactor(request.param) as reactor:
        yield reactor, lambda seconds: reactor.loop.run_until_complete(asyncio.sleep(seconds))


@pytest.fixture
def drive(reactor):
    """A function that runs the reactor's loop until a coroutine is done, then what it left."""

    def drive(coroutine):
        async def limited():
            try:
                async with asyncio.timeout(LIMIT):
                    return await coroutine
            finally:  # a loop of uvloop that closes with a port open may do so for ever
                await reactor.fireSystemEvent("shutdown")

        return reactor.loop.run_until_complete(limited())

    return drive


def open_sockets():
    """How many sockets this process has open; nought where the system does not tell."""
    found = Path("/proc/self/fd")
    return sum(map(is_socket, found.iterdir())) if found.exists() else 0


def is_socket(path):
    try:
        return path.is_socket()
    except OSError:  # closed meanwhile, as the folder's own descriptor
        return False
