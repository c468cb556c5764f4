"""Asking again where that may help, and can do no harm.

What may be asked twice is told by its method, and by a body that is still there. How long to wait
is told by the server, else doubled each time with chance in it: many clients of a server that
comes back must not all ask in the same moment. A budget for all requests keeps the retries a part
of the traffic: where everything fails, asking thrice is thrice the load that it fails of.
"""

import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from weblayer.client.agent import IAgent
from weblayer.client.error import (
    ConnectTimeout,
    FirstByteTimeout,
    ProxyError,
    ResponseNeverReceived,
)
from weblayer.client.journey import Journey
from weblayer.client.response import Readable
from weblayer.client.wrapping import Body, Text, as_text, is_replayable
from weblayer.loop.deferred import Deferred
from weblayer.loop.error import ConnectError, UserError, VerifyError
from weblayer.loop.inline import inlineCallbacks
from weblayer.loop.reactor import reactorHere
from weblayer.loop.task import deferLater
from weblayer.loop.timers import IReactorTime
from weblayer.wire.ask import IDEMPOTENT
from weblayer.wire.dates import parse_date
from weblayer.wire.headers import Headers

__all__ = ["RetryAgent", "Retrying"]

# Overloaded, and for a while: others (500, 502, 504) are as they are the next time, too.
BUSY = frozenset((429, 503))

TRANSIENT = (ConnectError, ConnectTimeout, FirstByteTimeout, ResponseNeverReceived)
LASTING = (VerifyError, UserError)  # kinds of ConnectError that no waiting mends


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often to ask again, and when. Times are in seconds."""

    times: int = 3
    # The first wait is up to this, each next one up to twice as long.
    firstDelay: float = 0.5
    # Longer a person does not wait; a server that asks for more has its answer given.
    maxDelay: float = 30.0
    # Of the requests that succeed, a tenth may be asked again, and ten of them at once.
    budget: float = 10.0
    perSuccess: float = 0.1


class RetryAgent:
    """Asks *agent*, and again where there was no connection, no answer, 429 or 503.

    Only what may be asked twice (RFC 9110, 9.2.2), and whose body can be. Fires with
    the last response, or fails with the last error. *chance* gives a number from 0 to 1.
    """

    def __init__(
        self,
        agent: IAgent,
        reactor: IReactorTime | None = None,
        retrying: Retrying | None = None,
        *,
        chance: Callable[[], float] = random.random,
        wallClock: Callable[[], float] = time.time,
    ) -> None:
        self._agent, self._reactor = agent, reactor or reactorHere()
        self._how = retrying or Retrying()
        self._left = self._how.budget
        self._chance, self._now = chance, wallClock

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Readable]:
        """Ask, and again; fires with the response."""
        if as_text("method", method).encode() in IDEMPOTENT and is_replayable(bodyProducer):
            return self._repeat(method, uri, headers, bodyProducer)
        return self._agent.request(method, uri, headers, bodyProducer)

    @inlineCallbacks
    def _repeat(
        self, method: Text, uri: Text, headers: Headers | None, body: Body | None
    ) -> Generator[Any, Any, Readable]:
        journey = Journey.here()
        for nth in range(self._how.times + 1):
            backoff = self._how.firstDelay * 2**nth * self._chance()
            try:
                response: Readable = yield journey.ask(self._agent, method, uri, headers, body)
            except TRANSIENT as error:
                if _lasts(error) or not self._may(nth, backoff):
                    raise
                wait = backoff
            else:
                if response.code not in BUSY:
                    self._left = min(self._how.budget, self._left + self._how.perSuccess)
                    return response
                wait = max(backoff, self._asked_for(response))
                if not self._may(nth, wait):
                    return response
                response.discard()
            yield deferLater(self._reactor, wait)
        raise AssertionError("the last round returns or raises")

    def _may(self, nth: int, wait: float) -> bool:
        """Whether to ask once more, after so many seconds; then that is taken from the budget."""
        if nth == self._how.times or wait > self._how.maxDelay or self._left < 1:
            return False
        self._left -= 1
        return True

    def _asked_for(self, response: Readable) -> float:
        """The seconds that the server asks us to wait. Source: RFC 9110, 10.2.3."""
        said = response.headers.getHeader(b"retry-after") or b""
        if said.isdigit():
            return float(said)
        moment = parse_date(said)
        return 0.0 if moment is None else max(0.0, moment - self._now())


def _lasts(error: Exception) -> bool:
    """Whether no waiting mends it: no trust, or a proxy that will not have us."""
    refused = isinstance(error, ProxyError) and error.code is not None and error.code < 500
    return refused or isinstance(error, LASTING)
