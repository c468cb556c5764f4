"""Encrypted connections on both loops: who is trusted, what is told, how they end."""

# ruff: noqa: F811 - a fixture that is imported is a parameter all the same

import asyncio
import gc
import os
import ssl
import subprocess
import weakref

import pytest

from tests.certificates import OPENSSL, certificates  # noqa: F401  a fixture
from weblayer.loop import error
from weblayer.loop.address import IPv6Address
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.ssl import (
    CertificateFolder,
    CertificateOptions,
    PrivateCertificate,
    TLSOptions,
    optionsForClientTLS,
)

BIG = 4 << 20  # bytes: many records, and more than the kernel's buffers hold


def echo(protocol, data):
    protocol.transport.write(data)


def listen(reactor, factory, options, interface="127.0.0.1"):
    """A port of the reactor that encrypts, and its number."""
    return reactor.listenSSL(0, factory, options, interface=interface).getHost().port


def options_of(pair, **options):
    return CertificateOptions(pair.key, pair.certificate, **options)


def raw_client(certificates, **options):
    """Python's own client, which trusts our authority."""
    context = ssl.create_default_context(cafile=certificates.trusted)
    for name, value in options.items():
        setattr(context, name, value)
    return context


async def raw_connection(certificates, number, **options):
    """A reader and a writer of Python's own client."""
    context = raw_client(certificates, **options)
    return await asyncio.open_connection(
        "127.0.0.1", number, ssl=context, server_hostname="localhost"
    )


async def finish(writer):
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("interface", ["127.0.0.1", "::1"])
def test_our_client_and_our_server_talk(reactor, drive, recording, certificates, interface):
    """Bytes go both ways, and both sides know that nobody reads along."""

    async def scenario():
        server = recording(whenReceived=echo)
        number = listen(reactor, server, options_of(certificates.server), interface)
        client = recording(
            lambda protocol: protocol.transport.write(b"hello"),
            lambda protocol, data: protocol.transport.loseConnection(),
        )
        options = optionsForClientTLS("localhost", certificates.trusted)
        reactor.connectSSL(interface, number, client, options)
        assert (await client.ended.get()).check(error.ConnectionDone)
        protocol = await client.connected.get()
        assert protocol.data == b"hello"
        assert client.calls == ["start", "connecting", "lost", "stop"]
        ours = await server.connected.get()
        assert (await ours.lost).check(error.ConnectionDone)
        assert ours.transport.getHost().port == number
        assert isinstance(ours.transport.getPeer(), IPv6Address) is (interface == "::1")

    drive(scenario())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_megabytes_go_through_whole(reactor, drive, recording, certificates, version):
    """However records and packets are cut, every byte arrives once, in order."""
    data = os.urandom(BIG)

    async def scenario():
        number = listen(reactor, recording(whenReceived=echo), options_of(certificates.server))
        reader, writer = await raw_connection(certificates, number, maximum_version=version)
        assert writer.get_extra_info("ssl_object").version() == version.name.replace("_", ".")
        writer.write(data)
        arrived = await reader.readexactly(BIG) == data  # not in the assert: a diff of megabytes
        assert arrived
        await finish(writer)

    drive(scenario())


def test_a_connection_is_secure_from_its_first_moment(reactor, drive, recording, certificates):
    """In connectionMade the transport is secure, and tells the peer's certificate and ALPN."""
    seen = []

    def made(protocol):
        transport = protocol.transport
        seen.append((transport.secure, transport.negotiatedProtocol))
        seen.append(transport.getPeerCertificate())
        transport.loseConnection()

    async def scenario():
        offered = options_of(certificates.server, acceptableProtocols=[b"h2", b"http/1.1"])
        number = listen(reactor, recording(), offered)
        client = recording(made)
        options = optionsForClientTLS(
            "localhost", certificates.trusted, acceptableProtocols=["http/1.1"]
        )
        reactor.connectSSL("127.0.0.1", number, client, options)
        await client.ended.get()
        (secure, name), shown = seen
        assert (secure, name) == (True, b"http/1.1")
        assert "localhost" in shown.names
        assert shown.subject == {"commonName": "server"}
        pem = certificates.server.certificate.read_text()
        assert shown.der == ssl.PEM_cert_to_DER_cert(pem)
        assert len(shown.digest()) == 64

    drive(scenario())


