"""Echo for those who log in, and a page by the same portal, for ada with the password lovelace.

Run `python examples/login_server.py`, with a port behind it if you like, and use what it prints:
    > ada lovelace
    Hello, ada.
"""

import sys

import weblayer
from weblayer.protocols.basic import LineReceiver


class Realm:  # an avatar is of the interface that is asked for: a page, or words to be said
    def requestAvatar(self, name, mind, interface):
        hello = f"Hello, {name}.".encode()
        avatars = {weblayer.IResource: weblayer.Data(hello, "text/plain"), bytes: hello}
        return interface, avatars[interface], lambda: None


class Echo(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):  # the first state, until somebody is let in
        login = portal.login(weblayer.UsernamePassword(*line.partition(b" ")[::2]), None, bytes)
        login.addCallbacks(self.begin, lambda reason: self.transport.loseConnection())

    def begin(self, login):
        self.lineReceived = self.sendLine
        self.sendLine(login.avatar)


portal = weblayer.Portal(Realm())
portal.registerChecker(weblayer.InMemoryUsernamePasswordDatabaseDontUse(ada="lovelace"))
guard = weblayer.HTTPAuthSessionWrapper(portal, [weblayer.BasicCredentialFactory("echo")])
pages = weblayer.reactor.listenTCP(0, weblayer.Site(guard), interface="127.0.0.1")
port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
lines = weblayer.reactor.listenTCP(port, weblayer.Factory.forProtocol(Echo), interface="127.0.0.1")
print(f"http://127.0.0.1:{pages.getHost().port}/\nnc 127.0.0.1 {lines.getHost().port}")
weblayer.reactor.run()
