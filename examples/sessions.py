"""What is kept of a visitor: data, a live object, and an end that is told.

Run `python examples/sessions.py`, with a port if you like, and open the address it prints. In
`SQLiteSessions("sessions.db")` data survives a restart.
"""

import sys

from weblayer import MemorySessions, Resource, Site, reactor

GONE = []


class Watch:
    def __init__(self, session):
        self.began = reactor.seconds()
        session.notifyOnExpire(lambda: GONE.append(self))


class Visits(Resource):
    def render_GET(self, request):
        visits = request.session["visits"] = request.session.get("visits", 0) + 1
        since = reactor.seconds() - request.getSession(Watch).began
        return f"Visit {visits}, {since:.0f} seconds on; {len(GONE)} have left.\n"


class Leave(Resource):
    def render_GET(self, request):
        request.session.expire()
        return "Forgotten."


sessions = MemorySessions()
sessions.registerComponent(Watch, Watch)
root = Visits()
root.putChild("leave", Leave())
port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root, sessions=sessions), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
