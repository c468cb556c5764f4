"""What a reactor listens on and connects to: the sockets of one event loop.

A reactor is one of these; it stands alone because it has nothing to do with time, threads or
stopping. Encryption is a factory around the program's factory, see the `securing` module.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING
from typing import Protocol as Face

from weblayer.loop.address import Address, UNIXAddress
from weblayer.loop.ports import Port, Roster, bindTCP, bindUNIX, checkNumber
from weblayer.loop.protocol import IClientFactory, IDatagramProtocol, IFactory
from weblayer.loop.transport import HANDSHAKE

# What few programs need is imported where it is used.
if TYPE_CHECKING:
    from weblayer.loop.connectors import Connector
    from weblayer.loop.ssl import TLSOptions
    from weblayer.loop.stdio import StandardIO
    from weblayer.loop.udp import UDPPort

__all__ = ["BACKLOG", "MAX_PACKET_SIZE", "Bond", "Network"]

# Connections that the kernel holds while we are busy; Linux takes no more than somaxconn.
BACKLOG = 1024

# Seconds of start that each address of a name has before the next (RFC 8305, 8: 250 ms).
ATTEMPT_DELAY = 0.25

# Bytes. The field's default; what crosses the internet whole is below 1500.
MAX_PACKET_SIZE = 8192


class Bond(Face):
    """What a network keeps for the loop it has."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def roster(self) -> Roster: ...


