"""Each call on the road that can fail fails once: the server answers on, and nothing is left.

Over real sockets; what the test leaves in its loop (tasks, timers) fails it too.
"""

import asyncio
import errno
import io
import os
import socket
import tempfile
from contextlib import suppress

import pytest

from tests.web.trees import Page, raw, tree
from weblayer.web.policy import Policy
from weblayer.web.site import Site
from weblayer.web.static import File

# The standard library's loop calls the sockets of the standard library, which can be made to fail.
pytestmark = pytest.mark.weblayer(loop="asyncio")

SMALL, LARGE = b"small", b"x" * 1_000_000


class Road:
    """A site with every kind of road, its client, and what is made to fail on the way."""

    def __init__(self, folder, monkeypatch, flush):
        self._patch, self._flush, self._error = monkeypatch, flush, None
        self.happened = False
        (folder / "small.txt").write_bytes(SMALL)
        (folder / "large.bin").write_bytes(LARGE)
        echo = Page(lambda request: request.content.read(), Policy(maxBody=10**7))
        self.site = Site(tree(files=Reading(str(folder)), echo=echo))

    async def __aenter__(self):
        address = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(
            self.site.serve("tcp:0:interface=127.0.0.1", whenListening=address.set_result)
        )
        self.port = (await address).port
        await self.ask(upload(LARGE))  # so that what is opened once for all is open
        self._open = descriptors()

    async def __aexit__(self, *error):
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def fail(self, owner, name, error, concerns=lambda *args: True):
        """Have the next call of a function that *concerns* us fail."""
        real, self._error = getattr(owner, name), error

        def call(*args, **kwargs):
            if not self.happened and concerns(*args):
                self.happened = True
                raise error
            return real(*args, **kwargs)

        self._patch.setattr(owner, name, call)

    def is_ours(self, sock, *_):
        """Whether a socket is the server's side of a connection, or its port."""
        return sock.family == socket.AF_INET and sock.getsockname()[1] == self.port

    async def ask(self, request):
        """All that is sent back, however it ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        received = b""
        with suppress(ConnectionError):
            writer.write(request)
            while piece := await reader.read(65536):
                received += piece
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return received

    async def check(self):
        """The fault has happened; the roads are open, and nothing of it is left."""
        assert self.happened
        assert (await self.ask(get("small.txt"))).endswith(SMALL)
        assert (await self.ask(get("large.bin"))).endswith(LARGE)
        assert (await self.ask(upload(LARGE))).endswith(LARGE)
        async with asyncio.timeout(5):
            while descriptors() != self._open:  # noqa: ASYNC110  it ends in a turn or two
                await asyncio.sleep(0)
        assert all(error is self._error for error in self._flush())  # or there is another fault


class Reading(File):
    """A folder whose files are read by a function that a test can have fail."""

    def openForReading(self):
        found = super().openForReading()
        found.close()
        return io.BufferedReader(Raw(self.path), 1)


class Raw(io.FileIO):
    def readinto(self, buffer):
        return Disk.read(super().readinto, buffer)

    def read(self, size=-1):
        return Disk.read(super().read, size)


class Disk:
    @staticmethod
    def read(call, *args):
        return call(*args)


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def get(name):
    return raw(f"GET /files/{name} HTTP/1.1", "Connection: close")


def upload(body):
    return raw(
        "POST /echo HTTP/1.1", "Connection: close", f"Content-Length: {len(body)}", body=body
    )


@pytest.fixture
def road(tmp_path, monkeypatch, flushLoggedErrors):
    """A road on which nothing has failed yet."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system does not tell which descriptors are open")
    return Road(tmp_path, monkeypatch, flushLoggedErrors)


def told(number):
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ECONNABORTED, errno.EMFILE])
async def test_accept(road, number):
    """The client that was not let in is the only one who may notice."""
    async with road:
        road.fail(socket.socket, "accept", told(number), road.is_ours)
        await road.ask(get("small.txt"))
        await road.check()


@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.EIO, errno.ETIMEDOUT])
@pytest.mark.parametrize("request_", [get("small.txt"), upload(LARGE)])
async def test_recv(road, number, request_):
    """A connection that cannot be read is gone, and so is what it had asked for."""
    async with road:
        road.fail(socket.socket, "recv", told(number), road.is_ours)
        assert await road.ask(request_) == b""
        await road.check()


async def test_recv_within_a_body(road):
    """Half an upload that was kept in a file is thrown away with it."""
    async with road:
        seen = []

        def late(sock, *_):
            seen.append(road.is_ours(sock) and sock.fileno())
            return seen[-1] and len(seen) > 8

        road.fail(socket.socket, "recv", told(errno.ECONNRESET), late)
        await road.ask(upload(LARGE * 5))
        await road.check()


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ECONNRESET, errno.ENOBUFS])
@pytest.mark.parametrize("name", ["small.txt", "large.bin"])
async def test_send(road, number, name):
    """A connection that cannot be written to is gone, and the file it was sent is closed."""
    async with road:
        road.fail(socket.socket, "send", told(number), road.is_ours)
        assert await road.ask(get(name)) == b""
        await road.check()


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EMFILE, b"500"), (errno.EIO, b"500"), (errno.EACCES, b"403")]
)
@pytest.mark.parametrize("call", ["open", "lstat"])
async def test_open_and_stat(road, number, code, call):
    """A file that cannot be looked at or opened is an error page, and no more."""
    async with road:

        def concerns(path, *_):
            return str(path).endswith("small.txt")

        road.fail(os, call, told(number), concerns)
        answer = await road.ask(get("small.txt"))
        assert answer[9:12] in (code, b"404", b"503")
        await road.check()


@pytest.mark.parametrize("name", ["small.txt", "large.bin"])
async def test_read(road, name):
    """A disk that fails is a 500 where nothing was sent, else an answer that breaks off."""
    async with road:
        seen = []

        def concerns(*_):
            seen.append(True)
            return name == "small.txt" or len(seen) > 3

        road.fail(Disk, "read", told(errno.EIO), concerns)
        answer = await road.ask(get(name))
        assert answer.startswith(b"HTTP/1.1 500 ") or len(answer) < len(LARGE)
        await road.check()


async def test_a_file_for_an_upload(road):
    """Where none can be made, the upload is a 500, and what was kept of it is gone."""
    async with road:
        road.fail(tempfile, "TemporaryFile", told(errno.ENOSPC))
        assert (await road.ask(upload(LARGE))).startswith(b"HTTP/1.1 500 ")
        await road.check()
