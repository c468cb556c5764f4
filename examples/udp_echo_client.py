"""Asking over UDP, where nobody promises an answer: it waits for one, but not for ever.

Run `python examples/udp_echo_client.py` while examples/udp_echo_server.py runs, with the same port
behind it, and again when that has stopped:
    I hear: Hello, is anybody there?
"""

import sys

from weblayer import Deferred
from weblayer.loop.protocol import DatagramProtocol
from weblayer.loop.task import react


class Ask(DatagramProtocol):
    def __init__(self):
        self.answer = Deferred()

    def datagramReceived(self, data, addr):
        self.transport.stopListening()  # one answer is enough
        self.answer.callback(data)

    def connectionRefused(self):
        self.answer.errback(ConnectionRefusedError("nobody is there"))


async def main(reactor, port=8000):
    ask = Ask()
    reactor.listenUDP(0, ask)
    ask.transport.connect("127.0.0.1", int(port))
    ask.transport.write(b"Hello, is anybody there?")
    try:
        print("I hear:", (await ask.answer.addTimeout(2, reactor)).decode())
    except (ConnectionRefusedError, TimeoutError) as error:
        print("No answer:", error)


react(main, sys.argv[1:])
