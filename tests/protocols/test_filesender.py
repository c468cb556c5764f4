"""A file is sent at the pace of its reader, and its end is told."""

import io

import pytest

from tests.protocols.peers import Recorder, peer_of
from weblayer.loop.deferred import CancelledError
from weblayer.protocols.basic import FileSender, TransferStopped

BIG = bytes(range(256)) * 4096  # a mebibyte: more than a transport buffers


def outcome(deferred):
    """What *deferred* has fired with; a list, empty while it has not."""
    found = []
    deferred.addBoth(found.append)
    return found


def test_the_whole_file_arrives():
    """Every byte in order, the file left open, and the Deferred fires with the last."""
    peer, protocol = peer_of(Recorder)
    file = io.BytesIO(b"skipped" + BIG)
    file.seek(7)
    done = outcome(FileSender().beginFileTransfer(file, protocol.transport))
    peer.pump()
    assert peer.received == BIG
    assert done == [BIG[-1:]]
    assert not file.closed


def test_an_empty_file():
    """Nothing is sent, and the Deferred fires with no last byte."""
    peer, protocol = peer_of(Recorder)
    assert outcome(FileSender().beginFileTransfer(io.BytesIO(), protocol.transport)) == [b""]
    assert peer.received == b""


def test_each_piece_is_transformed():
    """*transform* changes what is sent, and the last byte is one that was sent."""
    peer, protocol = peer_of(Recorder)
    sender = FileSender()
    sender.CHUNK_SIZE = 2
    done = outcome(
        sender.beginFileTransfer(
            io.BytesIO(b"abcde"), protocol.transport, lambda piece: piece.upper().strip(b"CDE")
        )
    )
    peer.pump()
    assert peer.received == b"AB"
    assert done == [b"B"]


def test_a_peer_that_does_not_read_is_waited_for():
    """No more than the transport's mark and a piece is read ahead."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    file = io.BytesIO(BIG)
    done = outcome(FileSender().beginFileTransfer(file, protocol.transport))
    peer.pump()
    assert file.tell() <= 3 * FileSender.CHUNK_SIZE
    assert done == []
    while peer.waiting:
        peer.read(50_000)
    assert peer.received == BIG
    assert done == [BIG[-1:]]


def test_closing_waits_for_the_file():
    """loseConnection after the beginning lets all of it out."""
    peer, protocol = peer_of(Recorder)
    done = outcome(FileSender().beginFileTransfer(io.BytesIO(BIG), protocol.transport))
    protocol.transport.loseConnection()
    peer.pump()
    assert peer.received == BIG
    assert peer.isClosed
    assert done == [BIG[-1:]]


def test_a_peer_that_leaves_is_told():
    """The Deferred fails with TransferStopped; so it does on a connection that has ended."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    done = outcome(FileSender().beginFileTransfer(io.BytesIO(BIG), protocol.transport))
    peer.reset()
    assert done[0].check(TransferStopped)
    late = outcome(FileSender().beginFileTransfer(io.BytesIO(BIG), protocol.transport))
    assert late[0].check(TransferStopped)


def test_a_file_that_fails():
    """What reading or transforming raises is the Deferred's, and the connection stays usable."""
    peer, protocol = peer_of(Recorder)

    class Broken:
        def read(self, size):
            raise OSError("bad disk")

    done = outcome(FileSender().beginFileTransfer(Broken(), protocol.transport))
    assert done[0].check(OSError)
    done = outcome(
        FileSender().beginFileTransfer(io.BytesIO(BIG), protocol.transport, lambda piece: 1 / 0)
    )
    assert done[0].check(ZeroDivisionError)
    protocol.transport.write(b"sorry")
    assert peer.received == b"sorry"


def test_text_is_refused():
    """A file of text, or a transform that gives it, is a TypeError that says what to do."""
    _, protocol = peer_of(Recorder)
    done = outcome(FileSender().beginFileTransfer(io.StringIO("text"), protocol.transport))
    assert 'open it with mode "rb"' in done[0].getErrorMessage()
    done = outcome(
        FileSender().beginFileTransfer(io.BytesIO(b"x"), protocol.transport, lambda piece: "text")
    )
    assert "transform gives must be bytes, not str" in done[0].getErrorMessage()


def test_cancelling_sends_no_more():
    """The Deferred fails with CancelledError, and another producer may follow."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    deferred = FileSender().beginFileTransfer(io.BytesIO(BIG), protocol.transport)
    done = outcome(deferred)
    deferred.cancel()
    assert done[0].check(CancelledError)
    before = peer.waiting
    peer.startReading()
    peer.pump()
    assert len(peer.received) == before
    after = outcome(FileSender().beginFileTransfer(io.BytesIO(b"next"), protocol.transport))
    peer.pump()
    assert after == [b"t"]


def test_one_transfer_at_a_time():
    """A second one is a RuntimeError, on the same sender or on the same transport."""
    peer, protocol = peer_of(Recorder)
    peer.stopReading()
    sender = FileSender()
    done = outcome(sender.beginFileTransfer(io.BytesIO(BIG), protocol.transport))
    with pytest.raises(RuntimeError, match="make one for each transfer"):
        sender.beginFileTransfer(io.BytesIO(BIG), protocol.transport)
    other = FileSender()
    with pytest.raises(RuntimeError, match="is registered"):
        other.beginFileTransfer(io.BytesIO(BIG), protocol.transport)
    peer.startReading()
    peer.pump()
    assert peer.received == BIG
    assert done
    again = outcome(other.beginFileTransfer(io.BytesIO(b"x"), protocol.transport))
    peer.pump()
    assert again == [b"x"]
