"""Ends to connections on which nothing happens."""

from collections.abc import Callable

from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IFactory, IProtocol, ITransport
from weblayer.loop.reactor import reactorHere
from weblayer.loop.timers import DelayedCall, IReactorTime
from weblayer.protocols.wrapping import ProtocolWrapper, WrappingFactory

__all__ = ["TimeoutFactory", "TimeoutMixin", "TimeoutProtocol"]


class TimeoutMixin:
    """Gives a protocol a time limit that it can push ahead.

    Call `setTimeout(seconds)` in connectionMade, `resetTimeout()` when something good
    happens, and `setTimeout(None)` in connectionLost. *clock* is the reactor unless it is set.
    """

    timeOut: float | None = None
    clock: IReactorTime | None = None
    transport: ITransport

    _limit: DelayedCall | None = None

    def setTimeout(self, period: float | None) -> float | None:
        """Call timeoutConnection in *period* seconds, or never; gives the period before."""
        limit, self._limit = self._limit, None
        if limit is not None:
            limit.cancel()
        if period is not None:
            self._limit = self.callLater(period, self._expire)
        previous, self.timeOut = self.timeOut, period
        return previous

    def resetTimeout(self) -> None:
        """Count the period anew from now, when there is one."""
        closing = self.transport is not None and self.transport.disconnecting
        if self._limit is not None and self.timeOut is not None and not closing:
            self._limit.reset(self.timeOut)

    def timeoutConnection(self) -> None:
        """The period is over. Closes the connection.

        What was written is still sent; a peer that does not read it within another period
        is dropped.
        """
        self.transport.loseConnection()
        if self.timeOut is not None:
            self._limit = self.callLater(self.timeOut, self._drop)

    def callLater(self, period: float, func: Callable[[], object]) -> DelayedCall:
        """Have *func* called in *period* seconds."""
        return (self.clock or reactorHere()).callLater(period, func)

    def _expire(self) -> None:
        self._limit = None
        self.timeoutConnection()

    def _drop(self) -> None:
        self._limit = None
        self.transport.abortConnection()


class TimeoutProtocol(TimeoutMixin, ProtocolWrapper):
    """Ends its connection when for a time nothing has been received or written."""

    def __init__(self, factory: "TimeoutFactory", wrappedProtocol: IProtocol) -> None:
        super().__init__(factory, wrappedProtocol)
        self.clock = factory.clock

    def makeConnection(self, transport: ITransport) -> None:
        """Begin to count."""
        self.setTimeout(self.factory.timeoutPeriod)
        super().makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        """Count anew."""
        self.resetTimeout()
        super().dataReceived(data)

    def write(self, data: bytes) -> None:
        """Count anew."""
        self.resetTimeout()
        super().write(data)

    def connectionLost(self, reason: Failure) -> None:
        """Stop counting."""
        self.setTimeout(None)
        super().connectionLost(reason)


class TimeoutFactory(WrappingFactory):
    """Closes connections on which for *timeoutPeriod* seconds nothing was received or written.

    *clock* is the reactor unless it is given.
    """

    protocol = TimeoutProtocol

    # Half an hour, the field's number: people who type fall silent for minutes.
    def __init__(
        self,
        wrappedFactory: IFactory,
        timeoutPeriod: float = 30 * 60,
        clock: IReactorTime | None = None,
    ) -> None:
        super().__init__(wrappedFactory)
        self.timeoutPeriod = timeoutPeriod
        self.clock = clock
