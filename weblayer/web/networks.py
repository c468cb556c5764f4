"""Networks of addresses, as programs write them, and who is in them."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

from weblayer.loop.address import Address, HostnameAddress, UNIXAddress
from weblayer.wire.forwarded import Node, in_networks, parse_node

__all__ = ["UNIX", "Networks", "neighbourhood", "node_of"]

# Stands for the peer of a UNIX socket, which has no address. No field can say it: what is no
# address there is `unknown` or begins with an underscore (RFC 7239, 6).
UNIX = b"unix"


class Networks:
    """Those in *words*: networks or addresses as text, and "unix" for whoever comes through a
    UNIX socket.

    Raises ValueError for what is no network, and TypeError, naming *parameter*, for one in place
    of a list.
    """

    __slots__ = ("_in_networks", "_is_unix")

    def __init__(self, words: Iterable[str], parameter: str) -> None:
        if isinstance(words, str):
            raise TypeError(f"{parameter} must be a list of networks, not {words!r}")
        networks = list(words)
        self._is_unix = "unix" in networks
        self._in_networks = in_networks([_network(one) for one in networks if one != "unix"])

    def has(self, address: bytes) -> bool:
        """Whether an address is in one of them; an IPv4 address written as IPv6 is IPv4."""
        return self._is_unix if address == UNIX else self._in_networks(address)


def node_of(address: Address) -> Node:
    """Who is at *address*: nobody that is known, where a proxy hides it."""
    if isinstance(address, UNIXAddress):
        return Node(UNIX)
    if isinstance(address, HostnameAddress):
        return Node(b"")
    return Node(address.host.encode(), address.port)


def neighbourhood(address: Address) -> bytes:
    """Who is taken for one client: an address, of IPv6 the network of 64 bits that one has to
    choose addresses from (RFC 4291, 2.5.4); b"unix"; or nothing, where a proxy hides it.
    """
    return _neighbourhood(node_of(address).address)


@lru_cache(maxsize=1024)  # a client asks more than once
def _neighbourhood(address: bytes) -> bytes:
    known = parse_node(address)  # an IPv4 address written as IPv6 is IPv4
    if known is None or b":" not in known.address:
        return address if known is None else known.address
    return IPv6Address(known.address.decode("ascii")).packed[:8].hex(":", 2).encode() + b"::/64"


def _network(word: str) -> IPv4Network | IPv6Network:
    network = ip_network(word)
    mapped = isinstance(network, IPv6Network) and network.network_address.ipv4_mapped
    if mapped and network.prefixlen >= 96:
        return IPv4Network((mapped, network.prefixlen - 96))
    return network
