"""Connections in memory behave as those over sockets."""

import logging
import weakref

import pytest

from weblayer.loop.address import IPv4Address, UNIXAddress
from weblayer.loop.error import ConnectionAborted, ConnectionDone, ConnectionLost
from weblayer.loop.memory import MemoryPeer, connect
from weblayer.loop.protocol import Factory, Protocol

MARK = 64 * 1024


class Recorder(Protocol):
    """Remembers what it is told; subclasses and tests make it act."""

    def __init__(self):
        self.data, self.reasons = bytearray(), []

    def dataReceived(self, data):
        self.data += data

    def connectionLost(self, reason):
        self.reasons.append(reason)


class Echo(Recorder):
    def dataReceived(self, data):
        super().dataReceived(data)
        self.transport.write(data)


def peer_of(protocol, **options):
    """A peer of one connection to *protocol*, and that protocol."""
    peer = MemoryPeer(Factory.forProtocol(protocol), **options)
    return peer, peer.protocol


def test_bytes_go_both_ways():
    """What the peer sends is received, what is written the peer has read."""
    peer, protocol = peer_of(Echo)
    peer.send(b"hello")
    assert protocol.data == peer.received == b"hello"


def test_addresses_are_as_told():
    """TCP addresses of nobody, unless others are given."""
    peer, _ = peer_of(Recorder)
    assert peer.transport.getPeer() == IPv4Address("TCP", "192.0.2.1", 49152)
    assert peer.transport.getHost() == IPv4Address("TCP", "192.0.2.2", 80)
    peer, _ = peer_of(Recorder, peer="", host="/run/s")
    assert peer.transport.getPeer() == UNIXAddress(None)
    assert peer.transport.getHost() == UNIXAddress("/run/s")


def test_a_connection_may_look_secure():
    """Its transport says so, and nothing of who is there."""
    _, protocol = peer_of(Recorder, secure=True)
    assert protocol.transport.secure
    assert protocol.transport.getPeerCertificate() is None
    assert protocol.transport.negotiatedProtocol is None
    assert not peer_of(Recorder)[1].transport.secure


def test_loseConnection_sends_everything_first():
    """With a peer that does not read, the connection ends when it has read the last byte."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    protocol.transport.write(b"last words")
    protocol.transport.loseConnection()
    protocol.transport.write(b"too late")
    peer.pump()
    assert not peer.isClosed
    assert peer.read(5) == b"last "
    assert not peer.isClosed
    assert peer.read(99) == b"words"
    assert peer.isClosed
    assert peer.reason is protocol.reasons[0]
    assert peer.reason.check(ConnectionDone)


def test_the_end_is_told_a_turn_later():
    """As on a loop, connectionLost is not called inside loseConnection or abortConnection."""
    for end in ("loseConnection", "abortConnection"):
        peer, protocol = peer_of(Recorder)
        getattr(protocol.transport, end)()
        assert protocol.reasons == []
        peer.pump()
        assert len(protocol.reasons) == 1


def test_turns_may_be_a_loops():
    """With *soon* the peer leaves such calls to it."""
    turns = []
    peer, protocol = peer_of(Recorder, soon=turns.append)
    protocol.transport.loseConnection()
    peer.pump()
    assert protocol.reasons == []
    turns.pop()()
    assert len(protocol.reasons) == 1


def test_a_peer_that_leaves_still_reads():
    """After the peer's end of file what was written is flushed, and the end is clean."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    protocol.transport.write(b"answer")
    peer.close()
    assert not peer.isClosed
    peer.startReading()
    assert peer.received == b"answer"
    assert protocol.reasons[0].check(ConnectionDone)


@pytest.mark.parametrize("end", ["abortConnection", "reset"])
def test_a_connection_that_breaks_drops_what_waits(end):
    """Our abort is a ConnectionAborted, the peer's reset a ConnectionLost; the rest is lost."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    protocol.transport.write(b"lost")
    if end == "reset":
        peer.reset()
    else:
        protocol.transport.abortConnection()
        peer.pump()
    assert peer.isClosed
    assert peer.read(9) == b""
    assert peer.reason.check(ConnectionLost if end == "reset" else ConnectionAborted)


def test_paused_bytes_wait():
    """While reading is paused nothing arrives, not even the end of file."""
    peer, protocol = peer_of(Recorder)
    protocol.transport.pauseProducing()
    peer.send(b"one ")
    peer.send(b"two")
    peer.close()
    assert protocol.data == b""
    assert not peer.isClosed
    protocol.transport.resumeProducing()
    peer.pump()
    assert protocol.data == b"one two"
    assert peer.isClosed


def test_loseWriteConnection_ends_one_direction():
    """The peer sees the end and can send on."""
    peer, protocol = peer_of(Recorder)
    protocol.transport.write(b"x")
    protocol.transport.loseWriteConnection()
    protocol.transport.write(b"too late")
    peer.send(b"more")
    assert peer.hasEnded
    assert peer.received == b"x"
    assert protocol.data == b"more"


class Pieces:
    """A producer of *left* pieces of ten kilobytes."""

    def __init__(self, transport, streaming, left=50):
        self.transport, self.left, self.calls, self.flowing = transport, left, [], streaming
        self.streaming = streaming
        transport.registerProducer(self, streaming)
        self.run()

    def run(self):
        while self.flowing and self.left:
            self.piece()

    def resumeProducing(self):
        if self.streaming:
            self.calls.append("resume")
            self.flowing = True
            self.run()
        else:
            self.piece()

    def piece(self):
        self.left -= 1
        self.transport.write(bytes(10240))
        if not self.left:
            self.transport.unregisterProducer()

    def pauseProducing(self):
        self.calls.append("pause")
        self.flowing = False

    def stopProducing(self):
        self.calls.append("stop")
        self.flowing = False


@pytest.mark.parametrize("streaming", [True, False])
def test_a_producer_stops_at_the_mark_and_goes_on_below(streaming):
    """It fills the buffer just over its mark, and again as the peer reads."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    pieces = Pieces(protocol.transport, streaming)
    protocol.transport.loseConnection()
    peer.pump()
    assert MARK < peer.waiting <= MARK + 10240
    peer.read(10240)
    assert peer.waiting < MARK
    left = pieces.left
    peer.read(peer.waiting - 1)
    assert pieces.left < left
    peer.startReading()
    assert pieces.left == 0
    assert len(peer.received) == 50 * 10240
    assert peer.isClosed
    assert "stop" not in pieces.calls


