"""Twisted's default reactor, epoll: a protocol and its factory."""

from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol

from tests.benchmarks.servers import HOST, own_port


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


if __name__ == "__main__":
    reactor.listenTCP(own_port(), Factory.forProtocol(Echo), backlog=1024, interface=HOST)
    reactor.run()
