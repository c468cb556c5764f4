"""Taking turns: a lock, a semaphore, and a queue between those who put and those who get."""

from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.deferred import CancelledError, Deferred, succeed

__all__ = ["DeferredLock", "DeferredQueue", "DeferredSemaphore", "QueueOverflow", "QueueUnderflow"]

T = TypeVar("T")
P = ParamSpec("P")


class QueueOverflow(Exception):
    """A DeferredQueue already holds *size* things, and nobody waits for one."""


class QueueUnderflow(Exception):
    """A DeferredQueue is empty, and *backlog* Deferreds already wait for it."""


class DeferredSemaphore:
    """At most *tokens* at a time; the others wait in the order they came.

    `async with semaphore:` and `run` give the turn back on every path. Cancelling a Deferred of
    `acquire` leaves the line.
    """

    __slots__ = ("__weakref__", "_granting", "limit", "tokens", "waiting")

    def __init__(self, tokens: int) -> None:
        if tokens < 1:
            raise ValueError(f"tokens must be at least 1, not {tokens!r}")
        self.limit = tokens
        self.tokens = tokens  # those free now
        self.waiting: deque[Deferred[Any]] = deque()  # of this object itself
        self._granting = False

    def acquire(self) -> Deferred[Self]:
        """A Deferred that fires with this object when its turn has come; then `release` it."""
        turn: Deferred[Self] = Deferred(self.waiting.remove)
        self.waiting.append(turn)
        self._grant()
        return turn

    def release(self) -> None:
        """Give a turn back, and let the next in line have it."""
        if self.tokens == self.limit:
            raise RuntimeError("release() without an acquire() that has fired")
        self.tokens += 1
        self._grant()

    @overload
    def run(
        self, f: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]: ...
    @overload
    def run(self, f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]: ...
    def run(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Call *f* when its turn has come, and give what it gives, once the turn is given back."""

        def work(_: object) -> Deferred[Any]:
            return maybeDeferred(f, *args, **kwargs).addBoth(finish)

        def finish(result: Any) -> Any:
            self.release()
            return result

        return self.acquire().addCallback(work)

    def _grant(self) -> None:
        """Hand out what is free; a turn given back meanwhile is handed out by the same loop."""
        if self._granting:
            return
        self._granting = True
        try:
            while self.tokens and self.waiting:
                self.tokens -= 1
                self.waiting.popleft().callback(self)
        finally:
            self._granting = False

    async def __aenter__(self) -> Self:
        turn = self.acquire()
        try:
            return await turn
        except CancelledError:
            turn.addCallback(type(self).release)  # had it come in the same moment, it would be lost
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


class DeferredLock(DeferredSemaphore):
    """One at a time: a DeferredSemaphore of a single token."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(1)

    @property
    def locked(self) -> bool:
        """Whether somebody has it."""
        return not self.tokens


class DeferredQueue(Generic[T]):
    """What is put is got, in order, by those who wait for it, in order.

    It holds at most *size* things (QueueOverflow), and at most *backlog* Deferreds may wait
    for one (QueueUnderflow); None is without limit.
    """

    __slots__ = ("__weakref__", "backlog", "pending", "size", "waiting")

    def __init__(self, size: int | None = None, backlog: int | None = None) -> None:
        self.size = size
        self.backlog = backlog
        self.pending: deque[T] = deque()
        self.waiting: deque[Deferred[T]] = deque()

    def put(self, obj: T) -> None:
        """Give *obj* to the first who waits, else keep it; QueueOverflow when there is no room."""
        if self.waiting:
            self.waiting.popleft().callback(obj)
        elif self.size is not None and len(self.pending) >= self.size:
            raise QueueOverflow(f"the queue is full: size is {self.size}")
        else:
            self.pending.append(obj)

    def get(self) -> Deferred[T]:
        """A Deferred of the next thing; cancelling it leaves the line.

        Raises QueueUnderflow when too many wait already.
        """
        if self.pending:
            return succeed(self.pending.popleft())
        if self.backlog is not None and len(self.waiting) >= self.backlog:
            raise QueueUnderflow(f"too many wait for the queue: backlog is {self.backlog}")
        turn: Deferred[T] = Deferred(self.waiting.remove)
        self.waiting.append(turn)
        return turn