def test_a_plain_connection_is_not_secure(reactor, drive, recording):
    """Without encryption there is no certificate and no ALPN."""

    def made(protocol):
        transport = protocol.transport
        assert (transport.secure, transport.negotiatedProtocol) == (False, None)
        assert transport.getPeerCertificate() is None
        transport.loseConnection()

    async def scenario():
        port = reactor.listenTCP(0, recording(), interface="127.0.0.1")
        client = recording(made)
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        assert (await client.ended.get()).check(error.ConnectionDone)

    drive(scenario())


@pytest.mark.parametrize(
    ("shown", "asked", "kind", "told"),
    [
        ("elsewhere", "localhost", error.WrongHost, "localhost"),
        ("elsewhere", "127.0.0.1", error.WrongHost, "127.0.0.1"),
        ("server", "elsewhere.test", error.WrongHost, "elsewhere.test"),
        ("expired", "localhost", error.CertificateExpired, "expired"),
        ("alone", "localhost", error.SelfSigned, "self"),
        ("unknown", "localhost", error.UnknownAuthority, "issuer"),
    ],
)
def test_a_server_that_cannot_be_trusted_is_told_apart(
    reactor, drive, recording, certificates, shown, asked, kind, told
):
    """Each fault is an error of its own, a failure to connect, and nothing is sent."""

    async def scenario():
        server = recording()
        number = listen(reactor, server, options_of(getattr(certificates, shown)))
        client = recording(lambda protocol: protocol.transport.write(b"secret"))
        options = optionsForClientTLS(asked, certificates.trusted)
        reactor.connectSSL("127.0.0.1", number, client, options)
        reason = await client.failed.get()
        assert type(reason.value) is kind
        assert isinstance(reason.value, error.VerifyError)
        assert isinstance(reason.value, OSError)
        assert told in reason.getErrorMessage()
        assert client.connected.empty()
        assert client.calls == ["start", "connecting", "failed", "stop"]
        assert server.connected.empty()

    drive(scenario())


def test_the_systems_authorities_are_the_default(reactor, drive, recording, certificates):
    """Without a trustRoot our authority, which no system knows, is refused."""

    async def scenario():
        number = listen(reactor, recording(), options_of(certificates.server))
        client = recording()
        reactor.connectSSL("127.0.0.1", number, client, optionsForClientTLS("localhost"))
        assert (await client.failed.get()).check(error.VerifyError)

    drive(scenario())


def test_a_folder_of_authorities_is_trusted(reactor, drive, recording, certificates, tmp_path):
    """A trustRoot may be a folder of PEM files."""
    (tmp_path / "ours.pem").write_text(certificates.trusted.read_text())

    async def scenario():
        number = listen(reactor, recording(), options_of(certificates.server))
        client = recording(lambda protocol: protocol.transport.loseConnection())
        options = optionsForClientTLS("localhost", tmp_path)
        reactor.connectSSL("127.0.0.1", number, client, options)
        assert (await client.ended.get()).check(error.ConnectionDone)

    drive(scenario())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_clients_show_certificates(reactor, drive, recording, certificates, version):
    """With a trustRoot a client must show a certificate, and the server reads whose it is."""

    async def scenario():
        server = recording(lambda protocol: protocol.transport.loseConnection())
        options = options_of(certificates.server, trustRoot=certificates.trusted)
        options.context.maximum_version = version
        number = listen(reactor, server, options)
        mine = PrivateCertificate(certificates.client.both)
        known = recording()
        trusting = optionsForClientTLS("localhost", certificates.trusted, mine)
        reactor.connectSSL("127.0.0.1", number, known, trusting)
        assert (await known.ended.get()).check(error.ConnectionDone)
        shown = (await server.connected.get()).transport.getPeerCertificate()
        assert shown is None or shown.names == ("client.test",)

        nameless = recording()
        trusting = optionsForClientTLS("localhost", certificates.trusted)
        reactor.connectSSL("127.0.0.1", number, nameless, trusting)
        # In TLS 1.3 a client is told only after it took the connection for made.
        queues = [asyncio.ensure_future(q.get()) for q in (nameless.failed, nameless.ended)]
        done, waiting = await asyncio.wait(queues, return_when=asyncio.FIRST_COMPLETED)
        [each.cancel() for each in waiting]
        assert not next(iter(done)).result().check(error.ConnectionDone)
        assert server.connected.empty()

    drive(scenario())


