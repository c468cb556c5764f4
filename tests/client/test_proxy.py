"""Asking through a proxy: which one, in which form, and whose fault it is."""

import asyncio
import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.certificates import Authority, needs_openssl
from tests.client.test_sockets import Hello, until
from tests.client.world import HELLO, World
from weblayer.client.environment import Environment
from weblayer.client.error import ConnectTimeout, InvalidURI, ProxyError
from weblayer.client.proxy import ProxyAgent
from weblayer.client.timeouts import Timeouts
from weblayer.client.trust import BrowserLikePolicyForHTTPS
from weblayer.client.uri import URI
from weblayer.loop.protocol import Factory
from weblayer.loop.ssl import CertificateOptions
from weblayer.wire.headers import Headers


def through(proxy, **options):
    world = World()
    world.agent = ProxyAgent(world.reactor, proxy, pool=world.pool, **options)
    return world


def test_what_is_plain_is_asked_of_the_proxy():
    """With all of the URI, Host, and the proxy's own password."""
    world = through("http://me:se%3Acret@proxy:3128")
    headers = Headers({"A": ["1"]})
    outcome = world.ask("http://a.example:81/b?c#d", headers=headers)
    assert world.reactor.tcpClients[0][:2] == ("proxy", 3128)
    assert world.serve(HELLO) == (
        b"GET http://a.example:81/b?c HTTP/1.1\r\nHost: a.example:81\r\nA: 1\r\n"
        b"Proxy-Authorization: Basic bWU6c2U6Y3JldA==\r\n\r\n"
    )
    assert outcome.response.code == 200
    assert headers == Headers({"A": ["1"]})


def test_what_is_encrypted_goes_through_it():
    """By CONNECT, to which alone the proxy's password belongs; TLS begins behind its answer."""
    world = through("me:secret@proxy:3128")
    world.ask("https://a.example/", headers=Headers({"Authorization": ["Mine"]}))
    server = world.accept()
    assert server.received == (
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n"
        b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
    )
    server.received.clear()
    server.send(b"HTTP/1.0 200 Connection established\r\nContent-Length: 9\r\n\r\n")
    assert server.received[:1] == b"\x16"


def test_an_address_of_the_new_kind():
    """In brackets, as the target of CONNECT."""
    world = through("proxy:1")
    world.ask("https://[::1]:8443/")
    assert world.accept().received.startswith(b"CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443")


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (b"HTTP/1.1 407 Who?\r\n\r\n", 407, "answered with 407 Who?"),
        (b"HTTP/1.1 502 \r\nContent-Length: 2\r\n\r\nno", 502, "answered with 502,"),
        (b"SSH-2.0\r\n", None, "no HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nforged", None, "more than its answer"),
        (b"", None, "closed the connection"),
    ],
)
def test_a_proxy_that_does_not_connect_us(answer, code, told):
    """It is named, and what it said; the server is not blamed, and no connection is left."""
    world = through("http://me:secret@proxy:3128")
    outcome = world.ask("https://a.example/")
    server = world.accept()
    server.send(answer) if answer else server.close()
    assert type(outcome.error) is ProxyError
    assert outcome.error.code == code
    assert told in str(outcome.error)
    assert "http://proxy:3128/" in str(outcome.error)
    assert "secret" not in str(outcome.error)
    world.pump()
    assert server.isClosed
    assert world.pool.getNumbers() == (0, 0, 0)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there(scheme):
    """It is named, too."""
    world = through("proxy:3128")
    outcome = world.ask(f"{scheme}://a.example/")
    world.attempts[0].refuse()
    assert type(outcome.error) is ProxyError
    assert "http://proxy:3128/ cannot be reached" in str(outcome.error)


@pytest.mark.parametrize("connected", [True, False])
def test_a_proxy_that_says_nothing(connected):
    """The time to connect is over, whoever took it."""
    world = through("proxy:3128", timeouts=Timeouts(connect=5))
    outcome = world.ask("https://a.example/")
    if connected:
        world.accept()
    world.advance(7)
    assert type(outcome.error) is ConnectTimeout
    assert world.pool.getNumbers() == (0, 0, 0)


