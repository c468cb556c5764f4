"""The agent on real sockets, against servers that are not ours."""

import asyncio
import contextlib
import os
import resource
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.certificates import Authority, needs_openssl
from tests.client.world import HELLO
from weblayer.client.agent import Agent
from weblayer.client.bodies import AsyncBodyProducer, FileBodyProducer
from weblayer.client.error import ResponseFailed
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.trust import BrowserLikePolicyForHTTPS
from weblayer.loop.asking import UNIXClientEndpoint
from weblayer.loop.error import SelfSigned, UnknownAuthority, WrongHost
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.ssl import CertificateOptions

MB = 1024 * 1024
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


class Answering(BaseHTTPRequestHandler):
    """A server of the standard library's."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    def log_message(self, *_):
        pass


class Answering10(Answering):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"until the end")


@contextlib.contextmanager
def standard_server(kind):
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


async def until(holds):
    """Wait for what other programs, or other turns of the loop, will bring about."""
    while not holds():  # noqa: ASYNC110  there is no event of it
        await asyncio.sleep(0.01)


def listens(path):
    """Whether a server does, at this path: that it is there does not say so."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def descriptors():
    """How many descriptors are open."""
    return len(os.listdir("/proc/self/fd"))


@contextlib.contextmanager
def agent_of(reactor, **options):
    """An agent whose pool is closed in the end."""
    pool = HTTPConnectionPool(reactor)
    try:
        yield Agent(reactor, pool=pool, **options)
    finally:
        pool.close()


def test_the_standard_librarys_server(reactor):
    """GET, HEAD and POST, over kept connections, and HTTP/1.0 whose end is the connection's."""

    async def scenario(url, old):
        with agent_of(reactor) as agent:
            for _ in range(3):
                response = await agent.request("GET", url)
                assert await response.content() == b"hello"
            response = await agent.request("POST", url, None, b"ab" * 200_000)
            assert await response.content() == b"ab" * 200_000
            response = await agent.request("GET", old)
            assert await response.content() == b"until the end"
            assert response.version == ("HTTP", 1, 0)

    with standard_server(Answering) as url, standard_server(Answering10) as old:
        reactor.drive(scenario(url, old))


CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/b;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  log_format connections "$connection $connection_requests $status";
  server {{
    listen unix:{folder}/sock; access_log {folder}/access.log connections;
    location / {{ return 200 "hello"; }}
    location /three {{ keepalive_requests 3; return 200 "hello"; }}
  }}
}}
"""


class AtSocket:
    """Connects to one UNIX socket, whatever is asked for."""

    def __init__(self, reactor, path):
        self.endpoint = UNIXClientEndpoint(reactor, path)

    def endpointForURI(self, uri):
        return self.endpoint


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_sees_connections_used_again(reactor, tmp_path):
    """By its own log: one connection for all, and a new one where it allows three requests."""
    (tmp_path / "conf").write_text(CONFIGURATION.format(folder=tmp_path))
    command = [NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "conf")]

    async def scenario():
        pool = HTTPConnectionPool(reactor)
        agent = Agent.usingEndpointFactory(reactor, AtSocket(reactor, str(tmp_path / "sock")), pool)
        await until(lambda: listens(tmp_path / "sock"))
        for path in ["/"] * 10 + ["/three"] * 10:
            response = await agent.request("GET", f"http://a.example{path}")
            assert await response.content() == b"hello"
        pool.close()

    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as nginx:
        try:
            reactor.drive(scenario())
        finally:
            nginx.terminate()
    lines = [line.split() for line in (tmp_path / "access.log").read_text().splitlines()]
    assert [line[2] for line in lines] == ["200"] * 20
    # 10, and one that closes it; then three on each.
    assert len({line[0] for line in lines}) == 1 + 3


@contextlib.asynccontextmanager
async def raw_server(talk):
    """A server in this loop that has *talk* with each connection."""
    talks = set()

    async def connected(reader, writer):
        talks.add(asyncio.current_task())
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # of 3.11: a cancelled talk would be told as an error of the server's
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=4 * MB)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for one in talks:
            one.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def resident():
    """The memory that this process has now, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_a_large_body_comes_in_flat_memory(reactor):
    """200 MB, read by a reader that is slower than the server."""

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (200 * MB))
        for _ in range(200):
            writer.write(b"a" * MB)
            await writer.drain()

    async def scenario():
        async with raw_server(talk) as url:
            with agent_of(reactor) as agent:
                response = await agent.request("GET", url)
                before, size, most = resident(), 0, 0
                async for piece in response:
                    size += len(piece)
                    most = max(most, resident())
                    await asyncio.sleep(0)
                assert size == 200 * MB
                assert most - before < 30 * MB

    reactor.drive(scenario())


