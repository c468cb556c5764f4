"""Parts of a body: RFC 9110, 14."""

from email import message_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.dates import format_date
from weblayer.wire.ranges import (
    MAX_ASKED,
    MAX_PARTS,
    RangeNotSatisfiable,
    allows_range,
    content_range,
    frame_byteranges,
    parse_range,
    unsatisfied_range,
)

BODY = bytes(range(100))

# Each as it is written, and the slice of a body that it means.
numbers = st.integers(0, 130)
specs = st.one_of(
    numbers.map(lambda first: (b"%d-" % first, lambda body: body[first:])),
    numbers.map(lambda count: (b"-%d" % count, lambda body: body[-count:] if count else b"")),
    st.tuples(numbers, numbers)
    .map(sorted)
    .map(lambda two: (b"%d-%d" % tuple(two), lambda body: body[two[0] : two[1] + 1])),
)


def parts_of(field, body=BODY):
    return [body[start:stop] for start, stop in parse_range(field, len(body)) or []]


@given(specs, st.binary(min_size=1, max_size=110))
def test_a_range_is_a_slice(spec, body):
    """The bytes that are meant, all that there are of them; a 416 when there are none."""
    text, meant = spec
    if meant(body):
        assert parts_of(b"bytes=" + text, body) == [meant(body)]
    else:
        with pytest.raises(RangeNotSatisfiable) as caught:
            parse_range(b"bytes=" + text, len(body))
        assert (caught.value.status, caught.value.size) == (416, len(body))


@given(st.lists(specs, min_size=1, max_size=MAX_PARTS))
def test_several_ranges_are_their_bytes_once(asked):
    """Every byte that was asked for is sent, and none twice, in no more parts than were asked."""
    wanted = {byte for _, meant in asked for byte in meant(BODY)}
    try:
        parts = parts_of(b"bytes=" + b" ,\t".join(text for text, _ in asked))
    except RangeNotSatisfiable:
        assert not wanted
    else:
        assert sorted(b"".join(parts)) == sorted(wanted)
        assert len(parts) <= len(asked)


@pytest.mark.parametrize(
    ("field", "spans"),
    [
        (b"bytes=0-0", [(0, 1)]),
        (b"bytes=0-", [(0, 100)]),
        (b"bytes=-500", [(0, 100)]),
        (b"bytes=90-1000", [(90, 100)]),
        (b"bytes=0-99999999999999999", [(0, 100)]),
        (b"BYTES=000-0009", [(0, 10)]),
        (b" bytes= , 1-1,, 3-3\t, ", [(1, 2), (3, 4)]),
        (b"bytes=9-9,1-1,5-5", [(9, 10), (1, 2), (5, 6)]),
        (b"bytes=50-59,0-9,55-69,10-10", [(50, 70), (0, 11)]),
        (b"bytes=0-9,10-19", [(0, 20)]),
        (b"bytes=100-,0-0,-0", [(0, 1)]),
        (b"bytes=-10,95-", [(90, 100)]),
    ],
)
def test_spans(field, spans):
    """In the order asked; those that overlap or touch are one, and what misses is left out."""
    assert parse_range(field, 100) == spans


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"bytes",
        b"bytes=",
        b"bytes=,",
        b"bytes=-",
        b"bytes=a-b",
        b"bytes=1",
        b"bytes=1-0",
        b"bytes=0-0,5-4",
        b"bytes=--1",
        b"bytes=+1-2",
        b"bytes=1 - 2",
        b"bytes=1-2-3",
        b"bytes=\xb2-",
        b"bytes =0-0",
        b"lines=0-0",
        b"0-0",
        b"bytes=" + b"9" * 5000 + b"-",
    ],
)
def test_what_is_ignored(field):
    """Another unit, and what is malformed: the whole is sent."""
    assert parse_range(field, 100) is None


