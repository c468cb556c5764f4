"""Echo: whatever comes goes back.

Run `python examples/echo_server.py`, with a port behind it if you like, and in another terminal
the command that it prints. What you type is shown behind `>` here:
    > Hello, is anybody there?
    Hello, is anybody there?
"""

import sys

from weblayer import Factory, Protocol, reactor


class Echo(Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
listening = reactor.listenTCP(port, Factory.forProtocol(Echo), interface="127.0.0.1")
print(f"nc 127.0.0.1 {listening.getHost().port}")
reactor.run()
