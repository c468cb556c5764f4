"""UDP: a socket that sends and receives datagrams, each whole or not at all."""

import asyncio
import errno
import logging
import socket
import struct
from typing import Any

from weblayer.loop.address import Address, IPv4Address, IPv6Address, fromSocketName
from weblayer.loop.bridge import execute
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.error import MessageLengthError
from weblayer.loop.ports import Roster, cannotListen, checkNumber
from weblayer.loop.protocol import IDatagramProtocol

__all__ = ["UDPPort", "bindUDP"]

log = logging.getLogger("weblayer")

# Datagrams read before others have their turn in the loop.
AT_ONCE = 64


class UDPPort:
    """A UDP socket with its protocol, and the transport which that writes to.

    A datagram of more than *maxPacketSize* bytes is dropped, never cut.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol: IDatagramProtocol,
        maxPacketSize: int, roster: Roster,
    ) -> None:  # fmt: skip
        self.protocol = protocol
        self.maxPacketSize = maxPacketSize
        self.connected = False
        self._loop, self._sock, self._roster = loop, sock, roster
        self._is_listening = False
        self._host = _udp_address(sock.getsockname())

    def getHost(self) -> Address:
        """The address it is bound to, with the number the system chose for port 0."""
        return self._host

    def startListening(self) -> None:
        """Receive once the loop runs. `listenUDP` and its like have done so."""
        if self._is_listening:
            return
        if self._sock.fileno() < 0:
            raise RuntimeError("this port is closed for good; listen again for another")
        self._is_listening = True
        self._roster.ports.add(self)
        self._loop.add_reader(self._sock.fileno(), self._readable)
        self.protocol.makeConnection(self)

    def stopListening(self) -> Deferred[None]:
        """Close the socket. Fires when it is closed."""
        if self._is_listening:
            self._is_listening = False
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._roster.ports.discard(self)
            self.protocol.doStop()
        if not self._loop.is_running():
            return succeed(None)
        closed: Deferred[None] = Deferred()
        self._loop.call_soon(closed.callback, None)
        return closed

    def loseConnection(self) -> None:
        """The same as stopListening."""
        self.stopListening()

    def connect(self, host: str, port: int) -> None:
        """Send to that address alone, and receive from no other.

        If nobody is there, the protocol's connectionRefused is called once a datagram has been
        sent. *host* is an address. Raises RuntimeError when it is connected already.
        """
        if self.connected:
            raise RuntimeError("this port is connected; listen again for another")
        self._check_host(host)
        self._sock.connect((host, port))
        self.connected = True

    def write(self, data: bytes, addr: tuple[str, int] | None = None) -> None:
        """Send one datagram to *addr*, an address and a port; None when it is connected.

        One that the system has no room for is lost, as it might be anywhere on its way.
        Raises MessageLengthError for one that is too long to be sent.
        """
        if not self._is_listening:
            return
        if (addr is None) is not self.connected:
            raise ValueError(
                f"addr must be given unless connect() was called, and not after it; it is {addr!r}"
            )
        try:
            self._send(data, addr)
        except (BlockingIOError, InterruptedError):
            pass
        except ConnectionRefusedError:
            self._loop.call_soon(self._refused)
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            raise MessageLengthError(f"data of {len(data)} bytes is too long to send") from error

    # Broadcast and groups.

    def setBroadcastAllowed(self, enabled: bool) -> None:
        """Whether `write` may be given a broadcast address; it may not, unless told so."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, enabled)

    def getBroadcastAllowed(self) -> bool:
        """Whether `write` may be given a broadcast address."""
        return bool(self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))

    def joinGroup(self, addr: str, interface: str = "") -> Deferred[None]:
        """Receive what is sent to the multicast group *addr*; has fired when it returns.

        *interface* is an address of ours for IPv4, the name of an interface for IPv6; the
        system chooses one when it is empty. Fails with OSError or ValueError.
        """
        v4, v6 = socket.IP_ADD_MEMBERSHIP, socket.IPV6_JOIN_GROUP
        return execute(self._set_membership, v4, v6, addr, interface)

    def leaveGroup(self, addr: str, interface: str = "") -> Deferred[None]:
        """Receive no more of a group that was joined with the same words."""
        v4, v6 = socket.IP_DROP_MEMBERSHIP, socket.IPV6_LEAVE_GROUP
        return execute(self._set_membership, v4, v6, addr, interface)

    def setTTL(self, ttl: int) -> None:
        """How many networks on what is sent to a group may go; 1, unless told so."""
        self._set_option(socket.IP_MULTICAST_TTL, socket.IPV6_MULTICAST_HOPS, ttl)

    def getTTL(self) -> int:
        """How many networks on what is sent to a group may go."""
        return self._option(socket.IP_MULTICAST_TTL, socket.IPV6_MULTICAST_HOPS)

    def setLoopbackMode(self, mode: bool) -> None:
        """Whether this machine hears what it sends to a group; it does, unless told otherwise."""
        self._set_option(socket.IP_MULTICAST_LOOP, socket.IPV6_MULTICAST_LOOP, mode)

    def getLoopbackMode(self) -> bool:
        """Whether this machine hears what it sends to a group."""
        return bool(self._option(socket.IP_MULTICAST_LOOP, socket.IPV6_MULTICAST_LOOP))

    def setOutgoingInterface(self, interface: str) -> None:
        """Through which interface, told as in joinGroup, what is sent to a group leaves."""
        if self._is_ipv6():
            index = socket.if_nametoindex(interface)
            self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            packed = socket.inet_aton(interface)
            self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, packed)

    # Inside.

    def _readable(self) -> None:
        for _ in range(AT_ONCE):
            if not self._is_listening:
                return
            try:
                data, name = self._sock.recvfrom(self.maxPacketSize + 1)
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionRefusedError:
                self._refused()
            except OSError:
                log.exception("a UDP socket could not be read")
                self.stopListening()
            else:
                self._received(data, name)

    def _received(self, data: bytes, name: Any) -> None:
        if len(data) > self.maxPacketSize:
            log.info("a datagram of more than %d bytes was dropped", self.maxPacketSize)
            return
        try:
            self.protocol.datagramReceived(data, _plain(name))
        except Exception:
            log.exception("an error escaped from datagramReceived")

    def _refused(self) -> None:
        if self._is_listening:
            try:
                self.protocol.connectionRefused()
            except Exception:
                log.exception("an error escaped from connectionRefused")

    def _send(self, data: bytes, addr: tuple[str, int] | None) -> None:
        if addr is None:
            self._sock.send(data)
        else:
            self._check_host(addr[0])
            self._sock.sendto(data, addr)

    def _check_host(self, host: str) -> None:
        """Refuse a name: to look it up here would hold up everyone."""
        try:
            socket.inet_pton(self._sock.family, host.partition("%")[0])
        except OSError:
            kind = "IPv6" if self._is_ipv6() else "IPv4"
            raise ValueError(f"the host must be an {kind} address, not {host!r}") from None

    def _is_ipv6(self) -> bool:
        return self._sock.family == socket.AF_INET6

    def _set_membership(self, v4: int, v6: int, addr: str, interface: str) -> None:
        self._check_host(addr)
        group = socket.inet_pton(self._sock.family, addr)
        if self._is_ipv6():
            index = socket.if_nametoindex(interface) if interface else 0
            self._sock.setsockopt(socket.IPPROTO_IPV6, v6, group + struct.pack("@I", index))
        else:
            ours = socket.inet_aton(interface or "0.0.0.0")  # noqa: S104  the system chooses
            self._sock.setsockopt(socket.IPPROTO_IP, v4, group + ours)

    def _set_option(self, v4: int, v6: int, value: int) -> None:
        level = socket.IPPROTO_IPV6 if self._is_ipv6() else socket.IPPROTO_IP
        self._sock.setsockopt(level, v6 if self._is_ipv6() else v4, value)

    def _option(self, v4: int, v6: int) -> int:
        level = socket.IPPROTO_IPV6 if self._is_ipv6() else socket.IPPROTO_IP
        return self._sock.getsockopt(level, v6 if self._is_ipv6() else v4)


