"""Endpoints: descriptions of places, listening there and connecting there."""

import asyncio
import os
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.certificates import certificates  # noqa: F401  a fixture
from tests.programs import ROOT
from weblayer.loop import error
from weblayer.loop.address import IPv4Address, IPv6Address, UNIXAddress
from weblayer.loop.deferred import CancelledError
from weblayer.loop.endpoints import (
    AdoptedStreamServerEndpoint,
    HostnameEndpoint,
    SSL4ClientEndpoint,
    StandardIOEndpoint,
    SystemdServerEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    TCP6ClientEndpoint,
    TCP6ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    clientFromString,
    connectProtocol,
    quoteStringArgument,
    serverFromString,
    wrapClientTLS,
    wrapServerTLS,
)
from weblayer.loop.network import BACKLOG
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.reactor import Reactor
from weblayer.loop.ssl import CertificateOptions, optionsForClientTLS

# ruff: noqa: F811 - a fixture that is imported is a parameter all the same

R = Reactor()  # which is never used: a description says only where

SERVERS = {
    "tcp:80": TCP4ServerEndpoint(R, 80),
    "tcp:port=80": TCP4ServerEndpoint(R, 80),
    "tcp:80:interface=127.0.0.1": TCP4ServerEndpoint(R, 80, BACKLOG, "127.0.0.1"),
    "tcp:80:interface=::1": TCP4ServerEndpoint(R, 80, BACKLOG, "::1"),
    r"tcp:80:interface=\:\:1": TCP4ServerEndpoint(R, 80, BACKLOG, "::1"),
    "tcp:80:interface=::1:backlog=5": TCP4ServerEndpoint(R, 80, 5, "::1"),
    "tcp:interface=localhost:port=1": TCP4ServerEndpoint(R, 1, BACKLOG, "localhost"),
    "tcp:80:reusePort=1": TCP4ServerEndpoint(R, 80, reusePort=True),
    "tcp6:80": TCP6ServerEndpoint(R, 80, BACKLOG, "::"),
    "tcp6:80:interface=::1": TCP6ServerEndpoint(R, 80, BACKLOG, "::1"),
    "unix:/run/web.sock": UNIXServerEndpoint(R, "/run/web.sock"),
    "unix:address=web": UNIXServerEndpoint(R, "web"),
    "unix:/tmp/a=b": UNIXServerEndpoint(R, "/tmp/a=b"),
    r"unix:/tmp/a\:b": UNIXServerEndpoint(R, "/tmp/a:b"),
    "unix:/s:mode=660:backlog=9": UNIXServerEndpoint(R, "/s", 9, 0o660),
    "systemd:index=1": SystemdServerEndpoint(R, 1),
    "systemd:domain=INET6:name=web": SystemdServerEndpoint(R, None, "web", socket.AF_INET6),
    "fd:3": AdoptedStreamServerEndpoint(R, 3),
    "stdio:": StandardIOEndpoint(R),
    "stdio": StandardIOEndpoint(R),
}

CLIENTS = {
    "tcp:example.org:80": HostnameEndpoint(R, "example.org", 80),
    "tcp:host=example.org:port=80": HostnameEndpoint(R, "example.org", 80),
    "tcp:host=::1:port=80": HostnameEndpoint(R, "::1", 80),
    "tcp:a:80:timeout=5:bindAddress=127.0.0.1": HostnameEndpoint(R, "a", 80, 5, "127.0.0.1"),
    "unix:/run/web.sock": UNIXClientEndpoint(R, "/run/web.sock"),
    "unix:path=/s:timeout=1": UNIXClientEndpoint(R, "/s", 1),
}


@pytest.mark.parametrize("description", SERVERS)
def test_a_description_of_where_to_listen_is_read(description):
    """The kind, its argument, and arguments by name."""
    assert serverFromString(R, description) == SERVERS[description]


@pytest.mark.parametrize("description", CLIENTS)
def test_a_description_of_where_to_connect_is_read(description):
    """The same language."""
    assert clientFromString(R, description) == CLIENTS[description]


