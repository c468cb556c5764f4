"""A tree that grows as it is walked: no page of this calendar exists before it is asked for.

Run `python examples/dynamic_dispatch.py`, with a port behind it if you like, and under the address
it prints try /2026, /2026/11, and /2026/13.
"""

import calendar
import re
import sys

from weblayer import Data, NotFound, Resource, Site, reactor


class Calendar(Resource):
    def getChild(self, name, request):
        if not re.fullmatch("[1-9][0-9]{0,3}", name):
            raise NotFound("Ask for a year, such as /2026.")
        return Year(int(name))


class Year(Resource):
    def __init__(self, year):
        self.year = year

    def getChild(self, name, request):
        if not re.fullmatch("0?[1-9]|1[0-2]", name):
            raise NotFound("A year has the months 1 to 12.")
        return Data(calendar.month(self.year, int(name)).encode(), "text/plain")

    def render_GET(self, request):
        return {"year": self.year, "leap": calendar.isleap(self.year)}


root = Calendar()

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
