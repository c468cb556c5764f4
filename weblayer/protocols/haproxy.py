"""The PROXY protocol: behind a load balancer, know the client and not the balancer.

The header comes first, and only then is the wrapped protocol built, for the client's address;
what logs, limits or judges by address need not know. Who sends such a header decides what
that address is, so only trusted peers may.
"""

import logging
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from typing import Protocol as Face

from weblayer.loop.address import Address, HostnameAddress, UNIXAddress
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IFactory, IProtocol, ITransport
from weblayer.loop.timers import IReactorTime
from weblayer.protocols.errors import BadProxyHeader
from weblayer.protocols.proxyheader import ProxyHeader, read_header
from weblayer.protocols.timeouts import TimeoutMixin
from weblayer.protocols.wrapping import ProtocolWrapper, WrappingFactory

__all__ = [
    "ANYBODY",
    "LOOPBACK",
    "HAProxyProtocolWrapper",
    "HAProxyWrappingFactory",
    "proxyEndpoint",
]

log = logging.getLogger("weblayer")

LOOPBACK = ("127.0.0.0/8", "::1/128")
ANYBODY = ("0.0.0.0/0", "::/0")  # for a port that only the proxy can reach

# Seconds for the header: it comes with the first packet, which may have to be sent again
# (three at least, says section 2 of the protocol).
HEADER_TIME = 5.0


class HAProxyProtocolWrapper(TimeoutMixin, ProtocolWrapper):
    """Reads the header, then is the transport of a protocol for the real client."""

    # Any: as in the base. There is no wrapped protocol before there is a header.
    def __init__(self, factory: "HAProxyWrappingFactory", wrappedProtocol: Any = None) -> None:
        super().__init__(factory, wrappedProtocol)
        self.clock = factory.clock
        self.proxyHeader = ProxyHeader()
        self._unread = b""  # of the header; then what came with it while reading is paused
        self._paused = False

    @property
    def secure(self) -> bool:
        """Whether nobody can read along: on the way to us, or, says the proxy, to it."""
        return self.transport.secure or self.proxyHeader.isSecure

    def getPeer(self) -> Address:
        """The address of the client."""
        return self.proxyHeader.source or self.transport.getPeer()

    def getHost(self) -> Address:
        """The address that the client connected to."""
        return self.proxyHeader.destination or self.transport.getHost()

    def makeConnection(self, transport: ITransport) -> None:
        """Wait for the header."""
        self.transport = transport
        self.factory.registerProtocol(self)
        self.setTimeout(HEADER_TIME)

    def dataReceived(self, data: bytes) -> None:
        """Read the header, or pass on what came."""
        if self.wrappedProtocol is not None:
            self.wrappedProtocol.dataReceived(data)
        elif not self.transport.disconnecting:
            self._unread += data
            self._read()

    def pauseProducing(self) -> None:
        """Read no more for now."""
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on, beginning with what came with the header."""
        self._paused = False
        if self._unread:
            self.callLater(0, self._release)  # in the next turn, as a transport does
        else:
            self.transport.resumeProducing()

    def timeoutConnection(self) -> None:
        """There was no header in time."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure) -> None:
        """Pass on the end, if anybody knows of the beginning."""
        self.setTimeout(None)
        self._unread = b""
        if self.wrappedProtocol is None:
            self.factory.unregisterProtocol(self)
        else:
            super().connectionLost(reason)

    def _read(self) -> None:
        try:
            found = read_header(self._unread, self.factory.MAX_LENGTH)
        except BadProxyHeader as error:
            log.info("%s: %s", self.transport.getPeer(), error)
            self.transport.abortConnection()
            return
        if found is not None:
            self.proxyHeader, size = found
            self._unread = self._unread[size:]
            self._begin()

    def _begin(self) -> None:
        self.setTimeout(None)
        protocol = self.factory.wrappedFactory.buildProtocol(self.getPeer())
        if protocol is None:
            self.transport.abortConnection()
            return
        self.wrappedProtocol = protocol
        protocol.makeConnection(self)
        self._deliver()

    def _release(self) -> None:
        """Read on, as far as the protocol still wants it."""
        self._deliver()
        if not self._paused:
            self.transport.resumeProducing()

    def _deliver(self) -> None:
        """Deliver what came with the header, unless reading is paused, or all is over."""
        if self._unread and not self._paused and not self.transport.disconnecting:
            data, self._unread = self._unread, b""
            self.wrappedProtocol.dataReceived(data)


class HAProxyWrappingFactory(WrappingFactory):
    """Takes connections of proxies that begin with a PROXY header, and of nobody else.

    *trusted* are the networks that proxies are in; unless told otherwise, this machine. A
    UNIX socket is trusted, as its file says who may connect. Others are closed at once: one
    who sends a header can be whom he likes. *clock* is the reactor unless it is given.
    """

    protocol = HAProxyProtocolWrapper

    # Bytes of a header of version 2: the addresses take 232 at most, and a client's
    # certificate, the greatest of the values a proxy may add, some two thousand.
    MAX_LENGTH = 4096

    def __init__(
        self,
        wrappedFactory: IFactory,
        trusted: Iterable[str] = LOOPBACK,
        clock: IReactorTime | None = None,
    ) -> None:
        super().__init__(wrappedFactory)
        if isinstance(trusted, str):
            raise TypeError(f"trusted must be a list of networks, as in [{trusted!r}]")
        self._trusted = [_network(name) for name in trusted]
        self.clock = clock

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Take the connection when its peer is trusted."""
        if self.isTrusted(addr):
            wrapper: IProtocol = self.protocol(self)
            return wrapper
        log.warning("refused %s: it is not in trusted=, of the PROXY protocol's factory", addr)
        return None

    def isTrusted(self, addr: Address) -> bool:
        """Whether a peer at *addr* may say who its client is."""
        if isinstance(addr, UNIXAddress):
            return True
        if isinstance(addr, HostnameAddress) or not addr.host:
            return False
        host = ip_address(addr.host.partition("%")[0])
        host = getattr(host, "ipv4_mapped", None) or host
        return any(host in network for network in self._trusted)


class _IServerEndpoint(Face):
    # Any: what listening gives is the endpoint's own.
    def listen(self, factory: IFactory, /) -> Any: ...


def proxyEndpoint(
    wrappedEndpoint: _IServerEndpoint, trusted: Iterable[str] = LOOPBACK
) -> _IServerEndpoint:
    """An endpoint on top of another, whose connections begin with a PROXY header.

    *trusted* is as for `HAProxyWrappingFactory`.
    """
    return _ProxyEndpoint(wrappedEndpoint, trusted)


class _ProxyEndpoint:
    def __init__(self, endpoint: _IServerEndpoint, trusted: Iterable[str]) -> None:
        self._endpoint, self._trusted = endpoint, trusted

    def listen(self, factory: IFactory, /) -> Any:
        return self._endpoint.listen(HAProxyWrappingFactory(factory, self._trusted))


def _network(name: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(name)
    except ValueError as error:
        raise ValueError(
            f"trusted must have networks, such as 10.0.0.0/8 or 192.0.2.1, not {name!r}: {error}"
        ) from error
