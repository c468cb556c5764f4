"""weblayer, writing its access log in the combined format to a file."""

import os
from tempfile import gettempdir

from tests.benchmarks.servers import HOST, own_port
from tests.benchmarks.servers.weblayer import tree
from weblayer import Site, reactor

if __name__ == "__main__":
    log = os.path.join(gettempdir(), "access.log")  # in the folder of this measurement
    reactor.listenTCP(own_port(), Site(tree(), logPath=log), interface=HOST)
    reactor.run()
