"""Sockets that others have opened: adopted by number, or passed by systemd."""

import os
import socket
import subprocess
import sys

import pytest

from tests.programs import ROOT
from weblayer.loop.adopt import systemdSockets
from weblayer.loop.protocol import DatagramProtocol


def echo(protocol, data):
    protocol.transport.write(data)


def test_a_listening_socket_is_adopted(reactor, drive, recording, tmp_path):
    """A copy is used; the file of a UNIX socket stays when the port is closed."""
    path = os.path.relpath(tmp_path / "s")

    async def scenario():
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            sock.listen()
            server = recording(whenReceived=echo)
            port = reactor.adoptStreamPort(sock.fileno(), socket.AF_UNIX, server)
        client = recording(lambda p: p.transport.loseConnection())
        reactor.connectUNIX(path, client)
        await client.ended.get()
        await (await server.connected.get()).lost
        await port.stopListening()
        assert os.path.lexists(path)  # noqa: ASYNC240  a test looks at its one file

    drive(scenario())


def test_a_datagram_socket_is_adopted(reactor, drive):
    """It keeps its number."""

    async def scenario():
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            number = sock.getsockname()[1]
            port = reactor.adoptDatagramPort(sock.fileno(), socket.AF_INET, DatagramProtocol())
        assert port.getHost().port == number

    drive(scenario())


def test_what_cannot_be_adopted_is_told(reactor, recording):
    """The error names the descriptor and what is wrong with it; the factory is not started."""
    factory = recording()
    with socket.socket() as deaf, socket.socket(type=socket.SOCK_DGRAM) as other:
        for fd, family, told in [
            (deaf.fileno(), None, "does not listen"),
            (other.fileno(), None, "type"),
            (deaf.fileno(), socket.AF_INET6, "family"),
            (999, None, "fd 999"),
        ]:
            with pytest.raises(ValueError, match=told):
                reactor.adoptStreamPort(fd, family, factory)
    with open(os.devnull) as file, pytest.raises(ValueError, match="not an open socket"):
        reactor.adoptStreamPort(file.fileno(), None, factory)
    assert factory.calls == []


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "2"},
        {"LISTEN_FDS": "2", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "many", "LISTEN_PID": str(os.getpid())},
    ],
)
def test_no_socket_is_passed_to_others(environ):
    """What is meant for another process, or is no number, is none."""
    assert systemdSockets(environ) == []


ACTIVATED = """
import os, sys
from weblayer.loop.endpoints import serverFromString
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.reactor import Reactor
class Name(Protocol):
    def connectionMade(self):
        self.transport.write(self.factory.name)
        self.transport.loseConnection()
reactor = Reactor()
os.environ["LISTEN_PID"] = str(os.getpid())
for description in sys.argv[1:]:
    factory = Factory.forProtocol(Name)
    factory.name = description.encode()
    def failed(reason):
        print(reason.getErrorMessage())
    serverFromString(reactor, description).listen(factory).addErrback(failed)
print("ready", flush=True)
reactor.run()
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_systemd_passes_sockets_by_name_and_number(loop):
    """A program that is activated finds each of its sockets; an unknown one is told."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        # By way of high numbers, for 3 may be the second socket's own.
        high = [f"fcntl({sock.fileno()}, F_DUPFD, 100)" for sock in (one, two)]
        passed = f"one, two = {', '.join(high)}; os.dup2(one, 3); os.dup2(two, 4)"
        arguments = ["systemd:name=second", "systemd:index=0:domain=INET", "systemd:name=third"]
        command = [sys.executable, "-c", ACTIVATED, *arguments]
        imports = "import os; from fcntl import F_DUPFD, fcntl"
        process = subprocess.Popen(
            [sys.executable, "-c", f"{imports}; {passed}; os.execv({command[0]!r}, {command!r})"],
            pass_fds=[one.fileno(), two.fileno()], stdout=subprocess.PIPE, text=True,
            env={
                **os.environ, "PYTHONPATH": str(ROOT), "WEBLAYER_LOOP": loop,
                "LISTEN_FDS": "2", "LISTEN_FDNAMES": "first:second",
            },
        )  # fmt: skip
        try:
            lines = [process.stdout.readline(), process.stdout.readline()]
            assert "no socket with name=third" in lines[0]
            assert "first, second" in lines[0]
            for sock, name in [(two, arguments[0]), (one, arguments[1])]:
                with socket.create_connection(sock.getsockname(), timeout=20) as client:
                    assert client.makefile("rb").read() == name.encode()
        finally:
            process.terminate()
            process.communicate(timeout=20)
        assert process.returncode == 0
