"""TCP servers on both loops: what a protocol is told, and what its transport does."""

import asyncio
import logging
import os
import socket
import struct
import sys
from asyncio import StreamWriter
from contextlib import suppress

import pytest

from weblayer.loop.address import IPv4Address, IPv6Address
from weblayer.loop.error import (
    CannotListenError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
)
from weblayer.loop.protocol import ClientFactory, DatagramProtocol, Factory, Protocol
from weblayer.loop.ssl import optionsForClientTLS


def listen(reactor, factory, **options):
    """A port of the reactor on the loopback interface, and its number."""
    options.setdefault("interface", "127.0.0.1")
    port = reactor.listenTCP(0, factory, **options)
    return port, port.getHost().port


def reset(writer):
    """Close a raw client's connection with a reset instead of an end of file."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def finish(writer):
    writer.close()
    await writer.wait_closed()


def echo(protocol, data):
    protocol.transport.write(data)


def test_all_who_wait_are_accepted_together(reactor, drive, recording, monkeypatch):
    """Where turns of the loop are long, it is not one in each, as uvloop has it."""
    monkeypatch.setattr("weblayer.loop.ports.TURN", 0)  # all are

    async def scenario():
        factory = recording(whenReceived=echo)
        _, number = listen(reactor, factory)
        clients = [socket.create_connection(("127.0.0.1", number)) for _ in range(100)]
        for client in clients[:10]:  # some have left already
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        for _ in range(20):
            await asyncio.sleep(0)
        assert factory.connected.qsize() == 100
        clients[-1].setblocking(False)
        await asyncio.get_running_loop().sock_sendall(clients[-1], b"hello")
        assert await asyncio.get_running_loop().sock_recv(clients[-1], 9) == b"hello"
        for client in clients[10:]:
            client.close()

    drive(scenario())


def test_bytes_go_both_ways(reactor, drive, recording):
    """A server answers what it is sent."""

    async def scenario():
        _, number = listen(reactor, recording(whenReceived=echo))
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        await finish(writer)

    drive(scenario())


def test_a_port_listens_before_the_reactor_runs(reactor, drive, recording):
    """The port is bound and queues connections at once; they are answered once the loop runs."""
    factory = recording(whenReceived=echo)
    _, number = listen(reactor, factory)
    with socket.create_connection(("127.0.0.1", number)) as client:
        client.sendall(b"early")

        async def scenario():
            protocol = await factory.connected.get()
            client.shutdown(socket.SHUT_WR)
            await protocol.lost

        drive(scenario())
        assert client.recv(10) == b"early"


def test_a_port_that_never_ran_can_be_closed(reactor, drive, recording):
    """stopListening before the loop has run frees the port and fires at once."""
    factory = recording()
    port, number = listen(reactor, factory)
    fired = []
    port.stopListening().addCallback(fired.append)
    assert fired == [None]
    assert factory.calls == ["start", "stop"]
    reactor.loop.run_until_complete(asyncio.sleep(0))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", number))


@pytest.mark.parametrize("turns", range(5))
def test_a_port_can_be_closed_at_any_moment(reactor, drive, recording, turns):
    """However far the beginning of accepting has come, nothing listens afterwards."""

    async def scenario():
        port, number = listen(reactor, recording())
        for _ in range(turns):
            await asyncio.sleep(0)
        await port.stopListening()
        for _ in range(5):
            await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", number)

    drive(scenario())


def test_a_closed_port_is_free_when_its_deferred_fires(reactor, drive, recording):
    """The same port can be listened on again; a second stopListening changes nothing."""

    async def scenario():
        port, number = listen(reactor, recording())
        await asyncio.sleep(0)
        await port.stopListening()
        await port.stopListening()
        again = reactor.listenTCP(number, recording(), interface="127.0.0.1")
        assert again.getHost() == IPv4Address("TCP", "127.0.0.1", number)

    drive(scenario())


def test_connections_outlive_their_port(reactor, drive, recording):
    """stopListening leaves connections that were made."""

    async def scenario():
        factory = recording(whenReceived=echo)
        port, number = listen(reactor, factory)
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        await factory.connected.get()
        await port.stopListening()
        writer.write(b"still")
        assert await reader.readexactly(5) == b"still"
        await finish(writer)

    drive(scenario())


def test_a_taken_port_is_told_at_once(reactor, drive, recording):
    """CannotListenError names the port and says what to do; the factory was not started."""
    factory = recording()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(CannotListenError, match=f"127.0.0.1:{number}.*choose another") as told:
            reactor.listenTCP(number, factory, interface="127.0.0.1")
    assert (told.value.interface, told.value.port) == ("127.0.0.1", number)
    assert isinstance(told.value.socketError, OSError)
    assert factory.calls == []


def test_an_interface_of_another_machine_is_told_at_once(reactor, recording):
    """CannotListenError says that the interface is not ours."""
    with pytest.raises(CannotListenError, match="an address of this machine"):
        reactor.listenTCP(0, recording(), interface="192.0.2.1")


@pytest.mark.parametrize(
    ("port", "error"),
    [("8080", TypeError), (None, TypeError), (99999, ValueError), (-1, ValueError)],
)
def test_what_is_no_port_is_refused(reactor, recording, port, error):
    """The system would listen on 34463 for 99999, and say nothing."""
    for begin in (
        lambda: reactor.listenTCP(port, recording()),
        lambda: reactor.connectTCP("127.0.0.1", port, ClientFactory()),
        lambda: reactor.listenUDP(port, DatagramProtocol()),
    ):
        with pytest.raises(error, match="port must be a number"):
            begin()


@pytest.mark.parametrize("factory", [Protocol(), Protocol, Factory, None])
def test_what_is_no_factory_is_refused(reactor, factory):
    """Where it is given, by its parameter's name; and no socket is left open."""
    options = optionsForClientTLS("localhost")
    for begin in (
        lambda: reactor.listenTCP(0, factory, interface="127.0.0.1"),
        lambda: reactor.listenSSL(0, factory, options, interface="127.0.0.1"),
        lambda: reactor.connectTCP("127.0.0.1", 1, factory),
        lambda: reactor.connectSSL("127.0.0.1", 1, factory, options),
        lambda: reactor.listenUDP(0, factory, interface="127.0.0.1"),
    ):
        with pytest.raises(TypeError, match="an instance, not"):
            begin()


