"""A reactor without a loop and without a network, for tests of programs that take one.

It notes what it was asked, and the test says what comes of it: who connects to a port, and
whether a connector gets through. The connections are those of the `memory` module.
"""

import errno
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, ParamSpec

from weblayer.loop.address import Address, IPv4Address, IPv6Address, UNIXAddress
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.connectors import addressOf
from weblayer.loop.error import CannotListenError, ReactorAlreadyRunning, ReactorNotRunning
from weblayer.loop.gather import DeferredList
from weblayer.loop.inline import inlineCallbacks
from weblayer.loop.memoryports import MemoryConnector, MemoryPort
from weblayer.loop.memoryudp import MemoryUDPPort
from weblayer.loop.network import MAX_PACKET_SIZE
from weblayer.loop.protocol import IClientFactory, IDatagramProtocol, IFactory
from weblayer.loop.ssl import TLSOptions
from weblayer.loop.timers import Clock
from weblayer.loop.triggers import PHASES, Trigger

__all__ = [
    "AdoptedServer",
    "MemoryReactor",
    "SSLClient",
    "SSLServer",
    "TCPClient",
    "TCPServer",
    "UDPServer",
    "UNIXClient",
    "UNIXServer",
]

P = ParamSpec("P")

# What a MemoryReactor was asked; they compare with plain tuples, in the field's order.


class TCPServer(NamedTuple):
    """One call of listenTCP."""

    port: int
    factory: IFactory
    backlog: int
    interface: str


class TCPClient(NamedTuple):
    """One call of connectTCP."""

    host: str
    port: int
    factory: IClientFactory
    timeout: float | None
    bindAddress: tuple[str, int] | None


class SSLServer(NamedTuple):
    """One call of listenSSL."""

    port: int
    factory: IFactory
    contextFactory: TLSOptions
    backlog: int
    interface: str


class SSLClient(NamedTuple):
    """One call of connectSSL."""

    host: str
    port: int
    factory: IClientFactory
    contextFactory: TLSOptions
    timeout: float | None
    bindAddress: tuple[str, int] | None


class UNIXServer(NamedTuple):
    """One call of listenUNIX."""

    address: str
    factory: IFactory
    backlog: int
    mode: int


class UNIXClient(NamedTuple):
    """One call of connectUNIX."""

    address: str
    factory: IClientFactory
    timeout: float | None


class AdoptedServer(NamedTuple):
    """One call of adoptStreamPort."""

    fileDescriptor: int
    addressFamily: int | None
    factory: IFactory


class UDPServer(NamedTuple):
    """One call of listenUDP or listenMulticast."""

    port: int
    protocol: IDatagramProtocol
    interface: str
    maxPacketSize: int


# What a real reactor has besides; the plugin's `reactor` fixture is one.
_ABSENT = {
    "adoptDatagramPort": "no descriptor to take a UDP socket's address from",
    "callInThread": "no thread",
    "getThreadPool": "no thread",
    "listenStdio": "no standard input",
    "loop": "no event loop",
    "spawnProcess": "no process",
    "suggestThreadPoolSize": "no thread",
}


