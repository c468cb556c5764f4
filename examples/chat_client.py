"""The terminal as a connection: what you type goes out, and what comes in is shown.

Run `python examples/chat_client.py` while examples/chat_server.py runs. Ctrl-D ends it:
    What is your name?
    > Ada
    Ada: is here.
"""

import sys

from weblayer import Deferred, Factory, Protocol, reactor
from weblayer.loop.endpoints import clientFromString, connectProtocol
from weblayer.loop.protocol import IHalfCloseableProtocol
from weblayer.loop.task import react


class Terminal(Protocol, IHalfCloseableProtocol):  # else its output would end with its input
    def __init__(self, server):
        self.dataReceived = server.write
        self.readConnectionLost = server.loseWriteConnection


class Server(Protocol):
    def connectionMade(self):
        terminal = Factory.forProtocol(lambda: Terminal(self.transport))
        self.terminal, self.done = reactor.listenStdio(terminal).transport, Deferred()

    def dataReceived(self, data):
        self.terminal.write(data)

    def connectionLost(self, reason):
        self.done.callback(None)


async def main(reactor, port=8000):
    place = clientFromString(reactor, f"tcp:127.0.0.1:{port}")
    await (await connectProtocol(place, Server())).done


react(main, sys.argv[1:])
