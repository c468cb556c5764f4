r"""Where to listen, as a person writes it: `tcp:8080:interface=127.0.0.1`, `unix:/run/web.sock`.

The field's language of descriptions, as far as serving needs it: a kind and its arguments,
with colons between them. A backslash takes the meaning from a colon: `interface=\:\:1`.
"""

import errno
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from weblayer.loop.address import Address, IPv4Address, IPv6Address
from weblayer.loop.error import CannotListenError
from weblayer.loop.ports import Port
from weblayer.loop.protocol import IFactory
from weblayer.loop.reactor import Reactor

__all__ = ["Endpoint", "Localhost", "TCPEndpoint", "UNIXEndpoint", "parse_endpoint"]


class Endpoint(Protocol):
    """A place to listen."""

    def listen(self, reactor: Reactor, factory: IFactory) -> list[Port]:
        """Listen there. Raises CannotListenError."""

    def name(self, host: Address) -> str:
        """What a person may type to reach it; *host* is that of the first port."""


@dataclass(frozen=True, slots=True)
class Localhost:
    """This machine alone, over IPv4, and over IPv6 where there is any.

    Both, since a browser that is told "localhost" tries ::1 first, and would find whoever is there.
    """

    port: int

    def listen(self, reactor: Reactor, factory: IFactory) -> list[Port]:
        """Listen on both, with one number."""
        first = reactor.listenTCP(self.port, factory, interface="127.0.0.1")
        try:
            return [first, reactor.listenTCP(_number(first.getHost()), factory, interface="::1")]
        except CannotListenError as error:
            if error.socketError.errno in (errno.EADDRINUSE, errno.EACCES):
                first.stopListening()
                raise
            return [first]  # a machine without IPv6

    def name(self, host: Address) -> str:
        """One URL for both."""
        return f"http://localhost:{_number(host)}/"


@dataclass(frozen=True, slots=True)
class TCPEndpoint:
    """A TCP port of one interface, or of all when *interface* is empty."""

    port: int
    interface: str = ""

    def listen(self, reactor: Reactor, factory: IFactory) -> list[Port]:
        """Listen there."""
        return [reactor.listenTCP(self.port, factory, interface=self.interface)]

    def name(self, host: Address) -> str:
        """A URL; where all interfaces are open, that is said too."""
        return _url(host)


@dataclass(frozen=True, slots=True)
class UNIXEndpoint:
    """A UNIX socket at a path."""

    address: str

    def listen(self, reactor: Reactor, factory: IFactory) -> list[Port]:
        """Listen there."""
        return [reactor.listenUNIX(self.address, factory)]

    def name(self, host: Address) -> str:
        """The path; there is no URL that everyone reads."""
        return f"unix:{self.address} (try: curl --unix-socket {self.address} http://localhost/)"


def parse_endpoint(description: str) -> Endpoint:
    """Read a description. Raises ValueError that says what was expected."""
    kind, *parts = (_ESCAPED.sub(r"\1", part) for part in _PART.findall(description))
    if kind == "tcp":
        found = _arguments(kind, ("port", "interface"), parts)
        return TCPEndpoint(_port(found.get("port", "")), found.get("interface", ""))
    if kind == "unix":
        found = _arguments(kind, ("address",), parts)
        if not found.get("address"):
            raise ValueError("unix needs a path, as in unix:/run/web.sock")
        return UNIXEndpoint(found["address"])
    raise ValueError(f"{description!r} should begin with tcp: or unix:, as in tcp:8080")


# A part ends at a colon that no backslash stands before.
_PART = re.compile(r"(?:^|:)((?:\\.|[^:])*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _arguments(kind: str, names: Sequence[str], parts: Sequence[str]) -> dict[str, str]:
    """Arguments by name; the first may come without its name."""
    found: dict[str, str] = {}
    for place, part in enumerate(parts):
        name, equals, value = part.partition("=")
        if not equals or name not in names:
            if place > 0:
                raise ValueError(_misread(kind, names, part))
            name, value = names[0], part
        if name in found:
            raise ValueError(f"{kind} was given {name} twice")
        found[name] = value
    return found


def _misread(kind: str, names: Sequence[str], part: str) -> str:
    expected = " and ".join(f"{name}=..." for name in names)
    return rf"{kind} takes {expected}, not {part!r}; a colon inside a value is written \:"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError(f"tcp needs a port from 0 to 65535, as in tcp:8080, not {text!r}")
    return int(text)


def _number(host: Address) -> int:
    assert isinstance(host, IPv4Address | IPv6Address)
    return host.port


def _url(host: Address) -> str:
    assert isinstance(host, IPv4Address | IPv6Address)
    if ip_address(host.host).is_unspecified:
        return f"http://localhost:{host.port}/ (open to the whole network, at any address)"
    name = f"[{host.host}]" if isinstance(host, IPv6Address) else host.host
    return f"http://{name}:{host.port}/"