def test_a_producer_is_told_of_the_loss():
    """stopProducing, once."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    pieces = Pieces(protocol.transport, True)
    peer.reset()
    assert pieces.calls == ["pause", "stop"]


def test_text_is_refused():
    """Writing text is a TypeError that says bytes are needed."""
    _, protocol = peer_of(Recorder)
    with pytest.raises(TypeError, match="bytes"):
        protocol.transport.write("text")


def test_an_error_in_dataReceived_is_logged_and_ends_the_connection(caplog):
    """It is the reason that connectionLost is told."""
    error = FileNotFoundError("mine")

    class Broken(Recorder):
        def dataReceived(self, data):
            raise error

    peer, protocol = peer_of(Broken)
    peer.send(b"x")
    assert protocol.reasons[0].value is error
    assert [r.exc_info[1] for r in caplog.records if r.levelno == logging.ERROR] == [error]


def test_no_protocol_refuses_the_connection():
    """A factory that builds none ends it at once."""

    class Refusing(Factory):
        def buildProtocol(self, addr):
            return None

    peer = MemoryPeer(Refusing())
    assert peer.isClosed
    assert peer.protocol is None


def test_a_transport_may_change_its_protocol():
    """What arrives after it goes to the new one, and so does the loss."""
    peer, old = peer_of(Recorder)
    new = Recorder()
    peer.send(b"old")
    peer.transport.switch_protocol(new)
    peer.send(b"new")
    peer.close()
    assert (old.data, new.data) == (b"old", b"new")
    assert (len(old.reasons), len(new.reasons)) == (0, 1)


def test_two_factories_talk():
    """connect carries bytes between two protocols until both are quiet, and ends both."""

    class Counting(Recorder):
        def connectionMade(self):
            self.transport.write(b"1")

        def dataReceived(self, data):
            super().dataReceived(data)
            if int(data) < 5:
                self.transport.write(b"%d" % (int(data) + 1))
            else:
                self.transport.loseConnection()

    class Answering(Recorder):
        def dataReceived(self, data):
            super().dataReceived(data)
            self.transport.write(data)

    server, client = Factory.forProtocol(Answering), Factory.forProtocol(Counting)
    pair = connect(server, client)
    assert pair.server.isClosed
    assert pair.client.isClosed
    assert pair.client.reason.check(ConnectionDone)


def test_a_lost_connection_is_freed_at_once():
    """Nothing of it waits for the garbage collector."""
    gone = []
    peer, protocol = peer_of(Recorder)
    weakref.finalize(protocol, gone.append, True)
    peer.close()
    del protocol
    assert gone == [True]


class Source(Recorder):
    """Writes as long as it is let."""

    def connectionMade(self):
        self.written = 0
        self.transport.registerProducer(self, True)
        self.resumeProducing()

    def resumeProducing(self):
        self.paused = False
        while not self.paused:
            self.written += 1000
            self.transport.write(bytes(1000))

    def pauseProducing(self):
        self.paused = True

    def stopProducing(self):
        self.paused = True


def test_a_pair_may_carry_by_itself():
    """What is written arrives a turn later, and so does the end."""
    turns = []
    pair = connect(Factory.forProtocol(Echo), Factory.forProtocol(Recorder), soon=turns.append)

    def turn():
        waiting = turns[:]
        turns.clear()
        for call in waiting:
            call()
        return len(waiting)

    client, server = pair.client.protocol, pair.server.protocol
    client.transport.write(b"hello")
    assert server.data == b""
    while turn():
        pass
    assert client.data == server.data == b"hello"
    client.transport.loseConnection()
    assert server.reasons == []
    while turn():
        pass
    assert [one.check(ConnectionDone) for one in server.reasons] == [ConnectionDone]
    assert pair.client.isClosed and pair.server.isClosed


def test_what_one_side_aborts_is_broken_for_the_other():
    """And not ended in order: what was on its way may be lost."""
    pair = connect(Factory.forProtocol(Recorder), Factory.forProtocol(Recorder))
    server = pair.server.protocol
    pair.client.protocol.transport.abortConnection()
    pair.pump()
    assert [one.check(ConnectionLost) for one in server.reasons] == [ConnectionLost]


def test_in_a_pair_that_carries_by_itself_who_does_not_read_has_the_other_wait():
    """As over a socket: what is on its way is bounded."""
    turns = []
    pair = connect(Factory.forProtocol(Source), Factory.forProtocol(Recorder), soon=turns.append)
    source, reader = pair.server.protocol, pair.client.protocol
    reader.transport.pauseProducing()
    while turns:
        turns.pop(0)()
    assert source.paused
    assert source.written < 3 * MARK
    before, reader_had = source.written, len(reader.data)
    reader.transport.resumeProducing()
    while len(reader.data) == reader_had:
        turns.pop(0)()
    for _ in range(4):
        turns.pop(0)()
    assert source.written > before
