"""Where the program listens, and what a person is told of it."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from weblayer.loop.address import Address, IPv4Address, IPv6Address, UNIXAddress
from weblayer.loop.deferred import Deferred
from weblayer.loop.endpoints import IStreamServerEndpoint, SSL4ServerEndpoint, serverFromString
from weblayer.loop.error import CannotListenError
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IFactory, IListeningPort
from weblayer.loop.reactor import Reactor
from weblayer.loop.securing import SecuringFactory

__all__ = ["Described", "Localhost", "Place", "parse_place"]


class Place(Protocol):
    """A place to listen."""

    def listen(self, reactor: Reactor, factory: IFactory) -> Sequence[IListeningPort]:
        """Listen there. Raises CannotListenError, ValueError."""

    def adopt(self, reactor: Reactor, fds: Sequence[int], factory: IFactory) -> None:
        """Listen on copies of the sockets *fds*, which a process like us has opened there."""

    def name(self, host: Address) -> str:
        """What a person may type to reach it; *host* is that of the first port."""


@dataclass(frozen=True, slots=True)
class Localhost:
    """This machine alone, over IPv4, and over IPv6 where there is any.

    Both, since a browser that is told "localhost" tries ::1 first, and would find whoever is there.
    """

    port: int

    def listen(self, reactor: Reactor, factory: IFactory) -> Sequence[IListeningPort]:
        """Listen on both, with one number."""
        first = reactor.listenTCP(self.port, factory, interface="127.0.0.1")
        try:
            return [first, reactor.listenTCP(_number(first.getHost()), factory, interface="::1")]
        except CannotListenError as error:
            if error.socketError.errno in (errno.EADDRINUSE, errno.EACCES):
                first.stopListening()
                raise
            return [first]  # a machine without IPv6

    def adopt(self, reactor: Reactor, fds: Sequence[int], factory: IFactory) -> None:
        """Listen on both."""
        for fd in fds:
            reactor.adoptStreamPort(fd, None, factory)

    def name(self, host: Address) -> str:
        """One URL for both."""
        return f"http://localhost:{_number(host)}/"


@dataclass(frozen=True, slots=True)
class Described:
    """A place as `--listen` wrote it."""

    description: str
    endpoint: IStreamServerEndpoint

    def listen(self, reactor: Reactor, factory: IFactory) -> Sequence[IListeningPort]:
        """Listen there."""
        return [_result(self.endpoint.listen(factory))]

    def adopt(self, reactor: Reactor, fds: Sequence[int], factory: IFactory) -> None:
        """Listen there, encrypted where the endpoint is."""
        if isinstance(self.endpoint, SSL4ServerEndpoint):
            factory = SecuringFactory(factory, self.endpoint.sslContextFactory)
        for fd in fds:
            reactor.adoptStreamPort(fd, None, factory)

    def name(self, host: Address) -> str:
        """A URL, or the path of a socket file; where all interfaces are open, that is said too."""
        if isinstance(host, UNIXAddress):
            return f"unix:{host.name} (try: curl --unix-socket {host.name} http://localhost/)"
        scheme = "https" if self.description.startswith(("ssl:", "tls:")) else "http"
        return _url(scheme, host)


def parse_place(reactor: Reactor, description: str) -> Place:
    """Read a description. Raises ValueError, or OSError for a file that cannot be read."""
    if description.partition(":")[0] == "stdio":
        raise ValueError("stdio: is where this program tells what it does; give another place")
    return Described(description, serverFromString(reactor, description))


def _result(listening: Deferred[IListeningPort]) -> IListeningPort:
    """What a Deferred that has fired holds, or raise it."""
    ports: list[IListeningPort] = []
    failures: list[Failure] = []
    listening.addCallbacks(ports.append, failures.append)
    for failure in failures:
        failure.raiseException()
    return ports[0]


def _number(host: Address) -> int:
    assert isinstance(host, IPv4Address | IPv6Address)
    return host.port


def _url(scheme: str, host: Address) -> str:
    assert isinstance(host, IPv4Address | IPv6Address)
    if ip_address(host.host).is_unspecified:
        return f"{scheme}://localhost:{host.port}/ (open to the whole network, at any address)"
    name = f"[{host.host}]" if isinstance(host, IPv6Address) else host.host
    return f"{scheme}://{name}:{host.port}/"