def test_a_clients_certificate_may_be_left_out(reactor, drive, recording, certificates):
    """With requireCertificate=False those without one are let in, as nobody."""
    shown = []

    def made(protocol):
        shown.append(protocol.transport.getPeerCertificate())
        protocol.transport.loseConnection()

    async def scenario():
        options = options_of(
            certificates.server, trustRoot=certificates.trusted, requireCertificate=False
        )
        number = listen(reactor, recording(made), options)
        for mine in (None, PrivateCertificate(certificates.client.both)):
            client = recording()
            trusting = optionsForClientTLS("localhost", certificates.trusted, mine)
            reactor.connectSSL("127.0.0.1", number, client, trusting)
            await client.ended.get()
        assert shown[0] is None
        assert shown[1].names == ("client.test",)

    drive(scenario())


async def name_shown(reactor, recording, certificates, number, asked):
    """The first name in the certificate that a client is shown who asks for *asked*."""
    names = []

    def made(protocol):
        names.extend(protocol.transport.getPeerCertificate().names)
        protocol.transport.loseConnection()

    client = recording(made)
    context = ssl.create_default_context(cafile=certificates.trusted)
    context.check_hostname = False
    reactor.connectSSL("127.0.0.1", number, client, TLSOptions(context, asked))
    queues = [asyncio.ensure_future(q.get()) for q in (client.failed, client.ended)]
    done, waiting = await asyncio.wait(queues, return_when=asyncio.FIRST_COMPLETED)
    [each.cancel() for each in waiting]
    return names[0] if names else next(iter(done)).result().getErrorMessage()


def test_the_name_asked_for_chooses_the_certificate(reactor, drive, recording, certificates):
    """serverNames are for other names, `*.` for those before one; the rest see the default."""
    names = {
        "Elsewhere.test": options_of(certificates.elsewhere),
        "*.wild.test": options_of(certificates.wild),
    }

    async def scenario():
        number = listen(reactor, recording(), options_of(certificates.server, serverNames=names))
        for asked, shown in [
            ("elsewhere.test", "elsewhere.test"),
            ("a.wild.test", "*.wild.test"),
            ("other.test", "localhost"),
        ]:
            assert await name_shown(reactor, recording, certificates, number, asked) == shown

    drive(scenario())


def test_a_folder_holds_a_certificate_for_each_name(
    reactor, drive, recording, certificates, tmp_path
):
    """A file that changes serves the next connection; what cannot be read leaves the old one."""
    (tmp_path / "elsewhere.test.pem").write_text(certificates.elsewhere.both.read_text())
    (tmp_path / "*.wild.test.pem").write_text(certificates.wild.both.read_text())

    async def scenario():
        def shown(asked):
            return name_shown(reactor, recording, certificates, number, asked)

        number = listen(reactor, recording(), CertificateFolder(tmp_path))
        assert await shown("elsewhere.test") == "elsewhere.test"
        assert await shown("b.wild.test") == "*.wild.test"
        assert "no certificate for the name" in await shown("other.test")
        (tmp_path / "DEFAULT.pem").write_text(certificates.server.both.read_text())
        assert await shown("other.test") == "localhost"
        (tmp_path / "elsewhere.test.pem").write_text(certificates.server.both.read_text() + "\n")
        assert await shown("elsewhere.test") == "localhost"
        (tmp_path / "elsewhere.test.pem").write_text("half written")
        assert await shown("elsewhere.test") == "localhost"

    drive(scenario())


@pytest.mark.parametrize("kind", ["one", "named", "folder", "said"])
def test_what_a_factory_speaks_is_offered(kind, reactor, drive, recording, certificates, tmp_path):
    """By ALPN, whatever certificate is shown; what the options say themselves holds."""
    (tmp_path / "DEFAULT.pem").write_text(certificates.server.both.read_text())
    options = {
        "one": lambda: options_of(certificates.server),
        "named": lambda: options_of(
            certificates.elsewhere, serverNames={"localhost": options_of(certificates.server)}
        ),
        "folder": lambda: CertificateFolder(tmp_path),
        "said": lambda: options_of(certificates.server, acceptableProtocols=["other"]),
    }[kind]()

    class Speaking(recording):
        def acceptableProtocols(self):
            return [b"first", b"second"]

    async def scenario():
        number = listen(reactor, Speaking(), options)
        context = raw_client(certificates)
        context.set_alpn_protocols(["second", "first", "other"])
        for _ in range(2):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", number, ssl=context, server_hostname="localhost"
            )
            chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol()
            assert chosen == ("other" if kind == "said" else "first")
            await finish(writer)
            if kind == "folder":  # what is read anew offers the same
                (tmp_path / "DEFAULT.pem").write_text(certificates.server.both.read_text() + "\n")

    drive(scenario())