class MemoryReactor(Clock):
    """A reactor whose time is a Clock and whose network is in memory.

    It notes what a program asks of it, in `tcpServers`, `tcpClients`, `sslServers` and so on,
    as named tuples of the arguments. What came of each is in `ports`, `udpPorts` and `connectors`:
    nobody comes and nothing connects until the test says so there, and nothing is encrypted. `run`
    fires the startup event and returns, `stop` fires the shutdown event. There is no event loop,
    and there are no threads and no processes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.running = False
        self.stopping = False
        self.tcpServers: list[TCPServer] = []
        self.tcpClients: list[TCPClient] = []
        self.sslServers: list[SSLServer] = []
        self.sslClients: list[SSLClient] = []
        self.unixServers: list[UNIXServer] = []
        self.unixClients: list[UNIXClient] = []
        self.udpServers: list[UDPServer] = []
        self.adoptedPorts: list[AdoptedServer] = []
        self.ports: list[MemoryPort] = []
        self.udpPorts: list[MemoryUDPPort] = []
        self.connectors: list[MemoryConnector] = []
        self._triggers: dict[Trigger, Callable[[], object]] = {}
        self._count_triggers = 0

    def run(self, installSignalHandlers: bool = True) -> None:
        """Fire the startup event, and return: it is the test that runs."""
        if self.running:
            raise ReactorAlreadyRunning("run() was called before, and stop() was not")
        self.running = True
        self.fireSystemEvent("startup")

    def stop(self) -> None:
        """Fire the shutdown event."""
        if not self.running:
            raise ReactorNotRunning("stop() is for once, after run()")
        self.running = False
        self.fireSystemEvent("shutdown")

    def crash(self) -> None:
        """Run no more, without a word to anybody."""
        if not self.running:
            raise ReactorNotRunning("crash() is for once, after run()")
        self.running = False

    def callWhenRunning(
        self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> Trigger | None:
        """Call *f* now when it runs, else in `run`."""
        if self.running:
            f(*args, **kwargs)
            return None
        return self.addSystemEventTrigger("after", "startup", f, *args, **kwargs)

    def addSystemEventTrigger(
        self, phase: str, eventType: str, f: Callable[P, object], /,
        *args: P.args, **kwargs: P.kwargs,
    ) -> Trigger:  # fmt: skip
        """Call *f*, once, "before", "during" or "after" the next "startup" or "shutdown"."""
        self._count_triggers += 1
        trigger = Trigger(phase, eventType, self._count_triggers)
        self._triggers[trigger] = partial(f, *args, **kwargs)
        return trigger

    def removeSystemEventTrigger(self, triggerID: Trigger) -> None:
        """Take back what addSystemEventTrigger or callWhenRunning gave."""
        del self._triggers[triggerID]

    @inlineCallbacks
    def fireSystemEvent(self, eventType: str) -> Any:  # Any: what inlineCallbacks' generators are
        """Call the triggers of an event; fires when what they returned has come."""
        self.stopping = eventType == "shutdown"
        for phase in PHASES:
            due = [trigger for trigger in self._triggers if trigger[:2] == (phase, eventType)]
            yield DeferredList([maybeDeferred(self._triggers.pop(trigger)) for trigger in due])
        self.stopping = False

    def listenTCP(
        self, port: int, factory: IFactory, backlog: int = 1024, interface: str = "",
        reusePort: bool = False,
    ) -> MemoryPort:  # fmt: skip
        """Note it. Raises CannotListenError for a port that is listened on."""
        self.tcpServers.append(TCPServer(port, factory, backlog, interface))
        return self._listen(self._host(port, interface), factory, port, interface)

    def listenSSL(
        self, port: int, factory: IFactory, contextFactory: TLSOptions, backlog: int = 1024,
        interface: str = "", reusePort: bool = False,
    ) -> MemoryPort:  # fmt: skip
        """As listenTCP; who connects finds it unencrypted."""
        self.sslServers.append(SSLServer(port, factory, contextFactory, backlog, interface))
        return self._listen(self._host(port, interface), factory, port, interface)

    def listenUNIX(
        self, address: str, factory: IFactory, backlog: int = 1024, mode: int = 0o666
    ) -> MemoryPort:
        """Note it. Raises CannotListenError for a path that is listened on."""
        self.unixServers.append(UNIXServer(address, factory, backlog, mode))
        return self._listen(UNIXAddress(address), factory, address, "")

    def adoptStreamPort(
        self, fileDescriptor: int, addressFamily: int | None, factory: IFactory
    ) -> MemoryPort:
        """Note it; the descriptor is not looked at, and may be any number."""
        self.adoptedPorts.append(AdoptedServer(fileDescriptor, addressFamily, factory))
        return self._listen(self._host(0, ""), factory, fileDescriptor, "")

    def listenUDP(
        self, port: int, protocol: IDatagramProtocol, interface: str = "",
        maxPacketSize: int = MAX_PACKET_SIZE,
    ) -> MemoryUDPPort:  # fmt: skip
        """Note it, and have *protocol* begin. Raises CannotListenError for a port that is taken."""
        self.udpServers.append(UDPServer(port, protocol, interface, maxPacketSize))
        return self._receive(port, protocol, interface, maxPacketSize, False)

    def listenMulticast(
        self, port: int, protocol: IDatagramProtocol, interface: str = "",
        maxPacketSize: int = MAX_PACKET_SIZE, listenMultiple: bool = False,
    ) -> MemoryUDPPort:  # fmt: skip
        """As listenUDP; with *listenMultiple* the port may be taken."""
        self.udpServers.append(UDPServer(port, protocol, interface, maxPacketSize))
        return self._receive(port, protocol, interface, maxPacketSize, listenMultiple)

    def connectTCP(
        self, host: str, port: int, factory: IClientFactory, timeout: float | None = 30,
        bindAddress: tuple[str, int] | None = None, attemptDelay: float = 0.25,
    ) -> MemoryConnector:  # fmt: skip
        """Note it; the attempt waits for what the test says, or fails after *timeout*."""
        self.tcpClients.append(TCPClient(host, port, factory, timeout, bindAddress))
        return self._connect(addressOf(host, port), factory, timeout)

    def connectSSL(
        self, host: str, port: int, factory: IClientFactory, contextFactory: TLSOptions,
        timeout: float | None = 30, bindAddress: tuple[str, int] | None = None,
    ) -> MemoryConnector:  # fmt: skip
        """As connectTCP; the connection is not encrypted."""
        asked = SSLClient(host, port, factory, contextFactory, timeout, bindAddress)
        self.sslClients.append(asked)
        return self._connect(addressOf(host, port), factory, timeout)

    def connectUNIX(
        self, address: str, factory: IClientFactory, timeout: float | None = 30
    ) -> MemoryConnector:
        """As connectTCP."""
        self.unixClients.append(UNIXClient(address, factory, timeout))
        return self._connect(UNIXAddress(address), factory, timeout)

    if not TYPE_CHECKING:  # to a type checker what is missing is just missing

        def __getattr__(self, name: str) -> NoReturn:
            why = f": there is {_ABSENT[name]} in memory" if name in _ABSENT else ""
            raise AttributeError(f"a MemoryReactor has no {name}{why}")

    def _host(self, port: int, interface: str) -> Address:
        return addressOf(interface or "0.0.0.0", port or 49152 + len(self.ports))  # noqa: S104

    def _listen(
        self, host: Address, factory: IFactory, port: int | str, interface: str
    ) -> MemoryPort:
        if any(other.listening and other.getHost() == host for other in self.ports):
            raise _taken(interface, port)
        self.ports.append(MemoryPort(host, factory))
        return self.ports[-1]

    def _receive(
        self, port: int, protocol: IDatagramProtocol, interface: str, size: int, shared: bool
    ) -> MemoryUDPPort:
        number = port or 49152 + len(self.udpPorts)
        kind = IPv6Address if ":" in interface else IPv4Address
        host = kind("UDP", interface or "0.0.0.0", number)  # noqa: S104  the field's meaning of none
        taken = any(other.listening and other.getHost() == host for other in self.udpPorts)
        if taken and not shared:
            raise _taken(interface, port)
        self.udpPorts.append(MemoryUDPPort(host, protocol, size))
        return self.udpPorts[-1]

    def _connect(
        self, destination: Address, factory: IClientFactory, timeout: float | None
    ) -> MemoryConnector:
        connector = MemoryConnector(self, destination, factory, timeout)
        self.connectors.append(connector)
        connector.connect()
        return connector


def _taken(interface: str, port: int | str) -> CannotListenError:
    error = OSError(errno.EADDRINUSE, "Address already in use")
    return CannotListenError(interface, port, error, "This test listens there already.")