@pytest.mark.parametrize(
    ("description", "told"),
    [
        ("", "tcp:, tcp6:, .*as in tcp:8080"),
        ("8080", "begin with one of tcp:"),
        ("http:80", "begin with one of tcp:"),
        ("tcp", "port is missing, as in tcp:8080"),
        ("tcp:", "port is missing"),
        ("tcp:http", "port must be a number from 0 to 65535, not 'http'"),
        ("tcp:65536", "not '65536'"),
        ("tcp:-1", "not '-1'"),
        ("tcp:\N{ARABIC-INDIC DIGIT EIGHT}", "must be a number"),
        ("tcp:80:127.0.0.1", r"interface=\.\.\..*not '127.0.0.1'"),
        ("tcp:80:port=81", "port twice"),
        ("tcp:80:reuse=1", "not 'reuse=1'"),
        ("tcp:80:interface=::1:backlogs=5", "not 'backlogs='"),
        ("tcp:80:backlog=x", "backlog must be"),
        ("tcp:80:reusePort=yes", "reusePort must be 0 or 1"),
        ("unix", "address is missing, as in unix:/run/web.sock"),
        ("unix:/a:b", r"written \\:"),
        ("unix:/a:mode=888", "mode must be a number from 0 to 777"),
        ("systemd:", "an index or a name"),
        ("systemd:index=0:name=a", "an index or a name"),
        ("systemd:domain=IPX:index=0", "INET, INET6 or UNIX"),
        ("fd:", "fileno must be a number"),
        ("stdio:1", "stdio takes no arguments"),
        ("tls:", "port is missing"),
    ],
)
def test_a_wrong_description_is_told_what_was_expected(description, told):
    """The error names what is wrong, and shows how it should be."""
    with pytest.raises(ValueError, match=told):
        serverFromString(R, description)


@pytest.mark.parametrize(
    ("description", "told"),
    [
        ("tcp6:a:80", "begin with one of tcp:, tls:, ssl:, unix:"),
        ("tcp:80", "port is missing"),
        ("tcp::80", "host is missing"),
        ("tcp:a:80:timeout=soon", "timeout must be"),
        ("unix:", "path is missing"),
    ],
)
def test_a_wrong_place_to_connect_is_told(description, told):
    """As for listening."""
    with pytest.raises(ValueError, match=told):
        clientFromString(R, description)


def test_a_description_is_text():
    """Bytes are a TypeError that shows how."""
    with pytest.raises(TypeError, match="tcp:8080"):
        serverFromString(R, b"tcp:80")


@given(st.text(min_size=1))
def test_any_argument_can_be_quoted(path):
    """quoteStringArgument lets every text through as it is."""
    quoted = quoteStringArgument(path)
    assert serverFromString(R, f"unix:{quoted}") == UNIXServerEndpoint(R, path)
    assert serverFromString(R, f"unix:address={quoted}:backlog=1").address == path


@given(st.text())
def test_no_text_is_too_strange(text):
    """Whatever is written, it is an endpoint or a ValueError that says something."""
    for kind in ("", "tcp:", "unix:", "systemd:", "fd:", "stdio:"):
        try:
            serverFromString(R, kind + text)
        except ValueError as told:
            assert str(told)


def listening(endpoint, factory):
    """The port of an endpoint, whose Deferred has fired."""
    ports = []
    endpoint.listen(factory).addCallback(ports.append)
    return ports[0]


def echo(protocol, data):
    protocol.transport.write(data)


async def said(protocol, data=b"hello"):
    """What comes back for *data*, after which the connection is closed."""
    protocol.transport.write(data)
    while len(protocol.data) < len(data):  # noqa: ASYNC110  the test's own limit is the end
        await asyncio.sleep(0)
    protocol.transport.loseConnection()
    await protocol.lost
    return bytes(protocol.data)


@pytest.mark.parametrize(
    ("server", "client", "kind"),
    [
        ("tcp:0:interface=127.0.0.1", TCP4ClientEndpoint, IPv4Address),
        ("tcp6:0:interface=::1", TCP6ClientEndpoint, IPv6Address),
        ("tcp:0:interface=127.0.0.1", HostnameEndpoint, IPv4Address),
    ],
)
def test_what_listens_is_connected_to(reactor, drive, recording, server, client, kind):
    """listen has fired with the port; connect fires with the protocol, which has begun."""

    async def scenario():
        port = listening(serverFromString(reactor, server), recording(whenReceived=echo))
        assert isinstance(port.getHost(), kind)
        factory = recording()
        host = port.getHost()
        protocol = await client(reactor, host.host, host.port).connect(factory)
        assert factory.connected.get_nowait() is protocol
        assert await said(protocol) == b"hello"
        assert factory.calls == ["start", "stop"]

    drive(scenario())