def test_older_versions_are_refused(reactor, drive, recording, certificates):
    """TLS 1.2 is the least, and raiseMinimumTo raises it."""

    async def scenario():
        options = options_of(certificates.server, raiseMinimumTo=ssl.TLSVersion.TLSv1_3)
        number = listen(reactor, recording(), options)
        with pytest.raises(ssl.SSLError):
            await raw_connection(certificates, number, maximum_version=ssl.TLSVersion.TLSv1_2)

    drive(scenario())
    oldest = optionsForClientTLS("localhost").context.minimum_version
    assert oldest == ssl.TLSVersion.TLSv1_2


def test_plain_HTTP_is_dropped_and_told(reactor, drive, recording, certificates, caplog):
    """A client that does not encrypt is closed on, and the log says what it did."""
    caplog.set_level("INFO", "weblayer")

    async def scenario():
        server = recording()
        number = listen(reactor, server, options_of(certificates.server))
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.read()
        await finish(writer)
        assert server.connected.empty()

    drive(scenario())
    assert "plain HTTP" in caplog.text


def test_a_server_that_does_not_encrypt_is_told(reactor, drive, recording, certificates):
    """A client that meets plain text has failed to connect."""

    async def scenario():
        server = recording(lambda protocol: protocol.transport.write(b"220 hello\r\n"))
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        client = recording()
        options = optionsForClientTLS("localhost", certificates.trusted)
        reactor.connectSSL("127.0.0.1", port.getHost().port, client, options)
        reason = await client.failed.get()
        assert reason.check(error.SSLError)
        assert "does not speak TLS" in reason.getErrorMessage()

    drive(scenario())


@pytest.mark.parametrize("leave", ["close", "abort"])
def test_a_peer_that_leaves_before_agreeing_is_a_failure(
    reactor, drive, recording, certificates, leave
):
    """The client hears that there is no connection, once."""

    async def scenario():
        end = {"close": "loseConnection", "abort": "abortConnection"}[leave]
        server = recording(whenReceived=lambda protocol, _: getattr(protocol.transport, end)())
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        client = recording()
        options = optionsForClientTLS("localhost", certificates.trusted)
        reactor.connectSSL("127.0.0.1", port.getHost().port, client, options)
        reason = await client.failed.get()
        assert reason.check(error.SSLError, error.ConnectionLost)
        assert client.calls == ["start", "connecting", "failed", "stop"]

    drive(scenario())


def test_a_silent_server_is_not_waited_for(reactor, drive, recording, certificates):
    """The timeout holds for the encryption as well, and names it."""

    async def scenario():
        port = reactor.listenTCP(0, recording(), interface="127.0.0.1")
        client = recording()
        options = optionsForClientTLS("localhost", certificates.trusted)
        number = port.getHost().port
        reactor.connectSSL("127.0.0.1", number, client, options, timeout=0.05)
        reason = await client.failed.get()
        assert reason.check(error.TimeoutError)
        assert "encryption" in reason.getErrorMessage()

    drive(scenario())


def test_disconnect_gives_up_while_they_agree(reactor, drive, recording, certificates):
    """A connector that is told to disconnect fails, and leaves nothing."""

    async def scenario():
        server = recording()
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        client = recording()
        options = optionsForClientTLS("localhost", certificates.trusted)
        connector = reactor.connectSSL("127.0.0.1", port.getHost().port, client, options)
        await server.connected.get()
        connector.disconnect()
        await client.failed.get()
        assert client.calls == ["start", "connecting", "failed", "stop"]

    drive(scenario())


def test_a_factory_without_a_protocol_fails(reactor, drive, recording, certificates):
    """A client's factory that builds none is told so, after the two sides agreed."""

    class Empty(recording):
        def buildProtocol(self, addr):
            return None

    async def scenario():
        number = listen(reactor, recording(), options_of(certificates.server))
        client = Empty()
        options = optionsForClientTLS("localhost", certificates.trusted)
        reactor.connectSSL("127.0.0.1", number, client, options)
        assert (await client.failed.get()).check(error.NoProtocol)

    drive(scenario())


