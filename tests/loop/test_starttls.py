"""startTLS on a live connection: plain words first, then secret ones."""

import asyncio
import ssl

import pytest

from tests.certificates import OPENSSL, certificates  # noqa: F401  a fixture
from weblayer.loop import error
from weblayer.loop.memory import connect
from weblayer.loop.protocol import ClientFactory, Factory, Protocol
from weblayer.loop.ssl import CertificateOptions, optionsForClientTLS

# ruff: noqa: F811 - a fixture that is imported is a parameter all the same


class Server(Protocol):
    """Answers STARTTLS with OK and begins; then shouts back."""

    def __init__(self):
        self.data, self.reasons, self.secret = bytearray(), [], None

    def dataReceived(self, data):
        self.data += data
        if data == b"STARTTLS":
            self.transport.write(b"OK")
            self.secret = self.transport.startTLS(self.factory.options)
        else:
            self.transport.write(data.upper())

    def connectionLost(self, reason):
        self.reasons.append(reason)


class Client(Protocol):
    """Asks for encryption, writes at once what waits for it, and notes what happened."""

    def __init__(self):
        self.data, self.told = bytearray(), []

    def connectionMade(self):
        self.transport.write(b"STARTTLS")

    def dataReceived(self, data):
        self.data += data
        if data == b"OK":
            agreed = self.transport.startTLS(self.factory.options)
            assert not self.transport.secure
            self.transport.write(b"secret")
            agreed.addBoth(lambda result: self.told.append(("agreed", result)))
        if self.data.endswith(b"SECRET"):
            self.told.append(self.transport.secure)
            self.transport.loseConnection()

    def connectionLost(self, reason):
        self.told.append(reason.type)


class Clients(ClientFactory):
    """One Client, and a future of the end."""

    protocol = Client

    def __init__(self, options):
        self.options = options
        self.ended = asyncio.get_running_loop().create_future()

    def buildProtocol(self, addr):
        self.made = super().buildProtocol(addr)
        return self.made

    def clientConnectionLost(self, connector, reason):
        self.ended.set_result(reason)


def servers(certificates):
    factory = Factory.forProtocol(Server)
    factory.options = CertificateOptions(certificates.server.both)
    return factory


def test_a_live_connection_becomes_secret(reactor, drive, certificates):
    """What is written meanwhile waits; the Deferred fires when both sides agree."""

    async def scenario():
        port = reactor.listenTCP(0, servers(certificates), interface="127.0.0.1")
        client = Clients(optionsForClientTLS("localhost", certificates.trusted))
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        await client.ended
        assert client.made.data == b"OKSECRET"
        assert client.made.told == [("agreed", None), True, error.ConnectionDone]

    drive(scenario())


def test_in_memory_too(certificates):
    """No loop and no socket are needed: a conversation can be tested as it is."""
    server = servers(certificates)
    client = ClientFactory.forProtocol(Client)
    client.options = optionsForClientTLS("localhost", certificates.trusted)
    pair = connect(server, client)
    assert pair.client.isClosed
    assert pair.client.reason.check(error.ConnectionDone)
    assert pair.server.reason.check(error.ConnectionDone)


def test_a_server_that_is_not_trusted_loses_the_connection(reactor, drive, certificates, caplog):
    """The Deferred and connectionLost tell the same; what waited is never sent."""

    async def scenario():
        port = reactor.listenTCP(0, servers(certificates), interface="127.0.0.1")
        client = Clients(optionsForClientTLS("elsewhere.test", certificates.trusted))
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        assert (await client.ended).check(error.WrongHost)
        (_, result), end = client.made.told
        assert result is None or result.check(error.WrongHost)
        assert end is error.WrongHost

    drive(scenario())


def test_who_does_not_look_is_not_told_twice(certificates, caplog):
    """A Deferred that nobody kept logs nothing: connectionLost has told it."""

    class Careless(Client):
        def dataReceived(self, data):
            self.transport.startTLS(self.factory.options)

    client = ClientFactory.forProtocol(Careless)
    client.options = optionsForClientTLS("elsewhere.test", certificates.trusted)
    pair = connect(servers(certificates), client)
    assert pair.client.reason.check(error.WrongHost)
    del pair, client
    assert caplog.records == []


def test_openssl_starts_too(reactor, drive, certificates):
    """The openssl program's own STARTTLS, as a mail server is asked."""

    class Mail(Server):
        def connectionMade(self):
            self.transport.write(b"220 mail.test\r\n")

        def dataReceived(self, data):
            if data.startswith(b"EHLO"):
                self.transport.write(b"250-mail.test\r\n250 STARTTLS\r\n")
            elif data.startswith(b"STARTTLS"):
                self.transport.write(b"220 go ahead\r\n")
                self.transport.startTLS(self.factory.options)
            else:
                self.transport.write(b"heard " + data)
                self.transport.loseConnection()

    async def scenario():
        factory = servers(certificates)
        factory.protocol = Mail
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        client = await asyncio.create_subprocess_exec(
            OPENSSL, "s_client", "-connect", f"127.0.0.1:{port.getHost().port}",
            "-starttls", "smtp", "-CAfile", certificates.trusted, "-verify_return_error", "-quiet",
            stdin=-1, stdout=-1, stderr=-1,
        )  # fmt: skip
        client.stdin.write(b"me\n")
        said = await client.stdout.read()
        await client.stderr.read()
        client.stdin.close()
        await client.wait()
        assert said.endswith(b"heard me\n")

    drive(scenario())


def test_paused_reading_stays_paused(reactor, drive, recording, certificates):
    """The two sides agree although the reader has paused, and it is given nothing till it asks."""

    def made(protocol):
        protocol.transport.pauseProducing()
        protocol.agreed = protocol.transport.startTLS(CertificateOptions(certificates.server.both))

    async def scenario():
        server = recording(made)
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        context = ssl.create_default_context(cafile=certificates.trusted)
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port.getHost().port, ssl=context, server_hostname="localhost"
        )
        protocol = await server.connected.get()
        await protocol.agreed
        writer.write(b"words")
        await asyncio.sleep(0.02)  # in which they would arrive
        assert protocol.data == b""
        protocol.transport.resumeProducing()
        writer.close()
        assert (await protocol.lost).check(error.ConnectionDone)
        assert protocol.data == b"words"
        await writer.wait_closed()

    drive(scenario())


def test_cancelling_drops_the_connection(reactor, drive, recording, certificates):
    """A connection of which nobody knows whether it is secret is of no use."""

    async def scenario():
        server = recording()
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        client = recording()
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        protocol = await client.connected.get()
        agreed = protocol.transport.startTLS(optionsForClientTLS("localhost"))
        with pytest.raises(RuntimeError, match="before"):
            protocol.transport.startTLS(optionsForClientTLS("localhost"))
        agreed.cancel()
        assert (await client.ended.get()).check(error.ConnectionAborted)
        after = protocol.transport.startTLS(optionsForClientTLS("localhost"))
        with pytest.raises(error.ConnectionDone):
            await after

    drive(scenario())


def test_a_peer_that_does_not_begin_is_not_waited_for(reactor, drive, recording, certificates):
    """The connection is lost after *timeout* seconds."""

    def made(protocol):
        options = CertificateOptions(certificates.server.both)
        protocol.transport.startTLS(options, timeout=0.02)

    async def scenario():
        server = recording(made)
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        _, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
        protocol = await server.connected.get()
        assert (await protocol.lost).check(error.TimeoutError)
        writer.close()
        await writer.wait_closed()

    drive(scenario())
