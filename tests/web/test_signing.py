"""Signed values: what comes back is what we gave, or it is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weblayer.loop.timers import Clock
from weblayer.web.signing import BadSignature, SignatureExpired, Signer

OLD, NEW = "an old key of more than 16 bytes", b"a new key of more than 16 bytes"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=JSON)
@example(value=["a" * 10_000])
@example(value="\udcff")
def test_what_was_signed_comes_back(value):
    """Whatever JSON can say, as text that needs no quotes in a URL or a cookie."""
    signer = Signer(OLD, "test")
    signed = signer.sign(value)
    assert signed.isascii()
    assert not set(signed) & set(" %&=+/?#\"',;\\")
    assert signer.unsign(signed) == signer.unsign(signed.encode()) == value


@given(place=st.integers(min_value=0), letter=st.characters())
def test_what_was_changed_is_refused(place, letter):
    """In any place, to any letter: also where the bits of a letter have no meaning."""
    signer = Signer(OLD, "test")
    signed = signer.sign({"user": "ada"})
    place %= len(signed)
    changed = signed[:place] + letter + signed[place + 1 :]
    if changed != signed:
        with pytest.raises(BadSignature):
            signer.unsign(changed)


def test_a_signature_has_one_spelling():
    """Each last letter but the right one is refused: base64 leaves bits open there."""
    signer = Signer(OLD, "test")
    signed = signer.sign("a")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = []
    for letter in letters:
        try:
            accepted.append(signer.unsign(signed[:-1] + letter))
        except BadSignature:
            continue
    assert accepted == ["a"]


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "é", "\udcff", "a" * 100_000, b"\xff.\xff"]
)
def test_what_was_never_signed_is_refused(text):
    """Whatever a stranger sends."""
    with pytest.raises(BadSignature):
        Signer(OLD, "test").unsign(text)


def test_a_purpose_is_not_another():
    """What is signed to invite somebody does not log them in."""
    signed = Signer(OLD, "invitation").sign("ada")
    with pytest.raises(BadSignature):
        Signer(OLD, "login").unsign(signed)


def test_keys_are_changed_without_a_break():
    """The first signs; what another has signed is accepted as long as it is among them."""
    signed = Signer(OLD, "test").sign("a")
    both = Signer([NEW, OLD], "test")
    assert both.unsign(signed) == "a"
    assert Signer(NEW, "test").unsign(both.sign("b")) == "b"
    for keys, text in ((NEW, signed), (OLD, both.sign("b"))):
        with pytest.raises(BadSignature):
            Signer(keys, "test").unsign(text)


def test_what_is_too_old_is_refused():
    """By a clock that can be given, and to the second."""
    clock = Clock()
    signer = Signer(OLD, "test", seconds=clock.seconds)
    signed = signer.sign("a")
    clock.advance(60)
    assert signer.unsign(signed, maxAge=60) == "a"
    clock.advance(1)
    with pytest.raises(SignatureExpired):
        signer.unsign(signed, maxAge=60)
    assert signer.unsign(signed) == "a"


def test_what_comes_from_the_future_is_refused():
    """Where an age is asked for: a clock was set back, and who knows what else is wrong."""
    signed = Signer(OLD, "test", seconds=lambda: 100.0).sign("a")
    with pytest.raises(SignatureExpired):
        Signer(OLD, "test", seconds=lambda: 99.0).unsign(signed, maxAge=60)


@pytest.mark.parametrize("keys", [[], "short", [NEW, b"short"]])
def test_a_key_that_can_be_guessed_is_refused(keys):
    """And the message does not show it."""
    with pytest.raises(ValueError, match="keys must have") as caught:
        Signer(keys, "test")
    assert "short" not in str(caught.value)


def test_a_key_is_text_or_bytes():
    """A number is a TypeError that names the parameter."""
    with pytest.raises(TypeError, match="keys"):
        Signer([12345], "test")


def test_what_is_no_json_is_not_signed():
    """An object is a TypeError: nothing is ever pickled."""
    with pytest.raises(TypeError):
        Signer(OLD, "test").sign(object())
