"""How many bytes a second, of all connections together.

A `_Meter` counts what flows and says when it has run ahead of its limit: then every
connection is held until the time that these bytes may take has passed. Reading is held by
pausing the transport, writing by a `_Gate` between each producer and its transport. Either
may be held by two, the meter and the program (or the peer who does not read), and flows
when neither holds it.
"""

from collections.abc import Callable
from typing import Any

from weblayer.loop.address import Address
from weblayer.loop.protocol import IFactory, IProtocol, IPullProducer, IPushProducer
from weblayer.loop.reactor import reactorHere
from weblayer.loop.timers import DelayedCall, IReactorTime
from weblayer.protocols.wrapping import ProtocolWrapper, WrappingFactory

__all__ = ["ThrottlingFactory", "ThrottlingProtocol"]

# Seconds that a flow may run ahead: short enough that nobody takes the silence after it for
# a fault, and long enough that a thousand connections are not paused at every packet.
AHEAD = 1.0


class ThrottlingProtocol(ProtocolWrapper):
    """Is counted, and held, by its factory."""

    def __init__(self, factory: "ThrottlingFactory", wrappedProtocol: IProtocol) -> None:
        super().__init__(factory, wrappedProtocol)
        self._paused = self._reading_held = self._writing_held = False
        self._gate: _Gate | None = None

    def dataReceived(self, data: bytes) -> None:
        """Count what came, and pass it on."""
        self.factory.countRead(len(data))
        super().dataReceived(data)

    def write(self, data: bytes) -> None:
        """Send *data*, and count it. Only what a producer writes can be held back."""
        if self.transport.connected and not self.transport.disconnecting:
            self.transport.write(data)
            self.factory.countWritten(len(data))

    def pauseProducing(self) -> None:
        """Read no more for now."""
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on, as soon as the limit allows."""
        self._paused = False
        if not self._reading_held:
            self.transport.resumeProducing()

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """Let *producer* do the writing, as fast as the peer reads and the limit allows."""
        before = self._gate
        self._gate = gate = _Gate(producer, streaming, self._writing_held)
        try:
            self.transport.registerProducer(gate, streaming)
        except BaseException:
            self._gate = before
            raise

    def unregisterProducer(self) -> None:
        """The producer is done."""
        self._gate = None
        self.transport.unregisterProducer()

    def throttleReads(self) -> None:
        """Hold what comes. Called by the factory, as the next three are."""
        self._reading_held = True
        self.transport.pauseProducing()

    def unthrottleReads(self) -> None:
        """Let come what may, unless the wrapped protocol has paused it."""
        self._reading_held = False
        if not self._paused:
            self.transport.resumeProducing()

    def throttleWrites(self) -> None:
        """Hold what a producer writes."""
        self._writing_held = True
        if self._gate is not None:
            self._gate.hold(True)

    def unthrottleWrites(self) -> None:
        """Let a producer write, unless the transport has paused it."""
        self._writing_held = False
        if self._gate is not None:
            self._gate.hold(False)


class ThrottlingFactory(WrappingFactory):
    """Limits connections, and the bytes a second that they read and write together.

    In any time of *n* seconds at most n + 1 times *readLimit* bytes are read, and one packet;
    the same holds for *writeLimit* and what producers write. None is without limit. What is
    written without a producer is counted, and never held. Connections above
    *maxConnectionCount* are closed at once. *clock* is the reactor unless it is given.
    """

    protocol = ThrottlingProtocol

    def __init__(
        self,
        wrappedFactory: IFactory,
        maxConnectionCount: int | None = None,
        readLimit: float | None = None,
        writeLimit: float | None = None,
        clock: IReactorTime | None = None,
    ) -> None:
        super().__init__(wrappedFactory)
        self.maxConnectionCount = maxConnectionCount
        self._reads = _Meter("readLimit", readLimit, clock, self._hold_reads)
        self._writes = _Meter("writeLimit", writeLimit, clock, self._hold_writes)

    def buildProtocol(self, addr: Address) -> IProtocol | None:
        """Take the connection unless there are enough."""
        if self.maxConnectionCount is not None and len(self.protocols) >= self.maxConnectionCount:
            return None
        return super().buildProtocol(addr)

    def registerProtocol(self, p: Any) -> None:
        """A connection has been taken; it is held from the beginning if the others are."""
        super().registerProtocol(p)
        if self._reads.holds:
            p.throttleReads()
        if self._writes.holds:
            p.throttleWrites()

    def unregisterProtocol(self, p: Any) -> None:
        """A connection has ended; after the last there is nobody to hold."""
        super().unregisterProtocol(p)
        if not self.protocols:
            self._reads.rest()
            self._writes.rest()

    def countRead(self, size: int) -> None:
        """*size* bytes have been read. Called by the wrapped protocols."""
        self._reads.count(size)

    def countWritten(self, size: int) -> None:
        """*size* bytes have been written. Called by the wrapped protocols."""
        self._writes.count(size)

    def _hold_reads(self, held: bool) -> None:
        for p in list(self.protocols):
            (p.throttleReads if held else p.unthrottleReads)()

    def _hold_writes(self, held: bool) -> None:
        for p in list(self.protocols):
            (p.throttleWrites if held else p.unthrottleWrites)()


class _Meter:
    """Counts bytes against *limit*, a second; *hold* is told when they must stop and may flow."""

    def __init__(
        self,
        name: str,
        limit: float | None,
        clock: IReactorTime | None,
        hold: Callable[[bool], None],
    ) -> None:
        if limit is not None and not limit > 0:
            raise ValueError(f"{name} must be bytes a second above nought, or None: {limit!r}")
        self._limit, self._clock, self._hold = limit, clock, hold
        self._paid = 0.0  # when the bytes counted so far will have taken the time they may
        self._timer: DelayedCall | None = None

    @property
    def holds(self) -> bool:
        """Whether the flow is being held."""
        return self._timer is not None

    def count(self, size: int) -> None:
        """*size* bytes have flowed."""
        if self._limit is None:
            return
        clock = self._clock or reactorHere()
        now = clock.seconds()
        self._paid = max(self._paid, now) + size / self._limit
        if self._timer is None and self._paid - now > AHEAD:
            self._timer = clock.callLater(self._paid - now, self._release)
            self._hold(True)

    def rest(self) -> None:
        """Wait for nothing; the bytes stay counted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _release(self) -> None:
        clock = self._clock or reactorHere()
        left = self._paid - clock.seconds()
        if left > 0:  # more has flowed meanwhile, which nothing could hold
            self._timer = clock.callLater(left, self._release)
        else:
            self._timer = None
            self._hold(False)


class _Gate:
    """Stands before a producer, in the view of its transport, and can be held shut."""

    def __init__(
        self, producer: IPushProducer | IPullProducer, streaming: bool, held: bool
    ) -> None:
        # Any: *streaming* says which of the two it is.
        self._producer: Any = producer
        self._streaming, self._held = streaming, held
        self._choked = False  # whether the transport would have a push producer paused
        self._asked = False  # whether it has asked a pull producer in vain
        self._flows = True
        self._settle()

    def hold(self, held: bool) -> None:
        """Shut it, or open it."""
        self._held = held
        self._settle()
        if self._asked and not held:
            self._asked = False
            self._producer.resumeProducing()

    def resumeProducing(self) -> None:
        if self._streaming:
            self._choked = False
            self._settle()
        elif self._held:
            self._asked = True
        else:
            self._producer.resumeProducing()

    def pauseProducing(self) -> None:
        self._choked = True
        self._settle()

    def stopProducing(self) -> None:
        self._producer.stopProducing()

    def _settle(self) -> None:
        flows = not (self._held or self._choked)
        if self._streaming and flows is not self._flows:
            self._flows = flows
            (self._producer.resumeProducing if flows else self._producer.pauseProducing)()
