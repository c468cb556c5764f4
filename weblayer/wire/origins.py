"""Origins: whose page asks. Source: RFC 6454, 4 and 7; Fetch, 3.2."""

import re
from collections.abc import Iterable

from weblayer.wire.hosts import HostTable

__all__ = ["Origins"]

NULL = b"null"

# A scheme and an authority, with nothing behind them, as browsers write it.
_ORIGIN = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#@]+)")

_PORTS = {b"http": 80, b"https": 443}


class Origins:
    """Origins by *patterns*, as `https://example.com`, `http://localhost:8080`, `null`.

    One without a port is at that of its scheme, and at no other. `https://*.example.com` is every
    host below that name, however deep. Raises ValueError for what is no origin.
    """

    __slots__ = ("_hosts", "_null")

    def __init__(self, patterns: Iterable[bytes]) -> None:
        self._hosts: dict[bytes, HostTable[bool]] = {}
        self._null = False
        for pattern in patterns:
            self._add(pattern)

    def has(self, origin: bytes) -> bool:
        """Whether the value of an Origin field is one of them."""
        if origin == NULL:
            return self._null
        found = _ORIGIN.fullmatch(origin)
        hosts = found and self._hosts.get(found[1].lower())
        if not found or not hosts:
            return False
        return hosts.find(found[2], _port(found[1])) is not None

    def _add(self, pattern: bytes) -> None:
        found = _ORIGIN.fullmatch(pattern)
        if pattern == NULL:
            self._null = True
        elif found is None:
            raise ValueError(f"an origin is scheme://host, and perhaps a port, not {pattern!r}")
        else:
            hosts = self._hosts.setdefault(found[1].lower(), HostTable())
            hosts.add(_with_port(found[2], _port(found[1])), True)


def _port(scheme: bytes) -> int:
    return _PORTS.get(scheme.lower(), 0)  # an app or an extension has none


def _with_port(authority: bytes, port: int) -> bytes:
    """With the port that it means, so that others are not meant."""
    return authority if re.search(rb":[0-9]+\Z", authority) else b"%b:%d" % (authority, port)