def test_a_unix_socket(reactor, drive, recording, tmp_path):
    """A path is listened on and connected to."""
    path = os.path.relpath(tmp_path / "s")

    async def scenario():
        server = serverFromString(reactor, f"unix:{quoteStringArgument(path)}")
        port = listening(server, recording(whenReceived=echo))
        assert port.getHost() == UNIXAddress(path)
        client = clientFromString(reactor, f"unix:{quoteStringArgument(path)}")
        assert await said(await client.connect(recording())) == b"hello"

    drive(scenario())


def test_ssl_from_strings(reactor, drive, recording, certificates):
    """A certificate and its key to listen, and the trusted authorities to connect."""

    async def scenario():
        pair = certificates.server
        where = f"ssl:0:interface=127.0.0.1:privateKey={pair.key}:certKey={pair.certificate}"
        port = listening(serverFromString(reactor, where), recording(whenReceived=echo))
        number = port.getHost().port
        where = f"tls:127.0.0.1:{number}:trustRoots={certificates.trusted}:hostname=localhost"
        protocol = await clientFromString(reactor, where).connect(recording())
        assert protocol.transport.secure
        assert await said(protocol) == b"hello"
        with pytest.raises(error.VerifyError):
            await clientFromString(reactor, f"ssl:127.0.0.1:{number}").connect(recording())

    drive(scenario())


def test_tls_is_a_folder_of_certificates(reactor, drive, recording, certificates, tmp_path):
    """`tls:` takes a certificate for each name from a folder."""
    (tmp_path / "localhost.pem").write_text(certificates.server.both.read_text())

    async def scenario():
        where = f"tls:{quoteStringArgument(str(tmp_path))}:0:interface=127.0.0.1"
        port = listening(serverFromString(reactor, where), recording(whenReceived=echo))
        options = optionsForClientTLS("localhost", certificates.trusted)
        client = SSL4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port, options)
        assert await said(await client.connect(recording())) == b"hello"

    drive(scenario())


def test_encryption_around_any_endpoint(reactor, drive, recording, certificates, tmp_path):
    """wrapServerTLS and wrapClientTLS encrypt what another endpoint connects, a UNIX socket say."""
    path = os.path.relpath(tmp_path / "s")

    async def scenario():
        options = CertificateOptions(certificates.server.both)
        server = wrapServerTLS(options, UNIXServerEndpoint(reactor, path))
        listening(server, recording(whenReceived=echo))
        trusting = optionsForClientTLS("localhost", certificates.trusted)
        client = wrapClientTLS(trusting, UNIXClientEndpoint(reactor, path))
        factory = recording()
        protocol = await client.connect(factory)
        assert factory.connected.get_nowait() is protocol
        assert protocol.transport.secure
        assert await said(protocol) == b"hello"

        wrong = wrapClientTLS(
            optionsForClientTLS("elsewhere.test", certificates.trusted),
            UNIXClientEndpoint(reactor, path),
        )
        with pytest.raises(error.WrongHost):
            await wrong.connect(recording())

        twice = wrapClientTLS(trusting, UNIXClientEndpoint(reactor, path + ".missing"))
        with pytest.raises(error.ConnectError):
            await twice.connect(recording())

    drive(scenario())


def test_encryption_within_encryption(reactor, drive, recording, certificates):
    """Two layers of it work as one does."""

    async def scenario():
        options = CertificateOptions(certificates.server.both)
        inner = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        server = wrapServerTLS(options, wrapServerTLS(options, inner))
        port = listening(server, recording(whenReceived=echo))
        trusting = optionsForClientTLS("localhost", certificates.trusted)
        plain = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        client = wrapClientTLS(trusting, wrapClientTLS(trusting, plain))
        protocol = await client.connect(recording())
        assert await said(protocol, bytes(1 << 20)) == bytes(1 << 20)
        assert (await protocol.lost).check(error.ConnectionDone)

    drive(scenario())


