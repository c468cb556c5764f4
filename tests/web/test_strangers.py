"""The slow, the silent and the greedy, over real sockets: others are answered meanwhile."""

import asyncio
import socket
import struct
from contextlib import suppress

import pytest

from tests.web.trees import Page, raw, tree
from weblayer.web.site import Site

pytestmark = pytest.mark.weblayer(loop="both")

GET = raw("GET /hello HTTP/1.1")
IDLE, SLOW, PIPELINED = 1000, 50, 10_000


def endless(request):
    while True:
        yield b"x" * 10_000


class Crowd:
    """A site, and the connections of those who come."""

    def __init__(self):
        self.root = tree(hello=Page(lambda request: b"hello"), endless=Page(endless))
        self.open = []

    async def __aenter__(self):
        address = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(
            Site(self.root).serve(
                "tcp:0:interface=127.0.0.1", whenListening=address.set_result, shutdownTimeout=0
            )
        )
        self.port = (await address).port

    async def __aexit__(self, *error):
        for sock in self.open:
            sock.close()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def come(self, data=b"", count=1, buffer=None):
        """Connect *count* times, and send something; nothing is read but by who wants to."""
        loop, come = asyncio.get_running_loop(), []
        for _ in range(count):
            sock = socket.socket()
            self.open.append(sock)
            come.append(sock)
            sock.setblocking(False)
            if buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            await loop.sock_connect(sock, ("127.0.0.1", self.port))
            await loop.sock_sendall(sock, data)
        return come

    async def is_answered(self):
        """Whether one who behaves has ten answers, on one connection and on one each."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for _ in range(10):
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\nhello")
        writer.close()
        await writer.wait_closed()
        return True


@pytest.fixture
def crowd():
    """A site to which nobody has come yet."""
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 3 * IDLE:
        pytest.skip("this process may not open so many sockets")
    return Crowd()


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        (b"", IDLE),
        (b"GET / HTTP/1.1\r\nX: ", SLOW),
        (raw("POST /hello HTTP/1.1", "Content-Length: 1000", body=b"x"), SLOW),
        (raw("GET /endless HTTP/1.1"), SLOW),
        (GET * 1000, SLOW),
    ],
    ids=["idle", "half a head", "half a body", "an answer unread", "pipelined and unread"],
)
async def test_who_keeps_us_waiting_keeps_nobody_else(crowd, sent, count):
    """However many of them there are."""
    async with crowd:
        await crowd.come(sent, count, buffer=4096)
        assert await crowd.is_answered()


async def test_who_resets_in_the_midst_of_a_request_is_forgotten(crowd):
    """Within its head, its body, or the answer."""
    async with crowd:
        for sent in (b"GET / HT", raw("POST /hello HTTP/1.1", "Content-Length: 9", body=b"x"),
                     raw("GET /endless HTTP/1.1")):  # fmt: skip
            for sock in await crowd.come(sent, SLOW):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
        assert await crowd.is_answered()


async def test_ten_thousand_requests_at_once(crowd):
    """Are ten thousand answers, in order, and others have theirs in between."""
    async with crowd:
        reader, writer = await asyncio.open_connection("127.0.0.1", crowd.port)
        writer.write(GET * PIPELINED)
        assert await crowd.is_answered()
        for _ in range(PIPELINED):
            await reader.readuntil(b"\r\n\r\nhello")
        writer.close()
        await writer.wait_closed()
