"""A page that is made anew each time it is asked for.

Run `python examples/dynamic_page.py`, with a port behind it if you like, and open the address it
prints. Load it twice, and try /?name=Ada.
"""

import sys
import time
from html import escape

from weblayer import Resource, Site, reactor


class Clock(Resource):
    isLeaf = True

    def render_GET(self, request):
        name = request.args.get("name", ["you"])[0]
        return f"<h1>{time.strftime('%X')}</h1><p>Good to see {escape(name)}.</p>"


root = Clock()

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