def test_a_protocol_in_place_of_its_class_is_refused():
    """Else it would be told of at the first connection."""
    with pytest.raises(TypeError, match="protocol must be a class of protocols"):
        Factory.forProtocol(Protocol())


def test_ports_can_be_shared(reactor, drive, recording):
    """With reusePort two ports have one number."""

    async def scenario():
        _, number = listen(reactor, recording(), reusePort=True)
        options = {"interface": "127.0.0.1", "reusePort": True}
        assert reactor.listenTCP(number, recording(), **options).getHost().port == number

    drive(scenario())


def test_addresses(reactor, drive, recording):
    """getPeer and getHost are addresses, the same before and after the loss."""

    async def scenario():
        factory = recording()
        port, number = listen(reactor, factory)
        _, writer = await asyncio.open_connection("127.0.0.1", number)
        protocol = await factory.connected.get()
        transport = protocol.transport
        ours = IPv4Address("TCP", *writer.get_extra_info("sockname"))
        assert transport.getPeer() == ours
        await finish(writer)
        await protocol.lost
        await asyncio.sleep(0)
        assert (transport.getPeer(), transport.getHost()) == (ours, port.getHost())

    drive(scenario())


def test_ipv6(reactor, drive, recording):
    """An IPv6 interface is listened on, and its addresses are IPv6 addresses."""

    async def scenario():
        factory = recording(whenReceived=echo)
        port, number = listen(reactor, factory, interface="::1")
        assert port.getHost() == IPv6Address("TCP", "::1", number)
        reader, writer = await asyncio.open_connection("::1", number)
        writer.write(b"six")
        assert await reader.readexactly(3) == b"six"
        peer = (await factory.connected.get()).transport.getPeer()
        assert isinstance(peer, IPv6Address)
        await finish(writer)

    drive(scenario())


def test_loseConnection_sends_everything_first(reactor, drive, recording):
    """A megabyte written before loseConnection arrives whole, and then end of file."""
    big = os.urandom(1 << 20)

    def made(protocol):
        protocol.transport.write(big)
        protocol.transport.loseConnection()
        assert protocol.transport.disconnecting
        protocol.transport.write(b"too late")

    async def scenario():
        factory = recording(made)
        _, number = listen(reactor, factory)
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        arrived = await reader.read() == big  # not in the assert: pytest would diff a megabyte
        assert arrived
        protocol = await factory.connected.get()
        assert (await protocol.lost).check(ConnectionDone)
        await finish(writer)

    drive(scenario())


def test_end_of_file_lets_what_was_written_leave(reactor, drive, recording):
    """A peer that sends end of file still gets what was written, then all ends cleanly."""
    big = os.urandom(1 << 20)

    async def scenario():
        factory = recording(whenReceived=lambda protocol, data: protocol.transport.write(big))
        _, number = listen(reactor, factory)
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(b"?")
        writer.write_eof()
        arrived = await reader.read() == big  # not in the assert: pytest would diff a megabyte
        assert arrived
        protocol = await factory.connected.get()
        assert (await protocol.lost).check(ConnectionDone)
        assert not protocol.transport.connected
        await finish(writer)

    drive(scenario())


