"""Which host is asked for: names, wildcards and address literals, with and without a port.

Source: RFC 9110, 4.2.3 and 7.2; RFC 3986, 3.2.2 and 6.2.2.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Generic, NamedTuple, TypeVar

from weblayer.wire.fields import is_host

__all__ = ["Host", "HostTable", "read_host"]

T = TypeVar("T")


class Host(NamedTuple):
    """A name in lower case, without its last dot, or an IPv6 address in brackets; *port* if told.

    An address is in its shortest form: there are many ways to write one.
    """

    name: bytes
    port: int | None = None


@lru_cache(maxsize=512)  # a site is asked for by a handful of names
def read_host(text: bytes) -> Host | None:
    """Read the value of Host, or an authority without user information; None when it is none."""
    if not is_host(text):
        return None
    name, bracket, behind = text.partition(b"]")
    if bracket:
        address = _shortest(name[1:])
        return None if address is None else Host(address, _port(behind[1:]))
    name, _, digits = text.partition(b":")
    name = name.lower()
    # The dot of an absolute name: `example.com.` is the same host, and its own origin to a browser.
    name = name[:-1] if name.endswith(b".") else name
    # No label is empty (RFC 1034, 3.1): `*.example.com` is not to be `.example.com`.
    return None if b".." in b".%b." % name else Host(name, _port(digits))


class HostTable(Generic[T]):
    """Values by host. What a pattern says exactly goes before what it leaves open.

    | pattern | holds for |
    |---|---|
    | `example.com` | that host, at every port |
    | `example.com:8443` | that host at that port |
    | `*.example.com` | every name below it, however deep, and not itself |
    | `[2001:db8::1]` | that address, however it is written |
    """

    __slots__ = ("_values", "_wild")

    def __init__(self) -> None:
        self._values: dict[Host, T] = {}
        self._wild = 0  # how many of them begin with a star

    def add(self, pattern: bytes, value: T) -> None:
        """Have *value* found by *pattern*, in place of what was. Raises ValueError."""
        host = _read_pattern(pattern)
        if host not in self._values:
            self._wild += host.name.startswith(b"*")
        self._values[host] = value

    def remove(self, pattern: bytes) -> None:
        """Forget a pattern. Raises ValueError, and KeyError when it was not added."""
        host = _read_pattern(pattern)
        del self._values[host]
        self._wild -= host.name.startswith(b"*")

    def find(self, text: bytes, default_port: int) -> T | None:
        """What stands for a value of Host; a host without a port is at *default_port*."""
        host = read_host(text)
        if host is None:
            return None
        port = default_port if host.port is None else host.port
        for name in _names(host.name) if self._wild else (host.name,):
            for key in (Host(name, port), Host(name)):
                if key in self._values:
                    return self._values[key]
        return None


def _read_pattern(pattern: bytes) -> Host:
    star = pattern.startswith(b"*.")
    host = read_host(pattern[2:] if star else pattern)
    if host is None or (star and host.name.startswith(b"[")):
        raise ValueError(f"a host is a name or an address, and perhaps a port: {pattern!r}")
    return Host(b"*." + host.name, host.port) if star else host


def _names(name: bytes) -> Iterator[bytes]:
    """A name, then the patterns that it falls under, the closest first."""
    yield name
    while name := name.partition(b".")[2]:
        yield b"*." + name


def _shortest(literal: bytes) -> bytes | None:
    """An IPv6 address as RFC 5952 writes it; a zone, which only its own machine knows, is left."""
    try:
        address = IPv6Address(literal.partition(b"%")[0].decode("ascii"))
    except ValueError:
        return None
    return b"[%b]" % address.compressed.encode("ascii")


def _port(digits: bytes) -> int | None:
    return int(digits) if digits else None  # `example.com:` has none (RFC 3986, 6.2.3)
