"""A client of anything: words say where the server is, and whether to encrypt.

Run `python examples/shout_client.py tcp:127.0.0.1:8000 "Is anybody there?"` while shout_server.py
runs, or with `unix:shout.sock`, or `tls:localhost:8443:trustRoots=local.pem` in the first place:
    IS ANYBODY THERE?
"""

import sys

from weblayer import Deferred
from weblayer.loop.endpoints import clientFromString, connectProtocol
from weblayer.loop.task import react
from weblayer.protocols.basic import LineOnlyReceiver


class Asked(LineOnlyReceiver):
    delimiter = b"\n"

    def ask(self, line):
        self.answer = Deferred()
        self.sendLine(line.encode())
        return self.answer

    def lineReceived(self, line):
        self.answer.callback(line.decode())


async def main(reactor, where, *lines):
    server = await connectProtocol(clientFromString(reactor, where), Asked())
    for line in lines:
        print(await server.ask(line).addTimeout(10, reactor))
    server.transport.loseConnection()


react(main, sys.argv[1:])
