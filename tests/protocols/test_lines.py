"""Lines: the same lines however bytes are cut, and a program that acts in the middle of them."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.peers import peer_of, send_in_pieces, sizes
from weblayer.protocols.basic import LineOnlyReceiver, LineReceiver

KINDS = [LineOnlyReceiver, LineReceiver]


def listener(kind=LineReceiver, act=None, keeps=False, **attributes):
    """A class of *kind* that remembers events; *act(self, line)* is what a line does besides."""

    class Listener(kind):
        def __init__(self):
            self.events = []

        def lineReceived(self, line):
            self.events.append(line)
            if act:
                act(self, line)

        def rawDataReceived(self, data):
            self.events.append(("raw", data))

        def lineLengthExceeded(self, line):
            self.events.append(("long", line))
            if not keeps:
                super().lineLengthExceeded(line)

    for name, value in attributes.items():
        setattr(Listener, name, value)
    return Listener


def received(data, pieces=(10**9,), **options):
    """The events of a listener that *data* arrives at in pieces."""
    peer, protocol = peer_of(listener(**options))
    send_in_pieces(peer, data, pieces)
    return protocol.events


def model(data, delimiter, most):
    """What a receiver that stays open must tell of *data*, by its definition."""
    *lines, rest = data.split(delimiter)
    events = [line if len(line) <= most else ("long", line[:most]) for line in lines]
    if len(rest) >= most + len(delimiter):
        events.append(("long", rest[:most]))
    return events


delimiters = st.sampled_from([b"\r\n", b"\n", b"aa", b"aba", b"\0"])
# Many short ones, and packets that cut them anywhere.
texts = st.lists(
    st.sampled_from([b"a", b"b", b"\r", b"\n", b"\r\n", b"\0", b"xyz", b"xyzxyz\r\n"]), max_size=30
).map(b"".join)
packets = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=300)
@given(data=texts, delimiter=delimiters, most=st.integers(0, 5), pieces=packets)
def test_lines_do_not_depend_on_how_bytes_arrive(kind, data, delimiter, most, pieces):
    """Whatever is sent, however it is cut, the lines are those between the delimiters."""
    events = received(data, pieces, kind=kind, delimiter=delimiter, MAX_LENGTH=most, keeps=True)
    assert events == model(data, delimiter, most)


@given(
    lines=st.lists(st.binary(max_size=3000).filter(lambda line: b"\r\n" not in line + b"\n")),
    pieces=st.lists(st.integers(1, 5000), min_size=1),
)
def test_what_is_sent_is_received(lines, pieces):
    """sendLine and lineReceived are inverse to each other."""
    sender, protocol = peer_of(LineReceiver)
    for line in lines:
        protocol.sendLine(line)
    assert received(bytes(sender.received), pieces) == lines


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [20, 16384])
def test_a_line_of_the_greatest_length_is_a_line(kind, size):
    """MAX_LENGTH counts the line without its delimiter; one byte more is too long."""
    line = b"x" * size
    assert received(line + b"\r\n", kind=kind, MAX_LENGTH=size) == [line]
    assert received(line + b"y\r\n", kind=kind, MAX_LENGTH=size) == [("long", line)]


@pytest.mark.parametrize("kind", KINDS)
@given(pieces=sizes)
def test_a_line_that_is_too_long_ends_the_connection(kind, pieces):
    """By default lineLengthExceeded closes, and nothing behind the line is received."""
    peer, protocol = peer_of(listener(kind, MAX_LENGTH=8))
    send_in_pieces(peer, b"short\r\n" + b"x" * 90 + b"\r\nmore\r\n", pieces)
    assert protocol.events == [b"short", ("long", b"x" * 8)]
    assert peer.isClosed


def test_a_line_that_is_too_long_is_told_before_it_has_ended():
    """A peer that never ends its line is found out as soon as it is too long."""
    peer, protocol = peer_of(listener(MAX_LENGTH=8, keeps=True))
    peer.send(b"x" * 8 + b"\r")
    assert protocol.events == []
    peer.send(b"x")
    assert protocol.events == [("long", b"x" * 8)]


def test_the_rest_of_a_long_line_may_be_taken_raw():
    """setRawMode in lineLengthExceeded: every byte is delivered, none twice; then lines again."""

    class Spills(listener(MAX_LENGTH=4)):
        def lineLengthExceeded(self, line):
            self.events.append(("long", line))
            self.setRawMode()

        def rawDataReceived(self, data):
            super().rawDataReceived(data[:8])
            self.setLineMode(data[8:])

    peer, protocol = peer_of(Spills)
    peer.send(b"0123456789\r\na\r\n")
    assert protocol.events == [("long", b"0123"), ("raw", b"456789\r\n"), b"a"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_thousand_lines_in_one_packet(kind):
    """Many lines in one packet are delivered in a loop, in a time that grows with their number."""
    started = time.process_time()
    lines = [b"%d" % n for n in range(100_000)]
    assert received(b"\r\n".join(lines) + b"\r\n", kind=kind) == lines
    assert time.process_time() - started < 5  # it takes 0.05, and minutes if it were quadratic


def test_pausing_after_every_line_of_a_great_packet():
    """Each resume delivers the next line; pausing does not make the packet be read again."""
    peer, protocol = peer_of(listener(act=lambda self, line: self.pauseProducing()))
    started = time.process_time()
    peer.send(b"\r\n" * 50_000)
    for count in range(1, 50_001):
        assert len(protocol.events) == count
        protocol.resumeProducing()
    assert time.process_time() - started < 10  # it takes 0.7, and an hour if it were quadratic


@pytest.mark.parametrize("kind", KINDS)
@given(pieces=sizes)
def test_a_pause_inside_holds_the_lines_behind(kind, pieces):
    """After pauseProducing no line comes until resumeProducing, and then none is missing."""

    def act(self, line):
        if line == b"stop":
            self.pauseProducing()

    peer, protocol = peer_of(listener(kind, act))
    send_in_pieces(peer, b"a\r\nstop\r\nb\r\nstop\r\nc\r\n", pieces)
    assert protocol.events == [b"a", b"stop"]
    protocol.resumeProducing()
    peer.pump()
    assert protocol.events == [b"a", b"stop", b"b", b"stop"]
    protocol.resumeProducing()
    peer.pump()
    assert protocol.events[4:] == [b"c"]


def test_a_paused_receiver_does_not_read():
    """The peer's bytes wait outside, where its own buffers fill."""
    peer, protocol = peer_of(listener())
    protocol.pauseProducing()
    peer.send(b"a\r\n")
    assert protocol.events == []
    assert protocol.paused
    protocol.resumeProducing()
    peer.pump()
    assert protocol.events == [b"a"]


