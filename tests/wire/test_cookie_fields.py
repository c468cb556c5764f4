"""Cookies on the wire: RFC 6265, and what browsers make of it."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.cookies import format_cookie, parse_cookies

names = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1)
values = st.text("".join(chr(code) for code in range(32, 127) if chr(code) not in '";\\')).filter(
    lambda value: value == value.strip(" ")
)


@given(st.lists(st.tuples(names.map(str.encode), values.map(str.encode)), max_size=5))
def test_what_is_set_comes_back(pairs):
    """Every name and value that may be set is read as it was, beside others."""
    sent = b"; ".join(format_cookie(name, value, []) for name, value in pairs)
    assert parse_cookies(sent) == pairs


@pytest.mark.parametrize(
    ("field", "pairs"),
    [
        (b"", []),
        (b";", []),
        (b"a", []),
        (b"=a", []),
        (b" =a; b=c", [(b"b", b"c")]),
        (b"a=", [(b"a", b"")]),
        (b"a=b=c", [(b"a", b"b=c")]),
        (b"a=1;b=2; \tc = 3 ", [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")]),
        (b"a=1; a=2", [(b"a", b"1"), (b"a", b"2")]),
        (b"A=1; a=2", [(b"A", b"1"), (b"a", b"2")]),
        (b'a="b c"', [(b"a", b"b c")]),
        (b'a="', [(b"a", b'"')]),
        (b'a=b"c"', [(b"a", b'b"c"')]),
        (b'a={"b":[1,2]}', [(b"a", b'{"b":[1,2]}')]),
        (b"a=\xc3\xa9; b=\xff", [(b"a", b"\xc3\xa9"), (b"b", b"\xff")]),
        (b"__Host-a=b", [(b"__Host-a", b"b")]),
    ],
)
def test_what_browsers_send(field, pairs):
    """Pairs in the order sent; what has no name is dropped; a quoted value is unquoted."""
    assert parse_cookies(field) == pairs


@given(st.binary())
def test_no_field_is_too_odd(field):
    """Whatever is sent, each pair has a name, and no part of it a semicolon."""
    for name, value in parse_cookies(field):
        assert name
        assert b";" not in name + value


def test_attributes_follow_in_order():
    """A flag stands alone, the others with their value."""
    attributes = [(b"Path", b"/"), (b"Max-Age", b"0"), (b"Secure", None)]
    assert format_cookie(b"a", b"b", attributes) == b"a=b; Path=/; Max-Age=0; Secure"


@pytest.mark.parametrize("name", [b"", b"a b", b"a=", b"a;", b"a,", b"a\r\n", b"\xe4", b'"a"'])
def test_a_name_is_a_token(name):
    """Nothing that would end it early."""
    with pytest.raises(ValueError, match="name must be a token"):
        format_cookie(name, b"b", [])


@pytest.mark.parametrize(
    "value",
    [b"a;b", b"a\r\nSet-Cookie: b=c", b"a\0", b'"a"', b"a\\b", b"\xe4", b" a", b"a ", b"\t"],
)
def test_a_value_cannot_become_anything_else(value):
    """No attribute, no other cookie, no other field; and nothing that would not come back."""
    with pytest.raises(ValueError, match="value may hold no"):
        format_cookie(b"a", value, [])


@pytest.mark.parametrize("value", [b"/; Domain=b", b"/\r\nX: y", b"/\0", b"\xe4"])
def test_an_attribute_cannot_become_another(value):
    """Nor a cookie, nor a field; the error names it."""
    with pytest.raises(ValueError, match="Path"):
        format_cookie(b"a", b"b", [(b"Path", value)])


@pytest.mark.parametrize("key", [b"", b"a;b", b"a\r\nX", b"a=b"])
def test_the_name_of_an_attribute_is_a_token(key):
    """The flag's too."""
    with pytest.raises(ValueError, match="attribute must be a token"):
        format_cookie(b"a", b"b", [(key, None)])


SECURE, ROOT = (b"Secure", None), (b"Path", b"/")


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        (b"__Secure-a", [SECURE]),
        (b"__Secure-a", [SECURE, (b"Domain", b"b.example"), (b"Path", b"/c")]),
        (b"__Host-a", [SECURE, ROOT]),
        (b"__Host-a", [ROOT, (b"Max-Age", b"0"), (b"secure", None)]),
        (b"a", [SECURE, (b"Partitioned", None)]),
    ],
)
def test_what_a_name_promises_is_kept(name, attributes):
    """Then the cookie is written like any other."""
    assert format_cookie(name, b"b", attributes).startswith(name + b"=b; ")


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        (b"__Secure-a", []),
        (b"__SECURE-a", [ROOT]),
        (b"__Host-a", [ROOT]),
        (b"__Host-a", [SECURE]),
        (b"__Host-a", [SECURE, (b"Path", b"/a")]),
        (b"__host-a", [SECURE, ROOT, (b"Domain", b"b.example")]),
        (b"a", [(b"Partitioned", None)]),
    ],
)
def test_a_promise_that_is_not_kept(name, attributes):
    """Browsers would drop the cookie without a word: the error says why."""
    with pytest.raises(ValueError, match=r"must be Secure|must have Path=/"):
        format_cookie(name, b"b", attributes)


def test_what_is_too_long_for_browsers():
    """Name and value together have 4096 bytes at most, an attribute 1024."""
    assert format_cookie(b"a", b"b" * 4095, [(b"Path", b"/" * 1024)])
    with pytest.raises(ValueError, match="more than 4096 bytes"):
        format_cookie(b"a", b"b" * 4096, [])
    with pytest.raises(ValueError, match="Path has more than 1024 bytes"):
        format_cookie(b"a", b"b", [(b"Path", b"/" * 1025)])
