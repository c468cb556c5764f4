"""UNIX sockets on both loops."""

# ruff: noqa: ASYNC240 - a test looks at its one file from inside the loop on purpose

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from weblayer.loop import error
from weblayer.loop.address import UNIXAddress
from weblayer.loop.error import CannotListenError, ConnectionDone


@pytest.fixture
def path(tmp_path):
    """A path short enough for a socket (about a hundred bytes)."""
    return os.path.relpath(tmp_path / "s")


def echo(protocol, data):
    protocol.transport.write(data)


def test_bytes_go_both_ways(reactor, drive, recording, path):
    """A client and a server talk over a path, and know its name."""

    async def scenario():
        port = reactor.listenUNIX(path, recording(whenReceived=echo))
        assert port.getHost() == UNIXAddress(path)

        def received(protocol, data):
            assert protocol.transport.getPeer() == UNIXAddress(path)
            assert protocol.transport.getHost() == UNIXAddress(None)
            protocol.transport.loseConnection()

        factory = recording(lambda p: p.transport.write(b"hello"), received)
        connector = reactor.connectUNIX(path, factory)
        assert (await factory.ended.get()).check(ConnectionDone)
        assert (await factory.connected.get()).data == b"hello"
        assert connector.getDestination() == UNIXAddress(path)

    drive(scenario())


def test_options_of_tcp_do_nothing(reactor, drive, recording, path):
    """A protocol written for TCP may set TCP's options here too."""

    def made(protocol):
        protocol.transport.setTcpNoDelay(True)
        protocol.transport.setTcpKeepAlive(True)
        assert not protocol.transport.getTcpNoDelay()
        protocol.transport.write(b"ok")

    async def scenario():
        reactor.listenUNIX(path, recording(made))
        reader, writer = await asyncio.open_unix_connection(path)
        assert await reader.readexactly(2) == b"ok"
        writer.close()
        await writer.wait_closed()

    drive(scenario())


def test_the_file_has_the_mode_asked_for(reactor, drive, recording, path):
    """Who may connect is said by the mode, whatever the umask."""

    async def scenario():
        reactor.listenUNIX(path, recording(), mode=0o600)
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600

    drive(scenario())


def test_the_file_goes_with_the_port(reactor, drive, recording, path):
    """stopListening removes the file."""

    async def scenario():
        port = reactor.listenUNIX(path, recording())
        await port.stopListening()
        assert not Path(path).is_socket()

    drive(scenario())


def test_another_servers_file_stays(reactor, drive, recording, path):
    """A file that has taken our place is not removed when our port is closed."""

    async def scenario():
        port = reactor.listenUNIX(path, recording())
        Path(path).rename(path + ".old")
        other = reactor.listenUNIX(path, recording())
        await port.stopListening()
        assert Path(path).is_socket()
        await other.stopListening()

    drive(scenario())


def test_a_stale_file_is_replaced(reactor, drive, recording, path):
    """What a dead server has left does not stop the next one."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)

    async def scenario():
        reactor.listenUNIX(path, recording(whenReceived=echo))
        _, writer = await asyncio.open_unix_connection(path)
        writer.close()
        await writer.wait_closed()

    drive(scenario())


def test_a_living_server_is_left_alone(reactor, drive, recording, path):
    """A path that somebody listens on is taken, and stays theirs."""

    async def scenario():
        reactor.listenUNIX(path, recording())
        with pytest.raises(CannotListenError, match="listens there"):
            reactor.listenUNIX(path, recording())
        assert Path(path).is_socket()

    drive(scenario())


def test_a_file_that_is_no_socket_is_left_alone(reactor, recording, path):
    """Only sockets are replaced."""
    Path(path).write_text("precious")
    with pytest.raises(CannotListenError):
        reactor.listenUNIX(path, recording())
    assert Path(path).read_text() == "precious"


def test_nobody_there_is_told(reactor, drive, recording, path):
    """No file, or a stale one, is told by its own error, with the path."""

    async def scenario():
        factory = recording()
        reactor.connectUNIX(path, factory)
        reason = await factory.failed.get()
        assert reason.check(error.ConnectError)
        assert path in reason.getErrorMessage()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)
        reactor.connectUNIX(path, factory)
        assert (await factory.failed.get()).check(error.ConnectionRefusedError)

    drive(scenario())


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="abstract names are Linux's")
def test_an_abstract_name_has_no_file(reactor, drive, recording):
    """A name of Linux's abstract namespace works as a path does."""
    name = f"\0weblayer-test-{os.getpid()}-{id(reactor)}"

    async def scenario():
        port = reactor.listenUNIX(name, recording(whenReceived=echo))
        assert port.getHost() == UNIXAddress(name)
        factory = recording(lambda protocol: protocol.transport.loseConnection())
        reactor.connectUNIX(name, factory)
        assert (await factory.ended.get()).check(ConnectionDone)

    drive(scenario())