def test_loseConnection_sends_everything_and_says_so(reactor, drive, recording, certificates):
    """What was written arrives, then the word that it is all: a cut could not be told from it."""
    data = os.urandom(BIG)

    def made(protocol):
        protocol.transport.write(data)
        protocol.transport.loseConnection()
        protocol.transport.write(b"too late")

    async def scenario():
        number = listen(reactor, recording(made), options_of(certificates.server))
        client = recording()
        options = optionsForClientTLS("localhost", certificates.trusted)
        reactor.connectSSL("127.0.0.1", number, client, options)
        assert (await client.ended.get()).check(error.ConnectionDone)
        arrived = bytes((await client.connected.get()).data) == data
        assert arrived

    drive(scenario())


def test_a_cut_connection_is_not_a_clean_end(reactor, drive, recording, certificates):
    """An end of file without the peer's word is a ConnectionLost: somebody may have cut it."""

    async def scenario():
        server = recording()
        number = listen(reactor, server, options_of(certificates.server))
        transport = await Relay.connected(number, raw_client(certificates))
        protocol = await server.connected.get()
        transport.close()
        assert (await protocol.lost).check(error.ConnectionLost)

    drive(scenario())


def test_abortConnection_is_at_once(reactor, drive, recording, certificates):
    """With megabytes waiting the end comes without them."""

    def made(protocol):
        protocol.transport.write(bytes(16 << 20))
        protocol.transport.abortConnection()

    async def scenario():
        server = recording(made)
        number = listen(reactor, server, options_of(certificates.server))
        _, writer = await raw_connection(certificates, number)
        protocol = await server.connected.get()
        assert (await protocol.lost).check(error.ConnectionAborted)
        writer.transport.abort()

    drive(scenario())


def test_noise_after_agreeing_breaks_the_connection(reactor, drive, recording, certificates):
    """Bytes that are no encryption are never delivered."""

    async def scenario():
        server = recording()
        number = listen(reactor, server, options_of(certificates.server))
        transport = await Relay.connected(number, raw_client(certificates))
        protocol = await server.connected.get()
        transport.write(b"\x17\x03\x03\x00\x20" + bytes(32))
        reason = await protocol.lost
        assert reason.check(error.ConnectionLost)
        assert protocol.data == b""
        transport.abort()

    drive(scenario())


class Relay(asyncio.Protocol):
    """A client that encrypts by hand, so that it can do it wrong."""

    def __init__(self):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.came = asyncio.Event()

    def data_received(self, data):
        self.incoming.write(data)
        self.came.set()

    @classmethod
    async def connected(cls, number, context):
        """The plain transport of a connection that has been encrypted."""
        loop = asyncio.get_running_loop()
        transport, relay = await loop.create_connection(cls, "127.0.0.1", number)
        await relay.agree(transport, context)
        return transport

    async def agree(self, transport, context):
        secret = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        while True:
            try:
                secret.do_handshake()
                break
            except ssl.SSLWantReadError:
                transport.write(self.outgoing.read())
                self.came.clear()
                await self.came.wait()
        transport.write(self.outgoing.read())


@pytest.mark.parametrize("early", [True, False])
def test_pauseProducing_stops_reading(reactor, drive, recording, certificates, early):
    """Nothing arrives while paused, from the first byte on; on resuming, everything, in order."""
    data = os.urandom(BIG)

    def made(protocol):
        if early:
            protocol.transport.pauseProducing()

    async def scenario():
        server = recording(made)
        number = listen(reactor, server, options_of(certificates.server))
        _, writer = await raw_connection(certificates, number)
        protocol = await server.connected.get()
        if not early:
            protocol.transport.pauseProducing()
        writer.write(data)
        await asyncio.sleep(0.05)  # in which all would arrive that can
        assert len(protocol.data) == 0
        protocol.transport.resumeProducing()
        writer.close()
        assert (await protocol.lost).check(error.ConnectionDone)
        arrived = bytes(protocol.data) == data
        assert arrived
        await writer.wait_closed()

    drive(scenario())


