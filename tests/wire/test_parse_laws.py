"""What holds of every byte stream that a RequestParser is fed, searched for with hypothesis."""

import sys
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.readings import PLAIN, cut, events_of, messages_of, reading_of, refusal_of
from tests.wire.rules import head
from tests.wire.streams import pipelines, small_limits, streams
from weblayer.wire.events import END, Bad, Head
from weblayer.wire.framing import CHUNKED
from weblayer.wire.parse import MOST_EVENTS, MOST_REMEMBERED, Limits, RequestParser

CHUNKS = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

places = st.lists(st.integers(0, 1000), max_size=6)
some_limits = st.none() | small_limits


@given(streams, some_limits, places)
def test_events_do_not_depend_on_how_bytes_arrive(raw, limits, places):
    """However the network cuts a stream, honest or not, the parser reports the same events."""
    assert reading_of(cut(raw, places), limits) == reading_of([raw], limits)


@given(streams, some_limits)
def test_one_byte_at_a_time_says_the_same(raw, limits):
    """The finest cut of all: every state is left and found again."""
    assert reading_of([raw[at : at + 1] for at in range(len(raw))], limits) == reading_of(
        [raw], limits
    )


@given(streams, some_limits, places)
def test_forgetting_between_messages_changes_nothing(raw, limits, places):
    """What an idle connection forgets is found again when the next message comes."""
    assert reading_of(cut(raw, places), limits, forgets=True) == reading_of([raw], limits)


@given(pipelines)
def test_what_was_sent_is_what_is_read(sent):
    """A well-formed pipeline is read as it was meant, to its end or the first close."""
    until = next((at for at, one in enumerate(sent, 1) if one.last), len(sent))
    events = events_of([b"".join(one.raw for one in sent)])
    assert messages_of(events) == [one.message for one in sent[:until]]
    assert refusal_of(events) is None


@given(streams, some_limits, places)
def test_events_have_a_grammar(raw, limits, places):
    """A head, and its body in pieces, none empty, with an end; a Bad anywhere, nothing after it."""
    begun = None
    for at, event in enumerate(events := events_of(cut(raw, places), limits)):
        if isinstance(event, Bad):
            assert event.status in {400, 414, 417, 431, 501, 505}
            assert at == len(events) - 1
        elif isinstance(event, Head):
            assert begun is None
            begun, length = event if event.facts.length else None, 0
        elif event is END:
            assert begun is not None
            assert begun.facts.length in (length, CHUNKED)
            begun = None
        else:
            assert begun is not None
            assert event
            length += len(event)


_ASKED = [
    b"GET / HTTP/1.1", b"GET /a?b HTTP/1.1", b"HEAD http://B:1/ HTTP/1.1", b"CONNECT c:1 HTTP/1.1",
    b"GET / HTTP/1.0", b"OPTIONS * HTTP/1.1", b"GET /#a HTTP/1.1", b"GET /\x7f HTTP/1.1",
    b"GET /\nX: HTTP/1.1", b"GET /\r\nX: HTTP/1.1", b"GET / x HTTP/1.1", b"GE\0T / HTTP/1.1",
]  # fmt: skip
_SAID = [
    [], [b"X: a"], [b"Host: b"], [b"Connection: close"], [b"Connection: keep-alive"],
    [b"Content-Length: 3"], [b"Transfer-Encoding: chunked"], [b"Expect: 100-continue"],
    [b"Expect: x"], [b"Connection: upgrade", b"Upgrade: h2c"], [b"Upgrade: h2c"],
    [b"Proxy-Connection: close"], [b"X: " + b"a" * MOST_REMEMBERED], [b"X : a"], [b"X: a\0"],
]  # fmt: skip


@st.composite
def _alike(draw):
    """Messages of one connection, whose request lines and fields come again and again."""
    lines = draw(st.lists(st.sampled_from(_ASKED), min_size=1, max_size=3))
    fields = draw(st.lists(st.sampled_from(_SAID), min_size=1, max_size=2))
    count = draw(st.integers(2, 6))
    heads = [head(*draw(st.sampled_from(fields)), line=draw(st.sampled_from(lines)))
             for _ in range(count)]  # fmt: skip
    bodies = {b"Content-Length": b"abc", b"Transfer-Encoding": b"3\r\nabc\r\n0\r\n\r\n"}
    return [raw + b"".join(b for name, b in bodies.items() if name in raw) for raw in heads]


@given(_alike(), places)
def test_each_message_is_read_as_if_it_came_alone(messages, places):
    """What was read of a head before, with the same fields or others, changes nothing."""
    alone = []
    for message in messages:
        events = events_of([message])
        alone += reading_of([message])
        if refusal_of(events) or not all(e.facts.keep_alive for e in events if type(e) is Head):
            break
    assert reading_of(cut(b"".join(messages), places)) == alone


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (head(b"Connection: chose"), head(b"Connection: close")),
        (head(b"Content-Length: 0"), head(b"Content-Length: 1") + b"a"),
        (head(host=b"Host: a"), head(host=b"Host: b")),
        (head(host=b"Host: a"), head(host=b"Hast: a")),
        (head(), head(line=b"GET / HTTP/1.0")),
        (head(), head(line=b"CONNECT / HTTP/1.1")),
    ],
)
def test_a_letter_makes_another_head(one, other):
    """What is read of one says nothing of the next, however alike they are."""
    assert reading_of([one + other]) == reading_of([one]) + reading_of([other])


