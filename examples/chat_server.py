"""A chat. What a line means depends on what was said before: the state is a method.

Run `python examples/chat_server.py`, and in two other terminals the command that it prints:
    What is your name?
    > Ada
    Ada: is here.
"""

import sys

from weblayer import Factory, reactor
from weblayer.protocols.basic import LineReceiver


class Guest(LineReceiver):
    delimiter, name, guests = b"\n", "", {}  # the guests are everybody's

    def connectionMade(self):
        self.sendLine(b"What is your name?")

    def lineReceived(self, line):  # the first state, until there is a name
        if (name := line.decode(errors="replace").strip()) in self.guests or not name.isalnum():
            return self.sendLine(b"Letters and digits, please, and not another's.")
        self.name, self.lineReceived, self.guests[name] = name, self.say, self
        return self.say(b"is here.")

    def say(self, line):  # what cannot be seen might play with the terminals of others
        text = "".join(filter(str.isprintable, line.decode(errors="replace")))
        for guest in self.guests.values():
            guest.sendLine(f"{self.name}: {text}".encode())

    def connectionLost(self, reason):
        if self.guests.pop(self.name, None):
            self.say(b"has left.")


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
listening = reactor.listenTCP(port, Factory.forProtocol(Guest), interface="127.0.0.1")
print(f"nc 127.0.0.1 {listening.getHost().port}")
reactor.run()
