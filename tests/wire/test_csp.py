"""Content-Security-Policy: CSP Level 3, 2.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.csp import SecurityPolicy


@pytest.mark.parametrize(
    ("directives", "plain", "with_nonce"),
    [
        ({}, b"", b""),
        ({b"default-src": b"'self'"}, b"default-src 'self'", b"default-src 'self'"),
        (
            {b"script-src": b"'self'  'nonce'", b"style-src": b"'nonce' a.test", b"sandbox": b""},
            b"script-src 'self'; style-src a.test; sandbox",
            b"script-src 'self' 'nonce-abc'; style-src 'nonce-abc' a.test; sandbox",
        ),
        ({b"script-src": b"'nonce'"}, b"script-src 'none'", b"script-src 'nonce-abc'"),
    ],
)
def test_a_policy_with_and_without_a_nonce(directives, plain, with_nonce):
    """Where no page has asked for one, nothing is let in by it."""
    policy = SecurityPolicy(directives)
    assert (policy.plain, policy.with_nonce(b"abc")) == (plain, with_nonce)
    assert policy.takes_nonce is (plain != with_nonce)


NAMES = st.from_regex(rb"[a-z-]{1,8}", fullmatch=True)


@given(NAMES | st.binary(max_size=4), st.binary(max_size=10))
def test_a_directive_cannot_become_two(name, value):
    """A value that ends it, or the field, is an error."""
    try:
        policy = SecurityPolicy({name: value})
    except ValueError:
        return
    assert policy.plain.isascii()
    assert not {*b";,\r\n\0"} & {*policy.plain}


@pytest.mark.parametrize(
    "directive", [(b"", b"a"), (b"a b", b"c"), (b"a", b"b; c"), (b"a", b"b, c"), (b"a", b"\xe4")]
)
def test_what_is_no_directive_is_told(directive):
    """Each by its name and its value."""
    with pytest.raises(ValueError, match="a directive is"):
        SecurityPolicy(dict([directive]))
