"""Share links: each opens one file, for an hour, and one of them only once.

Run `python examples/signed_link.py`, with a port behind it if you like, and open the address it
prints. Change a letter of a link, or take it away: then it opens nothing.
"""

import secrets
import sys
from html import escape
from pathlib import Path

from weblayer import File, Resource, SignedLinks, Site, reactor

# A key of this run: kept in a file or the environment, its links would outlive it.
links = SignedLinks(File(Path(__file__).parent), secrets.token_urlsafe(32))


class Front(Resource):
    def render_GET(self, request):
        urls = {
            "for an hour": links.url("/files/hello.py", expires=3600),
            "for once": links.url("/files/hello.py", expires=3600, uses=1),
        }
        items = (f'<li><a href="{escape(url)}">{name}</a>' for name, url in urls.items())
        return "<h1>hello.py</h1><ul>" + "".join(items) + "</ul>"


root = Front()
root.putChild("files", links)

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
