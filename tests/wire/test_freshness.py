"""Whether what the client holds is still good: RFC 9110, 13."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weblayer.wire.dates import format_date
from weblayer.wire.etags import is_etag, parse_etags
from weblayer.wire.freshness import Conditions, is_unmodified, judge_conditions

moments = st.integers(0, 4_000_000_000)

THEN, NOW, LATER = (format_date(1_000_000_000 + n) for n in (-1, 0, 1))
MODIFIED = 1_000_000_000


def verdict(method=b"GET", etag=b'"a"', modified=MODIFIED, exists=True, **conditions):
    return judge_conditions(method, Conditions(**conditions), etag, modified, exists)


@given(moments, moments)
def test_unmodified_is_not_later(since, modified):
    """A page of the same second, or an older one, has not changed."""
    assert is_unmodified(format_date(since), modified) == (modified <= since)


@pytest.mark.parametrize("since", [None, b"", b"0", b"yesterday", b"-1"])
def test_what_is_no_date_is_ignored(since):
    """As if the field were not there: the page is sent."""
    assert not is_unmodified(since, 0)
    assert verdict(if_modified_since=since) is None
    assert verdict(b"PUT", if_unmodified_since=since) is None


@pytest.mark.parametrize(
    ("held", "etag", "code"),
    [
        (b'"a"', b'"a"', 304),
        (b'W/"a"', b'"a"', 304),
        (b'"a"', b'W/"a"', 304),
        (b'W/"a"', b'W/"a"', 304),
        (b'"v1", "v0"', b'"v1"', 304),
        (b'"v1", "v0"', b'"v0"', 304),
        (b'"v1","v0"', b'"v0"', 304),
        (b' , "v1" ,, W/"a,b" ,', b'"a,b"', 304),
        (b"*", b'"a"', 304),
        (b" * ", None, 304),
        (b'""', b'""', 304),
        (b'"\xc3\xa4"', b'"\xc3\xa4"', 304),
        (b'"b"', b'"a"', None),
        (b'"A"', b'"a"', None),
        (b'"a"', None, None),
        (b"", b'"a"', None),
        # malformed: nothing matches, and the page is sent
        (b"a", b'"a"', None),
        (b'"a" "b"', b'"a"', None),
        (b'w/"a"', b'"a"', None),
        (b'"b", *', b'"a"', None),
        (b'"a", "b', b'"a"', None),
        (b'"a b"', b'"a b"', None),
    ],
)
def test_if_none_match(held, etag, code):
    """Tags are compared weakly: what means the same need not be sent again."""
    assert verdict(b"GET", etag, if_none_match=held) == code
    assert verdict(b"HEAD", etag, if_none_match=held) == code
    assert verdict(b"PUT", etag, if_none_match=held) == (412 if code else None)


@pytest.mark.parametrize(
    ("wanted", "etag", "code"),
    [
        (b'"a"', b'"a"', None),
        (b'"b", "a"', b'"a"', None),
        (b"*", b'"a"', None),
        (b"*", None, None),
        (b'"b"', b'"a"', 412),
        (b'W/"a"', b'"a"', 412),
        (b'"a"', b'W/"a"', 412),
        (b'W/"a"', b'W/"a"', 412),
        (b'"a"', None, 412),
        (b"", b'"a"', 412),
        (b"a", b'"a"', 412),
        (b'"a", b', b'"a"', 412),
        (b'"a", *', b'"a"', 412),
    ],
)
def test_if_match(wanted, etag, code):
    """Tags are compared strongly, and what is malformed matches nothing: nothing is overwritten."""
    for method in (b"PUT", b"DELETE", b"POST", b"PATCH", b"GET", b"HEAD"):
        assert verdict(method, etag, if_match=wanted) == code


def test_a_page_that_is_not_there():
    """It matches no tag and no star: a PUT with `If-None-Match: *` makes it."""
    for held in (b"*", b'"a"'):
        assert verdict(b"PUT", None, None, exists=False, if_none_match=held) is None
        assert verdict(b"PUT", None, None, exists=False, if_match=held) == 412
    assert verdict(b"PUT", None, None, exists=False, if_unmodified_since=THEN) is None


@pytest.mark.parametrize(("date", "unmodified"), [(THEN, False), (NOW, True), (LATER, True)])
def test_dates(date, unmodified):
    """A page of the same second has not changed since."""
    assert verdict(if_modified_since=date) == (304 if unmodified else None)
    assert verdict(b"HEAD", if_modified_since=date) == (304 if unmodified else None)
    for method in (b"PUT", b"GET"):
        assert verdict(method, if_unmodified_since=date) == (None if unmodified else 412)


def test_if_modified_since_is_for_reading():
    """Other methods do not know it."""
    assert verdict(b"POST", if_modified_since=LATER) is None


def test_a_page_without_a_date():
    """Conditions on its date are ignored."""
    assert verdict(modified=None, if_modified_since=LATER) is None
    assert verdict(b"PUT", modified=None, if_unmodified_since=THEN) is None


@pytest.mark.parametrize("method", [b"OPTIONS", b"CONNECT", b"TRACE"])
def test_methods_without_conditions(method):
    """They neither read a page nor change one."""
    assert verdict(method, if_match=b'"b"', if_none_match=b"*", if_unmodified_since=THEN) is None


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        # a tag that is asked for goes before a date
        ({"if_none_match": b'"b"', "if_modified_since": LATER}, None),
        ({"if_none_match": b"", "if_modified_since": LATER}, None),
        ({"if_none_match": b'"a"', "if_modified_since": THEN}, 304),
        ({"if_match": b'"a"', "if_unmodified_since": THEN}, None),
        ({"if_match": b'"b"', "if_unmodified_since": LATER}, 412),
        # what would change too much goes before what is held already
        ({"if_match": b'"b"', "if_none_match": b'"a"'}, 412),
        ({"if_match": b'"a"', "if_none_match": b'"a"'}, 304),
        ({"if_unmodified_since": THEN, "if_none_match": b'"a"'}, 412),
        ({"if_unmodified_since": LATER, "if_modified_since": LATER}, 304),
        ({}, None),
    ],
)
def test_the_order_of_conditions(conditions, code):
    """RFC 9110, 13.2.2."""
    assert verdict(**conditions) == code


fields = st.none() | st.binary(max_size=30) | st.sampled_from([b"*", b'"a"', b'W/"a"', NOW])


@example(b"GET", b'"a"\n', b"\n", b"\n", b"\n", True)  # did not come to an end
@given(
    st.sampled_from([b"GET", b"HEAD", b"PUT", b"X"]), fields, fields, fields, fields, st.booleans()
)
def test_no_conditions_are_too_odd(method, one, two, three, four, exists):
    """Whatever is sent is answered, 304 only to who reads."""
    found = judge_conditions(method, Conditions(one, two, three, four), b'"a"', 0, exists)
    assert found in ((None, 304, 412) if method in (b"GET", b"HEAD") else (None, 412))


@given(st.lists(st.from_regex(rb'(W/)?"[!#-~\x80-\xff]*"', fullmatch=True), max_size=5))
def test_a_list_of_tags_is_read(tags):
    """Every tag, commas within it too, in the order sent."""
    assert parse_etags(b", ".join(tags)) == tags
    assert all(map(is_etag, tags))


@pytest.mark.parametrize("value", [b"a", b'"', b'"a', b'"a"b', b'"a", "b"', b"W/a", b'"a"\n', b"*"])
def test_what_is_no_tag(value):
    """A tag has its quotes, and is one."""
    assert not is_etag(value)
