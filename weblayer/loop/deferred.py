"""A Deferred: a result that is not there yet, and what is to be done with it.

Three doors lead from here to asyncio and back: `await deferred`, `fromFuture` with
`fromCoroutine`, and `asFuture`. A coroutine runs in a real task, since asyncio's timeouts and
task groups look for one. How a chain runs is told in the `chain` module.
"""

import asyncio
import sys
from asyncio import CancelledError
from builtins import TimeoutError  # noqa: A004 - Python's own is what we give, as told below
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from weblayer.loop.chain import CANCELLING, AlreadyCalledError, Chain, Side, site_of, start
from weblayer.loop.failure import Failure
from weblayer.loop.loops import current_loop

# CancelledError is asyncio's own and TimeoutError Python's own (asyncio's too, since 3.11): a
# task that awaits a cancelled Deferred is then a cancelled task, `asyncio.timeout` and task
# groups see what they look for, and one `except` serves both sides of the border. It makes
# CancelledError no Exception, on purpose: `except Exception` must not swallow a cancelling.
__all__ = [
    "CANCELLING",
    "AlreadyCalledError",
    "CallsLater",
    "CancelledError",
    "Deferred",
    "Delayed",
    "TimeoutError",
    "fail",
    "succeed",
]

T = TypeVar("T")
U = TypeVar("U")
P = ParamSpec("P")


class Delayed(Protocol):
    """A call that will come, unless it is cancelled before."""

    def cancel(self) -> object: ...


class CallsLater(Protocol):
    """What calls a function later: a reactor, or a clock that a test advances."""

    def callLater(self, delay: float, f: Callable[[], object], /) -> Delayed: ...


