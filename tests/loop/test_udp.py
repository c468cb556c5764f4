"""UDP on both loops: datagrams, whole or not at all."""

import asyncio
import socket

import pytest

from weblayer.loop.address import IPv4Address, IPv6Address
from weblayer.loop.error import CannotListenError, MessageLengthError
from weblayer.loop.protocol import DatagramProtocol

LOOPBACK = "127.0.0.1"


class Notes(DatagramProtocol):
    """Remembers what came, in a queue, and what it was told."""

    def __init__(self, answer=False):
        self.came, self.told, self.answer = asyncio.Queue(), [], answer

    def startProtocol(self):
        self.told.append("start")

    def stopProtocol(self):
        self.told.append("stop")

    def datagramReceived(self, data, addr):
        self.came.put_nowait((data, addr))
        if self.answer:
            self.transport.write(data.upper(), addr)

    def connectionRefused(self):
        self.came.put_nowait("refused")


@pytest.mark.parametrize(("interface", "kind"), [(LOOPBACK, IPv4Address), ("::1", IPv6Address)])
def test_datagrams_go_both_ways(reactor, drive, interface, kind):
    """Each comes whole, with the address that an answer is written to."""

    async def scenario():
        server, client = Notes(answer=True), Notes()
        port = reactor.listenUDP(0, server, interface=interface)
        mine = reactor.listenUDP(0, client, interface=interface)
        assert isinstance(port.getHost(), kind)
        assert port.getHost().type == "UDP"
        for data in (b"one", b"", b"three"):
            mine.write(data, (interface, port.getHost().port))
            assert await client.came.get() == (data.upper(), (interface, port.getHost().port))
            assert await server.came.get() == (data, (interface, mine.getHost().port))
        await port.stopListening()
        await mine.stopListening()
        assert server.told == ["start", "stop"]
        assert server.transport is None
        mine.write(b"too late", (interface, 9))

    drive(scenario())


def test_a_port_is_bound_before_the_reactor_runs(reactor, drive):
    """What is sent to it then is received once the loop runs."""
    holder = []

    async def begin():
        holder.append(Notes())

    reactor.loop.run_until_complete(begin())
    port = reactor.listenUDP(0, holder[0], interface=LOOPBACK)
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"early", (LOOPBACK, port.getHost().port))

    async def scenario():
        assert (await holder[0].came.get())[0] == b"early"

    drive(scenario())


def test_a_connected_port_has_one_peer(reactor, drive):
    """It writes without an address, and receives from no other."""

    async def scenario():
        server, client, other = Notes(answer=True), Notes(), Notes()
        port = reactor.listenUDP(0, server, interface=LOOPBACK)
        mine = reactor.listenUDP(0, client, interface=LOOPBACK)
        stranger = reactor.listenUDP(0, other, interface=LOOPBACK)
        client.transport.connect(LOOPBACK, port.getHost().port)
        stranger.write(b"spam", (LOOPBACK, mine.getHost().port))
        client.transport.write(b"hello")
        assert (await client.came.get())[0] == b"HELLO"
        assert client.came.empty()
        with pytest.raises(RuntimeError):
            client.transport.connect(LOOPBACK, 9)
        with pytest.raises(ValueError, match="addr"):
            client.transport.write(b"x", (LOOPBACK, 9))

    drive(scenario())


def test_nobody_there_is_told_to_a_connected_port(reactor, drive):
    """connectionRefused is called, and the port goes on."""

    async def scenario():
        with socket.socket(type=socket.SOCK_DGRAM) as closed:
            closed.bind((LOOPBACK, 0))
            number = closed.getsockname()[1]
        client = Notes()
        port = reactor.listenUDP(0, client, interface=LOOPBACK)
        port.connect(LOOPBACK, number)
        port.write(b"anybody?")
        assert await client.came.get() == "refused"
        assert client.told == ["start"]

    drive(scenario())


def test_too_long_a_datagram_is_dropped_and_not_cut(reactor, drive):
    """Only what has at most maxPacketSize bytes arrives."""

    async def scenario():
        server, client = Notes(), Notes()
        port = reactor.listenUDP(0, server, interface=LOOPBACK, maxPacketSize=5)
        mine = reactor.listenUDP(0, client, interface=LOOPBACK)
        where = (LOOPBACK, port.getHost().port)
        mine.write(b"123456", where)
        mine.write(b"12345", where)
        assert (await server.came.get())[0] == b"12345"
        with pytest.raises(MessageLengthError, match="70000"):
            mine.write(bytes(70000), where)

    drive(scenario())


