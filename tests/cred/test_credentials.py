"""Credentials as values: names and passwords in any spelling, and nothing in logs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.cred.credentials import BearerToken, UsernameHashedPassword, UsernamePassword

# JSON can bring half of a surrogate pair: that is text too.
anything = st.text(st.characters(codec=None), min_size=1, max_size=30)


@given(username=anything, password=anything)
def test_a_password_is_itself_and_no_other(username, password):
    """Whatever characters it has; the name does not matter."""
    credentials = UsernamePassword(username, password)
    assert credentials.checkPassword(password)
    assert not credentials.checkPassword(password + "x")
    assert UsernameHashedPassword(username, password).checkPassword(password)


@given(username=st.binary(), password=st.binary())
def test_bytes_are_utf8_and_survive(username, password):
    """What is UTF-8 is decoded, what is not is still told apart."""
    credentials = UsernamePassword(username, password)
    assert credentials.username.encode("utf-8", "surrogateescape") == username
    assert credentials.checkPassword(password)
    assert not credentials.checkPassword(password + b"\xff")


def test_text_is_compared_as_it_was_typed():
    """Nothing is normalised: files of other programs are not either."""
    assert not UsernamePassword("ada", "e\u0301").checkPassword("\u00e9")
    assert UsernamePassword("ada", "\u00e9").checkPassword(b"\xc3\xa9")


@pytest.mark.parametrize("kind", [UsernamePassword, UsernameHashedPassword])
def test_anything_but_text_is_told(kind):
    """A TypeError that names the parameter, without its value."""
    with pytest.raises(TypeError, match="username"):
        kind(None, "secret")
    with pytest.raises(TypeError) as told:
        kind("ada", ["secret"])
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "credentials",
    [
        UsernamePassword("ada", "secret"),
        UsernameHashedPassword("ada", "secret"),
        BearerToken("secret"),
    ],
)
def test_secrets_are_not_printed(credentials):
    """A log may show credentials."""
    assert "secret" not in f"{credentials!r} {credentials}"


def test_a_token_is_itself_and_no_other():
    """Compared in constant time, so not with `==`."""
    assert BearerToken("t0ken").checkToken("t0ken")
    assert not BearerToken("t0ken").checkToken("t0keN")
