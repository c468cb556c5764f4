"""The chain of a Deferred: what runs, when, and what it waits for.

The theory. A chain is fired once, with a value or a Failure. Its links then run in the order
they were added, each with what the one before it gave. A link that gives another chain makes
this one *wait*: the other's result is handed over when it comes, and the links go on. So a
chain is always one of: not fired, paused, waiting, running, or settled (fired, and nothing
left to run).

A link is one of two kinds. A tuple is what a user added. Anything else is a hook of ours,
called with the chain itself: it looks at the result or takes it away, and may give back a
chain that became ready by this. Ready chains go on a list, never on the stack, which is why
a chain may have any length, in any direction.
"""

import asyncio
import logging
import sys
from asyncio import CancelledError, get_running_loop
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from types import CodeType, CoroutineType, FrameType
from typing import Any, Final

from weblayer.loop.failure import Failure, caught
from weblayer.loop.loops import current_loop

__all__ = ["CANCELLING", "LEAVING", "AlreadyCalledError", "Chain", "Side", "site_of", "start"]

CANCELLING: Final = object()
"""What a canceller returns when it has asked for the end, which will come later by itself.

Without it, a Deferred that its canceller has not fired is fired with CancelledError.
"""

# They end the program: they are no result, and go out through whoever fired the chain.
LEAVING = (KeyboardInterrupt, SystemExit)

Site = tuple[CodeType, int]
Side = Callable[[Any], object]
Link = tuple[Side | None, Side | None, Context]
Hook = Callable[["Chain"], "Chain | None"]

_log = logging.getLogger("weblayer")

# A loop holds its tasks weakly, and one that nobody waits for could vanish half-way.
_tasks: set[asyncio.Future[Any]] = set()


class AlreadyCalledError(RuntimeError):
    """A Deferred was fired a second time; the message says where it was first."""


