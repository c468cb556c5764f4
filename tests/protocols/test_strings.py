"""Strings with their length before them: the same strings however bytes are cut."""

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.peers import peer_of, send_in_pieces, sizes
from weblayer.protocols.basic import (
    Int8StringReceiver,
    Int16StringReceiver,
    Int32StringReceiver,
    IntNStringReceiver,
    NetstringReceiver,
    StatefulStringProtocol,
    StringTooLongError,
)


class LittleEndian(IntNStringReceiver):
    """A format of a program's own."""

    structFormat = "<H"
    prefixLength = 2


KINDS = [
    Int8StringReceiver,
    Int16StringReceiver,
    Int32StringReceiver,
    LittleEndian,
    NetstringReceiver,
]
each_kind = pytest.mark.parametrize("kind", KINDS)


def listener(kind, act=None, keeps=True, most=99999):
    """A class of *kind* that remembers events; *act(self, string)* is what it does besides."""

    class Listener(kind):
        MAX_LENGTH = most

        def __init__(self):
            self.events = []

        def stringReceived(self, string):
            self.events.append(string)
            if act:
                act(self, string)

        def lengthLimitExceeded(self, length):
            self.events.append(("long", length))
            if not keeps:
                super().lengthLimitExceeded(length)

        def parseFailed(self, error):
            self.events.append("bad")
            if not keeps:
                super().parseFailed(error)

    return Listener


def sent(kind, strings):
    """What *kind* writes for *strings*."""
    peer, protocol = peer_of(kind)
    for string in strings:
        protocol.sendString(string)
    return bytes(peer.received)


strings = st.lists(st.binary(max_size=60))


@each_kind
@given(strings=strings, pieces=sizes, most=st.integers(0, 50))
def test_what_is_sent_is_received(kind, strings, pieces, most):
    """However bytes are cut: each string, or its length when it is too long, in order."""
    peer, protocol = peer_of(listener(kind, most=most))
    send_in_pieces(peer, sent(kind, strings), pieces)
    assert protocol.events == [s if len(s) <= most else ("long", len(s)) for s in strings]


@each_kind
@given(pieces=sizes)
def test_a_string_that_is_too_long_ends_the_connection(kind, pieces):
    """By default lengthLimitExceeded closes, once, and nothing behind it is received."""
    peer, protocol = peer_of(listener(kind, keeps=False, most=8))
    send_in_pieces(peer, sent(kind, [b"short", b"x" * 99, b"more"]), pieces)
    assert protocol.events == [b"short", ("long", 99)]
    assert peer.isClosed


@pytest.mark.parametrize(
    ("kind", "head"),
    [(Int32StringReceiver, b"\xff\xff\xff\xff"), (NetstringReceiver, b"9" * 19 + b":")],
)
def test_a_long_string_is_told_by_its_length(kind, head):
    """It is refused before any of it has come, and skipping it keeps none of it."""
    peer, protocol = peer_of(listener(kind))
    peer.send(head)
    assert protocol.events == [("long", int(head[:-1]) if b":" in head else 2**32 - 1)]
    for _ in range(100):
        peer.send(b"x" * 100_000)
    assert len(protocol.events) == 1


@each_kind
def test_a_hundred_thousand_strings_in_one_packet(kind):
    """Many strings in one packet are delivered in a loop."""
    peer, protocol = peer_of(listener(kind))
    peer.send(sent(kind, [b"x"]) * 100_000)
    assert protocol.events == [b"x"] * 100_000


@each_kind
@given(pieces=sizes)
def test_a_pause_inside_holds_the_strings_behind(kind, pieces):
    """After pauseProducing none comes until resumeProducing, and then none is missing."""
    peer, protocol = peer_of(listener(kind, lambda self, string: self.pauseProducing()))
    expected = [b"a", b"", b"c"]
    send_in_pieces(peer, sent(kind, expected), pieces)
    for count in (1, 2, 3):
        assert protocol.events == expected[:count]
        protocol.resumeProducing()
        peer.pump()


@each_kind
def test_closing_inside_ends_the_strings(kind):
    """What came behind the string at which we closed is not delivered."""
    peer, protocol = peer_of(listener(kind, lambda self, string: self.transport.loseConnection()))
    peer.send(sent(kind, [b"a", b"b"]))
    assert protocol.events == [b"a"]
    assert peer.isClosed


