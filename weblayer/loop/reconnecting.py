"""A client that does not give up: it tries again, each time a little later."""

import logging
import math
import random
from contextlib import suppress

from weblayer.loop.error import NotConnectingError, UserError
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import ClientFactory, IConnector
from weblayer.loop.reactor import Reactor, reactorHere
from weblayer.loop.timers import DelayedCall, IReactorTime

__all__ = ["ReconnectingClientFactory"]

log = logging.getLogger("weblayer")


class ReconnectingClientFactory(ClientFactory):
    """Connects again when connecting failed or the connection has ended; for one connector.

    It waits *initialDelay* seconds, then each time *factor* times as long, at most *maxDelay*.
    Each wait is made longer or shorter by a random part of up to *jitter* times itself. After
    *maxRetries* attempts without success it gives up; None is never. Call `resetDelay` when
    the connection has proved good, in buildProtocol or later. *clock* is the reactor unless
    it is set.
    """

    initialDelay = 1.0
    factor = math.e
    maxDelay = 3600.0  # an hour
    jitter = 0.12  # so that the clients of a server that fell do not all come back at once
    maxRetries: int | None = None
    clock: IReactorTime | None = None

    retries = 0  # how many attempts have been begun since resetDelay
    continueTrying = True
    connector: IConnector | None = None

    _call: DelayedCall | None = None

    def startedConnecting(self, connector: IConnector) -> None:
        """Remember the connector."""
        self.connector = connector

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Try again later, unless it was the program itself that gave up."""
        self.connector = connector
        if not reason.check(UserError):
            self.retry()

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """Try again later."""
        self.connector = connector
        self.retry()

    @property
    def delay(self) -> float:
        """How many seconds the next wait will be, before jitter."""
        try:
            return float(min(self.initialDelay * self.factor**self.retries, self.maxDelay))
        except OverflowError:
            return self.maxDelay

    def retry(self, connector: IConnector | None = None) -> None:
        """Have the connector try again after the delay, unless trying has ended.

        An attempt that waits already is put off. Nothing is tried again where the reactor is
        shutting down, which may be what has ended the connection.
        """
        connector = connector or self.connector
        if connector is None:
            raise ValueError("retry: give the connector; this factory has not been used yet")
        self._cancel()
        clock = self.clock or reactorHere()
        if not self.continueTrying or (isinstance(clock, Reactor) and clock.stopping):
            return
        if self.maxRetries is not None and self.retries >= self.maxRetries:
            log.info("gave up %s after %d retries", connector.getDestination(), self.retries)
            return
        self.connector = connector
        delay = self._jittered(self.delay)
        self.retries += 1
        self._call = clock.callLater(delay, self._connect)

    def stopTrying(self) -> None:
        """Never try again; an attempt that waits, or is under way, is given up.

        A connection that is there stays. To begin anew, set `continueTrying` and call the
        connector's connect().
        """
        self.continueTrying = False
        self._cancel()
        if self.connector is not None:
            with suppress(NotConnectingError):
                self.connector.stopConnecting()

    def resetDelay(self) -> None:
        """Begin again with the first delay and all retries: the connection has proved good."""
        self.retries = 0

    def _connect(self) -> None:
        self._call = None
        assert self.connector is not None
        self.connector.connect()

    def _cancel(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _jittered(self, delay: float) -> float:
        # So bounded before jitter, not after: those that wait longest must be spread as well.
        longest = self.maxDelay / (1 + self.jitter)
        spread = random.uniform(-self.jitter, self.jitter)  # noqa: S311  no secret
        return max(0.0, min(delay, longest) * (1 + spread))
