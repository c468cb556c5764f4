"""What requests that say the same have in common, and how much of it is remembered."""

import pytest

from weblayer.client.draft import LONGEST_KEPT, drafted


def asked(uri, fields=()):
    return drafted("GET", uri, fields, None, False, False)


def test_what_is_asked_again_is_judged_once():
    """A program asks for the same few over and over."""
    assert asked("http://a/again") is asked("http://a/again")


@pytest.mark.parametrize(
    ("uri", "fields"),
    [
        ("http://a/" + "x" * LONGEST_KEPT, ()),
        ("http://a/", ((b"Cookie", b"c" * LONGEST_KEPT),)),
    ],
    ids=["address", "fields"],
)
def test_what_is_long_is_not_remembered(uri, fields):
    """Its length may be a stranger's choice: a link, a cookie. It says the same all the same."""
    one, other = asked(uri, fields), asked(uri, fields)
    assert one is not other
    assert one.head == other.head