def test_pausing_again_and_again_loses_nothing(reactor, drive, recording, certificates):
    """A protocol that pauses after each delivery gets every byte once, in order, and the end."""
    data = os.urandom(1 << 20)

    def breathe(protocol, data=b""):
        protocol.transport.pauseProducing()
        reactor.callLater(0, protocol.transport.resumeProducing)

    async def scenario():
        server = recording(breathe, breathe)
        number = listen(reactor, server, options_of(certificates.server))
        _, writer = await raw_connection(certificates, number)
        writer.write(data)
        writer.close()
        protocol = await server.connected.get()
        assert (await protocol.lost).check(error.ConnectionDone)
        arrived = bytes(protocol.data) == data
        assert arrived
        await writer.wait_closed()
        await asyncio.sleep(0.01)

    drive(scenario())


def test_a_producer_is_paced_by_the_reader(reactor, drive, recording, certificates):
    """A push producer is paused while the peer does not read."""
    told = []

    class Source:
        def __init__(self, transport):
            self.transport, self.left, self.flows = transport, BIG * 4, True
            transport.registerProducer(self, True)
            self.run()

        def run(self):
            while self.flows and self.left:
                self.left -= 65536
                self.transport.write(bytes(65536))
            if not self.left:
                self.transport.unregisterProducer()
                self.transport.loseConnection()

        def pauseProducing(self):
            told.append("pause")
            self.flows = False

        def resumeProducing(self):
            self.flows = True
            self.run()

        def stopProducing(self):
            told.append("stop")

    async def scenario():
        server = recording(lambda protocol: Source(protocol.transport))
        number = listen(reactor, server, options_of(certificates.server))
        client = recording(lambda protocol: protocol.transport.pauseProducing())
        options = optionsForClientTLS("localhost", certificates.trusted)
        reactor.connectSSL("127.0.0.1", number, client, options)
        protocol = await client.connected.get()
        await server.connected.get()
        assert told == ["pause"]
        protocol.transport.resumeProducing()
        assert (await client.ended.get()).check(error.ConnectionDone)
        assert len(protocol.data) == BIG * 4
        assert "stop" not in told

    drive(scenario())


def test_an_error_in_dataReceived_ends_the_connection(
    reactor, drive, recording, certificates, caplog
):
    """Whatever escapes is logged once and is the reason of the loss, as without encryption."""
    mine = FileNotFoundError("mine")

    def received(protocol, data):
        raise mine

    async def scenario():
        server = recording(whenReceived=received)
        number = listen(reactor, server, options_of(certificates.server))
        _, writer = await raw_connection(certificates, number)
        writer.write(b"x")
        protocol = await server.connected.get()
        assert (await protocol.lost).value is mine
        writer.transport.abort()

    drive(scenario())
    told = [c["exception"] for c in reactor.errors] + [r.exc_info[1] for r in caplog.records]
    reactor.errors.clear()
    assert told == [mine]


def test_text_is_refused(reactor, drive, recording, certificates):
    """Writing text is a TypeError that says bytes are needed; writing nothing is nothing."""
    told = []

    def made(protocol):
        protocol.transport.write(b"")
        with pytest.raises(TypeError, match="bytes"):
            protocol.transport.write("text")
        told.append(True)
        protocol.transport.loseConnection()

    async def scenario():
        number = listen(reactor, recording(made), options_of(certificates.server))
        reader, writer = await raw_connection(certificates, number)
        assert await reader.read() == b""
        assert told == [True]
        await finish(writer)

    drive(scenario())


@pytest.mark.parametrize(
    ("make", "kind", "told"),
    [
        (lambda c: CertificateOptions(), ValueError, "certificate must be"),
        (lambda c: CertificateOptions("/no/such.pem"), FileNotFoundError, "/no/such.pem"),
        (
            lambda c: CertificateOptions(c.server.key, c.client.certificate),
            ValueError,
            "is not that",
        ),
        (lambda c: CertificateOptions(c.server.certificate), ValueError, "its key"),
        (lambda c: options_of(c.server, trustRoot=c.server.key), ValueError, "trustRoot"),
        (lambda c: options_of(c.server, acceptableProtocols=b"h2"), TypeError, "several"),
        (lambda c: CertificateFolder(c.server.key), NotADirectoryError, "server.key"),
        (lambda c: optionsForClientTLS(b"localhost"), TypeError, "hostname"),
        (lambda c: optionsForClientTLS("localhost", "/no/such"), FileNotFoundError, "/no/such"),
        (lambda c: TLSOptions("context"), TypeError, "SSLContext"),
    ],
)
def test_wrong_options_are_told_when_they_are_made(certificates, make, kind, told):
    """The error names the file or the parameter."""
    with pytest.raises(kind, match=told):
        make(certificates)


