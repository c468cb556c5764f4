"""Happy eyeballs: of several ways to connect, the first that works, without waiting for the rest.

A host has addresses of both families, and one of them may lead nowhere without saying so. They
are tried in turn, the families mixed; each is given a moment's start before the next, and a
refusal starts the next at once. Source: RFC 8305.
"""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain, zip_longest
from typing import Any, Generic, TypeVar

from weblayer.loop.deferred import CallsLater, Deferred, Delayed
from weblayer.loop.failure import Failure

__all__ = ["firstOf", "interleaved"]

T = TypeVar("T")

Attempt = Callable[[], Deferred[T]]


def firstOf(
    attempts: Iterable[Attempt[T]],
    delay: float,
    clock: CallsLater,
    drop: Callable[[T], object],
) -> Deferred[T]:
    """The result of the first of *attempts* that succeeds; the last failure when none does.

    Each is begun *delay* seconds after the one before, or when that has failed. Those that are
    too late are cancelled, and *drop* is given what they bring all the same.
    Cancelling the Deferred cancels all.
    """
    return _Race(iter(attempts), delay, clock, drop).result


def interleaved(found: Iterable[T], family: Callable[[T], object]) -> list[T]:
    """*found* with its families taken in turn, each in its order, the first one's first."""
    lines: dict[object, list[T]] = {}
    for one in found:
        lines.setdefault(family(one), []).append(one)
    turns = chain.from_iterable(zip_longest(*lines.values(), fillvalue=_NONE))
    return [one for one in turns if one is not _NONE]


_NONE: Any = object()


class _Race(Generic[T]):
    """Attempts that run, and those to come."""

    def __init__(
        self, attempts: "Iterable[Attempt[T]]", delay: float, clock: CallsLater,
        drop: Callable[[T], object],
    ) -> None:  # fmt: skip
        self.result: Deferred[T] = Deferred(self._stop)
        self._coming = iter(attempts)
        self._delay, self._clock, self._drop = delay, clock, drop
        self._running: list[Deferred[T]] = []
        self._timer: Delayed | None = None
        self._failure = Failure(ValueError("attempts must not be empty"))
        self._is_over = False
        self._latest: Deferred[T] | None = None
        self._start()

    def _start(self) -> None:
        """Begin the next attempt, when there is one."""
        self._timer = None
        attempt = next(self._coming, None)
        if attempt is None:
            self._end_if_none_is_left()
            return
        self._timer = self._clock.callLater(self._delay, self._start)
        self._latest = running = attempt()
        self._running.append(running)
        running.addCallbacks(partial(self._won, running), partial(self._failed, running))

    def _won(self, running: Deferred[T], value: T) -> None:
        self._running.remove(running)
        if self._is_over:
            self._drop(value)
        else:
            self._stop()
            self.result.callback(value)

    def _failed(self, running: Deferred[T], failure: Failure) -> None:
        self._running.remove(running)
        self._failure = failure
        if self._is_over:
            return
        if self._timer is not None and running is self._latest:
            self._timer.cancel()
            self._start()
        else:
            self._end_if_none_is_left()

    def _end_if_none_is_left(self) -> None:
        if not self._running and self._timer is None:
            self.result.errback(self._failure)

    def _stop(self, _: object = None) -> None:
        """Begin no more, and cancel what runs."""
        self._is_over = True
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        for running in tuple(self._running):
            running.cancel()
