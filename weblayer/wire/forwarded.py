"""Who asked, and what for, when proxies stand between: Forwarded and X-Forwarded-*.

A proxy adds what it saw to the right of what it was told. So these fields are read from the right,
beginning with the peer: as long as whoever wrote is trusted, what it wrote is believed, and the
first address that is not trusted is the client. What stands left of that one is the client's word,
and is not looked at. Source: RFC 7239, 4 to 7.4.

The two families are read by two functions, and the caller must choose: a proxy that writes the
one passes on the other just as the client made it up.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from weblayer.wire.fields import is_host
from weblayer.wire.parameters import parse_parameters

__all__ = [
    "UNKNOWN", "Node", "Origin",
    "in_networks", "parse_node", "read_forwarded", "read_legacy",
]  # fmt: skip

# More proxies in a row than this nobody runs; what stands further left is not read.
MAX_HOPS = 16

UNKNOWN = b"unknown"  # RFC 7239, 6.2

# A port may be hidden as a name may (RFC 7239, 6).
_NODE = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)|(unknown|_[0-9A-Za-z._-]+))"
    rb"(?::(?:([0-9]{1,5})|_[0-9A-Za-z._-]+))?"
)
_BARE_IPV6 = re.compile(rb"[0-9A-Fa-f:.]+")

# No empty segment, since two slashes at the start name another host, and no dot segments.
_PREFIX = re.compile(rb"(?:/(?!\.{1,2}(?:/|\Z))[0-9A-Za-z._~!$()*+,:@%-]+)+")


class Node(NamedTuple):
    """An address in its shortest form, without brackets; or what hides one, or nothing (UNIX)."""

    address: bytes
    port: int | None = None


class Origin(NamedTuple):
    """The client as far as it is known, and how it asked; None what no trusted proxy has said.

    *prefix* is the part of the path that a proxy has taken off, such as b"/app", else empty.
    """

    client: Node
    scheme: bytes | None = None
    host: bytes | None = None
    prefix: bytes = b""


def in_networks(networks: Iterable[IPv4Network | IPv6Network]) -> Callable[[bytes], bool]:
    """Whether an address lies in one of *networks*; what is no address, as of UNIX, does not."""
    known = tuple(networks)

    @lru_cache(maxsize=1024)  # proxies are few, and speak with every request
    def trusts(address: bytes) -> bool:
        node = _read_address(address)
        return node is not None and any(node in network for network in known)

    return trusts


def read_forwarded(field: bytes, peer: Node, trusts: Callable[[bytes], bool]) -> Origin:
    """Follow a Forwarded field, lines joined with commas, from *peer* to the client.

    *trusts* says of an address whether that host is one of our proxies. Scheme and host are those
    said furthest from us by one that is. An element that cannot be read, or says no address,
    ends the way, and the client is UNKNOWN: not the proxy, which may have rights that it has not.
    """
    origin = Origin(peer)
    for element in _from_the_right(field):
        if not _is_ours(origin.client, trusts):
            break
        said = _read_element(element)
        origin = Origin(
            parse_node(said.get(b"for", b"")) or Node(UNKNOWN),
            _scheme(said.get(b"proto", b"")) or origin.scheme,
            _host(said.get(b"host", b"")) or origin.host,
        )
    return origin


def read_legacy(
    addresses: bytes,
    scheme: bytes,
    host: bytes,
    prefix: bytes,
    peer: Node,
    trusts: Callable[[bytes], bool],
) -> Origin:
    """Follow X-Forwarded-For from *peer* to the client; -Proto, -Host and -Prefix go with it.

    Each is the value of its field, lines joined with commas, empty without one. Of the other three
    the last value counts, which a proxy of ours wrote: who of several has written which the field
    does not tell. For *trusts* and what cannot be read see `read_forwarded`.
    """
    if not trusts(peer.address):
        return Origin(peer)
    client = peer
    for address in _from_the_right(addresses):
        if not _is_ours(client, trusts):
            break
        client = parse_node(address) or Node(UNKNOWN)
    return Origin(client, _scheme(_last(scheme)), _host(_last(host)), _prefix(_last(prefix)))


def parse_node(text: bytes) -> Node | None:
    """Read an address with or without a port, IPv6 in brackets or bare; None when it is none.

    An IPv4 address written as IPv6 comes as IPv4. Source: RFC 7239, 6.
    """
    found = _NODE.fullmatch(text)
    if found is None:
        bare = _read_address(text) if _BARE_IPV6.fullmatch(text) else None
        return None if bare is None else Node(str(bare).encode())
    bracketed, dotted, hidden, digits = found.groups()
    address = _read_address(bracketed or dotted or b"")
    port = int(digits) if digits and int(digits) < 65536 else None
    if hidden:
        return Node(hidden, port)
    return None if address is None else Node(str(address).encode(), port)


def _is_ours(node: Node, trusts: Callable[[bytes], bool]) -> bool:
    return node.address != UNKNOWN and trusts(node.address)


def _read_address(text: bytes) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.decode("ascii"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _from_the_right(field: bytes) -> Iterator[bytes]:
    """The members of a list, last one first, at most MAX_HOPS; quotes may hold commas."""
    pieces = field.rsplit(b",", MAX_HOPS)[-MAX_HOPS:]
    while pieces:
        member = pieces.pop()
        while member.count(b'"') % 2 and pieces:
            member = pieces.pop() + b"," + member
        if member := member.strip(b" \t"):
            yield member


def _read_element(element: bytes) -> dict[bytes, bytes]:
    """What one proxy says, names in lower case; nothing when it is malformed or says it twice."""
    pairs = parse_parameters(b";" + element) or []
    said = dict(pairs)
    return said if len(said) == len(pairs) else {}


def _last(field: bytes) -> bytes:
    return field.rpartition(b",")[2].strip(b" \t")


def _scheme(word: bytes) -> bytes | None:
    return word.lower() if word.lower() in (b"http", b"https") else None


def _host(name: bytes) -> bytes | None:
    return name.lower() if is_host(name) else None


def _prefix(path: bytes) -> bytes:
    path = path.rstrip(b"/")
    return path if _PREFIX.fullmatch(path) else b""
