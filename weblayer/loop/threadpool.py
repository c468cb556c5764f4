"""Pools of threads: the one that an event loop has, and those that a program makes for itself.

Both are the standard library's executors, which make a thread when there is work and none is
free. A thread cannot be stopped: whoever ends a pool waits until its calls have returned.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec

from weblayer.loop.failure import Failure, caught

__all__ = ["LoopThreads", "ThreadPool"]

P = ParamSpec("P")

# Called in the thread with True and a result, or with False and a Failure.
OnResult = Callable[[bool, Any], object]

log = logging.getLogger("weblayer")


class _Pool:
    """What all pools do with a call, in a copy of the context of whoever makes it."""

    def callInThread(self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call *f* in a thread, and forget it; what it raises is logged."""
        self.callInThreadWithCallback(None, f, *args, **kwargs)

    def callInThreadWithCallback(
        self, onResult: OnResult | None, f: Callable[P, object], /,
        *args: P.args, **kwargs: P.kwargs,
    ) -> None:  # fmt: skip
        """Call *f* in a thread, and then *onResult* in the same thread.

        It is given True and the result, or False and a Failure.
        """
        call = partial(copy_context().run, partial(f, *args, **kwargs))
        self._submit(partial(_work, call, onResult or _log_failure))

    def _submit(self, work: Callable[[], None]) -> None:
        raise NotImplementedError


class ThreadPool(_Pool):
    """Threads of a program's own, at most *maxthreads* at once, named after *name*.

    For work that may hold threads for long, such as a database's: in the loop's threads it would
    keep the look-up of host names waiting. *minthreads* is the field's; threads are made when
    there is work for them, and stay.
    """

    def __init__(self, minthreads: int = 5, maxthreads: int = 20, name: str | None = None) -> None:
        self.min, self.max, self.name = minthreads, maxthreads, name
        _check(minthreads, maxthreads)
        self._executor: ThreadPoolExecutor | None = None
        self._before: list[ThreadPoolExecutor] = []
        self.start()

    def start(self) -> None:
        """Take calls again after stop(); a new pool takes them already."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.max, self.name or "weblayer pool")

    def stop(self) -> None:
        """Wait until every call that was made has returned, and end the threads.

        In the loop's thread this blocks the loop: a trigger may give deferToThread(pool.stop).
        """
        executor, self._executor = self._executor, None
        before, self._before = self._before, []
        for each in (*before, executor):
            if each is not None:
                each.shutdown()

    def adjustPoolsize(self, minthreads: int | None = None, maxthreads: int | None = None) -> None:
        """Have other numbers of threads; calls that wait keep their place in those there were."""
        least = self.min if minthreads is None else minthreads
        most = self.max if maxthreads is None else maxthreads
        _check(least, most)
        changed, self.min, self.max = most != self.max, least, most
        if changed and self._executor is not None:
            self._executor.shutdown(wait=False)
            self._before.append(self._executor)
            self._executor = None
            self.start()

    def _submit(self, work: Callable[[], None]) -> None:
        if self._executor is None:
            raise RuntimeError("this ThreadPool is stopped; start() it, or make another")
        self._executor.submit(work)


class LoopThreads(_Pool):
    """The threads of an event loop, which deferToThread, the loop's look-ups of host names and
    any asyncio code of the program share.

    There are at most as many as Python finds right, four more than cores and no more than 32:
    work for threads mostly waits, and more would fight for the interpreter.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._made: list[ThreadPoolExecutor] = []

    def adjustPoolsize(self, minthreads: int | None = None, maxthreads: int | None = None) -> None:
        """Have at most *maxthreads*; calls that wait keep their place in those there were."""
        if maxthreads is None:
            return
        _check(minthreads or 0, maxthreads)
        for executor in self._made:
            executor.shutdown(wait=False)
        self._made.append(ThreadPoolExecutor(maxthreads, "weblayer"))
        self._loop.set_default_executor(self._made[-1])

    async def join(self) -> None:
        """Wait for the calls of the threads that adjustPoolsize has replaced."""
        for executor in self._made[:-1]:
            await self._loop.run_in_executor(None, executor.shutdown)

    def _submit(self, work: Callable[[], None]) -> None:
        self._loop.run_in_executor(None, work)


def _check(minthreads: int, maxthreads: int) -> None:
    if not 0 <= minthreads <= maxthreads or not maxthreads:
        raise ValueError(
            "minthreads must not be negative, nor more than maxthreads, which is at least 1:"
            f" {minthreads!r} and {maxthreads!r}"
        )


def _work(call: Callable[[], object], on_result: OnResult) -> None:
    result: Any
    try:
        success, result = True, call()
    except BaseException as error:  # SystemExit too: it would end but the thread, unheard
        success, result = False, caught(error)
    try:
        on_result(success, result)
    except Exception:
        log.exception("an error in what was to be told of a call in a thread")


def _log_failure(success: bool, result: Any) -> None:
    if isinstance(result, Failure) and not success:
        told = (result.type, result.value, result.getTracebackObject())
        log.error("a call in a thread failed", exc_info=told)
