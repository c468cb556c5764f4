"""Doing things later, again and again, or until done."""

import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn, ParamSpec, Self

from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.cooperate import (
    CooperativeTask,
    Cooperator,
    NotPaused,
    SchedulerStopped,
    TaskDone,
    TaskFailed,
    TaskFinished,
    TaskStopped,
    coiterate,
    cooperate,
)
from weblayer.loop.deferred import CancelledError, Deferred
from weblayer.loop.failure import Failure
from weblayer.loop.reactor import Reactor, reactorHere, theReactor
from weblayer.loop.timers import Clock, DelayedCall, IReactorTime

__all__ = [
    "Clock",
    "CooperativeTask",
    "Cooperator",
    "LoopingCall",
    "NotPaused",
    "SchedulerStopped",
    "TaskDone",
    "TaskFailed",
    "TaskFinished",
    "TaskStopped",
    "coiterate",
    "cooperate",
    "deferLater",
    "react",
]

P = ParamSpec("P")

log = logging.getLogger("weblayer")


# Any: *f* gives a value, a Deferred or a coroutine, and a Deferred gives what these give.
def deferLater(
    clock: IReactorTime,
    delay: float,
    f: Callable[P, Any] | None = None,
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Deferred[Any]:
    """Call *f* in *delay* seconds; fires with what it gives, or None without *f*.

    Cancelling it before then means *f* is not called.
    """
    later: Deferred[Any] = Deferred(lambda _: call.cancel())
    call: DelayedCall = clock.callLater(delay, later.callback, None)
    if f is not None:
        later.addCallback(lambda _: f(*args, **kwargs))
    return later


class LoopingCall:
    """Calls *f* every so many seconds, without drift.

    The calls fall on the beats start + n * interval. One that takes long, or whose Deferred
    or coroutine does, makes the beats in between be left out, never two calls at once. Set
    `clock` before `start` to anything with `seconds` and `callLater`.
    """

    def __init__(self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        self._f = partial(f, *args, **kwargs)
        self.clock: IReactorTime | None = None
        self.interval: float | None = None
        self.running = False
        self._next: DelayedCall | None = None
        self._done: Deferred[LoopingCall] | None = None
        self._begun = 0.0
        self._beat = 0  # the last one, or the one waited for
        self._counted = 0  # the beat of the last call

    @classmethod
    def withCount(cls, countCallable: Callable[[int], object]) -> Self:
        """One that gives *countCallable* the number of beats since its last call, 1 or more.

        More than 1 says how many beats were left out, that one included.
        """
        make: Callable[[Callable[[], object]], Self] = cls  # which mypy makes nothing of itself

        def call() -> object:
            return countCallable(looping._count())

        looping = make(call)
        return looping

    def start(self, interval: float, now: bool = True) -> "Deferred[LoopingCall]":
        """Call every *interval* seconds (0: as often as the loop turns), at once if *now*.

        Fires with this object when it is stopped; fails, and stops, with what *f* raises.
        Raises RuntimeError when it runs, or what its last call gave has yet to arrive, and
        ValueError for a negative interval.
        """
        if self.running:
            raise RuntimeError("this LoopingCall runs; stop() it before it is started again")
        if self._done is not None:
            raise RuntimeError("its last call is not over; wait for what start() gave")
        if interval < 0:
            raise ValueError(f"interval must not be negative: {interval!r}")
        self.clock = self.clock or reactorHere()
        self.interval, self.running, self._beat = interval, True, 0
        self._counted = -1 if now else 0
        self._begun = self.clock.seconds()
        done = self._done = Deferred(self._cancel)
        if now:
            self._call()
        else:
            self._wait()
        return done

    def stop(self) -> None:
        """Call no more. Raises RuntimeError when it does not run.

        What a call of *f* is still waiting for is waited for, before `start`'s Deferred fires.
        """
        if not self.running:
            raise RuntimeError("this LoopingCall does not run")
        self.running = False
        if self._next is not None:
            self._next.cancel()
            self._next = None
            self._end(self)

    def reset(self) -> None:
        """Count the beats from now on, so that the next call is an interval away.

        Raises RuntimeError when it does not run.
        """
        if not self.running:
            raise RuntimeError("this LoopingCall does not run; start() it")
        assert self.clock is not None
        self._begun, self._beat, self._counted = self.clock.seconds(), 0, 0
        if self._next is not None:
            self._next.cancel()
            self._wait()

    def _cancel(self, _: object) -> None:
        if self.running:
            self.stop()

    def _count(self) -> int:
        """How many beats there were since the last call."""
        beat = max(self._beat, self._behind(self._passed()))
        passed, self._counted = beat - self._counted, beat
        return passed if self.interval else 1

    def _passed(self) -> float:
        assert self.clock is not None
        return self.clock.seconds() - self._begun

    def _behind(self, passed: float) -> int:
        # Ten times a tenth is not quite one: a millionth before a beat is on it.
        return int(passed / self.interval + 1e-6) if self.interval else 0

    def _call(self) -> None:
        self._next = None
        maybeDeferred(self._f).addCallbacks(self._again, self._end)

    def _again(self, _: object) -> None:
        if self.running:
            self._wait()
        else:
            self._end(self)

    def _wait(self) -> None:
        assert self.clock is not None
        assert self.interval is not None
        passed = self._passed()
        # A loop may call a hair before the beat: the next is one on from the last at least.
        self._beat = max(self._beat, self._behind(passed)) + 1
        delay = self._beat * self.interval - passed if self.interval else 0
        self._next = self.clock.callLater(max(0.0, delay), self._call)

    def _end(self, result: "LoopingCall | Failure") -> None:
        self.running = False
        done, self._done = self._done, None
        if done is None:
            return
        if isinstance(result, Failure):
            done.errback(result)
        else:
            done.callback(result)


def react(
    main: Callable[..., object], argv: Sequence[object] = (), reactor: Reactor | None = None
) -> NoReturn:
    """Run a program: *main(reactor, \\*argv)*, until what it returns has arrived; then exit.

    It returns a Deferred or a coroutine. The exit code is 0, or 1 when it fails, which is
    logged, or that of a SystemExit it raises. Stopping the reactor cancels it.
    """
    reactor = reactor or theReactor()
    codes: list[Any] = []  # Any: what sys.exit takes
    reactor.callWhenRunning(_begin, reactor, partial(main, reactor, *argv), codes)
    reactor.run()
    sys.exit(codes[0] if codes else 0)


def _begin(reactor: Reactor, main: Callable[[], object], codes: list[Any]) -> None:
    running = maybeDeferred(main)

    def abandon() -> Deferred[Any]:
        running.cancel()
        return running

    def ended(result: object) -> None:
        codes.append(_exit_code(result))
        if reactor.running:
            reactor.removeSystemEventTrigger(trigger)
            reactor.stop()

    trigger = reactor.addSystemEventTrigger("before", "shutdown", abandon)
    running.addBoth(ended)


def _exit_code(result: object) -> Any:
    if not isinstance(result, Failure) or result.check(CancelledError):
        return 0
    if isinstance(result.value, SystemExit):
        return result.value.code
    log.error("the program failed\n%s", result.getTraceback())
    return 1
