"""A tree that is put together by hand: each child is put under its name.

Run `python examples/static_dispatch.py`, with a port behind it if you like, and open the address
it prints. Try /planets/mars, and /planets/pluto, which is not there.
"""

import sys

from weblayer import Data, Resource, Site, reactor

planets = Resource()
planets.putChild("", Data(b"There are mars and venus.\n", "text/plain"))
planets.putChild("mars", Data(b"Red, and cold.\n", "text/plain"))
planets.putChild("venus", Data(b"White, and hot.\n", "text/plain"))

root = Resource()
root.putChild("", Data(b"<p>See the <a href=planets/>planets</a>.", "text/html"))
root.putChild("planets", planets)

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
