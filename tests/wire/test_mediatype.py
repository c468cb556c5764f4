"""The Content-Type field, and parameters: RFC 9110, 8.3, 5.6.4 and 5.6.6; RFC 8187."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.extvalue import format_ext_value, parse_ext_value
from weblayer.wire.mediatype import parse_media_type
from weblayer.wire.parameters import parse_parameters, quote, unquote


@pytest.mark.parametrize(
    ("field", "kind", "charset"),
    [
        (b"text/html", b"text/html", None),
        (b" Text/HTML ;charset=UTF-8 ", b"text/html", b"utf-8"),
        (b'text/html; charset="utf-8"', b"text/html", b"utf-8"),
        (b'text/html; a="b;charset=x"; charset=y;', b"text/html", b"y"),
        (b"text/html; charset=a; CHARSET=b", b"text/html", b"a"),
        (b"text/html;;charset=a", b"text/html", b"a"),
        (b"application/problem+json", b"application/problem+json", None),
    ],
)
def test_types(field, kind, charset):
    """In lower case; of several charsets the first counts."""
    media = parse_media_type(field)
    assert (media.type, media.charset) == (kind, charset)


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"text",
        b"text/",
        b"/html",
        b"text/html/x",
        b"text /html",
        b"text/html, text/plain",
        b"text/html; charset",
        b"text/html; charset=",
        b"text/html; charset = a",
        b'text/html; charset="a',
        b'text/html; charset="a"b',
        b'text/html; charset="\r\n"',
        b"text/html; charset=\xff",
        b"text/html\n",
    ],
)
def test_what_is_no_type(field):
    """Malformed is None: two readers could take it for two types."""
    assert parse_media_type(field) is None


def test_parameters_in_order():
    """Repeats too, names in lower case, quotes and backslashes taken off."""
    media = parse_media_type(b'a/b; X=1; y="a\\"\\b\\\\ \xff"; x=2')
    assert media.parameters == [(b"x", b"1"), (b"y", b'a"b\\ \xff'), (b"x", b"2")]
    assert media.parameter(b"x") == b"1"
    assert media.parameter(b"z") is None


values = st.lists(st.sampled_from(b'a"\\;,= \t\x80\xff/'), max_size=8).map(bytes)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b-c"]), values), max_size=5))
def test_what_is_quoted_is_read(pairs):
    """Any value comes back, tokens without quotes."""
    written = b"".join(b"; %b=%b" % (name, quote(value)) for name, value in pairs if value)
    assert parse_parameters(written) == [pair for pair in pairs if pair[1]]
    assert all(unquote(quote(value)) == value for _, value in pairs)


def test_a_token_needs_no_quotes():
    """What is no token, nothing at all included, has them."""
    assert (quote(b"abc"), quote(b"a c"), quote(b"")) == (b"abc", b'"a c"', b'""')


@given(st.binary(max_size=60))
def test_no_field_is_too_odd(data):
    """Whatever is sent is a type or none."""
    for field in (data, b"a/b;" + data, b'a/b;c="' + data):
        media = parse_media_type(field)
        assert media is None or media.type.count(b"/") == 1


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_as_an_extended_value(text):
    """And is written in characters that any field may hold."""
    written = format_ext_value(text.encode())
    assert parse_ext_value(written) == text.encode()
    assert written.isascii()
    assert not set(b"\"\\;, \r\n'") & set(written.removeprefix(b"UTF-8''"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"utf-8'en'%c2%A3", b"\xc2\xa3"),
        (b"iso-8859-1'en'%A3%20rates", b"\xc2\xa3 rates"),
        (b"UTF-8''", b""),
        (b"UTF-8''a b", None),
        (b"UTF-8''%4", None),
        (b"UTF-8''%zz", None),
        (b"UTF-8''%ff", None),
        (b"UTF-8'a", None),
        (b"utf-16''a", None),
        (b"''a", None),
        (b"a", None),
        (b"", None),
    ],
)
def test_extended_values(value, text):
    """The standard's own examples; what is malformed is None."""
    assert parse_ext_value(value) == text
