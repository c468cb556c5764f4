"""The Cache-Control field: RFC 9111, 5.2."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weblayer.wire.cachecontrol import delta_seconds, format_cache_control, parse_cache_control


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, b""),
        ({"no_store": True}, b"no-store"),
        ({"public": True, "max_age": 60}, b"public, max-age=60"),
        (
            {"public": True, "immutable": True, "max_age": 31536000},
            b"public, immutable, max-age=31536000",
        ),
        ({"private": True, "no_cache": True, "max_age": 0}, b"private, no-cache, max-age=0"),
        (
            {"s_maxage": 1, "stale_while_revalidate": 2, "stale_if_error": 3},
            b"s-maxage=1, stale-while-revalidate=2, stale-if-error=3",
        ),
    ],
)
def test_writing(said, field):
    """Directives in the standard's words."""
    assert format_cache_control(**said) == field


def test_what_makes_no_sense():
    """Public and private at once, and time that runs backwards."""
    with pytest.raises(ValueError, match="exclude each other"):
        format_cache_control(public=True, private=True)
    with pytest.raises(ValueError, match="max-age must be 0 seconds or more"):
        format_cache_control(max_age=-1)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (b"", {}),
        (b"no-store", {b"no-store": None}),
        (b" Max-Age=60 ,, PUBLIC ", {b"max-age": b"60", b"public": None}),
        (
            b'private="set-cookie, x", max-age="60"',
            {b"private": b"set-cookie, x", b"max-age": b"60"},
        ),
        (b"max-age=1, max-age=2", {b"max-age": b"1"}),
        (b"max-age=, no-store", {b"no-store": None}),
        (b"max-age =1, no-store", {b"no-store": None}),
        (b'a="b, no-store', {b"no-store": None}),
        (b"\xff, no-store", {b"no-store": None}),
    ],
)
def test_reading(field, found):
    """The first of a name counts; what is malformed does not spoil its neighbours."""
    assert parse_cache_control(field) == found


@given(st.integers(0, 2**31), st.booleans(), st.booleans())
def test_what_is_written_is_read(age, no_cache, immutable):
    """Both ways."""
    field = format_cache_control(max_age=age, no_cache=no_cache, immutable=immutable)
    found = parse_cache_control(field)
    assert delta_seconds(found[b"max-age"]) == age
    assert (b"no-cache" in found, b"immutable" in found) == (no_cache, immutable)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"0", 0),
        (b"0060", 60),
        (b"2147483648", 2**31),
        (b"2147483649", 2**31),
        (b"9" * 5000, 2**31),
        (b"0" * 5000 + b"1", 1),
        (b"", None),
        (b"-1", None),
        (b"1.5", None),
        (b" 1", None),
        (None, None),
    ],
)
def test_seconds(value, seconds):
    """More than 31 bits hold is taken for what they hold."""
    assert delta_seconds(value) == seconds


@example(b"a\n")  # did not come to an end
@given(st.binary(max_size=60))
def test_no_field_is_too_odd(field):
    """Whatever is sent, each directive has a name."""
    assert all(parse_cache_control(field).keys())
