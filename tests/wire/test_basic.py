"""The scheme Basic, as it is read."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.basic import parse_basic

words = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", codec="utf-8"))


@given(words.filter(lambda word: ":" not in word), words)
def test_what_is_written_is_read(name, password):
    """The password may hold colons."""
    data = f"{name}:{password}".encode()
    assert parse_basic(b64encode(data)) == (name.encode(), password.encode())


@pytest.mark.parametrize("data", [b"", b"ada", b"ada:\n", b"\0:a", b"ada:\x7f"])
def test_what_is_no_name_and_password_is_none(data):
    """Controls included: RFC 7617, 2."""
    assert parse_basic(b64encode(data)) is None


@given(st.binary())
def test_anything_is_read(data):
    """Whatever is sent is a pair, or none."""
    assert parse_basic(data) is None or b":" not in parse_basic(data)[0]


def test_the_example_of_the_standard():
    """Source: RFC 7617, 2 and 2.1."""
    assert parse_basic(b"QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == (b"Aladdin", b"open sesame")
    assert parse_basic(b"dGVzdDoxMjPCow==") == (b"test", "123£".encode())
