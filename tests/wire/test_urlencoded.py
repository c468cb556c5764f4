"""Queries and urlencoded forms: WHATWG URL, 5.1."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.errors import BadMessage
from weblayer.wire.forms import parse_urlencoded


@given(st.lists(st.tuples(st.binary(), st.binary()), max_size=8))
def test_what_is_encoded_is_read(pairs):
    """Any bytes survive, in names and values, in order, repeats too."""
    assert parse_urlencoded(urlencode(pairs).encode()) == pairs


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        (b"", []),
        (b"&&", []),
        (b"a", [(b"a", b"")]),
        (b"a=", [(b"a", b"")]),
        (b"=a", [(b"", b"a")]),
        (b"a=b=c", [(b"a", b"b=c")]),
        (b"a=1&a=2", [(b"a", b"1"), (b"a", b"2")]),
        (b"a+b=c+d", [(b"a b", b"c d")]),
        (b"a=%2B%20%26", [(b"a", b"+ &")]),
        (b"a=%", [(b"a", b"%")]),
        (b"a=%4&b=%zz&c=%%41", [(b"a", b"%4"), (b"b", b"%zz"), (b"c", b"%A")]),
        (b"a%3db=%26&%2541", [(b"a=b", b"&"), (b"%41", b"")]),
        (b"_charset_=latin-1&a=\xe4", [(b"_charset_", b"latin-1"), (b"a", b"\xe4")]),
        (b"a;b=c", [(b"a;b", b"c")]),
        (b"%61=%ff", [(b"a", b"\xff")]),
    ],
)
def test_reading(data, pairs):
    """A plus is a space, a semicolon separates nothing, a name needs no `=`, bytes stay bytes."""
    assert parse_urlencoded(data) == pairs


def test_the_number_of_pairs_is_limited():
    """As many as asked pass; one more is a 400, before any is decoded."""
    assert len(parse_urlencoded(b"a&" * 9 + b"a", most=10)) == 10
    with pytest.raises(BadMessage) as caught:
        parse_urlencoded(b"a&" * 10 + b"a", most=10)
    assert caught.value.status == 400


@given(st.binary())
def test_no_form_is_too_odd(data):
    """Whatever is sent is pairs."""
    assert len(parse_urlencoded(data)) <= data.count(b"&") + 1
