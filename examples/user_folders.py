"""The same address, and to each their own folder: what is found depends on who asks.

Run `python examples/user_folders.py`, with a port behind it if you like, and open the address it
prints as ada (lovelace), and in a private window as bob (builder).
"""

import sys
import tempfile
from pathlib import Path

from weblayer import (
    BasicCredentialFactory,
    File,
    HTTPAuthSessionWrapper,
    InMemoryPasswords,
    IResource,
    Portal,
    Site,
    hashPassword,
    reactor,
)


class Homes:  # a realm: it has an avatar for each
    def requestAvatar(self, avatarId, mind, *interfaces):
        return IResource, File(home / avatarId, listing=True), lambda: None


with tempfile.TemporaryDirectory() as name:
    home = Path(name)
    for user in ("ada", "bob"):
        (home / user).mkdir()
        (home / user / "welcome.txt").write_text(f"This is {user}'s.\n")
    users = InMemoryPasswords({"ada": hashPassword("lovelace"), "bob": hashPassword("builder")})
    guard = HTTPAuthSessionWrapper(Portal(Homes(), [users]), [BasicCredentialFactory("home")])
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    listening = reactor.listenTCP(port, Site(guard), interface="127.0.0.1")
    print(f"http://127.0.0.1:{listening.getHost().port}/")
    reactor.run()
