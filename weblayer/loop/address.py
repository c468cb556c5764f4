"""Where a connection comes from and goes to: small values that compare and hash."""

from os import fsdecode
from typing import Any, Literal, NoReturn, dataclass_transform

__all__ = [
    "Address",
    "HostnameAddress",
    "IPv4Address",
    "IPv6Address",
    "UNIXAddress",
    "fromSocketName",
]

_put = object.__setattr__  # which alone may


@dataclass_transform(frozen_default=True)
class _Value:
    """What dataclass(frozen=True, slots=True) gives; its subclasses have slots, and fill them.

    Four of those take 3 ms, of the 70 from the start of a server to its first answer: each compiles
    half a dozen functions.
    """

    __slots__: tuple[str, ...] = ()

    def _facts(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        said = zip(self.__slots__, self._facts(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={fact!r}' for name, fact in said)})"

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), self._facts()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an address cannot be changed: make another with that {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"an address cannot be changed: {name} stays")


class IPv4Address(_Value):
    """An IPv4 address and port.

    *host* is empty in the address of a peer that had left before it could be asked for.
    """

    __slots__ = __match_args__ = ("type", "host", "port")

    type: Literal["TCP", "UDP"]
    host: str
    port: int

    def __init__(self, type: Literal["TCP", "UDP"], host: str, port: int) -> None:  # noqa: A002  the field's name
        _put(self, "type", type)
        _put(self, "host", host)
        _put(self, "port", port)


class IPv6Address(_Value):
    """An IPv6 address and port; *scopeID* names the interface of a link-local address."""

    __slots__ = __match_args__ = ("type", "host", "port", "flowInfo", "scopeID")

    type: Literal["TCP", "UDP"]
    host: str
    port: int
    flowInfo: int
    scopeID: int | str

    def __init__(
        self,
        type: Literal["TCP", "UDP"],  # noqa: A002  the field's name
        host: str,
        port: int,
        flowInfo: int = 0,
        scopeID: int | str = 0,
    ) -> None:
        _put(self, "type", type)
        _put(self, "host", host)
        _put(self, "port", port)
        _put(self, "flowInfo", flowInfo)
        _put(self, "scopeID", scopeID)


class UNIXAddress(_Value):
    """The path of a UNIX socket, None for the side that has none (most clients).

    A path of Linux's abstract namespace begins with a NUL character.
    """

    __slots__ = __match_args__ = ("name",)

    name: str | None

    def __init__(self, name: str | None) -> None:
        _put(self, "name", name)


class HostnameAddress(_Value):
    """A host by its name, before it has been looked up."""

    __slots__ = __match_args__ = ("hostname", "port")

    hostname: str
    port: int

    def __init__(self, hostname: str, port: int) -> None:
        _put(self, "hostname", hostname)
        _put(self, "port", port)


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