class Chain:
    """The inside of a Deferred, without its names and types."""

    __slots__ = (
        "__weakref__",
        "_canceller",
        "_held",
        "_links",
        "_next",
        "_result",
        "_running",
        "_site",
        "_unhandled",
        "_waits_for",
        "called",
    )

    called: bool
    """Whether it has been fired; its links may still have to run."""

    def __init__(self, canceller: Callable[[Any], object] | None = None) -> None:
        self.called = False
        self._canceller = canceller
        self._result: Any = None  # every link may change its type
        self._links: list[Link | Hook | None] = []
        self._next = 0  # the first link that has not run; those before it are None
        self._running = False
        self._held = 0  # how many pauses hold it, the waiting for another chain included
        self._waits_for: Chain | None = None
        self._site: Site | None = None  # where it was fired; None: by cancelling
        self._unhandled: _Unhandled | None = None

    # Firing and running.

    def _fire(self, result: object, site: Site | None) -> None:
        if self._begin(result, site):
            self._run()

    def _begin(self, result: object, site: Site | None) -> bool:
        """Take the first result; False for the one late result that a cancelling forgives."""
        if self.called:
            if self._site is not None:
                raise AlreadyCalledError(f"this Deferred was already fired at {_place(self._site)}")
            self._site = site
            return False
        self.called = True
        self._result = result
        self._site = site
        self._canceller = None  # it often refers back to us
        return True

    def _add(self, link: Link | Hook) -> None:
        self._links.append(link)
        if self.called:
            self._run()

    def _is_settled(self) -> bool:
        return self.called and not self._links and not self._held and not self._running

    def _run(self) -> None:
        """Run what can run, here and in the chains that become ready by it."""
        chains = self._drain()
        if chains:
            ready = [*chains]
            while ready:
                ready += ready.pop()._drain()

    def _drain(self) -> tuple["Chain", ...]:
        """Run links until none is left, one must be waited for, or another chain goes first.

        Gives the chains that are to run next, the last of them first.
        """
        if not self.called or self._held or self._running:
            return ()
        if self._unhandled is not None:
            self._claim()
        links, seen, follower = self._links, False, None
        self._running = True
        try:
            while links and not self._held and follower is None:
                # Nearly always one at a time. Any, here too: a cast would be a call for each.
                link: Any = links.pop() if len(links) == 1 else self._pop()
                if type(link) is tuple:
                    seen = not self._apply(link) and seen
                else:
                    before = self._result
                    follower = link(self)
                    seen = self._result is before
        finally:
            self._running = False
        if not seen and isinstance(self._result, Failure):
            self._unhandled = _Unhandled.of(self._result)
        if follower is None:
            return ()
        return (self, follower) if links else (follower,)

    def _pop(self) -> Link | Hook | None:
        """Take the first link of several."""
        links, first = self._links, self._next
        link = links[first]
        if first + 1 == len(links):
            links.clear()
            self._next = 0
        else:
            links[first] = None  # what it refers to may go now
            self._next = first + 1
        return link

    def _apply(self, link: Link) -> bool:
        """Call the side of *link* that is for this result; False when it has none."""
        before = self._result
        call = link[1] if isinstance(before, Failure) else link[0]
        if call is None:
            return False
        try:
            self._result = link[2].run(call, before)
        except BaseException as error:
            self._result = caught(error, before)
            if isinstance(error, LEAVING):
                raise
        if isinstance(self._result, CoroutineType):
            self._result = Chain()._follow(link[2].run(start, self._result))
        if isinstance(self._result, Chain):
            self._enter(self._result)
        return True

    # Waiting for another, and handing over.

    def _enter(self, inner: "Chain") -> None:
        """Wait for *inner*, then go on with its result."""
        self._result = None
        if inner is self:
            self._result = Failure(RuntimeError("a callback returned its own Deferred"))
        elif inner._is_settled():
            self._result = inner._take()
        else:
            self._waits_for = inner
            self._held += 1
            inner._add(self._resume)

    def _resume(self, inner: "Chain") -> "Chain":
        self._waits_for = None
        self._held -= 1
        self._result = inner._take()
        return self

    def _inherit(self, source: "Chain") -> "Chain | None":
        """Be fired by *source*, which gives its result away."""
        try:
            return self if self._begin(source._take(), source._site) else None
        except AlreadyCalledError as error:
            source._result = caught(error)
            return None

    def _take(self) -> Any:
        """Take the result away: what is left is None."""
        result = self._look()
        self._result = None
        return result

    def _look(self) -> Any:
        """Look at the result and leave it: a Failure has then been seen by somebody."""
        if self._unhandled is not None:
            self._claim()
        return self._result

    def _claim(self) -> None:
        assert self._unhandled is not None
        self._unhandled.failure = None
        self._unhandled = None

    def _told(self) -> str:
        if not self.called:
            return "not fired"
        if self._waits_for is not None:
            return f"waiting for the one at {id(self._waits_for):#x}"
        return f"result: {self._result!r}" if self._is_settled() else "held or running"

    # Ending early.

    def _end(self) -> bool:
        """Cancel where the result would come from; True when it has been asked to end, and will."""
        source = self._source()
        if source.called:
            return False
        failure = None
        try:
            canceller = source._canceller
            if canceller is not None and canceller(source) is CANCELLING and not source.called:
                return True
        except Exception as error:
            if source.called:
                raise
            failure = caught(error)  # the work may go on, but nobody should wait for ever
        if not source.called:
            source._fire(failure or Failure(CancelledError()), None)
        return False

    def _source(self) -> "Chain":
        """The chain at the end of those waited for."""
        chain, passed = self, {self}
        while chain._waits_for is not None and chain._waits_for not in passed:
            chain = chain._waits_for
            passed.add(chain)  # two that wait for each other are a fault, but not ours to hang by
        return chain

    # Between chains and futures.

    def _follow(self, future: asyncio.Future[Any]) -> "Chain":
        """Fire when *future* is done, at once if it is; cancelling this asks the future to end."""

        def canceller(_: Chain) -> object:
            future.cancel()
            return CANCELLING

        self._canceller = canceller
        if future.done():
            self._settle(future)
        else:
            future.add_done_callback(self._settle)
        return self

    def _settle(self, future: asyncio.Future[Any]) -> None:
        _tasks.discard(future)
        try:
            result = future.result()
        except BaseException as error:
            result = caught(error)
        self._fire(result, site_of(sys._getframe()))

    def _ending(self, cancelled: CancelledError) -> Generator[Any, None, None]:
        """Cancel, since the task that waits was *cancelled*, and wait for an end that comes later.

        An error in the cleaning up is not lost: it becomes the cause of that.
        """
        outcome = yield from self._ended()
        if isinstance(outcome, Failure) and not outcome.check(CancelledError):
            cancelled.__cause__ = outcome.value

    def _ended(self) -> Generator[Any, None, Any]:
        """Cancel, and wait for the end; once more for each cancelling meanwhile."""
        while self._end():
            try:
                return (yield from self._woken())
            except CancelledError:
                continue
        return self._look()

    def _woken(self) -> asyncio.Future[Any]:
        """What is given the result at this place of the chain when it comes, to wait for.

        The result comes as a value, Failures too: a CancelledError is the task's own.
        """
        future: asyncio.Future[Any] = get_running_loop().create_future()
        self._add(partial(_wake, future))
        return future


class _Unhandled:
    """Logs a failure that nobody looked at, once, when its Deferred is collected."""

    __slots__ = ("failure",)

    def __init__(self, failure: Failure) -> None:
        self.failure: Failure | None = failure

    @classmethod
    def of(cls, failure: Failure) -> "_Unhandled | None":
        # To be cancelled is an answer to who cancelled, no error: asyncio is silent here too.
        return None if isinstance(failure.value, CancelledError) else cls(failure)

    def __del__(self) -> None:
        if (failure := self.failure) is not None:
            told = (failure.type, failure.value, failure.getTracebackObject())
            _log.error("unhandled failure in a Deferred: %s", failure, exc_info=told)


def start(coroutine: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
    """Run *coroutine* in a task of the current loop, kept alive until a chain has its result."""
    task = current_loop().create_task(coroutine)
    _tasks.add(task)
    return task


def site_of(frame: FrameType) -> Site:
    """Where *frame* stands, in two references: who wants it readable asks `_place`."""
    return frame.f_code, frame.f_lasti


def _wake(future: asyncio.Future[Any], chain: Chain) -> None:
    # No set_exception: a waiter cancelled meanwhile would leave an exception never retrieved.
    if not future.done():
        future.set_result(chain._result)  # a chain that runs has claimed it already


def _place(site: Site) -> str:
    """The file:line of a place kept as code and instruction offset (two bytes each, PEP 626)."""
    code, offset = site
    lines = (line for start, end, line in code.co_lines() if start <= offset < end)
    return f"{code.co_filename}:{next(lines, None) or code.co_firstlineno}"
