"""A client that says all it has to say, ends its half of the connection, and then listens.

Run `python examples/manual_client.py 8000 no-such-page ls` while examples/manual_server.py runs:
    No manual entry for no-such-page
    LS(1)                            User Commands                           LS(1)
    ...
"""

import sys

from weblayer import Deferred, Protocol
from weblayer.loop.endpoints import clientFromString, connectProtocol
from weblayer.loop.task import react


class Reader(Protocol):
    def __init__(self, names):
        self.names, self.done = names, Deferred()

    def connectionMade(self):
        self.transport.writeSequence(f"{name}\n".encode() for name in self.names)
        self.transport.loseWriteConnection()

    def dataReceived(self, data):
        sys.stdout.buffer.write(data)

    def connectionLost(self, reason):
        self.done.callback(None)


async def main(reactor, port=8000, *names):
    reader = Reader(names or ["man"])
    await connectProtocol(clientFromString(reactor, f"tcp:127.0.0.1:{port}"), reader)
    await reader.done


react(main, sys.argv[1:])