@pytest.mark.parametrize("connected", [True, False])
def test_cancelling_ends_the_connection(connected):
    """Before the proxy has answered."""
    world = through("proxy:3128")
    outcome = world.ask("https://a.example/")
    if connected:
        world.accept()
    outcome.deferred.cancel()
    world.pump()
    assert world.pool.getNumbers() == (0, 0, 0)
    assert world.hosts == []


def test_what_is_no_proxy_is_told_at_once():
    """SOCKS is none that we know."""
    with pytest.raises(InvalidURI, match="proxy"):
        through("socks5://proxy:1")


def proxy_for(uri, **environ):
    return Environment(environ).proxyFor(URI.fromText(uri))


def test_the_environment_names_proxies():
    """By scheme, lower case first, or one for all."""
    assert proxy_for("http://a/") is None
    assert proxy_for("http://a/", HTTP_PROXY="p", https_proxy="q") == "p"
    assert proxy_for("http://a/", HTTP_PROXY="p", http_proxy="q") == "q"
    assert proxy_for("https://a/", HTTP_PROXY="p") is None
    assert proxy_for("https://a/", HTTPS_PROXY="p", ALL_PROXY="q") == "p"
    assert proxy_for("https://a/", ALL_PROXY="q") == "q"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_no_proxy_leads_to_where_we_are(host):
    """What it would take for this machine is itself."""
    assert proxy_for(f"https://{host}:81/", ALL_PROXY="p") is None


def test_a_field_of_a_stranger_names_none():
    """In a CGI program HTTP_PROXY is what a client sent as Proxy."""
    assert proxy_for("http://a/", HTTP_PROXY="evil", REQUEST_METHOD="GET") is None
    assert proxy_for("http://a/", http_proxy="p", REQUEST_METHOD="GET") == "p"


@pytest.mark.parametrize(
    ("entry", "uri", "is_exempt"),
    [
        ("*", "http://a/", True),
        ("a.example", "http://a.example/", True),
        ("A.example", "http://b.a.example/", True),
        (".a.example", "http://a.example/", True),
        ("*.a.example", "http://b.a.example/", True),
        ("a.example", "http://ba.example/", False),
        ("a.example:81", "http://a.example:81/", True),
        ("a.example:81", "http://a.example/", False),
        ("a.example:443", "https://a.example/", True),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("10.0.0.1", "http://10.0.0.1/", True),
        ("10.0.0.1/8", "http://10.9.9.9/", True),
        ("fe80::/10", "http://[fe80::1]/", True),
        ("fd00::1", "http://[fd00::1]/", True),
        ("[fd00::1]:81", "http://[fd00::1]:81/", True),
        ("[fd00::1]:81", "http://[fd00::1]/", False),
        (" b , a ", "http://a/", True),
        ("", "http://a/", False),
        (",", "http://a/", False),
    ],
)
def test_some_are_asked_without(entry, uri, is_exempt):
    """NO_PROXY has hosts, addresses and networks, each perhaps with a port."""
    assert (proxy_for(uri, ALL_PROXY="p", NO_PROXY=entry) is None) == is_exempt


def test_who_is_exempt_is_asked_directly():
    """The same agent asks either."""
    world = World()
    environment = Environment({"http_proxy": "proxy:3128", "no_proxy": "near"})
    world.agent = ProxyAgent(world.reactor, environment, pool=world.pool)
    world.ask("http://near/")
    assert world.serve(HELLO).startswith(b"GET / HTTP/1.1\r\n")
    world.ask("http://far/")
    assert world.serve(HELLO).startswith(b"GET http://far/ HTTP/1.1\r\n")
    assert [one.host for one in world.reactor.tcpClients] == ["near", "proxy"]


async def relay(reader, writer):
    """What a proxy does with a CONNECT."""
    head = await reader.readuntil(b"\r\n\r\n")
    host, port = head.split()[1].decode().rsplit(":", 1)
    there_reader, there_writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def carry(source, target):
        while data := await source.read(65536):
            target.write(data)
        target.close()

    await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer))


