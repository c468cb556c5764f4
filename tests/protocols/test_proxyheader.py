"""The PROXY header, by its specification: what is one, what is none, and where it ends."""

import socket
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.address import IPv4Address, IPv6Address, UNIXAddress
from weblayer.protocols.errors import BadProxyHeader
from weblayer.protocols.proxyheader import ProxyHeader, read_header

MARK = b"\r\n\r\n\0\r\nQUIT\n"
MOST = 1024
FOUR = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.8") + struct.pack("!HH", 1, 2)
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + struct.pack("!HH", 1, 2)


def v2(block=b"", family=0x11, command=0x21, size=None):
    """A header of version 2."""
    head = struct.pack("!BBH", command, family, len(block) if size is None else size)
    return MARK + head + block


def value(kind, data):
    """A type, a length and a value."""
    return struct.pack("!BH", kind, len(data)) + data


NOTHING = ProxyHeader()
GOOD = {
    "TCP4": (
        b"PROXY TCP4 192.0.2.7 192.0.2.8 1 65535\r\n",
        ProxyHeader(IPv4Address("TCP", "192.0.2.7", 1), IPv4Address("TCP", "192.0.2.8", 65535)),
    ),
    "TCP6": (
        b"PROXY TCP6 2001:DB8::7 ::1 0 443\r\n",
        ProxyHeader(IPv6Address("TCP", "2001:db8::7", 0), IPv6Address("TCP", "::1", 443)),
    ),
    "longest": (
        b"PROXY TCP6 %b %b 65535 65535\r\n" % (b"ffff:" * 7 + b"ffff", b"ffff:" * 7 + b"ffff"),
        ProxyHeader(*[IPv6Address("TCP", "ffff:" * 7 + "ffff", 65535)] * 2),
    ),
    "unknown": (b"PROXY UNKNOWN\r\n", NOTHING),
    "unknown with anything": (b"PROXY UNKNOWN ff \0 whatever 1\r\n", NOTHING),
    "local": (v2(command=0x20, family=0), NOTHING),
    "local with anything": (v2(b"whatever", command=0x20, family=0xFF), NOTHING),
    "unspecified": (v2(b"some bytes", family=0), NOTHING),
    "unspecified protocol": (v2(FOUR, family=0x10), NOTHING),
    "v2 TCP4": (
        v2(FOUR),
        ProxyHeader(IPv4Address("TCP", "192.0.2.7", 1), IPv4Address("TCP", "192.0.2.8", 2)),
    ),
    "v2 UDP4": (
        v2(FOUR, family=0x12),
        ProxyHeader(IPv4Address("UDP", "192.0.2.7", 1), IPv4Address("UDP", "192.0.2.8", 2)),
    ),
    "v2 TCP6": (
        v2(SIX, family=0x21),
        ProxyHeader(IPv6Address("TCP", "2001:db8::7", 1), IPv6Address("TCP", "2001:db8::7", 2)),
    ),
    "v2 UNIX": (
        v2(b"/run/a".ljust(108, b"\0") + b"\0abstract".ljust(108, b"\0"), family=0x31),
        ProxyHeader(UNIXAddress("/run/a"), UNIXAddress("\0abstract")),
    ),
    "v2 UNIX without names": (
        v2(bytes(216), family=0x31),
        ProxyHeader(UNIXAddress(None), UNIXAddress(None)),
    ),
    "values": (
        v2(FOUR + value(4, b"") + value(2, b"a.example")),
        ProxyHeader(
            IPv4Address("TCP", "192.0.2.7", 1),
            IPv4Address("TCP", "192.0.2.8", 2),
            ((4, b""), (2, b"a.example")),
        ),
    ),
}
BAD = {
    "no header": b"GET / HTTP/1.1\r\n",
    "lower case": b"proxy TCP4 192.0.2.7 192.0.2.8 1 2\r\n",
    "no space": b"PROXYTCP4 192.0.2.7 192.0.2.8 1 2\r\n",
    "two spaces": b"PROXY TCP4  192.0.2.7 192.0.2.8 1 2\r\n",
    "a tab": b"PROXY TCP4 192.0.2.7\t192.0.2.8 1 2\r\n",
    "a space at the end": b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2 \r\n",
    "a line feed only": b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n" + b"x" * 99,
    "a line feed within": b"PROXY UNKNOWN a\nb\r\n",
    "a carriage return within": b"PROXY UNKNOWN a\rb\r\n",
    "an unknown family": b"PROXY TCP5 192.0.2.7 192.0.2.8 1 2\r\n",
    "nothing": b"PROXY \r\n",
    "too few": b"PROXY TCP4 192.0.2.7 192.0.2.8 1\r\n",
    "the other family": b"PROXY TCP4 ::1 ::1 1 2\r\n",
    "the other family too": b"PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n",
    "a name": b"PROXY TCP4 localhost 192.0.2.8 1 2\r\n",
    "leading noughts": b"PROXY TCP4 192.0.02.7 192.0.2.8 1 2\r\n",
    "three numbers": b"PROXY TCP4 192.0.2 192.0.2.8 1 2\r\n",
    "a scope": b"PROXY TCP6 fe80::1%1 fe80::2 1 2\r\n",
    "a port with noughts": b"PROXY TCP4 192.0.2.7 192.0.2.8 01 2\r\n",
    "a port too great": b"PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n",
    "a port with a sign": b"PROXY TCP4 192.0.2.7 192.0.2.8 +1 2\r\n",
    "a port of other digits": "PROXY TCP4 192.0.2.7 192.0.2.8 \u0661 2\r\n".encode(),
    "no end": b"PROXY UNKNOWN ".ljust(107, b"x"),
    "an end too late": b"PROXY UNKNOWN ".ljust(106, b"x") + b"\r\n",
    "version 1 in binary": v2(FOUR, command=0x11),
    "version 3": v2(FOUR, command=0x31),
    "an unknown command": v2(FOUR, command=0x22),
    "an unknown binary family": v2(FOUR, family=0x41),
    "an unknown kind": v2(FOUR, family=0x13),
    "too short": v2(FOUR[:-1]),
    "too short for the other": v2(FOUR, family=0x21),
    "longer than we take": v2(size=MOST - 15),
    "half a value": v2(FOUR + value(4, b"abc")[:-1]),
    "half a length": v2(FOUR + b"\4\0"),
    "a wrong checksum": v2(FOUR + value(3, b"\0\0\0\1")),
    "a short checksum": v2(FOUR + value(3, b"\0")),
}


