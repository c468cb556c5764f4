"""A folder for those who have a name and a password: Basic authentication.

Run `python examples/basic_auth.py`, with a port behind it if you like, and open the address it
prints: /private/ is for ada, whose password is lovelace. Without HTTPS all on the way can read it.
Passwords belong hashed in a file: `weblayer passwd users ada`, and here HtpasswdFile("users").
"""

import sys
from pathlib import Path

from weblayer import (
    BasicCredentialFactory,
    CommonRealm,
    Data,
    File,
    HTTPAuthSessionWrapper,
    InMemoryPasswords,
    Portal,
    Resource,
    Site,
    hashPassword,
    reactor,
)

users = InMemoryPasswords({"ada": hashPassword("lovelace")})
private = File(Path(__file__).parent.parent / "static", listing=True)
portal = Portal(CommonRealm(private), [users])

root = Resource()
root.putChild("", Data(b'<a href="private/">For ada</a>', "text/html"))
root.putChild("private", HTTPAuthSessionWrapper(portal, [BasicCredentialFactory("ada's house")]))

port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
listening = reactor.listenTCP(port, Site(root), interface="127.0.0.1")
print(f"http://127.0.0.1:{listening.getHost().port}/")
reactor.run()
