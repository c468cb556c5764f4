"""Echo over UDP: no connections, only datagrams, each whole or not at all.

Run `python examples/udp_echo_server.py`, with a port behind it if you like, and in another
terminal the command that it prints:
    > Hello, is anybody there?
    Hello, is anybody there?
"""

import sys

from weblayer import reactor
from weblayer.loop.protocol import DatagramProtocol


class Echo(DatagramProtocol):
    def datagramReceived(self, data, addr):
        self.transport.write(data, addr)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
listening = reactor.listenUDP(port, Echo(), interface="127.0.0.1")
print(f"nc -u 127.0.0.1 {listening.getHost().port}")
reactor.run()
