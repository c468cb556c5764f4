"""A page to log in, a session that knows who has, and a form that no other site can forge.

Run `python examples/login_form.py`, with a port behind it if you like, and open the address it
prints: Ada's password is lovelace. For real people there are files of hashed passwords.
"""

import sys
from html import escape

import weblayer

FORM = "<form method=post>{}<input name=note aria-label=Note> <button>Keep</button></form>"


class Notes(weblayer.Resource):
    isLeaf = True

    def render_GET(self, request):
        notes = "".join(f"<li>{escape(note)}</li>" for note in request.session.get("notes", []))
        leave = f'<a href="{request.rootLink("logout")}">Log out, {escape(request.avatarId)}</a>'
        return f"<ul>{notes}</ul>{FORM.format(weblayer.csrfField(request))}{leave}"

    def render_POST(self, request):
        request.session.setdefault("notes", []).append(request.args["note"][0])
        return weblayer.redirectTo(request.rootLink(), request, 303)


people = weblayer.InMemoryPasswords({"ada": weblayer.hashPassword("lovelace")})
portal = weblayer.Portal(weblayer.CommonRealm(Notes()), [people])
root = weblayer.Resource()
root.putChild("", weblayer.CSRFProtection(weblayer.LoginRequired(portal)))
root.putChild("login", weblayer.Login(portal))
root.putChild("logout", weblayer.Logout())

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = weblayer.reactor.listenTCP(port, weblayer.Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
weblayer.reactor.run()
