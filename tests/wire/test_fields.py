"""What may stand in a field: RFC 9110, 5.1, 5.5, 5.6 and 7.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.fields import is_host, is_token, is_value, split_list, varied

TOKEN = set(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@given(st.binary(max_size=8))
def test_tokens(name):
    """One byte or more of the standard's own list."""
    assert is_token(name) == (bool(name) and set(name) <= TOKEN)


@given(st.binary(max_size=8))
def test_values(value):
    """No control character but the tab; bytes beyond ASCII are anybody's."""
    assert is_value(value) == (set(value) <= {ord("\t"), *range(32, 127), *range(128, 256)})


@pytest.mark.parametrize("line_end", [b"\r", b"\n", b"\r\n", b"\0"])
def test_a_line_end_is_seen_wherever_it_stands(line_end):
    """The last byte too, which a pattern with `$` would let pass."""
    for field in (line_end, b"a" + line_end, line_end + b"a", b"a" + line_end + b"a"):
        assert not is_token(field)
        assert not is_value(field)
        assert not is_host(field)


@pytest.mark.parametrize(
    "host",
    [
        b"a",
        b"a.b-c_d~e",
        b"A.EXAMPLE",
        b"a.",
        b"127.0.0.1",
        b"127.0.0.1:8080",
        b"[::1]",
        b"[::ffff:127.0.0.1]:80",
        b"[fe80::1%25eth0]",
        b"xn--bcher-kva.example",
        b"b%C3%BCcher.example",
        b"a:",
    ],
)
def test_hosts(host):
    """A name or an address, and perhaps a port."""
    assert is_host(host)


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b" ",
        b":80",
        b"a b",
        b" a",
        b"a,b",
        b"a/b",
        b"a?b",
        b"a#b",
        b"a\\b",
        b"b@a",
        b"a:b",
        b"a:80:80",
        b"a:-1",
        b"a:123456",
        b"::1",
        b"[::1",
        b"[]",
        b"[g]",
        b"[::1]a",
        b"a[::1]",
        b'a"b',
        b"<a>",
        b"a;b",
        b"b\xc3\xbccher",
    ],
)
def test_what_is_no_host(host):
    """Nothing that could be two hosts, a path, a user, or markup."""
    assert not is_host(host)


@pytest.mark.parametrize(
    ("value", "members"),
    [
        (b"", []),
        (b",", []),
        (b"a", [b"a"]),
        (b"A,b", [b"a", b"b"]),
        (b" a\t,, b ,", [b"a", b"b"]),
        (b"a b", [b"a b"]),
    ],
)
def test_lists(value, members):
    """Members in lower case, without spaces around them, empty ones dropped."""
    assert split_list(value) == members


@pytest.mark.parametrize(
    ("vary", "after"),
    [
        (b"", b"Accept"),
        (b"Cookie", b"Cookie, Accept"),
        (b"cookie, ACCEPT", b"cookie, ACCEPT"),
        (b"Accept-Encoding", b"Accept-Encoding, Accept"),
        (b"*", b"*"),
    ],
)
def test_what_an_answer_depends_on(vary, after):
    """A name is added once, and to `*`, which is all of them, never."""
    assert varied(vary, b"Accept") == after