@pytest.mark.parametrize("raw", [PLAIN, CHUNKS + b"1\r\na\r\n" * 9999 + b"0\r\n\r\n"])
def test_one_feed_makes_few_events(raw):
    """What else came with them waits as it came, until the parser is fed again, be it nothing."""
    parser, packet = RequestParser(), raw * (250_000 // len(raw))
    counts = [len(parser.feed(packet))]
    while parser.has_more:
        counts.append(len(parser.feed(b"")))
    assert max(counts) <= MOST_EVENTS
    assert sum(counts) == len(events_of([packet])) > 5000
    assert parser.is_idle


@given(streams, st.binary(max_size=50))
def test_nothing_is_read_after_bad(raw, more):
    """A parser that gave up stays so, and keeps nothing of what still comes."""
    parser = RequestParser()
    if refusal_of(parser.feed(raw + b"\x00\r\n\r\n")) is not None:
        assert parser.feed(more + PLAIN) == []


@given(st.binary(max_size=50))
def test_nothing_is_read_after_a_close(more):
    """What follows a request with `Connection: close` is no request (RFC 9112, 9.6)."""
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    parser = RequestParser()
    assert parser.feed(raw + more + PLAIN)[1:] == []
    assert parser.feed(PLAIN) == []


def test_heads_behind_one_that_was_cut_are_found_one_by_one():
    """What was searched of a long head is not taken off the next, shorter ones."""
    long = PLAIN.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * 100 + b"\r\n\r\n")
    raw = long + PLAIN * 3
    assert len(messages_of(events_of(cut(raw, [len(long) - 10])))) == 4


def test_a_thousand_requests_in_one_packet():
    """They are a thousand heads, in order, each whole by itself."""
    raw = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(1000))
    events = events_of([raw])
    assert [event.target for event in events] == [b"/%d" % n for n in range(1000)]


# Unit sent for ever, what comes before it, the limit it runs into, and the answer.
ENDLESS = {
    "request line": (b"a", b"GET /", "line", 414),
    "method": (b"a", b"", "line", 414),
    "field": (b"a", b"GET / HTTP/1.1\r\nX: ", "head", 431),
    "fields": (b"X: a\r\n", b"GET / HTTP/1.1\r\n", "head", 431),
    "chunk size": (b"0", CHUNKS, "chunk_line", 400),
    "chunk extension": (b"a", CHUNKS + b"1;", "chunk_line", 400),
    "trailer": (b"a", CHUNKS + b"0\r\nX: ", "chunk_line", 400),
    "trailers": (b"X: a\r\n", CHUNKS + b"0\r\n", "frame", 400),
    "empty lines": (b"\r\n", b"", "frame", 400),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_refused_at_its_limit(name):
    """No more is kept than the limit says: a packet of two bytes beyond it brings the Bad."""
    unit, before, limit, status = ENDLESS[name]
    parser, limits = RequestParser(), Limits()
    parser.feed(before)
    fed = 0
    while not (events := parser.feed(unit)):
        fed += len(unit)
        assert fed <= getattr(limits, limit) + len(unit)
    assert refusal_of(events) == status
    assert fed >= getattr(limits, limit) - len(before) - len(unit)


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_costs_little_memory(name):
    """Ten megabytes of it leave less behind than two heads of the largest size."""
    unit, before, _, _ = ENDLESS[name]
    packet = unit * (10_000 // len(unit))
    parser = RequestParser()
    parser.feed(before)
    tracemalloc.start()
    try:
        for _ in range(1000):
            parser.feed(packet)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2 * Limits().head


def test_an_idle_parser_keeps_no_request():
    """Between two requests the head and the body belong to whoever took the events."""
    parser = RequestParser()
    events = parser.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    begun, body, _ = events
    del events
    assert [sys.getrefcount(begun), sys.getrefcount(body)] == [2, 2]


def test_is_idle_between_messages_only():
    """Idle means that no message has begun that has not ended."""
    parser = RequestParser()
    idle = []
    for at in range(len(raw := CHUNKS + b"1\r\na\r\n0\r\nX: a\r\n\r\n")):
        idle.append(parser.is_idle)
        parser.feed(raw[at : at + 1])
    assert idle == [True] + [False] * (len(raw) - 1)
    assert parser.is_idle


def test_a_head_in_a_thousand_packets_is_not_searched_a_thousand_times():
    """60 kB in packets of one byte take far less than a second of CPU, not several."""
    long = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 10_000
    packets = [long[at : at + 1] for at in range(60_000)]
    before = time.process_time()
    events_of(packets)
    assert time.process_time() - before < 1
