"""Tests without a network and without waiting: what they need, under one roof.

A `Clock` stands still until it is told to advance. `connect(server, client)` joins two
factories in memory; a `MemoryPeer` is the other side of a connection, played by hand. A
`StringTransport` is for a protocol without a factory, and a `MemoryReactor` for a program that
takes a reactor. All stand on the transport that sockets have. `successResultOf` and its like
look into a Deferred.

Tests on a real event loop have a pytest plugin, `weblayer.loop.plugin`.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar, cast

from weblayer.loop.address import Address
from weblayer.loop.deferred import Deferred
from weblayer.loop.failure import Failure
from weblayer.loop.memory import MemoryPair, MemoryPeer, connect
from weblayer.loop.memoryports import MemoryConnector, MemoryPort
from weblayer.loop.memoryreactor import MemoryReactor
from weblayer.loop.memoryudp import MemoryUDPPort
from weblayer.loop.protocol import Factory, IProtocol, IPullProducer, IPushProducer, Protocol
from weblayer.loop.timers import Clock

__all__ = [
    "Clock",
    "MemoryConnector",
    "MemoryPair",
    "MemoryPeer",
    "MemoryPort",
    "MemoryReactor",
    "MemoryUDPPort",
    "StringTransport",
    "assertNoResult",
    "connect",
    "failureResultOf",
    "successResultOf",
]

T = TypeVar("T")


class StringTransport:
    """The transport of a protocol that a test holds in its hands; it keeps what is written.

        transport = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(b"PING\\r\\n")
        assert transport.value() == b"PONG\\r\\n"

    What a loop does a turn later (ask a pull producer again, tell of the end) `pump` does.
    `peer` is the other side: it may stop reading, or reset. Set `protocol`, and that one is
    told `connectionLost`.
    """

    def __init__(
        self, hostAddress: Address | None = None, peerAddress: Address | None = None
    ) -> None:
        self.protocol: IProtocol | None = None
        self.producer: IPushProducer | IPullProducer | None = None
        self.streaming: bool | None = None
        self.peer = MemoryPeer(Factory.forProtocol(partial(_Ear, self)))
        self._under = self.peer.transport
        self._host, self._peer = hostAddress, peerAddress

    def value(self) -> bytes:
        """All that was written, and read by the peer, since the last `clear`."""
        return bytes(self.peer.received)

    def clear(self) -> None:
        """Forget what was written."""
        self.peer.received.clear()

    def pump(self) -> None:
        """Make the calls that a loop would make in its next turns."""
        self.peer.pump()

    @property
    def producerState(self) -> str:
        """What the protocol made of us as a producer: "producing", "paused" or "stopped"."""
        if self.disconnecting:
            return "stopped"
        return "paused" if self._under.paused else "producing"

    # From here on as any transport: see `weblayer.loop.transport.Transport`.

    @property
    def connected(self) -> bool:
        """Whether there is a connection; False once `pump` has told of the end."""
        return self._under.connected

    @property
    def disconnecting(self) -> bool:
        """Whether the end was asked for."""
        return self._under.disconnecting

    @property
    def secure(self) -> bool:
        """Never: memory is not encrypted."""
        return self._under.secure

    @property
    def write(self) -> Callable[[bytes], object]:
        """Write bytes; anything else is a TypeError."""
        return self._under.write

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        """Write *pieces* as one."""
        self._under.writeSequence(pieces)

    def loseConnection(self) -> None:
        """Close once everything was read, and a registered producer is done."""
        self._under.loseConnection()

    def loseWriteConnection(self) -> None:
        """Send end of file, and keep reading."""
        self._under.loseWriteConnection()

    def abortConnection(self) -> None:
        """Close now."""
        self._under.abortConnection()

    def getPeer(self) -> Address:
        """*peerAddress*, or one of nobody's (192.0.2.1)."""
        return self._peer or self._under.getPeer()

    def getHost(self) -> Address:
        """*hostAddress*, or one of nobody's (192.0.2.2)."""
        return self._host or self._under.getHost()

    def pauseProducing(self) -> None:
        """Read no more for now."""
        self._under.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on."""
        self._under.resumeProducing()

    def stopProducing(self) -> None:
        """The same as loseConnection."""
        self._under.stopProducing()

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """Let *producer* do the writing; `producer` and `streaming` tell a test of it."""
        self._under.registerProducer(producer, streaming)
        self.producer, self.streaming = producer, streaming

    def unregisterProducer(self) -> None:
        """The producer is done."""
        self.producer = self.streaming = None
        self._under.unregisterProducer()

    def getTcpNoDelay(self) -> bool:
        """False: there is no TCP here."""
        return self._under.getTcpNoDelay()

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Of no effect."""

    def getTcpKeepAlive(self) -> bool:
        """False: there is no TCP here."""
        return self._under.getTcpKeepAlive()

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Of no effect."""


class _Ear(Protocol):
    """Stands where the protocol stands that the test holds, and hears of the end."""

    def __init__(self, owner: StringTransport) -> None:
        self._owner = owner

    def connectionLost(self, reason: Failure) -> None:
        if self._owner.protocol is not None:
            self._owner.protocol.connectionLost(reason)


def successResultOf(deferred: Deferred[T]) -> T:
    """What *deferred* has fired with. Raises AssertionError when it has not, or has failed."""
    result = _result_of(deferred)
    if isinstance(result, Failure):
        raise AssertionError(  # noqa: TRY004  a test's failure
            f"{deferred!r} has failed\n{result.getTraceback()}"
        ) from result.value
    return cast("T", result)


def failureResultOf(deferred: Deferred[Any], *errorTypes: type[BaseException]) -> Failure:
    """The Failure of *deferred*, of one of *errorTypes* if there are any. Raises AssertionError."""
    result = _result_of(deferred)
    if not isinstance(result, Failure):
        raise AssertionError(f"a failure was expected, not {result!r}")  # noqa: TRY004
    if errorTypes and not result.check(*errorTypes):
        names = ", ".join(kind.__name__ for kind in errorTypes)
        raise AssertionError(f"{names} was expected\n{result.getTraceback()}") from result.value
    return result


def assertNoResult(deferred: Deferred[Any]) -> None:
    """See that *deferred* has no result yet. Raises AssertionError."""
    found: list[object] = []

    def look(result: object) -> object:
        found.append(result)
        return result

    deferred.addBoth(look)
    if found:
        raise AssertionError(f"no result was expected yet, and there is {found[0]!r}")


def _result_of(deferred: Deferred[Any]) -> object:
    found: list[object] = []
    deferred.addBoth(found.append)
    if not found:
        raise AssertionError(f"{deferred!r} has no result yet")
    return found[0]
