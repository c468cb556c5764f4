"""Whose page asks: RFC 6454, and Fetch, 3.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.origins import Origins


@pytest.mark.parametrize(
    ("pattern", "origin", "has"),
    [
        (b"https://a.test", b"https://a.test", True),
        (b"https://a.test", b"https://a.test:443", True),
        (b"HTTPS://A.test:443", b"https://a.test", True),
        (b"https://a.test", b"http://a.test", False),
        (b"https://a.test", b"https://a.test:8443", False),
        (b"http://a.test", b"http://a.test:443", False),
        (b"https://a.test", b"https://b.a.test", False),
        (b"https://a.test", b"https://a.test.evil", False),
        (b"https://a.test", b"https://xa.test", False),
        (b"https://a.test", b"https://evil@a.test", False),
        (b"https://a.test", b"https://a.test/", False),
        (b"https://a.test", b"https://a.test, https://evil", False),
        (b"https://a.test", b"https://evil, https://a.test", False),
        (b"https://a.test", b"null", False),
        (b"https://a.test", b"", False),
        (b"https://a.test:8443", b"https://a.test:8443", True),
        (b"https://a.test:8443", b"https://a.test", False),
        (b"https://*.a.test", b"https://b.a.test", True),
        (b"https://*.a.test", b"https://c.b.a.test", True),
        (b"https://*.a.test", b"https://a.test", False),
        (b"https://*.a.test", b"https://b.a.test:81", False),
        (b"https://*.a.test", b"http://b.a.test", False),
        (b"http://*.a.test:81", b"http://b.a.test:81", True),
        (b"http://[::1]:81", b"http://[::1]:81", True),
        (b"http://[::1]", b"http://[::1]", True),
        (b"http://127.0.0.1", b"http://127.0.0.1", True),
        (b"chrome-extension://abc", b"chrome-extension://abc", True),
        (b"chrome-extension://abc", b"chrome-extension://abd", False),
        (b"null", b"null", True),
        (b"null", b"NULL", False),
        (b"null", b"https://a.test", False),
    ],
)
def test_an_origin_is_its_scheme_its_host_and_its_port(pattern, origin, has):
    """All three, and nothing else (RFC 6454, 5)."""
    assert Origins([b"ftp://other.test", pattern]).has(origin) is has


@pytest.mark.parametrize(
    "pattern",
    [
        b"", b"*", b"a.test", b"//a.test", b"https://", b"https://a.test/", b"https://a.test?b",
        b"https://a@b.test", b"https://*", b"https://a.*", b"1://a.test", b"file:///", b"https:a",
        b"https://a.test https://b.test", b"Null",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_told_at_once(pattern):
    """A path behind it would never match, and nobody would know why."""
    with pytest.raises(ValueError, match=r"an origin is|a host is"):
        Origins([pattern])


@given(st.binary(max_size=20) | st.from_regex(rb"(https?://)?[a.:*\[\]@/,]{0,8}", fullmatch=True))
def test_whatever_is_said_is_an_origin_or_is_not(origin):
    """What is had is what was meant: no other spelling of it, and nothing around it."""
    if Origins([b"https://a", b"http://a.a"]).has(origin):
        plain = origin.lower().removesuffix(b".").removesuffix(b":")
        assert plain in (b"https://a", b"http://a.a", b"https://a.", b"http://a.a.")
