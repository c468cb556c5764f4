"""Pages from templates, and a page for errors that looks like the others.

Run `python examples/templates.py`, with a port behind it if you like, and open the address it
prints. The templates are in `examples/pages`; what is filled in is escaped, and links are relative.
"""

import sys
from pathlib import Path

from weblayer import Data, Policy, Resource, Site, Templates, reactor, redirectTo

pages = Templates(Path(__file__).parent / "pages")
GUESTS = ["Ada", "<Bob>"]


def lost(request, code, detail):
    return pages.page("lost.html", root=request.rootLink(), code=code, detail=detail)


class Book(Resource):
    policy = Policy(errorPage=lost)

    def getChild(self, name, request):
        if name in GUESTS:
            return Data(b"Was here.\n", "text/plain")
        return super().getChild(name, request)

    def render_GET(self, request):
        guests = [(name, request.childLink(name)) for name in GUESTS]
        return pages.page("book.html", root=request.rootLink(), guests=guests)

    def render_POST(self, request):
        GUESTS.append(request.args["name"][0])
        return redirectTo(request.rootLink(), request, 303)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(Book()), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
