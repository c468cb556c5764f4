"""A client that does not give up: each attempt is a little later, until one succeeds.

Run `python examples/reconnecting_client.py`, only then examples/echo_server.py, and start that one
again after a while:
    nobody listens on 127.0.0.1:8000; again in about 0.5 s
    It says: Hello again.
    It is gone: the connection was closed cleanly
    It says: Hello again.
"""

import sys

from weblayer import Protocol, reactor
from weblayer.loop.reconnecting import ReconnectingClientFactory


class Hello(Protocol):
    def connectionMade(self):
        self.transport.write(b"Hello again.\n")

    def dataReceived(self, data):
        self.factory.resetDelay()  # now it has proved good
        print("It says:", data.decode(errors="replace").strip())


class Patient(ReconnectingClientFactory):
    initialDelay, maxDelay = 0.5, 10  # seconds

    def clientConnectionFailed(self, connector, reason):
        print(f"{reason.getErrorMessage()}; again in about {self.delay:.1f} s")
        super().clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector, reason):
        print("It is gone:", reason.getErrorMessage())
        super().clientConnectionLost(connector, reason)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
reactor.connectTCP("127.0.0.1", port, Patient.forProtocol(Hello))
reactor.run()