def bindUDP(port: int, interface: str, listenMultiple: bool) -> socket.socket:
    """Make a bound UDP socket. Raises CannotListenError.

    *interface* is an address of this machine, "" for all of IPv4, "::" for all of IPv6.
    """
    checkNumber(port)
    try:
        family, kind, number, _, name = socket.getaddrinfo(
            interface or "0.0.0.0",  # noqa: S104  the field's meaning of no interface
            port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE,
        )[0]  # fmt: skip
        sock = socket.socket(family, kind, number)
    except OSError as error:
        raise cannotListen(interface, port, error) from error
    try:
        if listenMultiple:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "SO_REUSEPORT"):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setblocking(False)
        sock.bind(name)
    except OSError as error:
        sock.close()
        raise cannotListen(interface, port, error) from error
    return sock


def _udp_address(name: Any) -> Address:
    found = fromSocketName(name)
    if isinstance(found, IPv4Address):
        return IPv4Address("UDP", found.host, found.port)
    assert isinstance(found, IPv6Address)
    return IPv6Address("UDP", found.host, found.port, found.flowInfo, found.scopeID)


def _plain(name: Any) -> tuple[str, int]:
    """The address and port of a sender, as `write` takes them."""
    if len(name) == 4 and name[3] and "%" not in name[0]:
        return f"{name[0]}%{name[3]}", name[1]
    return name[0], name[1]
