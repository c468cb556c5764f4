"""The header of the PROXY protocol, versions 1 and 2: who is really at the other end.

Strict: the receiver must not guess, and what does not match exactly is no header. Source:
HAProxy's "The PROXY protocol", sections 2.1 and 2.2; the sections below are of that.
"""

import socket
import struct
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address as IPv4
from ipaddress import IPv6Address as IPv6
from os import fsdecode

from weblayer.loop.address import Address, IPv4Address, IPv6Address, UNIXAddress
from weblayer.protocols.errors import BadProxyHeader

__all__ = ["ProxyHeader", "read_header"]

V1 = b"PROXY "
V2 = b"\r\n\r\n\0\r\nQUIT\n"

MAX_V1 = 107  # bytes with CRLF: the longest line that can be meant (2.1)
FIXED_V2 = 16  # bytes up to and with the length of the rest (2.2)

# The lower half says TCP or UDP, the upper the kind of addresses: their struct, for each of
# the two, and what makes one.
_KINDS = {1: "4s4sHH", 2: "16s16sHH", 3: "108s108s"}
_TYPES = {1: "TCP", 2: "UDP"}

_CRC32C, _SSL = 0x03, 0x20  # types of what follows the addresses (2.2.3, 2.2.6)


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What a proxy says of a connection that it passes on.

    *source* and *destination* are None where the connection's own hold: the proxy asks for
    itself (a health check), or does not know. *values* are pairs of (type, bytes), as in 2.2.
    """

    source: Address | None = None
    destination: Address | None = None
    values: tuple[tuple[int, bytes], ...] = ()

    @property
    def isSecure(self) -> bool:
        """Whether the client came to the proxy over TLS (2.2.6)."""
        return any(kind == _SSL and value[:1] and value[0] & 1 for kind, value in self.values)


def read_header(data: bytes, most: int) -> tuple[ProxyHeader, int] | None:
    """Read the header that *data* begins with: it, and its size in bytes.

    None when more bytes are needed. Raises BadProxyHeader as soon as it can be no header,
    or one of version 2 that is longer than *most* bytes.
    """
    if data[: len(V1)] == V1[: len(data)]:
        return _read_v1(data)
    if data[: len(V2)] == V2[: len(data)]:
        return _read_v2(data, most)
    raise BadProxyHeader(f"a connection must begin with a PROXY header, not {data[:16]!r}")


def _read_v1(data: bytes) -> tuple[ProxyHeader, int] | None:
    end = data.find(b"\r\n", 0, MAX_V1)
    if end >= 0:
        return _read_line(data[:end]), end + 2
    if len(data) >= MAX_V1:
        raise BadProxyHeader(f"a PROXY line must end within {MAX_V1} bytes")
    return None


def _read_line(line: bytes) -> ProxyHeader:
    if b"\r" in line or b"\n" in line:
        raise BadProxyHeader("a PROXY line must end with CR and LF, and have neither within")
    words = line.split(b" ")
    if words[1] == b"UNKNOWN":
        return ProxyHeader()
    if len(words) != 6 or words[1] not in {b"TCP4", b"TCP6"}:
        raise BadProxyHeader(f"a PROXY line must have a family, two hosts, two ports: {line!r}")
    family = 1 if words[1] == b"TCP4" else 2
    source, destination = (_packed(family, word) for word in words[2:4])
    ports = [_port(word) for word in words[4:]]
    return ProxyHeader(
        _address(family, "TCP", source, ports[0]), _address(family, "TCP", destination, ports[1])
    )


def _packed(family: int, word: bytes) -> bytes:
    """The bytes of an address in its canonical form."""
    if b"%" in word:  # it names an interface, which says nothing on another machine
        raise BadProxyHeader(f"a PROXY line has {word!r} for a host")
    try:
        text = word.decode("ascii")
        return IPv4(text).packed if family == 1 else IPv6(text).packed
    except ValueError as error:
        raise BadProxyHeader(f"a PROXY line has {word!r} for a host") from error


def _port(word: bytes) -> int:
    if word.isdigit() and len(word) <= 5 and (port := int(word)) < 1 << 16 and b"%d" % port == word:
        return port
    raise BadProxyHeader(f"a PROXY line has {word!r} for a port")


def _read_v2(data: bytes, most: int) -> tuple[ProxyHeader, int] | None:
    if len(data) < FIXED_V2:
        return None
    command, family, size = struct.unpack_from("!BBH", data, len(V2))
    if command not in {0x20, 0x21}:
        raise BadProxyHeader(f"a PROXY header must be of version 2 and known: {command:#04x}")
    end = FIXED_V2 + size
    if end > most:
        raise BadProxyHeader(f"a PROXY header of {end} bytes is longer than {most}")
    if len(data) < end:
        return None
    if command == 0x20:  # "local": the rest is to be ignored, whatever it is
        return ProxyHeader(), end
    return _read_block(bytes(data[:end]), family >> 4, family & 15), end


def _read_block(header: bytes, family: int, kind: int) -> ProxyHeader:
    if family > 3 or kind > 2:
        raise BadProxyHeader(f"a PROXY header has the unknown family {family << 4 | kind:#04x}")
    if not (family and kind):
        return ProxyHeader()
    form = struct.Struct("!" + _KINDS[family])
    if len(header) < FIXED_V2 + form.size:
        raise BadProxyHeader("a PROXY header is shorter than its addresses")
    source, destination, *ports = form.unpack_from(header, FIXED_V2)
    near, far = ports or (0, 0)
    return ProxyHeader(
        _address(family, _TYPES[kind], source, near),
        _address(family, _TYPES[kind], destination, far),
        _values(header, FIXED_V2 + form.size),
    )


def _address(family: int, kind: str, host: bytes, port: int) -> Address:
    # As the kernel writes them, so that they compare with those of other connections.
    if family == 1:
        return IPv4Address(kind, socket.inet_ntop(socket.AF_INET, host), port)  # type: ignore[arg-type]
    if family == 2:
        return IPv6Address(kind, socket.inet_ntop(socket.AF_INET6, host), port)  # type: ignore[arg-type]
    # A path ends with NUL, unless it begins with one (Linux's abstract names) or is full.
    path = host.rstrip(b"\0") if host[:1] == b"\0" else host.partition(b"\0")[0]
    return UNIXAddress(fsdecode(path) or None)


def _values(header: bytes, at: int) -> tuple[tuple[int, bytes], ...]:
    """What follows the addresses: each with a type and a length before it."""
    found = []
    while at < len(header):
        begin = at + 3
        end = begin + int.from_bytes(header[at + 1 : begin], "big")
        if begin > len(header) or end > len(header):
            raise BadProxyHeader("a PROXY header ends within a value")
        if header[at] == _CRC32C:
            _check_sum(header, begin, end)
        found.append((header[at], header[begin:end]))
        at = end
    return tuple(found)


def _check_sum(header: bytes, begin: int, end: int) -> None:
    """Compare the checksum, which was made with noughts in its own place (2.2.3)."""
    rest = header[:begin] + bytes(end - begin) + header[end:]
    if header[begin:end] != _crc32c(rest).to_bytes(4, "big"):
        raise BadProxyHeader("a PROXY header has a wrong checksum")


def _crc32c(data: bytes) -> int:
    """The checksum of RFC 9260, Appendix A."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@cache
def _crc_table() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [n >> 1 ^ 0x82F63B78 * (n & 1) for n in table]
    return table