@needs_openssl
def test_https_through_a_proxy(reactor, tmp_path):
    """The server's certificate is verified, the connection used again, and secrets kept."""
    authority = Authority(tmp_path / "good")
    pair = authority.sign("server")
    options = CertificateOptions(pair.key, pair.certificate)

    async def scenario():
        connections, seen = [], []

        class Seeing(Hello):
            def dataReceived(self, data):
                seen.append(data)
                super().dataReceived(data)

        async def counted(*streams):
            connections.append(streams)
            await relay(*streams)

        factory = Factory.forProtocol(Seeing)
        port = reactor.listenSSL(0, factory, options, interface="127.0.0.1").getHost().port
        server = await asyncio.start_server(counted, "127.0.0.1", 0)
        proxy = f"http://me:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        trust = BrowserLikePolicyForHTTPS(authority.certificate)
        agent = ProxyAgent(reactor, proxy, trust)
        for _ in range(2):
            response = await agent.request("GET", f"https://localhost:{port}/")
            assert await response.content() == b"hello"
        assert agent.pool.getNumbers() == (1, 1, 0)
        assert len(connections) == 1
        assert b"Proxy-Authorization" not in b"".join(seen)  # that is not for the server
        agent.pool.close()
        await until(lambda: agent.pool.getNumbers() == (0, 0, 0))
        await until(lambda: all(writer.is_closing() for _, writer in connections))
        server.close()
        await server.wait_closed()

    reactor.drive(scenario())


def tinyproxy(folder, port):
    """The command that runs it with a password, and what it says when it listens."""
    (folder / "tinyproxy.conf").write_text(
        f"Port {port}\nListen 127.0.0.1\nTimeout 20\nAllow 127.0.0.1\nBasicAuth me secret\n"
    )
    return ["tinyproxy", "-d", "-c", folder / "tinyproxy.conf"], "Accepting connections"


def squid(folder, port):
    """The same for squid, which asks another program about passwords."""
    checker = folder / "checker"
    checker.write_text("""#!/bin/sh
    while read -r name password; do
        if [ "$name $password" = "me secret" ]; then echo OK; else echo ERR; fi
    done""")
    checker.chmod(0o755)
    (folder / "squid.conf").write_text(
        f"http_port 127.0.0.1:{port}\npid_filename none\ncache deny all\naccess_log none\n"
        "cache_log /dev/null\npinger_enable off\nmemory_cache_shared off\nshutdown_lifetime 0\n"
        f"auth_param basic program {checker}\nacl known proxy_auth REQUIRED\n"
        "http_access allow known\nhttp_access deny all\n"
    )
    command = ["squid", "-N", "-d", "1", "-n", f"w{port}", "-f", folder / "squid.conf"]
    return command, "Accepting HTTP Socket connections"


@pytest.fixture(params=[tinyproxy, squid])
def proxy(request):
    """A proxy that is not ours, and wants a password; the URI with it."""
    name = request.param.__name__
    if not (program := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")):
        pytest.skip(f"the {name} program is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # whom root started becomes somebody else
        (_, *options), listens = request.param(Path(folder), port)
        with running([program, *options], listens):
            yield f"http://me:secret@127.0.0.1:{port}"


@contextmanager
def running(command, listens):
    """A program that has said that it listens; it ends behind the block."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while listens not in (line := process.stdout.readline()):
            assert line, "it never listened"
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_through_a_proxy_that_is_not_ours(reactor, proxy, tmp_path):
    """Plain, encrypted, and with a wrong password or none."""
    authority = Authority(tmp_path / "good")
    pair = authority.sign("server")
    options = CertificateOptions(pair.key, pair.certificate)

    async def scenario():
        factory = Factory.forProtocol(Hello)
        plain = reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
        secret = reactor.listenSSL(0, factory, options, interface="127.0.0.1").getHost().port
        trust = BrowserLikePolicyForHTTPS(authority.certificate)
        agent = ProxyAgent(reactor, proxy, trust)
        for uri in (f"http://127.0.0.1:{plain}/", f"https://localhost:{secret}/"):
            response = await agent.request("GET", uri)
            assert await response.content() == b"hello"
        for other in (proxy.replace("secret", "wrong"), proxy.replace("me:secret@", "")):
            wrong = ProxyAgent(reactor, other, trust, agent.pool)
            with pytest.raises(ProxyError) as refused:
                await wrong.request("GET", f"https://localhost:{secret}/")
            assert refused.value.code in (401, 407)
            response = await wrong.request("GET", f"http://127.0.0.1:{plain}/")
            assert response.code in (401, 407)
            await response.content()
        agent.pool.close()
        await until(lambda: agent.pool.getNumbers() == (0, 0, 0))

    reactor.drive(scenario())
