"""The proxies that are ours, and what they say of a request.

A proxy is trusted by its address, and believed only in the fields that it is known to write: what
it does not write itself it passes on just as a stranger has made it up.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from weblayer.loop.address import Address, HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from weblayer.web.networks import UNIX, Networks, node_of
from weblayer.wire.forwarded import Node, Origin, read_forwarded, read_legacy

__all__ = ["Proxies", "Told"]

_FORWARDED = b"forwarded"
_LEGACY = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix")
_ID = b"x-request-id"
_KNOWN = frozenset({_FORWARDED, *_LEGACY, _ID})

# What tools make: hex, UUIDs, base64, W3C's trace parents. Nothing of it needs escaping anywhere,
# and 128 characters are four times what the longest of them has.
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}")


class Told(NamedTuple):
    """What they say of a request: who asked, and how; None what they do not say.

    *prefix* is the part of the path that one of them has taken off, such as "/app", else empty.
    """

    client: Address
    scheme: str | None
    host: str | None
    prefix: str


class Proxies:
    """Those at the addresses *trusted*: networks or addresses as text, and "unix" for whoever
    comes through a UNIX socket. *fields* are the names of those they write.

    Raises ValueError for what is no network, and for a field that says nothing of a request.
    """

    __slots__ = ("_fields", "_trusted")

    def __init__(self, trusted: Iterable[str], fields: Iterable[str]) -> None:
        self._trusted = Networks(trusted, "trustedProxies")
        self._fields = frozenset(name.lower().encode("ascii") for name in fields)
        if unknown := self._fields - _KNOWN:
            raise ValueError(f"proxyFields may not hold {min(unknown).decode()!r}")
        if _FORWARDED in self._fields and not self._fields.isdisjoint(_LEGACY):
            raise ValueError("proxyFields may hold Forwarded or X-Forwarded-*, and not both")

    def told(self, peer: Address, fields: Iterable[tuple[bytes, bytes]]) -> Told | None:
        """What they say of a request with these fields; None when *peer* is none of them."""
        node = node_of(peer)
        if not self._trusted.has(node.address):
            return None
        origin = self._origin(node, self._said(fields))
        return Told(
            _address_of(origin.client),
            None if origin.scheme is None else origin.scheme.decode("ascii"),
            None if origin.host is None else origin.host.decode("latin-1"),
            origin.prefix.decode("ascii"),
        )

    def request_id(self, peer: Address, fields: Iterable[tuple[bytes, bytes]]) -> str | None:
        """How they call the request; None where they say nothing, or what is not fit for a log."""
        if not self._trusted.has(node_of(peer).address):
            return None
        told = self._said(fields).get(_ID, b"")
        return told.decode("ascii") if _REQUEST_ID.fullmatch(told) else None

    def _origin(self, peer: Node, said: dict[bytes, bytes]) -> Origin:
        if _FORWARDED in self._fields:
            return read_forwarded(said.get(_FORWARDED, b""), peer, self._trusted.has)
        addresses, scheme, host, prefix = (said.get(name, b"") for name in _LEGACY)
        return read_legacy(addresses, scheme, host, prefix, peer, self._trusted.has)

    def _said(self, fields: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
        """The values of the fields that are heeded, lines joined with commas."""
        said: dict[bytes, bytes] = {}
        for name, value in fields:
            name = name.lower()
            if name in self._fields:
                said[name] = said[name] + b"," + value if name in said else value
        return said


def _address_of(node: Node) -> Address:
    """The address that *node* stands for; a HostnameAddress, as "unknown", where it is hidden."""
    text, port = node.address.decode("ascii"), node.port or 0
    if node.address == UNIX:
        return UNIXAddress(None)
    if ":" in text:
        return IPv6Address("TCP", text, port)
    return IPv4Address("TCP", text, port) if text[0].isdigit() else HostnameAddress(text, port)
