"""Connections that we make: connectors, their factories, and what goes wrong."""

import asyncio
import builtins
import socket

import pytest

from weblayer.loop import error
from weblayer.loop.address import HostnameAddress, IPv4Address, IPv6Address
from weblayer.loop.protocol import ClientFactory


def closed_port():
    """A port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def test_a_client_and_a_server_talk(reactor, drive, recording):
    """connectTCP builds a protocol, whose connection ends as the server says."""

    async def scenario():
        def answered(protocol, data):
            protocol.transport.write(data.upper())
            protocol.transport.loseConnection()

        port = reactor.listenTCP(0, recording(whenReceived=answered), interface="127.0.0.1")
        factory = recording(lambda protocol: protocol.transport.write(b"hello"))
        connector = reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        assert (await factory.ended.get()).check(error.ConnectionDone)
        protocol = await factory.connected.get()
        assert protocol.data == b"HELLO"
        assert factory.calls == ["start", "connecting", "lost", "stop"]
        assert connector.getDestination() == port.getHost()

    drive(scenario())


def test_a_name_is_looked_up(reactor, drive, recording):
    """A host may be a name: what answers at any of its addresses is connected to."""

    async def scenario():
        port = reactor.listenTCP(0, recording(), interface="127.0.0.1")
        factory = recording(lambda protocol: protocol.transport.loseConnection())
        connector = reactor.connectTCP("localhost", port.getHost().port, factory)
        assert (await factory.ended.get()).check(error.ConnectionDone)
        assert connector.getDestination() == HostnameAddress("localhost", port.getHost().port)

    drive(scenario())


def test_an_unknown_name_is_told(reactor, drive, recording):
    """A name without address is a DNSLookupError, and names what was looked for."""

    async def scenario():
        factory = recording()
        # RFC 6761, 6.4: no server may answer for it. A label over 63 octets would not be sent.
        reactor.connectTCP("nowhere.invalid", 80, factory)
        reason = await factory.failed.get()
        assert reason.check(error.DNSLookupError)
        assert "nowhere.invalid:80" in reason.getErrorMessage()

    drive(scenario())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_refusal_is_told(reactor, drive, recording, host):
    """Nobody listening is a ConnectionRefusedError, the field's and Python's."""

    async def scenario():
        factory = recording()
        reactor.connectTCP(host, closed_port(), factory)
        reason = await factory.failed.get()
        assert reason.check(error.ConnectionRefusedError)
        assert reason.check(builtins.ConnectionRefusedError)
        assert host in reason.getErrorMessage()
        assert factory.calls == ["start", "connecting", "failed", "stop"]

    drive(scenario())


def test_a_timeout_is_told(reactor, drive, recording):
    """An attempt that takes too long is a TimeoutError that says how long."""

    async def scenario():
        factory = recording()
        with full_port() as number:
            reactor.connectTCP("127.0.0.1", number, factory, timeout=0.01)
            reason = await factory.failed.get()
        assert reason.check(error.TimeoutError)
        assert "0.01 seconds" in reason.getErrorMessage()

    drive(scenario())


class full_port:
    """A port whose queue of connections is full: a further attempt gets no answer."""

    def __enter__(self):
        self.sockets = [socket.create_server(("127.0.0.1", 0), backlog=0)]
        address = self.sockets[0].getsockname()
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            self.sockets.append(client)
        return address[1]

    def __exit__(self, *error):
        for sock in self.sockets:
            sock.close()


def test_stopConnecting_ends_the_attempt(reactor, drive, recording):
    """The factory is told at once, and no connection comes after."""

    async def scenario():
        port = reactor.listenTCP(0, recording(), interface="127.0.0.1")
        factory = recording()
        connector = reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        connector.stopConnecting()
        assert factory.failed.get_nowait().check(error.ConnectingCancelledError)
        assert factory.calls == ["start", "connecting", "failed", "stop"]
        with pytest.raises(error.NotConnectingError):
            connector.stopConnecting()
        await asyncio.sleep(0.02)  # the attempt, were it still alive, would have ended
        assert factory.connected.empty()

    drive(scenario())


@pytest.mark.parametrize("turns", range(6))
def test_stopConnecting_at_any_moment_tells_one_end(reactor, drive, recording, turns):
    """However far the attempt has come, there is one failure or one loss."""

    async def scenario():
        port = reactor.listenTCP(0, recording(), interface="127.0.0.1")
        factory = recording()
        connector = reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        for _ in range(turns):
            await asyncio.sleep(0)
        connector.disconnect()
        await asyncio.wait(
            [asyncio.create_task(queue.get()) for queue in (factory.failed, factory.ended)],
            return_when=asyncio.FIRST_COMPLETED,
        )
        await asyncio.sleep(0.02)
        assert len({"failed", "lost"} & set(factory.calls)) == 1
        assert factory.calls.count("stop") == 1
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if "Queue.get" in repr(task):
                task.cancel()

    drive(scenario())


def test_stopConnecting_in_startedConnecting(reactor, drive):
    """A factory may give up before the attempt has begun."""

    class Shy(ClientFactory):
        reasons = ()

        def startedConnecting(self, connector):
            connector.stopConnecting()

        def clientConnectionFailed(self, connector, reason):
            self.reasons += (reason,)

    async def scenario():
        factory = Shy()
        reactor.connectTCP("127.0.0.1", 1, factory)
        assert [r.check(error.UserError) for r in factory.reasons] == [error.UserError]

    drive(scenario())


def test_a_connector_tries_again(reactor, drive, recording):
    """connect() in clientConnectionFailed begins anew; the factory is started once."""

    class Stubborn(recording):
        def clientConnectionFailed(self, connector, reason):
            super().clientConnectionFailed(connector, reason)
            if self.calls.count("failed") < 3:
                connector.connect()

    async def scenario():
        factory = Stubborn()
        reactor.connectTCP("127.0.0.1", closed_port(), factory)
        for _ in range(3):
            await factory.failed.get()
        assert factory.calls == ["start", *["connecting", "failed"] * 3, "stop"]

    drive(scenario())


def test_a_connector_reconnects(reactor, drive, recording):
    """connect() in clientConnectionLost makes another connection."""

    class Again(recording):
        def clientConnectionLost(self, connector, reason):
            super().clientConnectionLost(connector, reason)
            if self.calls.count("lost") == 1:
                connector.connect()

    async def scenario():
        hang_up = recording(lambda protocol: protocol.transport.loseConnection())
        port = reactor.listenTCP(0, hang_up, interface="127.0.0.1")
        factory = Again()
        reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        first, second = await factory.connected.get(), await factory.connected.get()
        assert first is not second
        await factory.ended.get()
        await factory.ended.get()
        assert factory.calls == ["start", "connecting", "lost", "connecting", "lost", "stop"]

    drive(scenario())


def test_connecting_twice_is_told(reactor, drive, recording):
    """connect() on a connector that is at it is a RuntimeError."""

    async def scenario():
        port = reactor.listenTCP(0, recording(), interface="127.0.0.1")
        factory = recording()
        connector = reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        with pytest.raises(RuntimeError, match="connecting"):
            connector.connect()
        await factory.connected.get()
        with pytest.raises(RuntimeError, match="connected"):
            connector.connect()
        connector.disconnect()
        assert (await factory.ended.get()).check(error.ConnectionDone)

    drive(scenario())


@pytest.mark.parametrize("fault", [None, KeyError("mine")])
def test_no_protocol_is_a_failure(reactor, drive, recording, caplog, fault):
    """A factory that builds none, or fails to, is told so by clientConnectionFailed."""

    class Empty(recording):
        def buildProtocol(self, addr):
            if fault:
                raise fault

    async def scenario():
        port = reactor.listenTCP(0, recording(), interface="127.0.0.1")
        factory = Empty()
        reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        reason = await factory.failed.get()
        assert reason.check(type(fault) if fault else error.NoProtocol)
        assert factory.calls == ["start", "connecting", "failed", "stop"]

    drive(scenario())
    assert len(caplog.records) == (1 if fault else 0)


def test_bindAddress_is_our_side(reactor, drive, recording):
    """The connection comes from the address asked for."""

    async def scenario():
        port = reactor.listenTCP(0, recording(), interface="127.0.0.1")
        factory = recording()
        reactor.connectTCP("127.0.0.1", port.getHost().port, factory, bindAddress=("127.0.0.2", 0))
        protocol = await factory.connected.get()
        assert protocol.transport.getHost().host == "127.0.0.2"
        assert protocol.transport.getPeer() == port.getHost()

    drive(scenario())


def test_destinations(reactor, drive, recording):
    """getDestination tells IPv4, IPv6 and names apart."""

    async def scenario():
        found = [
            reactor.connectTCP(host, 9, recording()) for host in ("127.0.0.1", "::1", "localhost")
        ]
        assert [connector.getDestination() for connector in found] == [
            IPv4Address("TCP", "127.0.0.1", 9),
            IPv6Address("TCP", "::1", 9),
            HostnameAddress("localhost", 9),
        ]
        for connector in found:
            connector.stopConnecting()

    drive(scenario())
