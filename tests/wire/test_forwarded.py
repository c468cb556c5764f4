"""Who asked, behind proxies: RFC 7239, and the X-Forwarded fields before it."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.forwarded import (
    MAX_HOPS,
    UNKNOWN,
    Node,
    Origin,
    in_networks,
    parse_node,
    read_forwarded,
    read_legacy,
)

PROXY = Node(b"10.0.0.1", 50000)
trusts = in_networks([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


def legacy(addresses=b"", scheme=b"", host=b"", prefix=b"", peer=PROXY):
    return read_legacy(addresses, scheme, host, prefix, peer, trusts)


@pytest.mark.parametrize(
    ("field", "client"),
    [
        (b"", b"10.0.0.1"),
        (b"for=1.2.3.4", b"1.2.3.4"),
        (b"For=1.2.3.4", b"1.2.3.4"),
        (b'for="[2001:db8::1]"', b"2001:db8::1"),
        (b"for=1.2.3.4, for=10.0.0.2", b"1.2.3.4"),
        (b"for=1.2.3.4,for=10.0.0.3 ,\tfor=10.0.0.2", b"1.2.3.4"),
        (b'for=1.2.3.4, for="[fd00::2]"', b"1.2.3.4"),
        (b"for=10.0.0.9, for=10.0.0.2", b"10.0.0.9"),
        # what stands left of the first address that is not ours is not believed
        (b"for=6.6.6.6, for=1.2.3.4", b"1.2.3.4"),
        (b"for=6.6.6.6, for=1.2.3.4, for=10.0.0.2", b"1.2.3.4"),
        (b"for=10.0.0.7, for=1.2.3.4", b"1.2.3.4"),
        (b'for="6.6.6.6, for=1.2.3.4', b"1.2.3.4"),
        (b'for=6.6.6.6;x=", for="[2001:db8::1]"', b"2001:db8::1"),
        (b'\\, for=1.2.3.4;host="a"', b"1.2.3.4"),
        # an unnamed client
        (b"for=unknown", UNKNOWN),
        (b"for=_hidden", b"_hidden"),
        (b"for=6.6.6.6, for=_hidden", b"_hidden"),
        (b"for=6.6.6.6, for=unknown", UNKNOWN),
        (b"for=6.6.6.6, proto=https", UNKNOWN),
        (b"for=6.6.6.6, for=10.0.0.300", UNKNOWN),
        (b"for=6.6.6.6, for=", UNKNOWN),
        (b"for=6.6.6.6, for=1.2.3.4;for=1.2.3.5", UNKNOWN),
        (b"for=6.6.6.6, for=[2001:db8::1]", UNKNOWN),
        (b"for=6.6.6.6, for 1.2.3.4", UNKNOWN),
        # empty members are none
        (b"for=1.2.3.4, ,", b"1.2.3.4"),
        # a comma within quotes parts nothing
        (b'for=1.2.3.4;host="a,b"', b"1.2.3.4"),
    ],
)
def test_the_client(field, client):
    """The first address from the right that is not ours; who is not named is not the proxy."""
    assert read_forwarded(field, PROXY, trusts).client.address == client


def test_a_star_for_trust_does_not_reach_past_what_cannot_be_read():
    """Even who trusts everybody trusts nothing left of it."""
    assert read_forwarded(b"for=6.6.6.6, x, for=10.0.0.2", PROXY, lambda _: True) == Origin(
        Node(UNKNOWN)
    )


def test_a_stranger_is_not_believed():
    """A peer that is no proxy of ours says nothing that counts."""
    stranger = Node(b"1.2.3.4", 1)
    assert read_forwarded(b"for=6.6.6.6;proto=https", stranger, trusts) == Origin(stranger)
    assert legacy(b"6.6.6.6", b"https", b"evil", b"/x", peer=stranger) == Origin(stranger)


def test_what_the_client_asked_for():
    """Scheme and host as the proxy nearest to the client saw them."""
    field = (
        b'for=6.6.6.6;host=evil, for="1.2.3.4:80";proto=HTTPS;host="Example.com:8443", for=10.0.0.2'
    )
    assert read_forwarded(field, PROXY, trusts) == Origin(
        Node(b"1.2.3.4", 80), b"https", b"example.com:8443"
    )
    inner = read_forwarded(b"for=1.2.3.4, for=10.0.0.2;proto=http;host=in", PROXY, trusts)
    assert (inner.scheme, inner.host) == (b"http", b"in")


@pytest.mark.parametrize("said", [b"proto=ftp", b"proto=javascript", b"host=a/b", b'host="a b"'])
def test_what_is_no_scheme_or_host(said):
    """It is as if it had not been said."""
    origin = read_forwarded(b"for=1.2.3.4;" + said, PROXY, trusts)
    assert (origin.scheme, origin.host) == (None, None)


@pytest.mark.parametrize(
    ("addresses", "client"),
    [
        (b"", PROXY),
        (b" , ", PROXY),
        (b"1.2.3.4", Node(b"1.2.3.4")),
        (b"1.2.3.4:5678", Node(b"1.2.3.4", 5678)),
        (b"2001:DB8:0::1", Node(b"2001:db8::1")),
        (b"[2001:db8::1]:5678", Node(b"2001:db8::1", 5678)),
        (b"::ffff:1.2.3.4", Node(b"1.2.3.4")),
        (b"6.6.6.6, 1.2.3.4", Node(b"1.2.3.4")),
        (b"6.6.6.6, 1.2.3.4, ::ffff:10.0.0.2", Node(b"1.2.3.4")),
        (b"6.6.6.6, unknown", Node(UNKNOWN)),
        (b"6.6.6.6, nonsense, 10.0.0.2", Node(UNKNOWN)),
        (b"6.6.6.6, 10.0.0.2%0", Node(UNKNOWN)),
        (b"6.6.6.6, fe80::1%eth0", Node(UNKNOWN)),
        (b'6.6.6.6, "1.2.3.4', Node(UNKNOWN)),
    ],
)
def test_the_older_field(addresses, client):
    """X-Forwarded-For is read from the right as well."""
    assert legacy(addresses).client == client


def test_the_older_fields_beside_it():
    """Of several values the last one counts, which a proxy of ours wrote."""
    assert legacy(b"1.2.3.4", b"http, HTTPS", b"evil, Example.com", b"/evil, /app/") == Origin(
        Node(b"1.2.3.4"), b"https", b"example.com", b"/app"
    )
    assert legacy(b"1.2.3.4", b"ftp", b"a b", b"app") == Origin(Node(b"1.2.3.4"))


@pytest.mark.parametrize(
    ("sent", "prefix"),
    [
        (b"/", b""),
        (b"/a/b", b"/a/b"),
        (b"/a//", b"/a"),
        (b"/.well-known/...", b"/.well-known/..."),
        (b"//evil.example", b""),
        (b"/a//b", b""),
        (b"/a/../b", b""),
        (b"/..", b""),
        (b"/a/.", b""),
        (b"/a?b", b""),
        (b"/a b", b""),
        (b"/\\evil.example", b""),
        (b'/"><script>', b""),
        (b"https://evil.example", b""),
    ],
)
def test_a_prefix_is_a_plain_path(sent, prefix):
    """It cannot become another host, or leave its place."""
    assert legacy(prefix=sent).prefix == prefix


@pytest.mark.parametrize(
    ("text", "node"),
    [
        (b"1.2.3.4", Node(b"1.2.3.4")),
        (b"[::1]", Node(b"::1")),
        (b"::1", Node(b"::1")),
        (b"[::1]:80", Node(b"::1", 80)),
        (b"1.2.3.4:_port", Node(b"1.2.3.4")),
        (b"1.2.3.4:99999", Node(b"1.2.3.4")),
        (b"unknown:80", Node(UNKNOWN, 80)),
        (b"_a.b-c", Node(b"_a.b-c")),
        (b"", None),
        (b"1.2.3", None),
        (b"01.2.3.4", None),
        (b"1.2.3.4:", None),
        (b"[1.2.3.4", None),
        (b"localhost", None),
        (b":::", None),
        (b"\xd9\xa1.2.3.4", None),
    ],
)
def test_an_address(text, node):
    """In its shortest form, with its port; a name is none."""
    assert parse_node(text) == node


def test_networks():
    """An IPv4 address is in its network also when written as IPv6; what is none is in none."""
    assert trusts(b"10.1.2.3")
    assert trusts(b"::ffff:10.1.2.3")
    assert trusts(b"fd00::1")
    assert not any(trusts(address) for address in (b"11.0.0.1", b"fe80::1", b"", b"_x", UNKNOWN))


words = st.sampled_from(
    [b"for=", b"6.6.6.6", b'"', b"\\", b",", b";", b"=", b"host=evil", b"proto=https", b"10.0.0.2"]
)
junk = st.lists(words, max_size=12).map(b"".join) | st.binary(max_size=40)


@given(junk)
def test_a_client_cannot_speak_for_another(said):
    """Whatever a client sends itself, the address that the proxy adds is the one believed."""
    for added in (b"for=1.2.3.4", b'for="1.2.3.4:80";host="a";proto=http'):
        origin = read_forwarded(said + b", " + added, PROXY, trusts)
        assert origin.client.address == b"1.2.3.4"
        assert origin.host in (None, b"a")
    assert legacy(said + b", 1.2.3.4").client.address == b"1.2.3.4"


@given(junk, junk, junk, junk)
def test_no_field_is_too_odd(one, two, three, four):
    """Whatever is sent, there is a client, and what is said of it is clean."""
    for origin in (read_forwarded(one, PROXY, trusts), legacy(one, two, three, four)):
        assert origin.client.address
        assert origin.scheme in (None, b"http", b"https")
        assert not {*b'" \\<\r\n'} & {*(origin.host or b""), *origin.prefix}


@given(st.integers(1, 40))
def test_the_way_is_bounded(hops):
    """So many proxies are followed, and no more."""
    origin = legacy(b", ".join([b"1.2.3.4"] + [b"10.0.0.2"] * (hops - 1)))
    assert (origin.client.address == b"1.2.3.4") == (hops <= MAX_HOPS)