def test_connectProtocol_connects_a_protocol_that_is_there(reactor, drive, recording):
    """It fires with that very protocol."""

    class Mine(Protocol):
        def __init__(self):
            self.ended = asyncio.Event()

        def connectionLost(self, reason):
            self.ended.set()

    async def scenario():
        port = listening(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"), recording())
        mine = Mine()
        client = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        assert await connectProtocol(client, mine) is mine
        assert mine.connected
        mine.transport.loseConnection()
        await mine.ended.wait()

    drive(scenario())


def test_what_cannot_be_listened_on_is_told_by_the_deferred(reactor, recording):
    """It has failed with CannotListenError when listen returns."""
    told = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        endpoint = TCP4ServerEndpoint(reactor, number, interface="127.0.0.1")
        endpoint.listen(recording()).addErrback(told.append)
    assert told[0].check(error.CannotListenError)


def test_nobody_there_is_told_by_the_deferred(reactor, drive, recording):
    """It fails with what a connector would tell."""

    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as closed:
            number = closed.getsockname()[1]
        factory = recording()
        with pytest.raises(error.ConnectionRefusedError):
            await TCP4ClientEndpoint(reactor, "127.0.0.1", number).connect(factory)
        assert factory.calls == ["start", "stop"]

    drive(scenario())


def test_a_factory_without_a_protocol_is_told(reactor, drive, recording):
    """NoProtocol, and the connection is dropped."""

    class Empty(Factory):
        def buildProtocol(self, addr):
            return None

    async def scenario():
        port = listening(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"), recording())
        client = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        with pytest.raises(error.NoProtocol):
            await client.connect(Empty())

    drive(scenario())


def test_cancelling_gives_up(reactor, drive, recording, certificates):
    """While it connects, and while the two sides agree; no protocol is built."""

    async def scenario():
        server = recording()
        port = listening(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"), server)
        factory = recording()
        plain = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        connecting = plain.connect(factory)
        connecting.cancel()
        with pytest.raises(error.ConnectingCancelledError):
            await connecting
        secured = wrapClientTLS(optionsForClientTLS("localhost"), plain).connect(factory)
        await server.connected.get()
        await asyncio.sleep(0)
        secured.cancel()
        with pytest.raises((CancelledError, error.ConnectingCancelledError)):
            await secured
        assert factory.connected.empty()

    drive(scenario())


def test_a_socket_of_ours_is_adopted(reactor, drive, recording):
    """fd: listens on a copy; the descriptor stays the caller's."""

    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as sock:
            number = sock.getsockname()[1]
            server = serverFromString(reactor, f"fd:{sock.fileno()}")
            port = listening(server, recording(whenReceived=echo))
        client = TCP4ClientEndpoint(reactor, "127.0.0.1", number)
        assert await said(await client.connect(recording())) == b"hello"
        await port.stopListening()

    drive(scenario())


STDIO = """
import sys
from weblayer.loop.endpoints import serverFromString
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.reactor import Reactor
class Upper(Protocol):
    def connectionMade(self):
        self.transport.write(b"ready\\n")
    def dataReceived(self, data):
        self.transport.write(data.upper())
    def connectionLost(self, reason):
        print(reason.type.__name__, file=sys.stderr)
        reactor.callLater(0, reactor.stop)
reactor = Reactor()
reactor.callWhenRunning(
    lambda: serverFromString(reactor, "stdio:").listen(Factory.forProtocol(Upper)))
reactor.run()
"""


def run_stdio(loop, **options):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", STDIO], cwd=ROOT, timeout=20, check=False,
        stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WEBLAYER_LOOP": loop}, **options,
    )  # fmt: skip


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_standard_input_and_output_are_a_connection(loop):
    """What comes in is received, what is written goes out, and the end of input is the end."""
    big = b"some words " * 50000
    done = run_stdio(loop, input=big)
    assert (done.returncode, done.stderr) == (0, b"ConnectionDone\n")
    whole = done.stdout == b"ready\n" + big.upper()
    assert whole


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_standard_input_may_be_a_file(loop, tmp_path):
    """And output too, though no loop can wait for either; nothing at all is /dev/null."""
    (tmp_path / "in").write_bytes(b"from a file")
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as sink:
        done = run_stdio(loop, stdin=source, stdout=sink)
    assert (done.returncode, done.stderr) == (0, b"ConnectionDone\n")
    assert (tmp_path / "out").read_bytes() == b"ready\nFROM A FILE"
    assert run_stdio(loop, stdin=subprocess.DEVNULL).stdout == b"ready\n"
