"""A client that hears of everything: a connection made, not made, lost.

Run `python examples/quote_client.py 8000` while examples/quote_server.py runs on that port:
    An apple a day keeps the doctor away.
    Measure twice, cut once.
"""

import sys

from weblayer import ClientFactory, reactor
from weblayer.protocols.basic import LineOnlyReceiver

quotes = sys.argv[2:] or ["Measure twice, cut once.", "Haste makes waste."]


class Bringing(LineOnlyReceiver):
    delimiter = b"\n"

    def connectionMade(self):
        self.sendLine(quotes.pop(0).encode())

    def lineReceived(self, quote):
        print(quote.decode())


class Bringer(ClientFactory):
    def clientConnectionFailed(self, connector, reason):
        print("No quotes today:", reason.getErrorMessage())

    def clientConnectionLost(self, connector, reason):
        if quotes and reactor.running:
            connector.connect()  # each quote has a connection of its own

    def stopFactory(self):  # there is no connection any more, and none is tried
        if reactor.running:
            reactor.stop()


reactor.connectTCP("127.0.0.1", int(sys.argv[1]), Bringer.forProtocol(Bringing))
reactor.run()
