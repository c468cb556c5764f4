"""The fields that programs see: case, types, and what may not be set."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weblayer.wire.headers import Headers

text = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]))


def test_a_name_is_found_in_any_case():
    """And goes out as it was set."""
    headers = Headers({"Content-TYPE": ["text/html"]})
    assert headers.getHeader("content-type") == "text/html"
    assert headers.hasHeader(b"CONTENT-type")
    assert "content-Type" in headers
    assert headers.pairs() == [(b"Content-TYPE", b"text/html")]


def test_a_look_up_answers_in_the_type_asked():
    """Text for text, bytes for bytes."""
    headers = Headers({"a": ["é", b"b"]})
    assert headers.getRawHeaders("a") == ["é", "b"]
    assert headers.getRawHeaders(b"A") == [b"\xe9", b"b"]
    assert (headers.getHeader("a"), headers.getHeader(b"a")) == ("b", b"b")


def test_what_is_not_there():
    """None, or the default; to remove it is no error."""
    headers = Headers()
    headers.removeHeader("a")
    assert headers.getHeader("a") is None
    assert headers.getRawHeaders("a") is None
    assert headers.getRawHeaders("a", ["b"]) == ["b"]
    assert not headers.hasHeader("a")
    assert list(headers.getAllRawHeaders()) == []


def test_setting_replaces_and_adding_adds():
    """Values of one name stay together, names in the order first set."""
    headers = Headers()
    headers.addRawHeader("a", "1")
    headers.setHeader("b", "2")
    headers.addRawHeader("A", b"3")
    assert headers.pairs() == [(b"a", b"1"), (b"A", b"3"), (b"b", b"2")]
    headers.setHeader("a", "4")
    headers.setRawHeaders("b", ["5", b"6"])
    assert list(headers.getAllRawHeaders()) == [("a", ["4"]), ("b", ["5", "6"])]
    headers.removeHeader("A")
    headers.setRawHeaders("b", [])
    assert not headers.hasHeader("a")
    assert not headers.hasHeader("b")
    assert headers.pairs() == []


def test_a_copy_is_another():
    """It is equal until one of them changes."""
    headers = Headers({"a": ["b"]})
    copy = headers.copy()
    assert copy == headers
    copy.setHeader("a", "c")
    assert copy != headers
    assert headers.getHeader("a") == "b"


def test_defaults_are_for_what_is_not_set():
    """By any spelling of the name; and what is set afterwards is the one's alone."""
    headers, defaults = Headers({"a": ["1", "2"]}), Headers({"A": ["3"], "B": ["4", "5"]})
    headers.setRawHeaders("b", [])
    headers.setDefaults(defaults)
    assert headers == Headers({"a": ["1", "2"], "B": ["4", "5"]})
    headers.addRawHeader("b", "6")
    assert defaults == Headers({"A": ["3"], "B": ["4", "5"]})


def test_equality_knows_no_case_of_names():
    """Names are equal in any case, values are not."""
    assert Headers({"A": ["b"]}) == Headers({"a": ["b"]})
    assert Headers({"a": ["B"]}) != Headers({"a": ["b"]})
    assert Headers() != {}


@example([" a\t", "\t", " "], False)
@given(st.lists(text), st.booleans())
def test_every_latin_1_value_survives(values, as_bytes):
    """Save for the spaces around it, which no reader would see (RFC 9110, 5.5)."""
    headers = Headers()
    headers.setRawHeaders("x", [v.encode("latin-1") if as_bytes else v for v in values])
    assert (headers.getRawHeaders("x") or []) == [value.strip(" \t") for value in values]


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\n", "\r", "a\0", "\x1b[31m", "\x7f"])
def test_a_value_cannot_become_another_field(value):
    """Not through any setter, as text or bytes; and nothing is kept of it."""
    headers = Headers()
    for wrong in (value, value.encode()):
        for put in (headers.setHeader, headers.addRawHeader):
            with pytest.raises(ValueError, match="may hold no CR, LF, NUL"):
                put("x", wrong)
        with pytest.raises(ValueError, match="x"):
            headers.setRawHeaders("x", ["fine", wrong])
        with pytest.raises(ValueError, match="x"):
            Headers({"x": [wrong]})
    assert headers.pairs() == []


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é", "a\0"])
def test_a_name_is_a_token(name):
    """Once and again: what was refused is not remembered as checked."""
    headers = Headers()
    for _ in range(2):
        for wrong in (name, name.encode("latin-1")):
            with pytest.raises(ValueError, match="name must be a token"):
                headers.setHeader(wrong, "a")
    assert headers.pairs() == []


def test_text_beyond_latin_1_is_named():
    """The error says which parameter, and what to do."""
    with pytest.raises(ValueError, match="value is latin-1; encode '€'"):
        Headers().setHeader("x", "€")
    with pytest.raises(ValueError, match="name is latin-1"):
        Headers().setHeader("€", "x")


def test_other_types_are_named():
    """Numbers and the like are a TypeError that names the parameter."""
    headers = Headers()
    for put in (headers.setHeader, headers.addRawHeader):
        with pytest.raises(TypeError, match="value must be str or bytes, not 5"):
            put("content-length", 5)
    with pytest.raises(TypeError, match="name must be str or bytes, not None"):
        headers.getHeader(None)
    for one in ("text/html", b"text/html"):
        with pytest.raises(TypeError, match="values must be a list"):
            headers.setRawHeaders("content-type", one)


def test_what_a_parser_judged_is_taken_as_it_is():
    """Pairs in the order sent, grouped by name."""
    pairs = [(b"A", b"1"), (b"b", b"2"), (b"a", b"3")]
    headers = Headers.fromPairs(pairs)
    assert headers.pairs() == [(b"A", b"1"), (b"a", b"3"), (b"b", b"2")]
    assert repr(headers) == "<Headers {'A': ['1', '3'], 'b': ['2']}>"


def test_a_copy_goes_its_own_way():
    """Whatever is done to the one is not seen in the other."""
    first = Headers({"A": ["1"], "B": ["2"]})
    second = first.copy()
    second.addRawHeader("a", "3")
    second.setHeader("B", "4")
    first.addRawHeader("A", "5")
    first.removeHeader("B")
    assert first == Headers({"A": ["1", "5"]})
    assert second == Headers({"A": ["1", "3"], "B": ["4"]})
