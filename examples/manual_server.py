"""Manual pages over the network: a program is run for each line, which is its argument.

Run `python examples/manual_server.py`, and in another terminal the command that it prints:
    > ls; date
    That is not the name of a page.
    > no-such-page
    No manual entry for no-such-page
"""

import os
import re
import sys

from weblayer import Factory, reactor
from weblayer.loop.utils import getProcessOutput
from weblayer.protocols.basic import LineReceiver

NAME = re.compile(rb"\w[\w.+-]*")  # the program also reads options, and paths
ENVIRONMENT = {"PATH": os.environ["PATH"], "MANWIDTH": "80"}  # all that the program sees of ours


class Manual(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        name = line.strip()
        if not NAME.fullmatch(name):
            return self.sendLine(b"That is not the name of a page.")
        self.pauseProducing()  # one page at a time, however many are asked for
        page = getProcessOutput("man", ["--", name], ENVIRONMENT, errortoo=True)
        page.addTimeout(10, reactor)  # which kills it
        page.addErrback(lambda failure: f"{failure.getErrorMessage()}\n".encode())
        return page.addCallback(self.transport.write).addBoth(lambda _: self.resumeProducing())


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
listening = reactor.listenTCP(port, Factory.forProtocol(Manual), interface="127.0.0.1")
print(f"nc 127.0.0.1 {listening.getHost().port}")
reactor.run()
