"""Protocols with types; see `tree`."""

from weblayer import (
    ClientFactory,
    Deferred,
    DeferredList,
    Factory,
    Failure,
    LineReceiver,
    LoopingCall,
    ProcessProtocol,
    Protocol,
    gatherResults,
    reactor,
    succeed,
)
from weblayer.loop.address import Address
from weblayer.loop.protocol import IConnector


class Chat(LineReceiver):
    def __init__(self, users: dict[bytes, "Chat"]) -> None:
        self.users = users

    def connectionMade(self) -> None:
        self.sendLine(b"hi")

    def lineReceived(self, line: bytes) -> None:
        self.transport.write(line)

    def connectionLost(self, reason: Failure) -> None:
        pass


class F(Factory):
    def __init__(self) -> None:
        self.users: dict[bytes, Chat] = {}

    def buildProtocol(self, addr: Address) -> Chat:
        return Chat(self.users)


class C(ClientFactory):
    protocol = Protocol

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        connector.connect()


class P(ProcessProtocol):
    def outReceived(self, data: bytes) -> None:
        self.transport.write(data.upper())


reactor.listenTCP(1, F())
reactor.connectTCP("a", 1, C())
reactor.spawnProcess(P(), "/bin/echo", ["echo"])
LoopingCall(print, "x").start(1)
a: Deferred[list[int]] = gatherResults([succeed(1)])
b = DeferredList([succeed(1), succeed("x")])