def test_an_error_in_datagramReceived_is_logged(reactor, drive, caplog):
    """The port goes on with the next datagram."""

    class Broken(Notes):
        def datagramReceived(self, data, addr):
            super().datagramReceived(data, addr)
            raise KeyError(data)

    async def scenario():
        server, client = Broken(), Notes()
        where = (LOOPBACK, reactor.listenUDP(0, server, interface=LOOPBACK).getHost().port)
        mine = reactor.listenUDP(0, client, interface=LOOPBACK)
        mine.write(b"1", where)
        mine.write(b"2", where)
        await server.came.get()
        await server.came.get()

    drive(scenario())
    assert [r.exc_info[1].args for r in caplog.records] == [(b"1",), (b"2",)]


def test_stopping_in_the_midst_of_reading(reactor, drive):
    """After stopListening nothing more is received, though it has come."""

    class Shy(Notes):
        def datagramReceived(self, data, addr):
            super().datagramReceived(data, addr)
            self.transport.stopListening()

    async def scenario():
        server, client = Shy(), Notes()
        where = (LOOPBACK, reactor.listenUDP(0, server, interface=LOOPBACK).getHost().port)
        mine = reactor.listenUDP(0, client, interface=LOOPBACK)
        for _ in range(3):
            mine.write(b"x", where)
        await server.came.get()
        await asyncio.sleep(0.01)
        assert server.came.empty()
        assert server.told == ["start", "stop"]

    drive(scenario())


@pytest.mark.parametrize("addr", [("localhost", 9), ("::1", 9), ("", 9)])
def test_a_name_is_no_address(reactor, drive, addr):
    """A name, or an address of another kind, is refused: to look it up would hold up everyone."""

    async def scenario():
        port = reactor.listenUDP(0, Notes(), interface=LOOPBACK)
        with pytest.raises(ValueError, match="must be an IPv4 address"):
            port.write(b"x", addr)
        with pytest.raises(ValueError, match="addr must be given"):
            port.write(b"x")

    drive(scenario())


def test_a_taken_port_is_told_at_once(reactor, drive):
    """CannotListenError names it; the protocol was not started."""

    async def scenario():
        first, second = Notes(), Notes()
        number = reactor.listenUDP(0, first, interface=LOOPBACK).getHost().port
        with pytest.raises(CannotListenError, match=str(number)):
            reactor.listenUDP(number, second, interface=LOOPBACK)
        assert second.told == []
        with pytest.raises(RuntimeError, match="listens already"):
            reactor.listenUDP(0, first, interface=LOOPBACK)

    drive(scenario())


def test_a_group_is_joined_and_left(reactor, drive):
    """What is sent to a group comes to every member on this machine, until it leaves."""

    async def scenario():
        members = [Notes(), Notes()]
        first = reactor.listenMulticast(0, members[0], listenMultiple=True)
        number = first.getHost().port
        second = reactor.listenMulticast(number, members[1], listenMultiple=True)
        group = "239.255.42.99"  # RFC 2365: within this site
        for port in (first, second):
            await port.joinGroup(group, LOOPBACK)
        sender = reactor.listenUDP(0, Notes(), interface=LOOPBACK)
        sender.setOutgoingInterface(LOOPBACK)
        sender.write(b"all", (group, number))
        assert [(await member.came.get())[0] for member in members] == [b"all", b"all"]
        await second.leaveGroup(group, LOOPBACK)
        sender.write(b"one", (group, number))
        assert (await members[0].came.get())[0] == b"one"
        with pytest.raises(OSError):
            await second.leaveGroup(group, LOOPBACK)
        with pytest.raises(ValueError):
            await second.joinGroup("all-hosts")

    drive(scenario())


@pytest.mark.parametrize("interface", [LOOPBACK, "::1"])
def test_options_of_groups(reactor, drive, interface):
    """One network on, and heard by this machine, unless told otherwise."""

    async def scenario():
        port = reactor.listenUDP(0, Notes(), interface=interface)
        assert (port.getTTL(), port.getLoopbackMode()) == (1, True)
        port.setTTL(3)
        port.setLoopbackMode(False)
        assert (port.getTTL(), port.getLoopbackMode()) == (3, False)
        assert not port.getBroadcastAllowed()
        port.setBroadcastAllowed(True)
        assert port.getBroadcastAllowed()

    drive(scenario())
