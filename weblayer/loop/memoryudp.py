"""A UDP port without a socket: the test is the network, and sees what it is sent."""

from weblayer.loop.address import Address, HostnameAddress
from weblayer.loop.connectors import addressOf
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.error import MessageLengthError
from weblayer.loop.protocol import IDatagramProtocol

__all__ = ["MemoryUDPPort"]

# Bytes: what is left of an IPv4 packet of 65,535 behind its headers.
MOST = 65507


class MemoryUDPPort:
    """A UDP port of a MemoryReactor, and the transport of its protocol.

    What the protocol writes is in `sent`, as pairs of (data, address), and `groups` are those it
    has joined; `receive` lets a datagram come, `refuse` tells that nobody was there to read one.
    """

    def __init__(self, host: Address, protocol: IDatagramProtocol, maxPacketSize: int) -> None:
        self.protocol, self.maxPacketSize = protocol, maxPacketSize
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.groups: list[tuple[str, str]] = []
        self.listening = False
        self._host = host
        self._peer: tuple[str, int] | None = None
        self._ttl, self._hears_itself, self._may_broadcast = 1, True, False
        self.startListening()

    # What the test says.

    def receive(self, data: bytes, addr: tuple[str, int] = ("192.0.2.1", 49152)) -> None:
        """Let a datagram come; it is lost where a real one would be.

        That is on a closed port, when it is too long, and when it comes from another than that
        which the port is connected to.
        """
        fits = len(data) <= self.maxPacketSize and self._peer in (None, addr)
        if self.listening and fits:
            self.protocol.datagramReceived(data, addr)

    def refuse(self) -> None:
        """Let it be heard that nobody reads what was sent; a port that is not connected cannot."""
        if self.listening and self.connected:
            self.protocol.connectionRefused()

    # What the program says: see `weblayer.loop.udp.UDPPort`.

    @property
    def connected(self) -> bool:
        """Whether it was told to send to one address alone."""
        return self._peer is not None

    def getHost(self) -> Address:
        """The address it is bound to, with a number for port 0."""
        return self._host

    def startListening(self) -> None:
        """Receive; listenUDP has done so."""
        if not self.listening:
            self.listening = True
            self.protocol.makeConnection(self)

    def stopListening(self) -> Deferred[None]:
        """Receive no more. Has fired already."""
        if self.listening:
            self.listening = False
            self.protocol.doStop()
        return succeed(None)

    def loseConnection(self) -> None:
        """The same as stopListening."""
        self.stopListening()

    def connect(self, host: str, port: int) -> None:
        """Send to that address alone, and receive from no other."""
        if self._peer is not None:
            raise RuntimeError("this port is connected; listen again for another")
        self._peer = (_checked(host), port)

    def write(self, data: bytes, addr: tuple[str, int] | None = None) -> None:
        """Keep it in `sent`. Raises as a real port: MessageLengthError, ValueError, TypeError."""
        if not self.listening:
            return
        if (addr is None) is not self.connected:
            raise ValueError(
                f"addr must be given unless connect() was called, and not after it; it is {addr!r}"
            )
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if len(data) > MOST:
            raise MessageLengthError(f"data of {len(data)} bytes is too long to send")
        host, port = addr or self._peer or ("", 0)
        self.sent.append((bytes(data), (_checked(host), port)))

    def joinGroup(self, addr: str, interface: str = "") -> Deferred[None]:
        """Note it in `groups`; what is sent there the test may `receive`."""
        self.groups.append((_checked(addr), interface))
        return succeed(None)

    def leaveGroup(self, addr: str, interface: str = "") -> Deferred[None]:
        """Take it out of `groups`. Raises ValueError when it was not joined."""
        self.groups.remove((addr, interface))
        return succeed(None)

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Note it."""
        self._may_broadcast = enabled

    def getBroadcastAllowed(self) -> bool:
        """What was set; False."""
        return self._may_broadcast

    def setTTL(self, ttl: int) -> None:
        """Note it."""
        self._ttl = ttl

    def getTTL(self) -> int:
        """What was set; 1."""
        return self._ttl

    def setLoopbackMode(self, mode: bool) -> None:
        """Note it."""
        self._hears_itself = mode

    def getLoopbackMode(self) -> bool:
        """What was set; True."""
        return self._hears_itself

    def setOutgoingInterface(self, interface: str) -> None:
        """Of no effect: there are no interfaces here."""


def _checked(host: str) -> str:
    """Refuse a name, as a real port does."""
    if isinstance(addressOf(host, 0), HostnameAddress):
        raise ValueError(f"the host must be an address, not {host!r}")  # noqa: TRY004
    return host
