"""Hello: the smallest tree, a root that is a leaf.

Run `python examples/hello.py`, with a port behind it if you like, and open the address it prints.
Try `curl -i`, then `curl -I` for a HEAD, then `curl -i -X DELETE`: nobody wrote those answers.
"""

import sys

from weblayer import Resource, Site, reactor


class Hello(Resource):
    isLeaf = True  # so that /any/path/below is answered here too

    def render_GET(self, request):
        return "Hello, web!\n"


root = Hello()

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
