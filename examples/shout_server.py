"""A server anywhere: words say where it listens, and the protocol does not care.

Run `python examples/shout_server.py tcp:8000:interface=127.0.0.1`, or with `unix:shout.sock`, or
`ssl:8443:privateKey=local.pem`, or under systemd `systemd:name=shout`. It says where it is:
    IPv4Address(type='TCP', host='127.0.0.1', port=8000)
"""

import sys

from weblayer import Deferred, Factory
from weblayer.loop.endpoints import serverFromString
from weblayer.loop.task import react
from weblayer.protocols.basic import LineOnlyReceiver


class Shout(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        self.sendLine(line.upper())


async def main(reactor, where):
    listening = await serverFromString(reactor, where).listen(Factory.forProtocol(Shout))
    print(listening.getHost())
    await Deferred()  # until Ctrl-C


react(main, sys.argv[1:])
