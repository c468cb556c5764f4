"""How many connections: in all, and from one peer."""

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address as IPv6
from typing import Any

from weblayer.loop.address import Address, IPv4Address, IPv6Address
from weblayer.loop.protocol import IFactory, IProtocol
from weblayer.protocols.wrapping import WrappingFactory

__all__ = ["LimitConnectionsByPeer", "LimitTotalConnectionsFactory"]


class LimitTotalConnectionsFactory(WrappingFactory):
    """Takes at most *connectionLimit* connections at a time; None is without limit.

    Further ones are closed at once, or given to an *overflowProtocol*, which may say why; of
    these there are at most *overflowLimit*, as they are a stranger's to grow too.
    """

    connectionLimit: int | None = None
    overflowProtocol: Callable[[], IProtocol] | None = None
    overflowLimit = 100  # enough to be polite in: each is short, or ought to be

    def __init__(
        self,
        wrappedFactory: IFactory,
        connectionLimit: int | None = None,
        overflowProtocol: Callable[[], IProtocol] | None = None,
    ) -> None:
        super().__init__(wrappedFactory)
        if connectionLimit is not None:
            self.connectionLimit = connectionLimit
        if overflowProtocol is not None:
            self.overflowProtocol = overflowProtocol
        self._overflow: set[Any] = set()  # Any: as `protocols`

    @property
    def connectionCount(self) -> int:
        """How many connections have been taken; those of the overflowProtocol do not count."""
        return len(self.protocols)

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Take the connection, or let it hear that there are too many."""
        if self.connectionLimit is None or self.connectionCount < self.connectionLimit:
            return super().buildProtocol(addr)
        if self.overflowProtocol is None or len(self._overflow) >= self.overflowLimit:
            return None
        protocol = self.overflowProtocol()
        protocol.factory = self  # type: ignore[attr-defined]  # the field's gift, asked by no face
        wrapper = self.wrap(protocol)
        self._overflow.add(wrapper)
        return wrapper

    def registerProtocol(self, p: Any) -> None:
        """A connection has been taken."""
        if p not in self._overflow:
            super().registerProtocol(p)

    def unregisterProtocol(self, p: Any) -> None:
        """A connection has ended."""
        self._overflow.discard(p)
        super().unregisterProtocol(p)


class LimitConnectionsByPeer(WrappingFactory):
    """Takes at most *maxConnectionsPerPeer* connections at a time from one peer.

    A peer is an IPv4 address, or the first half of an IPv6 address: whoever has one of its
    addresses has all of them (RFC 6177, 2). Peers on a UNIX socket cannot be told apart, and
    are not limited.
    """

    maxConnectionsPerPeer = 5

    def __init__(self, wrappedFactory: IFactory, maxConnectionsPerPeer: int | None = None) -> None:
        super().__init__(wrappedFactory)
        if maxConnectionsPerPeer is not None:
            self.maxConnectionsPerPeer = maxConnectionsPerPeer
        self.peerConnections: Counter[str] = Counter()  # by peer; those without any are not in it

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Take the connection unless its peer has enough of them."""
        peer = _peer_of(addr)
        if peer is not None and self.peerConnections[peer] >= self.maxConnectionsPerPeer:
            return None
        return super().buildProtocol(addr)

    def registerProtocol(self, p: Any) -> None:
        """A connection has been taken."""
        super().registerProtocol(p)
        if peer := _peer_of(p.getPeer()):
            self.peerConnections[peer] += 1

    def unregisterProtocol(self, p: Any) -> None:
        """A connection has ended."""
        if p in self.protocols and (peer := _peer_of(p.getPeer())):
            self.peerConnections[peer] -= 1
            if not self.peerConnections[peer]:
                del self.peerConnections[peer]
        super().unregisterProtocol(p)


def _peer_of(addr: Address) -> str | None:
    """Who is at *addr*, None when that cannot be told."""
    if isinstance(addr, IPv4Address):
        return addr.host
    if not isinstance(addr, IPv6Address):
        return None
    number = IPv6(addr.host.partition("%")[0])
    if number.ipv4_mapped:
        return str(number.ipv4_mapped)
    return f"{IPv6(int(number) >> 64 << 64)}/64"