@pytest.mark.parametrize("field", [b"bytes=100-", b"bytes=100-200,300-", b"bytes=-0"])
def test_what_cannot_be_satisfied(field):
    """No range touches the body."""
    with pytest.raises(RangeNotSatisfiable):
        parse_range(field, 100)


@pytest.mark.parametrize("field", [b"bytes=0-", b"bytes=-1", b"bytes=5-9"])
def test_an_empty_body_is_sent_whole(field):
    """It has no part, and no Content-Range could say so."""
    assert parse_range(field, 0) is None


def test_the_number_of_parts_is_limited():
    """So many are sent; for more the whole is. What can be joined counts once."""
    apart = [b"%d-%d" % (n, n) for n in range(0, 2 * MAX_PARTS + 2, 2)]
    assert len(parse_range(b"bytes=" + b",".join(apart[:-1]), 100)) == MAX_PARTS
    assert parse_range(b"bytes=" + b",".join(apart), 100) is None
    assert parse_range(b"bytes=" + b",".join([b"0-0"] * MAX_ASKED), 100) == [(0, 1)]
    assert parse_range(b"bytes=" + b",".join([b"0-0"] * (MAX_ASKED + 1)), 100) is None


@given(st.binary(max_size=60), st.integers(0, 200))
def test_no_field_is_too_odd(data, size):
    """Whatever is sent, spans lie within the body and are not empty; or it is a 416."""
    for field in (data, b"bytes=" + data):
        try:
            spans = parse_range(field, size) or []
        except RangeNotSatisfiable:
            continue
        assert all(0 <= start < stop <= size for start, stop in spans)


DATE = format_date(1_000_000_000)


@pytest.mark.parametrize(
    ("if_range", "etag", "modified", "allowed"),
    [
        (None, None, None, True),
        (b'"a"', b'"a"', None, True),
        (b'"a"', b'"b"', 1_000_000_000, False),
        (b'"a"', None, None, False),
        (b'W/"a"', b'W/"a"', None, False),
        (b'W/"a"', b'"a"', None, False),
        (b'"a"', b'W/"a"', None, False),
        (DATE, b'"a"', 1_000_000_000, True),
        (DATE, None, 999_999_999, False),
        (DATE, None, 1_000_000_001, False),
        (DATE, None, None, False),
        (b"a", b'"a"', None, False),
        (b'"a", "b"', b'"a"', None, False),
        (b"", b'"a"', None, False),
        (b"*", b'"a"', None, False),
    ],
)
def test_if_range(if_range, etag, modified, allowed):
    """A part is sent only of the very body that the client holds parts of."""
    assert allows_range(if_range, etag, modified) is allowed


def test_content_range():
    """First and last byte, both of them included, and how many there are."""
    (span,) = parse_range(b"bytes=0-9", 100)
    assert content_range(span, 100) == b"bytes 0-9/100"
    assert unsatisfied_range(100) == b"bytes */100"


@given(st.lists(specs, min_size=1, max_size=8), st.sampled_from([None, b"text/plain"]))
def test_byteranges_are_a_multipart_body(asked, kind):
    """The announced length is the length, and a reader of mail finds the parts."""
    try:
        spans = parse_range(b"bytes=" + b",".join(text for text, _ in asked), len(BODY))
    except RangeNotSatisfiable:
        return
    framing = frame_byteranges(spans, len(BODY), kind, b"xyz")
    pieces = [BODY[start:stop] for start, stop in spans]
    pairs = zip(framing.heads, pieces, strict=True)
    raw = b"".join(head + piece for head, piece in pairs) + framing.close
    assert len(raw) == framing.length
    top = b"Content-Type: multipart/byteranges; boundary=xyz\r\n\r\n"
    parts = message_from_bytes(top + raw).get_payload()
    assert [part["Content-Range"].encode() for part in parts] == [
        content_range(span, len(BODY)) for span in spans
    ]
    assert {part["Content-Type"] for part in parts} == {kind and kind.decode()}
    for piece in pieces:
        assert b"\r\n\r\n" + piece + b"\r\n--xyz" in raw
