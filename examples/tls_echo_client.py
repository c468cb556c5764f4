"""A client that has its connection encrypted, and first sees who is at the other end.

Run `python examples/tls_echo_client.py local.pem` while examples/tls_echo_server.py runs, with the
same port behind it. It trusts that file alone, and tells its secret to nobody else:
    I hear: A secret.
    The end: the connection was closed cleanly
"""

import sys

from weblayer import Deferred
from weblayer.loop.endpoints import clientFromString, connectProtocol
from weblayer.loop.ssl import optionsForClientTLS
from weblayer.loop.task import react
from weblayer.protocols.basic import LineReceiver


class Secret(LineReceiver):
    def lineReceived(self, line):
        if self.transport.secure:
            print("I hear:", line.decode())
            self.transport.loseConnection()
        elif line == b"+OK":
            self.transport.startTLS(self.options)
            self.sendLine(b"A secret.")  # which waits until the two sides agree
        else:
            self.sendLine(b"STLS")

    def connectionLost(self, reason):
        self.done.callback(reason.getErrorMessage())


async def main(reactor, certificate, port=8000):
    secret = Secret()
    secret.options, secret.done = optionsForClientTLS("localhost", certificate), Deferred()
    await connectProtocol(clientFromString(reactor, f"tcp:127.0.0.1:{port}"), secret)
    print("The end:", await secret.done)


react(main, sys.argv[1:])
