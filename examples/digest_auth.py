"""A note that everybody may read, and ada may change: Digest authentication, and rules by method.

Run `python examples/digest_auth.py`, with a port behind it if you like, and ask for the address it
prints with `curl`, then with `curl --digest -u ada:lovelace -T -`, and type a new note.
"""

import sys

import weblayer
from weblayer import EVERYBODY, reactor


class Note(weblayer.Resource):
    isLeaf, note = True, "Nothing yet.\n"

    def render_GET(self, request):
        return self.note

    def render_PUT(self, request):
        self.note = f"{request.avatarId}: {request.text()}"
        return self.note


users = weblayer.InMemoryUsernamePasswordDatabaseDontUse(ada="lovelace", bob="builder")
realm = weblayer.CommonRealm(weblayer.Restricted(Note(), {"GET": EVERYBODY, "PUT": {"ada"}}))
portal = weblayer.Portal(realm, [users, weblayer.AllowAnonymousAccess()])
digest = weblayer.DigestCredentialFactory(["SHA-256", "MD5"], "note")
root = weblayer.HTTPAuthSessionWrapper(portal, [digest])

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, weblayer.Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
