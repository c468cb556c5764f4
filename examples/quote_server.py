"""A quote for a quote: you bring one, and are given what the visitor before you brought.

Run `python examples/quote_server.py`, with a port behind it if you like, and in another terminal
the command that it prints, again and again. A protocol is a visit, and the factory remembers:
    > Look before you leap.
    An apple a day keeps the doctor away.
"""

import sys

from weblayer import Factory, reactor
from weblayer.protocols.basic import LineOnlyReceiver


class Exchange(LineOnlyReceiver):
    delimiter = b"\n"  # a terminal's; \r\n unless you say otherwise
    MAX_LENGTH = 500

    def lineReceived(self, quote):
        self.sendLine(self.factory.quote)
        self.factory.quote = quote
        self.transport.loseConnection()


class Quotes(Factory):
    protocol = Exchange
    quote = b"An apple a day keeps the doctor away."


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
listening = reactor.listenTCP(port, Quotes(), interface="127.0.0.1")
print(f"nc 127.0.0.1 {listening.getHost().port}")
reactor.run()
