"""Server endpoints: places to listen, as values that know how.

`listen` gives a Deferred of the port, which has fired when it returns: a place that cannot be
listened on is a CannotListenError then and there.
"""

import socket
from dataclasses import dataclass
from typing import Protocol as Face

from weblayer.loop.adopt import systemdSockets
from weblayer.loop.bridge import execute
from weblayer.loop.deferred import Deferred
from weblayer.loop.network import BACKLOG, Network
from weblayer.loop.protocol import IFactory, IListeningPort
from weblayer.loop.securing import SecuringFactory
from weblayer.loop.ssl import TLSOptions

__all__ = [
    "AdoptedStreamServerEndpoint",
    "IStreamServerEndpoint",
    "SSL4ServerEndpoint",
    "StandardIOEndpoint",
    "SystemdServerEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ServerEndpoint",
    "UNIXServerEndpoint",
    "wrapServerTLS",
]


class IStreamServerEndpoint(Face):
    """A place to listen."""

    def listen(self, protocolFactory: IFactory, /) -> Deferred[IListeningPort]: ...


@dataclass(frozen=True, slots=True)
class TCP4ServerEndpoint:
    """A TCP port of one *interface*, or of all of IPv4 when that is empty."""

    reactor: Network
    port: int
    backlog: int = BACKLOG
    interface: str = ""
    reusePort: bool = False

    def listen(self, protocolFactory: IFactory) -> Deferred[IListeningPort]:
        """Listen there."""
        # Not named when not asked for, since a reactor in memory has no such thing.
        shared = {"reusePort": True} if self.reusePort else {}
        return execute(
            self.reactor.listenTCP, self.port, protocolFactory, self.backlog, self.interface,
            **shared,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TCP6ServerEndpoint(TCP4ServerEndpoint):
    """The same for IPv6; all of it, and of IPv4 where the system says so, when not told."""

    interface: str = "::"


@dataclass(frozen=True, slots=True)
class SSL4ServerEndpoint:
    """A TCP port whose connections are encrypted, by *sslContextFactory*."""

    reactor: Network
    port: int
    sslContextFactory: TLSOptions
    backlog: int = BACKLOG
    interface: str = ""

    def listen(self, protocolFactory: IFactory) -> Deferred[IListeningPort]:
        """Listen there."""
        return execute(
            self.reactor.listenSSL, self.port, protocolFactory, self.sslContextFactory,
            self.backlog, self.interface,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class UNIXServerEndpoint:
    """A UNIX socket at the path *address*, made with *mode*."""

    reactor: Network
    address: str
    backlog: int = BACKLOG
    mode: int = 0o666

    def listen(self, protocolFactory: IFactory) -> Deferred[IListeningPort]:
        """Listen there."""
        return execute(
            self.reactor.listenUNIX, self.address, protocolFactory, self.backlog, self.mode
        )


@dataclass(frozen=True, slots=True)
class AdoptedStreamServerEndpoint:
    """A socket that listens already: *fileno* is its descriptor, and stays the caller's.

    *addressFamily* is that which is expected, None for any.
    """

    reactor: Network
    fileno: int
    addressFamily: int | None = None

    def listen(self, protocolFactory: IFactory) -> Deferred[IListeningPort]:
        """Listen on a copy of it."""
        return execute(
            self.reactor.adoptStreamPort, self.fileno, self.addressFamily, protocolFactory
        )


@dataclass(frozen=True, slots=True)
class SystemdServerEndpoint:
    """A socket that systemd has passed: that with *name*, or that at *index* in their order."""

    reactor: Network
    index: int | None = None
    name: str | None = None
    addressFamily: socket.AddressFamily | None = None

    def listen(self, protocolFactory: IFactory) -> Deferred[IListeningPort]:
        """Listen on it; fails with ValueError when there is none."""
        return execute(self._listen, protocolFactory)

    def _listen(self, factory: IFactory) -> IListeningPort:
        found = systemdSockets()
        for place, (name, fileno) in enumerate(found):
            if self.name == name or (self.name is None and self.index == place):
                return self.reactor.adoptStreamPort(fileno, self.addressFamily, factory)
        wanted = f"index={self.index}" if self.name is None else f"name={self.name}"
        names = ", ".join(name for name, _ in found) or "none"
        raise ValueError(
            f"systemd has passed no socket with {wanted}; it has passed {names}: "
            "see ListenStream and FileDescriptorName of the socket unit"
        )


@dataclass(frozen=True, slots=True)
class StandardIOEndpoint:
    """The standard input and output of this process, as the only connection."""

    reactor: Network

    def listen(self, protocolFactory: IFactory) -> Deferred[IListeningPort]:
        """Have a protocol of the factory talk there, now; gives a StandardIO."""
        return execute(self.reactor.listenStdio, protocolFactory)


@dataclass(frozen=True, slots=True)
class _SecuredServerEndpoint:
    options: TLSOptions
    wrapped: IStreamServerEndpoint

    def listen(self, protocolFactory: IFactory) -> Deferred[IListeningPort]:
        return self.wrapped.listen(SecuringFactory(protocolFactory, self.options))


def wrapServerTLS(
    options: TLSOptions, wrappedEndpoint: IStreamServerEndpoint
) -> IStreamServerEndpoint:
    """*wrappedEndpoint* with its connections encrypted."""
    return _SecuredServerEndpoint(options, wrappedEndpoint)
