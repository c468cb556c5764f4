"""Percent-encoding: RFC 3986, 2."""

from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.percent import percent_decode, percent_encode

odd = st.lists(st.sampled_from(b"%0aFgz+/"), max_size=12).map(bytes)


@given(st.binary())
def test_what_is_encoded_is_decoded(data):
    """Every byte survives."""
    assert percent_decode(percent_encode(data)) == data


@given(st.binary())
def test_an_encoded_segment_is_one_segment(data):
    """It holds no slash, nothing that ends a path, a link or a field, and only ASCII."""
    assert not set(percent_encode(data)) & set(b"/?#\"'<>&\\ \r\n\0+;")
    assert percent_encode(data).isascii()


@given(st.binary() | odd)
def test_it_decodes_as_the_standard_library_does(data):
    """Once, each pair of hex digits of either case, and nothing else."""
    assert percent_decode(data) == unquote_to_bytes(data)


@given(st.binary())
def test_it_encodes_what_the_standard_library_would(data):
    """Save for the delimiters that mean nothing in a segment (RFC 3986, 3.3)."""
    assert percent_encode(data).decode() == quote_from_bytes(data, safe="!$()*,:@")


@pytest.mark.parametrize(
    ("data", "decoded"),
    [
        (b"", b""),
        (b"a%20b", b"a b"),
        (b"%2e%2E", b".."),
        (b"%252e", b"%2e"),
        (b"%", b"%"),
        (b"%2", b"%2"),
        (b"%g0%20", b"%g0 "),
        (b"%%41", b"%A"),
        (b"a+b", b"a+b"),
        (b"%00", b"\0"),
    ],
)
def test_decoding(data, decoded):
    """A per cent sign without two hex digits stays; a plus is a plus; nothing is decoded twice."""
    assert percent_decode(data) == decoded
