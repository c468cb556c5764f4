"""Sending people elsewhere: always, or as a render decides.

Run `python examples/redirect.py`, with a port behind it if you like, and open the address it
prints. Try /old and /now too, and see with `curl -i` what a browser hides.
"""

import sys
import time

from weblayer import Data, Redirect, Resource, Site, reactor, redirectTo


class Now(Resource):
    def render_GET(self, request):
        is_morning = time.localtime().tm_hour < 12
        return redirectTo("/coffee" if is_morning else "/tea", request)


root = Resource()
root.putChild("", Redirect("/now"))
root.putChild("now", Now())
root.putChild("old", Redirect("/coffee"))
root.putChild("coffee", Data(b"Have some coffee.\n", "text/plain"))
root.putChild("tea", Data(b"Have some tea.\n", "text/plain"))

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
