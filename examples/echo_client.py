"""A client: it says two lines, and hears them again.

Run `python examples/echo_client.py` while examples/echo_server.py runs, with the same port behind
it. Its exit code is 1 when nobody was there:
    I hear: Hello, is anybody there?
    I hear: Nobody but me.
"""

import sys

from weblayer import Deferred
from weblayer.loop.endpoints import clientFromString, connectProtocol
from weblayer.loop.task import react
from weblayer.protocols.basic import LineOnlyReceiver


class Echoed(LineOnlyReceiver):
    def connectionMade(self):
        self.done = Deferred()
        self.sendLine(b"Hello, is anybody there?")
        self.sendLine(b"Nobody but me.")

    def lineReceived(self, line):
        print("I hear:", line.decode())
        if line == b"Nobody but me.":
            self.transport.loseConnection()

    def connectionLost(self, reason):
        self.done.callback(None)


async def main(reactor, port=8000):
    echoed = await connectProtocol(clientFromString(reactor, f"tcp:127.0.0.1:{port}"), Echoed())
    await echoed.done


react(main, sys.argv[1:])