def test_an_empty_folder_is_told(tmp_path):
    """A folder without any certificate would refuse everybody."""
    with pytest.raises(ValueError, match=r"no \.pem file"):
        CertificateFolder(tmp_path)


def test_a_key_may_have_a_passphrase(certificates, tmp_path):
    """Without it that is an error, and no question on the terminal."""
    key = tmp_path / "locked.key"
    subprocess.run(
        [OPENSSL, "pkey", "-in", certificates.server.key, "-aes256", "-passout", "pass:word",
         "-out", key], check=True, capture_output=True,
    )  # fmt: skip
    assert CertificateOptions(key, certificates.server.certificate, passphrase="word")
    with pytest.raises(ValueError, match="passphrase"):
        CertificateOptions(key, certificates.server.certificate)
    with pytest.raises(ValueError):
        CertificateOptions(key, certificates.server.certificate, passphrase="wrong")


def test_options_that_are_none_are_told(reactor, recording):
    """A plain SSLContext, as asyncio takes one, is to be put into TLSOptions."""
    with pytest.raises(TypeError, match="TLSOptions"):
        reactor.listenSSL(0, recording(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


def test_many_connections_that_end_anyhow_leave_nothing(reactor, drive, recording, certificates):
    """Of connections ended in every way, at every moment, each is told its end exactly once."""
    ends = [
        lambda writer, protocol: writer.close(),
        lambda writer, protocol: writer.transport.abort(),
        lambda writer, protocol: protocol.transport.loseConnection(),
        lambda writer, protocol: protocol.transport.abortConnection(),
        lambda writer, protocol: protocol.transport.loseWriteConnection(),
        lambda writer, protocol: (writer.close(), protocol.transport.loseConnection()),
    ]

    async def scenario():
        factory = recording(lambda p: p.transport.write(b"hi"), echo)
        number = listen(reactor, factory, options_of(certificates.server))
        writers, protocols = [], []
        for turn in range(60):
            _, writer = await raw_connection(certificates, number)
            protocol = await factory.connected.get()
            writer.write(b"ping")
            for _ in range(turn % 4):
                await asyncio.sleep(0)
            ends[turn % len(ends)](writer, protocol)
            writers.append(writer)
            protocols.append(protocol)
        for _ in range(20):  # who never agrees, and leaves in the midst
            _, writer = await asyncio.open_connection("127.0.0.1", number)
            writer.write(bytes.fromhex("16030100c8010000c40303"))
            writers.append(writer)
        await asyncio.sleep(0.01)
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*(protocol.lost for protocol in protocols))
        await asyncio.sleep(0.01)
        assert [len(protocol.reasons) for protocol in protocols] == [1] * 60

    drive(scenario())


def test_a_lost_connection_is_freed_at_once(reactor, drive, certificates):
    """Nothing of it, its encryption included, waits for the garbage collector."""
    gone = []

    class Leaving(Protocol):
        def connectionMade(self):
            weakref.finalize(self, gone.append, "protocol")
            weakref.finalize(self.transport.under, gone.append, "encryption")
            self.transport.loseConnection()

    async def scenario():
        number = listen(reactor, Factory.forProtocol(Leaving), options_of(certificates.server))
        transport = await Relay.connected(number, raw_client(certificates))
        for _ in range(100):
            await asyncio.sleep(0)
        transport.abort()
        await asyncio.sleep(0.01)
        assert sorted(gone) == ["encryption", "protocol"]

    gc.disable()
    try:
        drive(scenario())
    finally:
        gc.enable()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_is_answered(reactor, drive, recording, certificates, version):
    """The openssl program verifies us, and reads what we send."""

    def answered(protocol, data):
        protocol.transport.write(b"heard " + data)
        protocol.transport.loseConnection()

    async def scenario():
        number = listen(reactor, recording(whenReceived=answered), options_of(certificates.server))
        client = await asyncio.create_subprocess_exec(
            OPENSSL, "s_client", "-connect", f"127.0.0.1:{number}", "-servername", "localhost",
            "-CAfile", certificates.trusted, "-verify_return_error", "-quiet", version,
            stdin=-1, stdout=-1, stderr=-1,
        )  # fmt: skip
        client.stdin.write(b"me\n")
        said = await client.stdout.read()
        await client.stderr.read()
        client.stdin.close()
        await client.wait()
        assert said == b"heard me\n"

    drive(scenario())
