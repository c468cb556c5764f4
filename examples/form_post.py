"""A form, and what becomes of it.

Run `python examples/form_post.py`, with a port behind it if you like, and open the address it
prints. Try `curl -d name=Ada` too. More than a kilobyte is refused before it is read.
"""

import sys
from html import escape

from weblayer import Policy, Resource, Site, reactor

FORM = "<form method=post><label>Your name: <input name=name></label> <button>Send</button></form>"


class Form(Resource):
    isLeaf = True
    policy = Policy(maxBody=1024)

    def render_GET(self, request):
        return FORM

    def render_POST(self, request):
        name = request.args.get("name", [""])[0]
        return f"<p>Hello, {escape(name or 'nobody')}!</p>"


root = Form()

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
