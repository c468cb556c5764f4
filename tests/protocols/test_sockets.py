"""The room over real sockets, on both loops: what a test in memory takes for granted."""

import asyncio
import io
import subprocess
import sys

import pytest

from weblayer.loop.address import IPv4Address
from weblayer.loop.protocol import Factory
from weblayer.protocols.basic import FileSender, Int32StringReceiver, LineReceiver
from weblayer.protocols.haproxy import HAProxyWrappingFactory
from weblayer.protocols.policies import LimitTotalConnectionsFactory, ThrottlingFactory

BIG = bytes(range(256)) * 32768  # 8 MiB: more than the kernel's buffers of both sides hold


async def talk(reactor, factory):
    """A raw client's reader and writer."""
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    return await asyncio.open_connection("127.0.0.1", port.getHost().port)


async def answer(reader, writer, data):
    """All that is answered to *data*."""
    writer.write(data)
    writer.write_eof()
    everything = await reader.read()
    writer.close()
    await writer.wait_closed()
    return everything


class Slowly(LineReceiver):
    """Echoes each line in the next turn of the loop, and reads none before."""

    def lineReceived(self, line):
        self.pauseProducing()
        asyncio.get_running_loop().call_soon(self.echo, line)

    def echo(self, line):
        self.sendLine(line)
        self.resumeProducing()


def test_every_line_is_answered_by_one_who_pauses(reactor):
    """A server that pauses in each line answers all of them, in order, before the end."""

    async def scenario():
        data = b"".join(b"line %d\r\n" % n for n in range(20_000))
        assert await answer(*await talk(reactor, Factory.forProtocol(Slowly)), data) == data

    reactor.drive(scenario())


class Echo(Int32StringReceiver):
    MAX_LENGTH = len(BIG)

    def stringReceived(self, string):
        self.sendString(string)


def test_a_great_string_comes_back(reactor):
    """Through a wrapper that counts and one that limits."""

    async def scenario():
        factory = ThrottlingFactory(
            LimitTotalConnectionsFactory(Factory.forProtocol(Echo), 1), readLimit=1 << 30
        )
        data = len(BIG).to_bytes(4, "big") + BIG
        assert await answer(*await talk(reactor, factory), data) == data

    reactor.drive(scenario())


class Sends(LineReceiver):
    """Sends a file at the first line, and then closes."""

    def lineReceived(self, line):
        done = FileSender().beginFileTransfer(io.BytesIO(BIG), self.transport)
        done.addCallback(lambda last: self.sendLine(b"!" + last))
        done.addBoth(lambda _: self.transport.loseConnection())


def test_a_file_is_sent_to_a_slow_reader(reactor):
    """Every byte of it, and what is written when it is done."""

    async def scenario():
        reader, writer = await talk(reactor, Factory.forProtocol(Sends))
        writer.write(b"go\r\n")
        found = bytearray()
        while len(found) < len(BIG):
            found += await reader.read(10_000)
        found += await reader.read()
        assert found == BIG + b"!" + BIG[-1:] + b"\r\n"
        writer.close()
        await writer.wait_closed()

    reactor.drive(scenario())


def test_a_client_behind_a_proxy_is_known(reactor):
    """The address in the header is the one that the program sees."""

    class Who(LineReceiver):
        def lineReceived(self, line):
            self.sendLine(repr(self.transport.getPeer()).encode())
            self.transport.loseConnection()

    async def scenario():
        factory = HAProxyWrappingFactory(Factory.forProtocol(Who), clock=reactor)
        said = await answer(
            *await talk(reactor, factory), b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\nwho\r\n"
        )
        assert said == repr(IPv4Address("TCP", "192.0.2.7", 1)).encode() + b"\r\n"

    reactor.drive(scenario())


PROGRAM = """
import asyncio
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.reactor import Reactor, theReactor
from weblayer.loop.reconnecting import ReconnectingClientFactory
from weblayer.protocols.policies import ThrottlingFactory, TimeoutFactory

class Again(ReconnectingClientFactory):
    protocol, initialDelay, count = Protocol, 0.01, 0

    def buildProtocol(self, addr):
        self.count += 1
        if self.count == 3:
            self.stopTrying()
            self.stop()
        return super().buildProtocol(addr)

again = Again()

def begin(reactor, stop):
    again.stop = stop
    inner = TimeoutFactory(Factory.forProtocol(Protocol), 0.01)
    port = reactor.listenTCP(0, ThrottlingFactory(inner, readLimit=1e9), interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", port.getHost().port, again)
"""

ITS_OWN_LOOP = """
begin(theReactor(), theReactor().stop)
theReactor().run()
print(again.count)
"""

SOMEBODY_ELSES = """
shared = theReactor().loop

async def main():
    reactor, done = Reactor(asyncio.get_running_loop()), asyncio.Event()
    begin(reactor, done.set)
    await done.wait()
    await reactor.fireSystemEvent("shutdown")

asyncio.run(main())
shared.close()
print(again.count)
"""


@pytest.mark.parametrize("ending", [ITS_OWN_LOOP, SOMEBODY_ELSES], ids=["own loop", "another's"])
def test_without_a_clock_it_is_the_reactor(ending):
    """In a program that gives none: the server's timeouts end what the client begins again."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + ending],
        capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (b"3\n", b"")
