"""The Accept-Encoding field: RFC 9110, 12.5.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.coding import IDENTITY, choose_coding
from weblayer.wire.weights import MAX_MEMBERS

OFFERS = [b"br", b"zstd", b"gzip", b"deflate"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, IDENTITY),
        (b"", IDENTITY),
        (b" , ", IDENTITY),
        (b"gzip", b"gzip"),
        (b"GZIP", b"gzip"),
        (b"x-gzip", b"gzip"),
        (b"gzip, deflate, br, zstd", b"br"),
        (b"gzip, deflate", b"gzip"),
        (b"deflate, gzip", b"gzip"),
        (b"gzip;q=0.5, deflate;q=0.8", b"deflate"),
        (b"gzip ; q=0.5 ,\tdeflate;Q=0.8", b"deflate"),
        (b"gzip;q=0.001", b"gzip"),
        (b"gzip;q=0", IDENTITY),
        (b"gzip;q=0.5, identity", IDENTITY),
        (b"gzip;q=0.5, identity;q=0.5", b"gzip"),
        (b"identity", IDENTITY),
        (b"compress", IDENTITY),
        (b"*", b"br"),
        (b"br;q=0, *", b"zstd"),
        (b"gzip, *;q=0.5", b"gzip"),
        (b"gzip;q=0.2, *;q=0.5", b"br"),
        (b"identity;q=0, gzip", b"gzip"),
        (b"*;q=0, gzip", b"gzip"),
        (b"identity, *;q=0", IDENTITY),
        (b"identity;q=0", None),
        (b"*;q=0", None),
        (b"compress, identity;q=0", None),
        (b"gzip;q=0, gzip", IDENTITY),
        # malformed members neither count nor spoil their neighbours
        (b"br;q=2, gzip", b"gzip"),
        (b"br;q=, gzip", b"gzip"),
        (b"br;level=3, gzip", b"gzip"),
        (b"b r, gzip", b"gzip"),
        (b"br;q=0.1234, \xff, gzip", b"gzip"),
    ],
)
def test_the_peer_gets_what_it_wants_most(accept, chosen):
    """Weight first, then our own order, and no coding last of all."""
    assert choose_coding(OFFERS, accept) == chosen


def test_nothing_to_offer():
    """No coding is left, unless it is refused; to offer it by name changes nothing."""
    assert choose_coding([], b"gzip") == IDENTITY
    assert choose_coding([], b"identity;q=0") is None
    assert choose_coding([IDENTITY, b"gzip"], b"gzip") == b"gzip"


@given(st.binary(max_size=100))
def test_no_field_is_too_odd(field):
    """Whatever a peer sends, the answer is an offer, no coding, or a refusal."""
    assert choose_coding(OFFERS, field) in [*OFFERS, IDENTITY, None]


def test_the_length_of_a_field_is_limited():
    """What stands behind so many members is not read."""
    assert choose_coding(OFFERS, b"x," * (MAX_MEMBERS - 1) + b"gzip") == b"gzip"
    assert choose_coding(OFFERS, b"x," * MAX_MEMBERS + b"gzip") == IDENTITY