def test_pausing_and_resuming_in_one_line_changes_nothing():
    """Who resumes at once has not paused."""

    def act(self, line):
        self.pauseProducing()
        self.resumeProducing()

    assert received(b"a\r\nb\r\nc\r\n", act=act) == [b"a", b"b", b"c"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
def test_closing_inside_ends_the_lines(kind, end):
    """What came behind the line at which we closed is not delivered."""

    def act(self, line):
        if line == b"quit":
            getattr(self.transport, end)()

    assert received(b"a\r\nquit\r\nb\r\n" * 2, kind=kind, act=act) == [b"a", b"quit"]


def test_nothing_is_delivered_after_the_end():
    """Lines that were held back are dropped with the connection."""
    peer, protocol = peer_of(listener(act=lambda self, line: self.pauseProducing()))
    peer.send(b"a\r\nb\r\n")
    peer.reset()
    protocol.resumeProducing()
    assert protocol.events == [b"a"]


@given(pieces=sizes, size=st.integers(0, 30))
def test_raw_mode_takes_what_is_no_line(pieces, size):
    """After setRawMode bytes come as they are, until setLineMode gives back what is left."""

    class Bodies(listener()):
        def lineReceived(self, line):
            super().lineReceived(line)
            if line.isdigit():
                self.left, self.body = int(line), b""
                if self.left:
                    self.setRawMode()

        def rawDataReceived(self, data):
            self.body += data[: self.left]
            extra, self.left = data[self.left :], self.left - len(data)
            if self.left <= 0:
                self.events.append(("body", self.body))
                self.setLineMode(extra)

    body = b"\r\n?" * size
    peer, protocol = peer_of(Bodies)
    send_in_pieces(peer, b"%d\r\n%bend\r\n" % (len(body), body) * 3, pieces)
    one = [b"%d" % len(body), *[("body", body)] * bool(body), b"end"]
    assert protocol.events == one * 3


def test_switching_modes_again_and_again_in_a_great_packet():
    """A peer cannot make us copy a packet for every few bytes of it."""

    class Switches(listener(act=lambda self, line: self.setRawMode())):
        def rawDataReceived(self, data):
            self.setLineMode(data[28:])

    peer, protocol = peer_of(Switches)
    started = time.process_time()
    peer.send((b"\r\n" + b"?" * 28) * 150_000)
    assert protocol.events == [b""] * 150_000
    assert time.process_time() - started < 10  # it takes 1, and 20 if it copied the packet


def test_extra_comes_before_what_waits():
    """setLineMode puts *extra* in front of bytes that have not been delivered."""

    def act(self, line):
        if line == b"raw":
            self.setRawMode()
            self.pauseProducing()

    peer, protocol = peer_of(listener(act=act))
    peer.send(b"raw\r\nlast\r\n")
    protocol.setLineMode(b"first\r\n")
    protocol.resumeProducing()
    assert protocol.events == [b"raw", b"first", b"last"]


def test_raw_mode_set_later_takes_what_waits():
    """setRawMode outside of a callback delivers at once what was no line yet."""
    peer, protocol = peer_of(listener())
    peer.send(b"a\r\nno line")
    protocol.setRawMode()
    assert protocol.events == [b"a", ("raw", b"no line")]
    protocol.setLineMode(b"b\r\n")
    assert protocol.events[2:] == [b"b"]


def test_modes_may_be_set_before_the_connection():
    """setRawMode in __init__ means that no line is ever looked for."""

    class Raw(listener()):
        def __init__(self):
            super().__init__()
            self.setRawMode()

    peer, protocol = peer_of(Raw)
    peer.send(b"a\r\n")
    assert protocol.events == [("raw", b"a\r\n")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_delimiter_may_change_between_lines(kind):
    """What a line says of the lines behind it holds from the next one on."""

    def act(self, line):
        if line == b"a":
            self.delimiter, self.MAX_LENGTH = b";", 3

    peer, protocol = peer_of(listener(kind, act, keeps=True))
    peer.send(b"a\r\nb;\r\n;1234;")
    assert protocol.events == [b"a", b"b", b"\r\n", ("long", b"123")]
    peer.send(b"|c")
    protocol.delimiter = b"|"
    peer.send(b"|")
    assert protocol.events[4:] == [b"", b"c"]


def test_bytes_fed_from_within_come_last():
    """dataReceived called by the program itself, in a line, appends."""

    def act(self, line):
        if line == b"a":
            self.dataReceived(b"c\r\n")

    assert received(b"a\r\nb\r\n", act=act) == [b"a", b"b", b"c"]


def test_an_error_in_a_held_line_ends_the_connection():
    """What lineReceived raises reaches who resumed, and the connection does not go on."""

    def act(self, line):
        self.pauseProducing()
        if line == b"b":
            raise LookupError("no b")

    peer, protocol = peer_of(listener(act=act))
    peer.send(b"a\r\nb\r\nc\r\n")
    with pytest.raises(LookupError):
        protocol.resumeProducing()
    peer.pump()
    assert peer.isClosed
    assert protocol.events == [b"a", b"b"]


def test_text_is_refused():
    """Text for bytes is a TypeError that names it and says what to do."""
    peer, protocol = peer_of(listener())
    with pytest.raises(TypeError, match=r"sendLine: line must be bytes, not str.*line\.encode"):
        protocol.sendLine("text")
    with pytest.raises(TypeError, match="setLineMode: extra must be bytes, not str"):
        protocol.setLineMode("text")
    protocol.delimiter = "\n"
    with pytest.raises(TypeError, match="delimiter must be bytes, not str"):
        protocol.dataReceived(b"a\n")
    protocol.delimiter = b""
    with pytest.raises(ValueError, match="delimiter must not be empty"):
        protocol.dataReceived(b"a\n")
    assert peer.received == b""


@pytest.mark.parametrize(
    ("delimiter", "line"), [(b"\r\n", b"a\r\nb"), (b"\r\n", b"\r\n"), (b"aa", b"ba")]
)
def test_a_line_cannot_carry_another(delimiter, line):
    """sendLine refuses a line in which the peer would find the delimiter too early."""
    peer, protocol = peer_of(listener(delimiter=delimiter))
    with pytest.raises(ValueError, match="line must not contain the delimiter"):
        protocol.sendLine(line)
    assert peer.received == b""


def test_a_receiver_says_what_it_lacks():
    """A subclass that defines no lineReceived is told so."""
    _, protocol = peer_of(LineReceiver)
    with pytest.raises(NotImplementedError, match="LineReceiver must define lineReceived"):
        protocol.dataReceived(b"a\r\n")