def test_loseWriteConnection_sends_end_of_file_and_reads_on(reactor, drive, recording):
    """The peer sees the end, can still send, and what we write then is dropped."""

    def made(protocol):
        protocol.transport.write(b"last")
        protocol.transport.loseWriteConnection()
        protocol.transport.write(b"too late")

    async def scenario():
        factory = recording(made)
        _, number = listen(reactor, factory)
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        assert await reader.read() == b"last"
        writer.write(b"more")
        await finish(writer)
        protocol = await factory.connected.get()
        assert (await protocol.lost).check(ConnectionDone)
        assert protocol.data == b"more"

    drive(scenario())


def test_abortConnection_drops_what_was_not_sent(reactor, drive, recording):
    """The end is immediate, told as ConnectionAborted, though megabytes were waiting."""

    def made(protocol):
        protocol.transport.write(bytes(64 << 20))
        protocol.transport.abortConnection()
        protocol.transport.abortConnection()

    async def scenario():
        factory = recording(made)
        _, number = listen(reactor, factory)
        _, writer = await asyncio.open_connection("127.0.0.1", number)
        protocol = await factory.connected.get()
        assert (await protocol.lost).check(ConnectionAborted)
        writer.transport.abort()

    drive(scenario())


def test_abort_ends_a_close_that_cannot_finish(reactor, drive, recording):
    """loseConnection to a peer that does not read can be cut short."""

    def made(protocol):
        protocol.transport.write(bytes(64 << 20))
        protocol.transport.loseConnection()
        reactor.callLater(0, protocol.transport.abortConnection)

    async def scenario():
        factory = recording(made)
        _, number = listen(reactor, factory)
        _, writer = await asyncio.open_connection("127.0.0.1", number, limit=1)
        protocol = await factory.connected.get()
        assert (await protocol.lost).check(ConnectionAborted)
        writer.transport.abort()

    drive(scenario())


def test_a_reset_is_a_lost_connection(reactor, drive, recording):
    """A peer that resets is told as ConnectionLost, once."""

    async def scenario():
        factory = recording()
        _, number = listen(reactor, factory)
        _, writer = await asyncio.open_connection("127.0.0.1", number)
        protocol = await factory.connected.get()
        reset(writer)
        reason = await protocol.lost
        assert reason.check(ConnectionLost)
        assert isinstance(reason.value.__cause__, OSError)
        await asyncio.sleep(0)
        assert len(protocol.reasons) == 1

    drive(scenario())


@pytest.mark.parametrize("leave", [reset, StreamWriter.close])
def test_after_the_loss_nothing_matters(reactor, drive, recording, leave):
    """Every method of a lost connection's transport can be called, and does nothing."""

    async def scenario():
        factory = recording()
        _, number = listen(reactor, factory)
        _, writer = await asyncio.open_connection("127.0.0.1", number)
        protocol = await factory.connected.get()
        leave(writer)
        await protocol.lost
        for _ in range(3):  # in the same turn of the loop, and in later ones
            use_every_method(protocol.transport)
            await asyncio.sleep(0.001)
        assert len(protocol.reasons) == 1

    drive(scenario())


def use_every_method(transport):
    transport.write(b"x")
    transport.writeSequence([b"x", b"y"])
    transport.pauseProducing()
    transport.resumeProducing()
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    transport.unregisterProducer()
    transport.loseWriteConnection()
    transport.loseConnection()
    transport.abortConnection()


def test_text_is_refused(reactor, drive, recording):
    """Writing text is a TypeError that says bytes are needed."""
    told = []

    def made(protocol):
        with pytest.raises(TypeError, match="bytes"):
            protocol.transport.write("text")
        with pytest.raises(TypeError, match="bytes"):
            protocol.transport.writeSequence(["text"])
        told.append(True)
        protocol.transport.loseConnection()

    async def scenario():
        factory = recording(made)
        _, number = listen(reactor, factory)
        _, writer = await asyncio.open_connection("127.0.0.1", number)
        await (await factory.connected.get()).lost
        assert told == [True]
        await finish(writer)

    drive(scenario())


def test_socket_options(reactor, drive, recording):
    """Small writes are sent at once unless told otherwise; keep-alive is off until asked for."""
    seen = []

    def made(protocol):
        transport = protocol.transport
        seen.append((transport.getTcpNoDelay(), transport.getTcpKeepAlive()))
        transport.setTcpNoDelay(False)
        transport.setTcpKeepAlive(True)
        seen.append((transport.getTcpNoDelay(), transport.getTcpKeepAlive()))

    async def scenario():
        factory = recording(made)
        _, number = listen(reactor, factory)
        _, writer = await asyncio.open_connection("127.0.0.1", number)
        await factory.connected.get()
        assert seen == [(True, False), (False, True)]
        await finish(writer)

    drive(scenario())


