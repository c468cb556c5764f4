"""What the tests of this room share: a protocol with a peer in memory, and cutting bytes."""

from hypothesis import strategies as st

from weblayer.loop.memory import MemoryPeer
from weblayer.loop.protocol import Factory, Protocol


class Recorder(Protocol):
    """Remembers what it is told."""

    def __init__(self):
        self.data, self.reasons = bytearray(), []

    def dataReceived(self, data):
        self.data += data

    def connectionLost(self, reason):
        self.reasons.append(reason)


class Source:
    """A producer that remembers what it is told; a pull producer writes a piece when asked."""

    def __init__(self, transport, piece=b""):
        self.transport, self.piece, self.calls = transport, piece, []

    def resumeProducing(self):
        self.calls.append("resume")
        if self.piece:
            self.transport.write(self.piece)

    def pauseProducing(self):
        self.calls.append("pause")

    def stopProducing(self):
        self.calls.append("stop")


def peer_of(protocol, **options):
    """A peer of one connection to what *protocol* gives, and that protocol."""
    peer = MemoryPeer(Factory.forProtocol(protocol), **options)
    return peer, peer.protocol


def send_in_pieces(peer, data, sizes):
    """Let *data* arrive in packets of *sizes*, over and over; as long as there is anybody."""
    at = turn = 0
    while at < len(data) and not peer.isClosed:
        size = sizes[turn % len(sizes)]
        peer.send(data[at : at + size])
        at, turn = at + size, turn + 1


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=6)
