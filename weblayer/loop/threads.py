"""Work for threads, so that what blocks does not block the loop.

The threads are those of the event loop's own executor, shared with the program's other
asyncio code.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from inspect import isawaitable
from typing import Any, ParamSpec, TypeVar
from typing import Protocol as Face

from weblayer.loop.deferred import Deferred
from weblayer.loop.loops import current_loop

__all__ = ["blockingCallFromThread", "deferToThread", "inThread"]

P = ParamSpec("P")
T = TypeVar("T")


class _Reactor(Face):
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    def callFromThread(self, f: Callable[[], object], /) -> None: ...


def deferToThread(f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
    """Call *f* in a thread; fires in the loop with what it gives or raises.

    Cancelling it before a thread has begun means *f* is not called; a call that has begun
    runs to its end, unheard.
    """
    return Deferred.fromFuture(inThread(current_loop(), partial(f, *args, **kwargs)))


def inThread(loop: asyncio.AbstractEventLoop, f: Callable[[], T]) -> asyncio.Future[T]:
    """Call *f* in a thread of that loop's executor, in a copy of the context of this call."""
    return loop.run_in_executor(None, partial(copy_context().run, f))


# Any: *f* gives a value, or an awaitable of one, which overloads would say no better.
def blockingCallFromThread(
    reactor: _Reactor, f: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs
) -> Any:
    """From a thread: call *f* in the reactor's loop, and wait for what it gives or raises.

    A Deferred or coroutine that it gives is waited for too. Raises RuntimeError in the
    reactor's own thread, which would wait for itself.
    """
    if asyncio._get_running_loop() is reactor.loop:
        raise RuntimeError("blockingCallFromThread is for other threads; here, call it directly")
    answer: Future[Any] = Future()
    reactor.callFromThread(partial(_answer, answer, partial(f, *args, **kwargs)))
    return answer.result()


def _answer(answer: Future[Any], f: Callable[[], Any]) -> None:
    try:
        result = f()
    except Exception as error:
        answer.set_exception(error)
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
        answer.cancel()
    elif error := task.exception():
        answer.set_exception(error)
    else:
        answer.set_result(task.result())
