"""What holds of every byte stream that an AnswerParser is fed, searched for with hypothesis."""

import time
import tracemalloc

import httptools
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.wire.answers import ANSWERS, METHODS, honest, odd, reading_of, small_limits, told
from tests.wire.readings import cut
from weblayer.wire.answer import LIMITS, AnswerHead, AnswerParser
from weblayer.wire.events import END, Bad

places = st.lists(st.integers(0, 1000), max_size=6)
some_limits = st.none() | small_limits


@given(ANSWERS, METHODS, some_limits, places)
def test_events_do_not_depend_on_how_bytes_arrive(raw, method, limits, places):
    """However the network cuts an answer, honest or not, the parser reports the same."""
    assert reading_of(cut(raw, places), method, limits) == reading_of([raw], method, limits)


@given(ANSWERS, METHODS, some_limits)
def test_one_byte_at_a_time_says_the_same(raw, method, limits):
    """The finest cut of all: every state is left and found again."""
    pieces = [raw[at : at + 1] for at in range(len(raw))]
    assert reading_of(pieces, method, limits) == reading_of([raw], method, limits)


@given(honest())
def test_what_was_sent_is_what_is_read(sent):
    """A well-formed answer is read as it was meant, to its end."""
    found, rest = reading_of([sent.raw])
    assert b"".join(one for one in found if isinstance(one, bytes)) == sent.body
    assert found[-1] == "end"
    assert rest == b""


@given(honest(), st.integers(0, 10_000))
def test_a_cut_answer_is_never_taken_for_whole(sent, at):
    """What breaks off is Bad at its end, wherever; only a body framed by close cannot know."""
    at %= len(sent.raw)
    found, _ = reading_of([sent.raw[:at]])
    head_stops = sent.raw.rindex(b"\r\n\r\n", 0, len(sent.raw) - len(sent.body)) + 4
    if sent.until_close and at >= head_stops:
        assert found[-1] == "end"
    else:
        assert found[-1] == "bad"


@given(honest(), st.binary(min_size=1, max_size=20))
def test_what_stands_behind_an_answer_is_its_rest(sent, more):
    """Bytes behind an answer are no part of it, and are kept apart."""
    assume(not sent.until_close)
    found, rest = reading_of([sent.raw + more])
    assert rest == more
    assert found == reading_of([sent.raw])[0]


@given(ANSWERS, METHODS, some_limits, places)
def test_events_have_a_grammar(raw, method, limits, places):
    """Interim heads, the head, its body in pieces, none empty, and an end; or a Bad, anywhere."""
    parser = AnswerParser(limits) if limits else AnswerParser()
    parser.begin(method)
    events = [event for piece in cut(raw, places) for event in parser.feed(piece)]
    final = None
    for at, event in enumerate(events):
        if isinstance(event, Bad) or event is END:
            assert at == len(events) - 1
            assert parser.is_over
        elif isinstance(event, AnswerHead):
            assert final is None
            final = event if event.code >= 200 or event.code == 101 else None
        else:
            assert event
            assert final is not None
            assert method != b"HEAD"


@given(odd())
def test_a_head_that_we_take_llhttp_takes_too(raw):
    """Another reader judges each head the same, folds aside, and reads the same fields."""

    class Seen:
        def __init__(self):
            self.fields = []

        def on_header(self, name, value):
            self.fields.append((name, value))

    events = [one for one in events_of(b"HEAD", raw) if isinstance(one, AnswerHead)]
    for head in events:
        assume(head.raw in raw)  # a fold, which llhttp refuses, is on one line now
        seen = Seen()
        judge = httptools.HttpResponseParser(seen)
        try:
            judge.feed_data(head.raw)
        except httptools.HttpParserError as error:
            # It minds framing where there is no body, and stops for another protocol.
            if "Pause" not in str(error):
                assert "Content-Length" in str(error) or "Transfer-Encoding" in str(error)
                continue
        assert [(n, v.rstrip(b" \t")) for n, v in seen.fields] == head.fields()


def events_of(method, raw):
    parser = AnswerParser()
    parser.begin(method)
    return parser.feed(raw)


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

# Unit sent for ever, what comes before it, and the limit it runs into.
ENDLESS = {
    "status line": (b"a", b"HTTP/1.1 200 ", LIMITS.head),
    "field": (b"a", HEAD + b"X: ", LIMITS.head),
    "fields": (b"X: a\r\n", HEAD, LIMITS.head),
    "chunk size": (b"0", CHUNKS, LIMITS.chunk_line),
    "chunk extension": (b"a", CHUNKS + b"1;", LIMITS.chunk_line),
    "trailer": (b"a", CHUNKS + b"0\r\nX: ", LIMITS.chunk_line),
    "trailers": (b"X: a\r\n", CHUNKS + b"0\r\n", LIMITS.frame),
    "interim answers": (b"HTTP/1.1 102 P\r\n\r\n", b"", 101 * 18),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_refused_at_its_limit(name):
    """No more is kept than the limit says: a few bytes beyond it bring the Bad, and no sooner."""
    unit, before, limit = ENDLESS[name]
    parser = AnswerParser()
    parser.begin(b"GET")
    parser.feed(before)
    fed = 0
    while not (events := [one for one in parser.feed(unit) if isinstance(one, Bad)]):
        fed += len(unit)
        assert fed <= limit + len(unit)
    assert events[0].status == 502
    assert fed >= limit - len(before) - len(unit)


def test_a_body_costs_no_memory():
    """A hundred megabytes in chunks leave nothing behind."""
    parser, chunk = AnswerParser(), b"10000\r\n" + b"a" * 65536 + b"\r\n"
    parser.begin(b"GET")
    parser.feed(CHUNKS)
    tracemalloc.start()
    try:
        for _ in range(1600):
            parser.feed(chunk)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1024


def test_a_head_in_a_thousand_packets_is_not_searched_a_thousand_times():
    """60 kB in packets of one byte take far less than a second of CPU, not several."""
    head = HEAD + b"X: a\r\n" * 10_000
    packets = [head[at : at + 1] for at in range(60_000)]
    before = time.process_time()
    reading_of(packets)
    assert time.process_time() - before < 1


def test_a_head_behind_one_that_was_cut_is_found():
    """What was searched of a long head is not taken off the next, shorter one."""
    parser, short = AnswerParser(), b"HTTP/1.1 204 OK\r\n\r\n"
    long = HEAD + b"X: " + b"a" * 100 + b"\r\nContent-Length: 0\r\n\r\n"
    for raw in (long[:-2], long[-2:], short):
        if raw != long[-2:]:
            parser.begin(b"GET")
        events = parser.feed(raw)
    assert [one.code for one in events[:-1]] == [204]


def test_the_same_head_again_is_the_same_object():
    """A connection that answers alike judges its answers once."""
    parser = AnswerParser()
    heads = []
    for _ in range(2):
        parser.begin(b"GET")
        heads.append(parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")[0])
    assert heads[0] is heads[1]


@given(st.lists(honest(), min_size=2, max_size=2), st.lists(st.tuples(st.booleans(), METHODS)))
def test_what_was_answered_before_changes_nothing(answers, asked):
    """A connection that knows a head reads an answer as a new one does, to whatever method."""
    parser = AnswerParser()
    for again, method in asked:
        raw = answers[again].raw
        parser.begin(method)
        found = told(parser.feed(raw))
        assert (found, parser.rest) == reading_of([raw], method, ends=False)
        if not parser.is_over or parser.rest:
            break