def test_where_we_connect_and_from_where(reactor):
    """By a name whose first address may lead nowhere, one that nobody knows, and our own side."""
    peers = []
    with socket.create_server(("127.0.0.1", 0)) as free:
        ours = free.getsockname()[1]

    async def talk(reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            peers.append((writer.get_extra_info("peername")[1], head))
            writer.write(HELLO)

    async def scenario():
        async with raw_server(talk) as url:
            port = urlsplit(url).port
            with agent_of(reactor, resolve={"no.example": "localhost"}) as agent:
                for host in ("localhost", "no.example"):
                    response = await agent.request("GET", f"http://{host}:{port}/")
                    assert await response.text() == "hello"
            with agent_of(reactor, bindAddress=("127.0.0.1", ours)) as agent:
                response = await agent.request("GET", url)
                assert await response.text() == "hello"

    reactor.drive(scenario())
    assert peers[2][0] == ours
    assert b"Host: no.example:" in peers[1][1]


def test_a_large_body_goes_out_in_flat_memory(reactor, tmp_path):
    """200 MB, of a file and then of an iterable, to a server that is slower than both."""

    seen = []

    async def talk(reader, writer):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            size = 0
            while size < 200 * MB:
                size += len(await reader.read(MB))
                seen.append(resident())
                await asyncio.sleep(0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    async def pieces():
        for _ in range(200):
            yield b"a" * MB

    async def scenario():
        path = tmp_path / "large"
        with path.open("wb") as written:
            written.truncate(200 * MB)
        async with raw_server(talk) as url:
            with agent_of(reactor) as agent, path.open("rb") as file:
                seen.append(resident())
                for producer in (
                    FileBodyProducer(file),
                    AsyncBodyProducer(pieces(), 200 * MB),
                ):
                    response = await agent.request("PUT", url, None, producer)
                    assert await response.text() == "done"
                assert agent.pool.getNumbers() == (1, 1, 0)
                assert max(seen) - seen[0] < 30 * MB

    reactor.drive(scenario())


def test_nothing_is_left_open_after_cancels(reactor):
    """Whenever tasks are cancelled, descriptors and counts return to what they were."""

    talks = []

    async def talk(reader, writer):
        talks.append(writer)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 100_000)
            await reader.read()
        finally:
            talks.remove(writer)

    async def get(agent, url):
        response = await agent.request("GET", url)
        await response.content()

    async def cancelled(turns, agent, url):
        tasks = [asyncio.create_task(get(agent, url)) for _ in range(8)]
        for _ in range(turns):
            await asyncio.sleep(0.002 if turns > 8 else 0)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)

    async def scenario():
        async with raw_server(talk) as url:
            pool = HTTPConnectionPool(reactor)
            pool.maxConnectionsPerHost = 4
            agent, before = Agent(reactor, pool=pool), 0
            for turns in range(12):
                await cancelled(turns, agent, url)
                await until(lambda: pool.getNumbers() == (0, 0, 0))
                await until(lambda: not talks)
                before = before or descriptors()
            assert descriptors() <= before
            pool.close()

    reactor.drive(scenario())


def test_leaving_a_loop_over_the_body_closes_it(reactor):
    """`async for` with a break: the rest of a long body is not read."""

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"a" * 100_000)
        await reader.read()

    async def scenario():
        async with raw_server(talk) as url:
            with agent_of(reactor) as agent:
                response = await agent.request("GET", url)
                async for _ in response:
                    break
                await until(lambda: agent.pool.getNumbers() == (0, 0, 0))

    reactor.drive(scenario())


def test_a_body_that_breaks_off_is_raised(reactor):
    """From content and from the loop over it."""

    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")

    async def scenario():
        async with raw_server(talk) as url:
            with agent_of(reactor) as agent:
                response = await agent.request("GET", url)
                with pytest.raises(ResponseFailed):
                    await response.content()
                response, got = await agent.request("GET", url), b""
                with pytest.raises(ResponseFailed):
                    async for piece in response:
                        got += piece
                assert got == b"abc"

    reactor.drive(scenario())


class Hello(Protocol):
    """Answers every packet."""

    def dataReceived(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


@needs_openssl
def test_https_is_verified(reactor, tmp_path):
    """A name, an address; another authority, a wrong name and a self-signed one are told apart."""
    authority = Authority(tmp_path / "good")
    pair = authority.sign("server")
    wrong = authority.sign("wrong", "DNS:elsewhere.example")

    def listen(one):
        options = CertificateOptions(one.key, one.certificate)
        factory = Factory.forProtocol(Hello)
        return reactor.listenSSL(0, factory, options, interface="127.0.0.1").getHost().port

    async def scenario():
        trust = BrowserLikePolicyForHTTPS(authority.certificate)
        good, bad, own = listen(pair), listen(wrong), listen(authority.pair)
        with agent_of(reactor, contextFactory=trust) as agent:
            for host in ("localhost", "127.0.0.1"):
                for _ in range(2):
                    response = await agent.request("GET", f"https://{host}:{good}/")
                    assert await response.content() == b"hello"
            assert agent.pool.getNumbers() == (2, 2, 0)
            with pytest.raises(WrongHost):
                await agent.request("GET", f"https://localhost:{bad}/")
        with agent_of(reactor) as agent:
            with pytest.raises(UnknownAuthority):
                await agent.request("GET", f"https://localhost:{good}/")
            with pytest.raises(SelfSigned):
                await agent.request("GET", f"https://localhost:{own}/")

    reactor.drive(scenario())
