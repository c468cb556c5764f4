"""weblayer: a protocol and its factory."""

from tests.benchmarks.servers import HOST, own_port
from weblayer import reactor
from weblayer.loop.protocol import Factory, Protocol


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


if __name__ == "__main__":
    reactor.listenTCP(own_port(), Factory.forProtocol(Echo), interface=HOST)
    reactor.run()
