"""Where a connection comes from and goes to: small values that compare and hash."""

from dataclasses import dataclass
from os import fsdecode
from typing import Any, Literal

__all__ = [
    "Address",
    "HostnameAddress",
    "IPv4Address",
    "IPv6Address",
    "UNIXAddress",
    "fromSocketName",
]


@dataclass(frozen=True, slots=True)
class IPv4Address:
    """An IPv4 address and port.

    *host* is empty in the address of a peer that had left before it could be asked for.
    """

    type: Literal["TCP", "UDP"]
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class IPv6Address:
    """An IPv6 address and port; *scopeID* names the interface of a link-local address."""

    type: Literal["TCP", "UDP"]
    host: str
    port: int
    flowInfo: int = 0
    scopeID: int | str = 0


@dataclass(frozen=True, slots=True)
class UNIXAddress:
    """The path of a UNIX socket, None for the side that has none (most clients).

    A path of Linux's abstract namespace begins with a NUL character.
    """

    name: str | None


@dataclass(frozen=True, slots=True)
class HostnameAddress:
    """A host by its name, before it has been looked up."""

    hostname: str
    port: int


Address = IPv4Address | IPv6Address | UNIXAddress | HostnameAddress


# Any: socket.getsockname() and getpeername() are typed so, being different for each family.
def fromSocketName(name: Any) -> Address:
    """Make the address of what `getsockname` or `getpeername` of a stream socket gave."""
    if name is None:
        return IPv4Address("TCP", "", 0)
    if isinstance(name, str | bytes):
        return UNIXAddress(fsdecode(name) or None)
    if len(name) == 2:
        return IPv4Address("TCP", *name)
    return IPv6Address("TCP", *name)