@pytest.mark.parametrize(
    "error", [ValueError("mine"), FileNotFoundError("mine"), ConnectionResetError("mine")]
)
def test_an_error_in_dataReceived_is_logged_once_and_ends_the_connection(
    reactor, drive, recording, caplog, error
):
    """Whatever escapes is logged once, is the reason of the loss, and other connections live."""

    def received(protocol, data):
        raise error

    async def scenario():
        factory = recording(whenReceived=received)
        _, number = listen(reactor, factory)
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        protocol = await factory.connected.get()
        writer.write(b"x")
        assert await reader.read() == b""
        assert (await protocol.lost).value is error
        await finish(writer)

    drive(scenario())
    logged = [r for r in caplog.records if r.levelno >= logging.ERROR]
    told = [context["exception"] for context in reactor.errors] + [r.exc_info[1] for r in logged]
    reactor.errors.clear()
    assert told == [error]


def test_an_error_in_connectionMade_ends_the_connection(reactor, drive, recording, caplog):
    """It is logged, the connection closed, and connectionLost told why."""
    error = OSError("mine")

    def made(protocol):
        raise error

    async def scenario():
        factory = recording(made)
        _, number = listen(reactor, factory)
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        assert await reader.read() == b""
        protocol = await factory.connected.get()
        assert (await protocol.lost).value is error
        await finish(writer)

    drive(scenario())
    assert [record.exc_info[1] for record in caplog.records] == [error]


def test_an_error_in_buildProtocol_closes_the_connection(reactor, drive, caplog):
    """It is logged, and the next connection is answered as usual."""

    class Broken(Factory):
        tries = 0

        def buildProtocol(self, addr):
            self.tries += 1
            if self.tries == 1:
                raise KeyError("mine")
            return Greeting()

    async def scenario():
        _, number = listen(reactor, Broken())
        for expected in (b"", b"hello"):
            reader, writer = await asyncio.open_connection("127.0.0.1", number)
            assert await reader.read() == expected
            await finish(writer)

    drive(scenario())
    assert [record.exc_info[0] for record in caplog.records] == [KeyError]


class Greeting(Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
        self.transport.loseConnection()


def test_an_error_in_connectionLost_is_logged(reactor, drive, caplog):
    """It is logged once and hurts nobody else."""

    class Broken(Greeting):
        def connectionLost(self, reason):
            raise KeyError("mine")

    async def scenario():
        _, number = listen(reactor, Factory.forProtocol(Broken))
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", number)
            assert await reader.read() == b"hello"
            await finish(writer)

    drive(scenario())
    assert [record.exc_info[0] for record in caplog.records] == [KeyError] * 2


def test_no_protocol_refuses_the_connection(reactor, drive, caplog):
    """A factory that builds None closes the connection, silently."""

    class Refusing(Factory):
        def buildProtocol(self, addr):
            return None

    async def scenario():
        _, number = listen(reactor, Refusing())
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        assert await reader.read() == b""
        await finish(writer)

    drive(scenario())
    assert not caplog.records


def test_a_packet_costs_no_call_but_dataReceived(reactor, drive, recording):
    """Once the connection is made, no function of ours stands between loop and protocol."""
    calls = []

    def profile(frame, event, argument):
        if event == "call" and "weblayer" in frame.f_globals.get("__name__", ""):
            calls.append(frame.f_code.co_name)

    class Quiet(Protocol):
        def connectionMade(self):
            self.factory.made.set_result(self)

        def dataReceived(self, data):
            self.transport.write(data)

    async def scenario():
        factory = Factory.forProtocol(Quiet)
        factory.made = reactor.loop.create_future()
        _, number = listen(reactor, factory)
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        await factory.made
        sys.setprofile(profile)
        try:
            for _ in range(3):
                writer.write(b"ping")
                assert await reader.readexactly(4) == b"ping"
        finally:
            sys.setprofile(None)
        assert calls == []
        await finish(writer)

    drive(scenario())


@pytest.mark.parametrize("turns", range(7))
def test_a_connection_that_comes_as_all_is_closed_is_closed(reactor, turns):
    """Whether the shutdown finds it in the kernel, half accepted, or made."""

    async def scenario():
        _, number = listen(reactor, Factory.forProtocol(Protocol))
        for _ in range(10):  # in which the port begins to accept
            await asyncio.sleep(0)
        with socket.create_connection(("127.0.0.1", number)) as client:
            for _ in range(turns):
                await asyncio.sleep(0)
            await reactor.fireSystemEvent("shutdown")
            client.setblocking(False)
            with suppress(ConnectionResetError):
                async with asyncio.timeout(20):
                    assert await reactor.loop.sock_recv(client, 1) == b""

    reactor.loop.run_until_complete(scenario())