@pytest.mark.parametrize("name", GOOD)
@given(rest=st.binary(max_size=9))
def test_a_header_is_read_to_its_end(name, rest):
    """What it says, and how long it is, whatever follows; and not before it is whole."""
    data, header = GOOD[name]
    assert read_header(data + rest, MOST) == (header, len(data))
    for size in range(1, len(data)):
        assert read_header(data[:size], MOST) is None


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_header_is_refused(name):
    """And whatever more would come, it stays refused."""
    data = BAD[name]
    with pytest.raises(BadProxyHeader):
        read_header(data, MOST)
    with pytest.raises(BadProxyHeader):
        read_header(data + b"\r\n" + b"x" * 99, MOST)


@given(data=st.binary(min_size=1, max_size=40), mark=st.sampled_from([b"", MARK, b"PROXY "]))
def test_any_bytes_are_read_refused_or_waited_for(data, mark):
    """Nothing else is raised, and what is waited for has an end."""
    data = mark + data
    try:
        found = read_header(data, MOST)
    except BadProxyHeader:
        return
    if found is None:
        with pytest.raises(BadProxyHeader):
            read_header(data + b"\xff" * MOST, 16)
    else:
        assert found[1] <= len(data)


def crc32c(data):
    """The checksum, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return struct.pack("!I", crc ^ 0xFFFFFFFF)


def test_the_checksum_is_compared():
    """CRC-32C over all of the header, with noughts for itself; every other is refused."""
    assert crc32c(b"123456789") == bytes.fromhex("e3069283")  # the check value of the catalogues
    before, after = FOUR + value(4, b"pad"), value(2, b"a.example")
    blank = v2(before + value(3, bytes(4)) + after)
    data = v2(before + value(3, crc32c(blank)) + after)
    assert read_header(data, MOST)[1] == len(data)
    with pytest.raises(BadProxyHeader, match="checksum"):
        read_header(v2(before + value(3, struct.pack("!I", zlib.crc32(blank))) + after), MOST)
    type_of_it = len(v2(before))  # with another, it is no checksum
    for at in set(range(16, len(data))) - {type_of_it}:
        bad = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(BadProxyHeader):
            read_header(bad, MOST)


@pytest.mark.parametrize(
    ("tls", "secure"), [(b"\1\0\0\0\0", True), (b"\0\0\0\0\1", False), (b"\2", False), (b"", False)]
)
def test_a_client_with_tls_is_secure(tls, secure):
    """As the proxy says in its value for it."""
    assert read_header(v2(FOUR + value(0x20, tls)), MOST)[0].isSecure is secure
