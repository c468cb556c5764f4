"""Dates as HTTP writes them: RFC 9110, 5.6.7."""

import locale
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.dates import format_date, parse_date

# The standard's own moment, in its three forms.
MOMENT = 784111777
FORMS = [
    b"Sun, 06 Nov 1994 08:49:37 GMT",
    b"Sunday, 06-Nov-94 08:49:37 GMT",
    b"Sun Nov  6 08:49:37 1994",
]


@given(st.integers(0, 253402300799))
def test_what_is_written_is_read(seconds):
    """Every second of the years 1970 to 9999 survives."""
    assert parse_date(format_date(seconds)) == seconds


@given(st.floats(0, 4e9))
def test_a_fraction_is_cut_off(seconds):
    """A date never lies in the future of what it dates."""
    assert format_date(seconds) == format_date(int(seconds))


def test_a_date_is_written_in_the_first_form():
    """English, in GMT, of 29 bytes."""
    assert format_date(MOMENT) == FORMS[0]
    assert format_date(0) == b"Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.mark.parametrize("form", FORMS)
def test_three_forms_are_read(form):
    """The form of today and the two older ones, with spaces around them."""
    assert parse_date(form) == MOMENT
    assert parse_date(b"\t" + form + b" ") == MOMENT


def test_names_do_not_follow_the_locale():
    """HTTP speaks English wherever the server stands."""
    before = locale.setlocale(locale.LC_TIME)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            assert format_date(MOMENT) == FORMS[0]
            assert parse_date(FORMS[0]) == MOMENT
    finally:
        locale.setlocale(locale.LC_TIME, before)


def test_a_leap_second_is_the_one_after_it():
    """The grammar allows :60; the count of seconds does not know it."""
    assert parse_date(b"Sat, 31 Dec 2016 23:59:60 GMT") == 1483228800


def test_february_has_its_days():
    """The 29th of a leap year is a date, of another year it is none."""
    assert parse_date(b"Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800
    assert parse_date(b"Wed, 29 Feb 2023 00:00:00 GMT") is None


@pytest.mark.parametrize(
    ("year", "written"), [(b"70", b"1970"), (b"99", b"1999"), (b"00", b"2000"), (b"69", b"2069")]
)
def test_years_of_two_digits(year, written):
    """They lie between 1970 and 2069."""
    short, full = b"Monday, 06-Nov-%b 08:49:37 GMT", b"Mon, 06 Nov %b 08:49:37 GMT"
    assert parse_date(short % year) == parse_date(full % written)


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"0",
        b"now",
        b"Sun, 06 Nov 1994 08:49:37",
        b"Sun, 06 Nov 1994 08:49:37 UTC",
        b"Sun, 06 Nov 1994 08:49:37 +0000",
        b"Sun, 6 Nov 1994 08:49:37 GMT",
        b"sun, 06 nov 1994 08:49:37 gmt",
        b"Sun, 06 Foo 1994 08:49:37 GMT",
        b"Sun, 00 Nov 1994 08:49:37 GMT",
        b"Sun, 31 Nov 1994 08:49:37 GMT",
        b"Sun, 06 Nov 1994 24:49:37 GMT",
        b"Sun, 06 Nov 1994 08:60:37 GMT",
        b"Sun, 06 Nov 1994 08:49:61 GMT",
        b"Sun, 06 Nov 0000 08:49:37 GMT",
        b"Sun, 06 Nov 1994 08:49:37 GMT\n",
        b"Sun, 06 Nov 1994 08:49:37 GMT; x",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT".encode(),
    ],
)
def test_what_is_no_date(field):
    """It is None: the field is to be ignored (RFC 9110, 13.1.3)."""
    assert parse_date(field) is None


MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
numbers = st.integers(0, 99)


@given(numbers, st.integers(1, 12), st.integers(0, 9999), numbers, numbers, numbers)
def test_a_date_is_read_when_it_is_one(day, month, year, hour, minute, second):
    """The calendar of the standard library agrees, but for the leap second."""
    clock = f"{hour:02}:{minute:02}:{second:02}"
    found = parse_date(f"Sun, {day:02} {MONTHS[month - 1]} {year:04} {clock} GMT".encode())
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        assert found is None or second == 60
    else:
        assert found == moment.timestamp()


@given(st.binary(max_size=40) | st.lists(st.sampled_from(FORMS)).map(b"".join).map(bytes.lower))
def test_no_field_is_too_odd(field):
    """Whatever a peer sends instead of a date is no date, and no error."""
    assert parse_date(field) is None
