"""The Accept-Language field: RFC 9110, 12.5.4, and RFC 4647, 3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.language import choose_language

OFFERS = [b"en", b"de", b"pt-BR", b"zh-Hant-TW"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, b"en"),
        (b"", b"en"),
        (b"de", b"de"),
        (b"DE", b"de"),
        (b"de-CH, de;q=0.9, en;q=0.8", b"de"),
        (b"de-CH-1996", b"de"),
        (b"en;q=0.5, de;q=0.7", b"de"),
        (b"pt", b"pt-BR"),
        (b"pt-BR", b"pt-BR"),
        (b"pt-PT, de;q=0.5", b"de"),
        (b"zh-Hant", b"zh-Hant-TW"),
        (b"de, en", b"de"),
        (b"fr, de;q=0.5", b"de"),
        (b"fr, *;q=0.5", b"en"),
        (b"*", b"en"),
        (b"en;q=0, *", b"de"),
        (b"en-US;q=0, en", b"en"),
        (b"en-GB, de-CH;q=0", b"en"),
        (b"d", None),
        (b"fr", None),
        (b"en;q=0", None),
        (b"*;q=0", None),
    ],
)
def test_the_peer_gets_what_it_wants_most(accept, chosen):
    """A range takes what lies within it, and what it is too narrow for when nothing fits better."""
    assert choose_language(OFFERS, accept) == chosen


def test_nothing_to_offer():
    """There is nothing to choose."""
    assert choose_language([], None) is None
    assert choose_language([], b"en") is None


@given(st.binary(max_size=100))
def test_no_field_is_too_odd(field):
    """Whatever a peer sends, the answer is an offer or a refusal."""
    assert choose_language(OFFERS, field) in [*OFFERS, None]


@given(st.permutations([b"en;q=0.1", b"de;q=0.4", b"pt;q=0.3", b"*;q=0.2"]))
def test_weights_go_before_places(members):
    """They are the peer's word, wherever in the field they stand."""
    assert choose_language(OFFERS, b",".join(members)) == b"de"