@pytest.mark.parametrize(
    ("kind", "wire"),
    [
        (Int8StringReceiver, b"\5hello"),
        (Int16StringReceiver, b"\0\5hello"),
        (Int32StringReceiver, b"\0\0\0\5hello"),
        (LittleEndian, b"\5\0hello"),
        (NetstringReceiver, b"5:hello,"),
    ],
)
def test_the_bytes_on_the_wire(kind, wire):
    """Each format is the one that others speak."""
    assert sent(kind, [b"hello"]) == wire


@pytest.mark.parametrize(("kind", "bits"), [(Int8StringReceiver, 8), (Int16StringReceiver, 16)])
def test_a_string_longer_than_its_prefix_can_say(kind, bits):
    """It is refused, and nothing is sent; one byte less is sent."""
    peer, protocol = peer_of(kind)
    with pytest.raises(StringTooLongError, match=rf"shorter than 2\*\*{bits} bytes"):
        protocol.sendString(bytes(1 << bits))
    assert peer.received == b""
    protocol.sendString(bytes((1 << bits) - 1))
    assert len(peer.received) == bits // 8 + (1 << bits) - 1


@each_kind
def test_text_is_refused(kind):
    """Text for bytes is a TypeError that names it and says what to do."""
    peer, protocol = peer_of(kind)
    with pytest.raises(TypeError, match=r"string must be bytes, not str.*string\.encode"):
        protocol.sendString("text")
    assert peer.received == b""


BAD = [b"x", b"5hello", b":,", b"05:hello,", b"00:,", b"-1:,", b" 1:a,", b"1:ab", b"0:x", b"1" * 20]


@pytest.mark.parametrize("bad", BAD)
@given(pieces=sizes)
def test_what_is_no_netstring_is_told_once(bad, pieces):
    """At the first wrong byte, whatever the program does; what follows is not received."""
    peer, protocol = peer_of(listener(NetstringReceiver))
    send_in_pieces(peer, b"2:ok," + bad + b",3:not,", pieces)
    peer.send(b"3:not,")
    assert protocol.events == [b"ok", "bad"]
    peer, protocol = peer_of(listener(NetstringReceiver, keeps=False))
    send_in_pieces(peer, b"2:ok," + bad + b",3:not,", pieces)
    assert peer.isClosed


@given(pieces=sizes)
def test_a_skipped_netstring_must_end_too(pieces):
    """A netstring that was too long, and has no comma, is told as any other."""
    peer, protocol = peer_of(listener(NetstringReceiver, most=3))
    send_in_pieces(peer, b"5:hello,1:a,5:helloX1:a,", pieces)
    assert protocol.events == [("long", 5), b"a", ("long", 5), "bad"]


class Greeter(StatefulStringProtocol, NetstringReceiver):
    """A conversation of three states."""

    said = b""

    def proto_init(self, string):
        return "named" if string == b"hello" else None

    def proto_named(self, string):
        self.said += string
        return "done" if string == b"bye" else "lost" if string == b"lose" else "named"


def test_a_state_is_a_method():
    """Each string goes to the state's method, which gives the next; "done" closes."""
    peer, protocol = peer_of(Greeter)
    peer.send(sent(NetstringReceiver, [b"?", b"hello", b"a", b"bye", b"b"]))
    assert protocol.said == b"abye"
    assert peer.isClosed


def test_a_state_without_a_method_is_told():
    """The error names the method that is missing, and the connection ends."""
    peer, protocol = peer_of(Greeter)
    peer.send(sent(NetstringReceiver, [b"hello", b"lose"]))
    with pytest.raises(NotImplementedError, match="Greeter must define proto_lost"):
        protocol.dataReceived(b"1:a,")


def test_a_great_string_in_small_packets():
    """A string is not copied again for each packet of it."""
    peer, protocol = peer_of(listener(Int32StringReceiver, most=1 << 30))
    size, packet = 50_000_000, bytes(1000)
    started = time.process_time()
    peer.send(struct.pack("!I", size))
    for _ in range(size // 1000):
        protocol.dataReceived(packet)
    assert protocol.events == [bytes(size)]
    assert time.process_time() - started < 10  # it takes 0.2, and minutes if it were quadratic
