"""Calls that wait for their time: on a reactor by its loop, on a Clock by a test's word.

Both hold a `Timers` and so mean the same by a `DelayedCall`. A call that is moved later
keeps its place in the loop and is put back when that place comes up, because programs that
push a timeout ahead with every packet do it far more often than the timeout expires.
"""

from collections.abc import Callable, Iterable
from functools import partial
from heapq import heappop, heappush
from typing import ParamSpec
from typing import Protocol as Face

from weblayer.loop.error import AlreadyCalled, AlreadyCancelled

__all__ = ["Clock", "DelayedCall", "IReactorTime", "Timers"]

P = ParamSpec("P")


class _Handle(Face):
    def cancel(self) -> object: ...


_At = Callable[[float, Callable[[], None]], _Handle]


class IReactorTime(Face):
    """What tells the time and calls later: a Reactor, or a Clock in a test."""

    def seconds(self) -> float: ...

    def callLater(
        self, delay: float, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> "DelayedCall": ...


class DelayedCall:
    """One call that waits for its time. Made by `callLater`."""

    __slots__ = ("_armed", "_call", "_handle", "_timers", "_when")

    def __init__(self, timers: "Timers", when: float, call: Callable[[], object]) -> None:
        self._timers = timers
        self._call: Callable[[], object] | None = call
        self._when = when
        self._handle: _Handle | None
        self._arm()

    def getTime(self) -> float:
        """When it is due, in the seconds of the clock that made it."""
        return self._when

    def active(self) -> bool:
        """Whether it still waits: neither called nor cancelled."""
        return self._handle is not None

    def cancel(self) -> None:
        """Never call it. Raises AlreadyCalled, AlreadyCancelled."""
        self._waiting("cancel").cancel()
        self._handle = self._call = None
        self._timers.waiting.discard(self)

    def reset(self, delay: float) -> None:
        """Make it due in *delay* seconds from now. Raises AlreadyCalled, AlreadyCancelled."""
        self._move("reset", self._timers.now() + _checked(delay))

    def delay(self, seconds: float) -> None:
        """Make it due *seconds* later than it was (earlier, when negative).

        Raises AlreadyCalled, AlreadyCancelled.
        """
        self._move("delay", self._when + seconds)

    def __repr__(self) -> str:
        state = "due" if self.active() else "cancelled" if self._call is None else "called"
        return f"<DelayedCall {state} at {self._when:.3f}>"

    def _move(self, verb: str, when: float) -> None:
        handle = self._waiting(verb)
        self._when = when
        if when < self._armed:
            handle.cancel()
            self._arm()

    def _waiting(self, verb: str) -> _Handle:
        if self._handle is not None:
            return self._handle
        if self._call is None:
            raise AlreadyCancelled(f"cannot {verb} a delayed call that has been cancelled")
        raise AlreadyCalled(f"cannot {verb} a delayed call that has run; ask active() first")

    def _arm(self) -> None:
        self._armed = self._when
        self._handle = self._timers.at(self._when, self._fire)

    def _fire(self) -> None:
        # Compared with the time it was armed for and not with the clock, which on uvloop
        # counts whole milliseconds and may stand just before the moment asked for.
        if self._when > self._armed:
            self._arm()
            return
        call, self._call, self._handle = self._call, _nothing, None
        self._timers.waiting.discard(self)
        assert call is not None
        call()


class Timers:
    """The delayed calls of one clock.

    *now* tells its seconds, *at* has something called at a time; an event loop's `time`
    and `call_at` are such a pair.
    """

    __slots__ = ("at", "now", "waiting")

    def __init__(self, now: Callable[[], float], at: _At) -> None:
        self.now = now
        self.at = at
        # uvloop cannot list its timers, so those that wait are held here as well.
        self.waiting: set[DelayedCall] = set()

    def callLater(
        self, delay: float, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> DelayedCall:
        """Call *f* in *delay* seconds. Raises ValueError for a negative delay, TypeError."""
        if not callable(f):
            raise TypeError(f"callLater: f must be callable, not {f!r}")
        call = partial(f, *args, **kwargs) if args or kwargs else f
        delayed = DelayedCall(self, self.now() + _checked(delay), call)
        self.waiting.add(delayed)
        return delayed

    def getDelayedCalls(self) -> list[DelayedCall]:
        """The calls that wait, the one due first first."""
        return sorted(self.waiting, key=DelayedCall.getTime)


class Clock:
    """A clock that stands still until it is told to advance, for tests without waiting."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._timers = Timers(self.seconds, self._at)
        self._line: list[tuple[float, int, _Place]] = []
        self._count = 0

    def seconds(self) -> float:
        """The seconds it stands at; it begins at nought."""
        return self._now

    def callLater(
        self, delay: float, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> DelayedCall:
        """Call *f* once the clock has advanced by *delay* seconds."""
        return self._timers.callLater(delay, f, *args, **kwargs)

    def callFromThread(self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call *f* at the next `advance`, if only by nought."""
        self.callLater(0, f, *args, **kwargs)

    def getDelayedCalls(self) -> list[DelayedCall]:
        """The calls that wait, the one due first first."""
        return self._timers.getDelayedCalls()

    def advance(self, amount: float) -> None:
        """Move on by *amount* seconds and make every call that is then due, in order of time.

        As in the field, the clock jumps: each call sees the new time, and what it adds
        that is due by then is called too. What a call raises is raised here, and the calls
        after it are made by the next advance.
        """
        self._now += _checked(amount)
        while self._line and self._line[0][0] <= self._now:
            heappop(self._line)[2].call()

    def pump(self, timings: Iterable[float]) -> None:
        """Advance by each of *timings*, seconds, one after the other."""
        for amount in timings:
            self.advance(amount)

    def _at(self, when: float, call: Callable[[], None]) -> "_Place":
        place = _Place(call)
        self._count += 1
        heappush(self._line, (when, self._count, place))
        return place


class _Place:
    """A place in a clock's line, which stays there when its call is cancelled."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def cancel(self) -> None:
        self.call = _nothing


def _nothing() -> None:
    pass


def _checked(seconds: float) -> float:
    if not seconds >= 0:
        raise ValueError(f"a time in seconds must not be negative: {seconds!r}")
    return seconds