class Network:
    """Ports and connectors on one event loop, in the field's words.

    *interface* is an address of this machine: "" is all of IPv4, "::" all of IPv6 (and IPv4,
    where the system says so). Whatever listens raises CannotListenError at once.
    """

    def _bound(self) -> Bond:
        raise NotImplementedError

    # Streams.

    def listenTCP(
        self, port: int, factory: IFactory, backlog: int = BACKLOG, interface: str = "",
        reusePort: bool = False,
    ) -> Port:  # fmt: skip
        """Listen on *port*, 0 for one that is free, and let *factory* answer.

        *reusePort* lets several processes share the port. Raises CannotListenError.
        """
        return self._listen(bindTCP(port, interface, backlog, reusePort), factory, backlog)

    def listenUNIX(
        self, address: str, factory: IFactory, backlog: int = BACKLOG, mode: int = 0o666
    ) -> Port:
        """Listen at the path *address*, made with *mode*, and let *factory* answer.

        A socket file that nobody listens on is replaced. Raises CannotListenError.
        """
        return self._listen(bindUNIX(address, mode, backlog), factory, backlog)

    def listenSSL(
        self, port: int, factory: IFactory, contextFactory: "TLSOptions", backlog: int = BACKLOG,
        interface: str = "", reusePort: bool = False,
    ) -> Port:  # fmt: skip
        """As listenTCP, encrypted as *contextFactory* says: CertificateOptions, or a folder.

        The factory builds its protocol when the client has agreed on an encryption.
        """
        from weblayer.loop.securing import SecuringFactory

        _check(factory, "buildProtocol", _FACTORY)
        secured = SecuringFactory(factory, contextFactory)
        return self.listenTCP(port, secured, backlog, interface, reusePort)

    def adoptStreamPort(
        self, fileDescriptor: int, addressFamily: int | None, factory: IFactory
    ) -> Port:
        """Listen on a socket that listens already, and let *factory* answer.

        A copy of the descriptor is used: the caller may close it. *addressFamily* is that which
        is expected, None for any. Raises ValueError for what cannot be adopted.
        """
        from weblayer.loop.adopt import adopted

        return self._listen(adopted(fileDescriptor, addressFamily), factory, BACKLOG, adopted=True)

    def connectTCP(
        self, host: str, port: int, factory: IClientFactory, timeout: float | None = 30,
        bindAddress: tuple[str, int] | None = None, attemptDelay: float = ATTEMPT_DELAY,
    ) -> "Connector":  # fmt: skip
        """Connect to *host*, a name or an address, within *timeout* seconds.

        *bindAddress* is the (host, port) of our side, chosen by the system when None. Of a name
        with several addresses the next is tried when one has not answered in *attemptDelay*
        seconds, and the first to answer is taken.
        """
        from weblayer.loop.connectors import addressOf, openTCP

        checkNumber(port)
        opening = partial(openTCP, self._bound().loop, host, port, bindAddress, attemptDelay)
        return self._connect(addressOf(host, port), factory, timeout, opening)

    def connectUNIX(
        self, address: str, factory: IClientFactory, timeout: float | None = 30
    ) -> "Connector":
        """Connect to the server that listens at the path *address*, as connectTCP does."""
        from weblayer.loop.connectors import openUNIX

        opening = partial(openUNIX, self._bound().loop, address)
        return self._connect(UNIXAddress(address), factory, timeout, opening)

    def connectSSL(
        self, host: str, port: int, factory: IClientFactory, contextFactory: "TLSOptions",
        timeout: float | None = 30, bindAddress: tuple[str, int] | None = None,
    ) -> "Connector":  # fmt: skip
        """As connectTCP, encrypted as *contextFactory* says: see optionsForClientTLS.

        Connecting may take *timeout* seconds, and so may agreeing on an encryption. Until the two
        sides agree, what goes wrong is told by clientConnectionFailed: SSLError and its kinds.
        """
        from weblayer.loop.securing import SecuringClientFactory

        _check(factory, "clientConnectionFailed", _CLIENT)
        limit = HANDSHAKE if timeout is None else timeout
        secured = SecuringClientFactory(factory, contextFactory, limit)
        return self.connectTCP(host, port, secured, timeout, bindAddress)

    def listenStdio(self, factory: IFactory) -> "StandardIO":
        """Have a protocol of *factory* talk on standard input and output, now."""
        from weblayer.loop.stdio import StandardIO

        bond = self._bound()
        return StandardIO(bond.loop, factory, bond.roster)

    # Datagrams.

    def listenUDP(
        self, port: int, protocol: IDatagramProtocol, interface: str = "",
        maxPacketSize: int = MAX_PACKET_SIZE,
    ) -> "UDPPort":  # fmt: skip
        """Have *protocol* send and receive on *port*, 0 for one that is free.

        Datagrams of more than *maxPacketSize* bytes are dropped. Raises CannotListenError.
        """
        from weblayer.loop.udp import bindUDP

        return self._receive(bindUDP(port, interface, False), protocol, maxPacketSize)

    def listenMulticast(
        self, port: int, protocol: IDatagramProtocol, interface: str = "",
        maxPacketSize: int = MAX_PACKET_SIZE, listenMultiple: bool = False,
    ) -> "UDPPort":  # fmt: skip
        """As listenUDP; with *listenMultiple* other sockets may have the same port."""
        from weblayer.loop.udp import bindUDP

        return self._receive(bindUDP(port, interface, listenMultiple), protocol, maxPacketSize)

    def adoptDatagramPort(
        self, fileDescriptor: int, addressFamily: int | None, protocol: IDatagramProtocol,
        maxPacketSize: int = MAX_PACKET_SIZE,
    ) -> "UDPPort":  # fmt: skip
        """Have *protocol* use a UDP socket that is bound already, as adoptStreamPort does."""
        from weblayer.loop.adopt import adopted

        sock = adopted(fileDescriptor, addressFamily, socket.SOCK_DGRAM)
        return self._receive(sock, protocol, maxPacketSize)

    # Inside.

    def _listen(
        self, sock: socket.socket, factory: IFactory, backlog: int, *, adopted: bool = False
    ) -> Port:
        bond = self._bound()
        try:
            _check(factory, "buildProtocol", _FACTORY)
            port = Port(bond.loop, sock, factory, backlog, bond.roster, adopted)
            port.startListening()
        except BaseException:
            sock.close()
            raise
        return port

    def _receive(
        self, sock: socket.socket, protocol: IDatagramProtocol, maxPacketSize: int
    ) -> "UDPPort":
        from weblayer.loop.udp import UDPPort

        bond = self._bound()
        try:
            _check(protocol, "datagramReceived", _DATAGRAMS)
        except TypeError:
            sock.close()
            raise
        port = UDPPort(bond.loop, sock, protocol, maxPacketSize, bond.roster)
        try:
            port.startListening()
        except BaseException:
            port.stopListening()
            raise
        return port

    def _connect(
        self, address: Address, factory: IClientFactory, timeout: float | None,
        opening: Callable[[], Awaitable[socket.socket]],
    ) -> "Connector":  # fmt: skip
        from weblayer.loop.connectors import Connector

        _check(factory, "clientConnectionFailed", _CLIENT)
        bond = self._bound()
        connector = Connector(bond.loop, address, factory, timeout, opening, bond.roster)
        connector.connect()
        return connector


_FACTORY = "factory must make protocols, as Site(resource) and Factory.forProtocol(Echo) do"
_CLIENT = "factory must be a ClientFactory, as ClientFactory.forProtocol(Echo) is"
_DATAGRAMS = "protocol must be a DatagramProtocol"


def _check(thing: object, method: str, rule: str) -> None:
    """Raise TypeError for what has no such method, or is a class: here, not where it is called."""
    if isinstance(thing, type) or not hasattr(thing, method):
        raise TypeError(f"{rule}; an instance, not {thing!r}")
