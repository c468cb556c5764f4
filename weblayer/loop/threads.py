"""Work for threads, so that what blocks does not block the loop.

The threads are those of the event loop's own executor, shared with the program's other
asyncio code, or a pool of the program's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from typing import Any, ParamSpec, TypeVar
from typing import Protocol as Face

from weblayer.loop.chain import LEAVING
from weblayer.loop.deferred import Deferred
from weblayer.loop.loops import current_loop
from weblayer.loop.threadpool import LoopThreads

__all__ = [
    "blockingCallFromThread",
    "callMultipleInThread",
    "deferToThread",
    "deferToThreadPool",
    "inThread",
]

P = ParamSpec("P")
T = TypeVar("T")

# Any: the functions of one list differ.
_Call = tuple[Callable[..., object], Sequence[Any], Mapping[str, Any]]


class _CallsFromThread(Face):
    def callFromThread(self, f: Callable[[], object], /) -> None: ...


class _Reactor(_CallsFromThread, Face):
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...


class _ThreadPool(Face):
    def callInThreadWithCallback(
        self, onResult: Callable[[bool, Any], object], f: Callable[[], object], /
    ) -> object: ...


def deferToThread(f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
    """Call *f* in a thread; fires in the loop with what it gives or raises.

    Cancelling it before a thread has begun means *f* is not called; a call that has begun
    runs to its end, unheard.
    """
    return Deferred.fromFuture(inThread(current_loop(), partial(f, *args, **kwargs)))


def deferToThreadPool(
    reactor: _CallsFromThread, threadpool: _ThreadPool, f: Callable[P, T], /,
    *args: P.args, **kwargs: P.kwargs,
) -> Deferred[T]:  # fmt: skip
    """Call *f* in a thread of *threadpool*, as deferToThread does; fires in the reactor's loop."""
    cancelled = False

    def cancel(_: object) -> None:
        nonlocal cancelled
        cancelled = True

    def work() -> T | None:
        return None if cancelled else f(*args, **kwargs)

    def arrive(success: bool, result: Any) -> None:
        reactor.callFromThread(partial(done.callback if success else done.errback, result))

    done: Deferred[T] = Deferred(cancel)
    threadpool.callInThreadWithCallback(arrive, work)
    return done


def callMultipleInThread(tupleList: Iterable[_Call]) -> None:
    """Make several calls, each (f, args, kwargs), in one thread and in this order.

    An error is logged, and ends it.
    """
    LoopThreads(current_loop()).callInThread(_call_all, list(tupleList))


def inThread(loop: asyncio.AbstractEventLoop, f: Callable[[], T]) -> asyncio.Future[T]:
    """Call *f* in a thread of that loop's executor, in a copy of the context of this call."""
    return loop.run_in_executor(None, partial(copy_context().run, f))


# Any: *f* gives a value, or an awaitable of one, which overloads would say no better.
def blockingCallFromThread(
    reactor: _Reactor, f: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
) -> Any:
    """From a thread: call *f* in the reactor's loop, and wait for what it gives or raises.

    A Deferred or coroutine that it gives is waited for too, and a reactor that ends before it
    has arrived raises CancelledError here. Raises RuntimeError in the reactor's own thread,
    which would wait for itself.
    """
    if asyncio._get_running_loop() is reactor.loop:
        raise RuntimeError("blockingCallFromThread is for other threads; here, call it directly")
    answer: Future[Any] = Future()
    reactor.callFromThread(partial(_answer, answer, partial(f, *args, **kwargs)))
    return answer.result()


def _answer(answer: Future[Any], f: Callable[[], Any]) -> None:
    try:
        result = f()
    except BaseException as error:
        answer.set_exception(error)
        if isinstance(error, LEAVING):
            raise
        return
    if not isawaitable(result):
        answer.set_result(result)
        return
    task = asyncio.ensure_future(_arrival(result))
    task.add_done_callback(partial(_pass_on, answer))


async def _arrival(result: Awaitable[T]) -> T:
    return await result


def _pass_on(answer: Future[Any], task: asyncio.Task[Any]) -> None:
    if task.cancelled():
        # Not answer.cancel(), which would raise an error of another class with the same name.
        answer.set_exception(asyncio.CancelledError())
    elif error := task.exception():
        answer.set_exception(error)
    else:
        answer.set_result(task.result())


def _call_all(calls: Iterable[_Call]) -> None:
    for f, args, kwargs in calls:
        f(*args, **kwargs)
