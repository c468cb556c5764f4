"""A folder of files as a site.

Run `python examples/static_site.py`, with a port behind it if you like, and open the address it
prints. Load it again: the browser is told that it has everything already.
"""

import sys
from pathlib import Path

from weblayer import File, Site, reactor

root = File(Path(__file__).parent.parent / "static")

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