class Deferred(Chain, Generic[T]):
    """A result that is not there yet, and the chain of what is to be done with it.

    *canceller* is called with this Deferred by `cancel`, if it has not fired: it stops the work,
    and may fire the Deferred itself, or return CANCELLING when the end will come by itself.
    A failure that nobody looked at is logged when the Deferred is collected.
    """

    __slots__ = ()

    # Adding to the chain. A callback may give a value, or what must be waited for: mypy cannot
    # tell the two apart in one union, so each method has a line for either.

    @overload
    def addCallback(
        self,
        callback: "Callable[Concatenate[T, P], Deferred[U] | Coroutine[Any, Any, U]]",
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> "Deferred[U]": ...
    @overload
    def addCallback(
        self, callback: Callable[Concatenate[T, P], U], *args: P.args, **kwargs: P.kwargs
    ) -> "Deferred[U]": ...
    def addCallback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call *callback* with the result, and the extra arguments, once there is one.

        What it returns is the next result: a Deferred or a coroutine is waited for, and an
        exception it raises becomes a Failure. It runs in a copy of the context of this call.
        """
        return self._then(_bound(callback, args, kwargs), None)

    @overload
    def addErrback(
        self,
        errback: "Callable[Concatenate[Failure, P], Deferred[U] | Coroutine[Any, Any, U]]",
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> "Deferred[T | U]": ...
    @overload
    def addErrback(
        self, errback: Callable[Concatenate[Failure, P], U], *args: P.args, **kwargs: P.kwargs
    ) -> "Deferred[T | U]": ...
    def addErrback(self, errback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As `addCallback`, for a Failure: what *errback* returns is a result again."""
        return self._then(None, _bound(errback, args, kwargs))

    @overload
    def addBoth(
        self,
        callback: "Callable[Concatenate[Any, P], Deferred[U] | Coroutine[Any, Any, U]]",
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> "Deferred[U]": ...
    @overload
    def addBoth(
        self, callback: Callable[Concatenate[Any, P], U], *args: P.args, **kwargs: P.kwargs
    ) -> "Deferred[U]": ...
    def addBoth(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As `addCallback`, for either: *callback* is given the result or the Failure."""
        call = _bound(callback, args, kwargs)
        return self._then(call, call)

    def addCallbacks(
        self,
        callback: Callable[..., Any] | None,
        errback: Callable[..., Any] | None = None,
        callbackArgs: tuple[Any, ...] = (),
        callbackKeywords: dict[str, Any] | None = None,
        errbackArgs: tuple[Any, ...] = (),
        errbackKeywords: dict[str, Any] | None = None,
    ) -> "Deferred[Any]":
        """Add a fork: one of the two is called, and neither sees what the other raises."""
        yes = callback and _bound(callback, callbackArgs, callbackKeywords or {})
        no = errback and _bound(errback, errbackArgs, errbackKeywords or {})
        return self._then(yes, no)

    def chainDeferred(self, other: "Deferred[T]") -> "Deferred[None]":
        """Fire *other* with the result when it comes; what is left here is None."""
        self._add(other._inherit)
        return cast("Deferred[None]", self)

    def addTimeout(
        self,
        seconds: float,
        clock: CallsLater | None = None,
        onTimeoutCancel: Callable[[Any, float], Any] | None = None,
    ) -> "Deferred[T]":
        """Cancel it when no result has come to this place of the chain within *seconds*.

        The CancelledError then becomes a TimeoutError, or what *onTimeoutCancel* makes of the
        result and *seconds*. Without a *clock* the time is the event loop's.
        """
        limit = _Limit(self, seconds, onTimeoutCancel)
        if clock is None:
            limit.timer = current_loop().call_later(seconds, limit.expire)
        else:
            limit.timer = clock.callLater(seconds, limit.expire)
        return self.addBoth(limit.arrive)

    # Firing it, holding it, stopping it.

    def callback(self, result: T) -> None:
        """Fire it with *result*; AlreadyCalledError when it has been fired before.

        After `cancel`, one late result is ignored: its source need not know of the cancelling.
        """
        if isinstance(result, Chain):
            raise TypeError("result must not be a Deferred: call result.chainDeferred(this one)")
        self._fire(result, site_of(sys._getframe(1)))

    def errback(self, fail: BaseException | Failure | None = None) -> None:
        """Fire it with a Failure, as `callback`; without *fail*, of the exception being handled."""
        failure = fail if isinstance(fail, Failure) else Failure(fail)
        self._fire(failure, site_of(sys._getframe(1)))

    def pause(self) -> None:
        """Hold back the links until `unpause` has been called as often as this."""
        self._held += 1

    def unpause(self) -> None:
        """Undo one `pause`, and run what was held back when it was the last."""
        if self._held == (self._waits_for is not None):
            raise RuntimeError("unpause() without a pause() before it")
        self._held -= 1
        self._run()

    def cancel(self) -> None:
        """Stop the work that the result would come from, or do nothing when it has come.

        It fires with CancelledError unless its canceller has fired it. One that waits for
        another cancels that one. One of a coroutine fires when the coroutine has ended.
        """
        self._end()

    # The doors to asyncio.

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for the result and leave it in place: awaiting again gives the same again.

        A task that is cancelled while it waits cancels the Deferred, waits for its end if that
        comes later, and is then given its CancelledError, whatever the Deferred ended with.
        """
        try:
            result = self._look() if self._is_settled() else (yield from self._woken())
        except CancelledError as cancelled:
            yield from self._ending(cancelled)
            raise
        try:
            if isinstance(result, Failure):
                result.raiseException()
            return cast("T", result)
        finally:
            del self, result  # see the rule at the top of the failure module

    def asFuture(self, loop: asyncio.AbstractEventLoop | None = None) -> asyncio.Future[T]:
        """A Future that takes the result over from here; cancelling it cancels this.

        Without *loop* it belongs to the running one, else to the one the reactor will run.
        """
        future: asyncio.Future[T] = (loop or current_loop()).create_future()

        def follow(done: asyncio.Future[T]) -> None:
            if done.cancelled():
                self.cancel()

        def settle(source: Chain) -> None:
            future.remove_done_callback(follow)
            _settle_future(future, source._take())

        future.add_done_callback(follow)
        self._add(settle)
        return future

    @classmethod
    def fromFuture(cls, future: asyncio.Future[U]) -> "Deferred[U]":
        """A Deferred that fires when *future* is done: at once, if it is so already.

        Cancelling it cancels the future, and it fires when that has ended.
        """
        deferred: Deferred[U] = Deferred()
        deferred._follow(future)
        return deferred

    @classmethod
    def fromCoroutine(cls, coroutine: Coroutine[Any, Any, U]) -> "Deferred[U]":
        """Run *coroutine* in a task of the current loop, and fire when it has ended."""
        if not asyncio.iscoroutine(coroutine):
            raise TypeError(f"coroutine must be what an async function gives, not {coroutine!r}")
        return cls.fromFuture(start(coroutine))

    def _then(self, yes: Side | None, no: Side | None) -> "Deferred[Any]":
        self._add((yes, no, copy_context()))
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self):#x}, {self._told()}>"


class _Limit:
    """The end of the time that a result is given, and what becomes of it then."""

    __slots__ = ("deferred", "expired", "seconds", "timer", "translate")

    timer: Delayed

    def __init__(
        self, deferred: Chain, seconds: float, translate: Callable[[Any, float], Any] | None
    ) -> None:
        self.deferred = deferred
        self.seconds = seconds
        self.translate = translate or _timed_out
        self.expired = False

    def expire(self) -> None:
        self.expired = True
        self.deferred._end()

    def arrive(self, result: Any) -> Any:
        if self.expired:
            return self.translate(result, self.seconds)
        self.timer.cancel()
        return result


def succeed(result: T) -> Deferred[T]:
    """A Deferred that has fired with *result*."""
    deferred: Deferred[T] = Deferred()
    deferred._begin(result, site_of(sys._getframe(1)))  # there is nothing to run yet
    return deferred


def fail(error: BaseException | Failure | None = None) -> Deferred[Any]:
    """A Deferred that has failed; without *error*, with the exception being handled."""
    deferred: Deferred[Any] = Deferred()
    failure = error if isinstance(error, Failure) else Failure(error)
    deferred._fire(failure, site_of(sys._getframe(1)))
    return deferred


def _bound(call: Side, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Side:
    """*call* with its extra arguments, which come after the result (a partial's come before)."""
    if not callable(call):
        raise TypeError(f"a callback must be callable, not {call!r}")
    if args or kwargs:
        return lambda result: call(result, *args, **kwargs)
    return call


def _timed_out(result: Any, seconds: float) -> Any:
    if isinstance(result, Failure) and result.check(CancelledError):
        raise TimeoutError(f"no result within {seconds} seconds")
    return result


def _settle_future(future: asyncio.Future[Any], result: object) -> None:
    """Give *future* what a chain ended with, unless it was cancelled meanwhile."""
    if future.done():
        return
    if not isinstance(result, Failure):
        future.set_result(result)
    elif isinstance(result.value, CancelledError):
        future.cancel(*result.value.args[:1])
    elif isinstance(result.value, StopIteration):  # no future can hold one
        future.set_exception(RuntimeError(f"a Deferred failed with {result.value!r}"))
    else:
        future.set_exception(result.value)
