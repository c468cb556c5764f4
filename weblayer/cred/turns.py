"""Work in threads, so many at once: what costs a processor or memory must leave some for others."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

from weblayer.cred.error import LoginBusy
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.deferred import Deferred, fail
from weblayer.loop.failure import Failure
from weblayer.loop.locks import DeferredSemaphore
from weblayer.loop.threads import deferToThread

__all__ = ["Turns"]

T = TypeVar("T")

# Half of the processors: the other half is for the loop, and for all that is not logging in.
AT_ONCE = max(1, (os.cpu_count() or 2) // 2)

# How many may wait. The last of them waits for a quarter of a minute, and later ones would give up.
MAX_WAITING = 64


class Turns:
    """At most *atOnce* calls in threads at a time, and *maxWaiting* that wait for their turn."""

    def __init__(self, atOnce: int = AT_ONCE, maxWaiting: int = MAX_WAITING) -> None:
        self._turns = DeferredSemaphore(atOnce)
        self._max_waiting = maxWaiting

    def call(self, work: Callable[[], T]) -> Deferred[T]:
        """Call *work* in a thread when its turn has come; fires with what it gives.

        Fails with LoginBusy when too many wait. Cancelling it before its turn means *work* is not
        called. A call that has begun keeps its turn to its end, though nobody waits for it: who
        leaves must not make room for one more.
        """
        if not self._turns.tokens and len(self._turns.waiting) >= self._max_waiting:
            return fail(LoginBusy("too many logins are waiting to be checked"))

        def begin(_: object) -> None:
            # Any: mypy cannot tell which of its two lines a Callable[[], T] is.
            ran: Deferred[Any] = maybeDeferred(deferToThread, work)
            ran.addBoth(end)

        def end(result: Any) -> None:
            self._turns.release()
            (answer.errback if isinstance(result, Failure) else answer.callback)(result)

        turn = self._turns.acquire()
        answer: Deferred[T] = Deferred(lambda _: turn.cancel())
        turn.addCallbacks(begin, lambda left: None)
        return answer
