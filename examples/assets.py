"""A page whose style browsers keep for good, and fetch anew as soon as it is another.

Run `python examples/assets.py`, with a port behind it if you like, and open the address it prints.
The addresses of the style and the icon hold a hash of what is in them: change `static/weblayer.css`
and load the page again.
"""

import sys
from pathlib import Path

from weblayer import Assets, Resource, Site, Templates, reactor

HERE = Path(__file__).parent

assets = Assets(HERE.parent / "static")
pages = Templates(HERE / "pages", asset=assets.url, integrity=assets.integrity)


class Page(Resource):
    def render_GET(self, request):
        return pages.page("kept.html", root=request.rootLink())


root = Page()
root.putChild("static", assets)

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
