"""Long work in small steps, between which the loop does all else it has to do.

A step is one value of an iterator. The tasks of a Cooperator take turns, each a step at a time;
after a slice of time the loop has its turn, and then the task whose turn it was goes on.
"""

import time
from asyncio import AbstractEventLoop
from collections import OrderedDict
from collections.abc import Callable, Iterator
from inspect import isawaitable
from typing import Any, Generic, TypeVar
from typing import Protocol as Face

from weblayer.loop.bridge import ensureDeferred
from weblayer.loop.chain import LEAVING
from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.error import LoopError
from weblayer.loop.failure import Failure, caught
from weblayer.loop.loops import current_loop

__all__ = [
    "CooperativeTask",
    "Cooperator",
    "NotPaused",
    "SchedulerStopped",
    "TaskDone",
    "TaskFailed",
    "TaskFinished",
    "TaskStopped",
    "coiterate",
    "cooperate",
]

I = TypeVar("I", bound=Iterator[Any])  # noqa: E741  the iterator of a task

# Seconds of steps between two turns of the loop: short enough that nobody notices the wait, and
# long beside what a turn costs.
SLICE = 0.01


class TaskFinished(LoopError):
    """A task was told to pause, resume or stop that has ended."""


class TaskDone(TaskFinished):
    """The task has come to its end."""


class TaskStopped(TaskFinished):
    """The task was stopped; what `whenDone` fails with then."""


class TaskFailed(TaskFinished):
    """The task has failed."""


class NotPaused(LoopError):
    """resume() was called on a task that is not paused."""


class SchedulerStopped(LoopError):
    """The Cooperator was stopped, and its tasks with it."""


class _Handle(Face):
    def cancel(self) -> object: ...


def _slice() -> Callable[[], bool]:
    end = time.monotonic() + SLICE
    return lambda: time.monotonic() >= end


def _next_turn(f: Callable[[], object]) -> _Handle:
    return current_loop().call_soon(f)


class CooperativeTask(Generic[I]):
    """An iterator that is worked through. Made by `cooperate`."""

    def __init__(self, iterator: I, cooperator: "Cooperator") -> None:
        self._iterator, self._cooperator = iterator, cooperator
        self._pauses = 0
        self._waits_for: Deferred[Any] | None = None
        self._end: LoopError | None = None  # why it takes no more orders
        self._result: I | Failure = iterator
        self._waiting: list[Deferred[I]] = []
        self._unseen: Deferred[Any] | None = None  # logs an error that nobody asks for
        cooperator._add(self)

    def whenDone(self) -> Deferred[I]:
        """Fires with the iterator at its end; fails with what it raised, or why it was stopped.

        That is TaskStopped or SchedulerStopped. Each call gives another Deferred, and cancelling
        that does nothing to the task.
        """
        if self._end is None:
            done: Deferred[I] = Deferred(self._waiting.remove)
            self._waiting.append(done)
            return done
        if self._unseen is not None:
            self._unseen.addErrback(_drop)
            self._unseen = None
        return fail(self._result) if isinstance(self._result, Failure) else succeed(self._result)

    def pause(self) -> None:
        """Take no step until `resume` has been called as often as this. Raises TaskFinished."""
        self._check()
        self._pauses += 1
        self._cooperator._remove(self)

    def resume(self) -> None:
        """Undo one pause. Raises NotPaused, TaskFinished."""
        if not self._pauses:
            raise NotPaused("resume() is for a task that pause() has been called on")
        self._check()
        self._pauses -= 1
        if not self._pauses:
            self._cooperator._add(self)

    def stop(self) -> None:
        """Take no more steps, and cancel what it waits for. Raises TaskFinished."""
        self._check()
        self._abandon(TaskStopped("the task was stopped"))

    def _check(self) -> None:
        if self._end is not None:
            raise self._end

    def _step(self) -> None:
        try:
            waited = next(self._iterator)
        except StopIteration:
            if self._end is None:
                self._finish(TaskDone("the task has come to its end"), self._iterator)
        except LEAVING:
            raise
        except BaseException as error:
            self._fail(caught(error))
        else:
            if isawaitable(waited):
                self._wait(ensureDeferred(waited))

    def _wait(self, deferred: Deferred[Any]) -> None:
        if self._end is not None:  # it stopped itself in this step
            deferred.addErrback(_drop).cancel()
            return
        self.pause()
        self._waits_for = deferred
        deferred.addCallbacks(self._arrived, self._fail)

    def _arrived(self, _: object) -> None:
        self._waits_for = None
        if self._end is None:
            self.resume()

    def _fail(self, failure: Failure) -> None:
        self._waits_for = None
        if self._end is None:
            self._unseen = None if self._waiting else fail(failure)
            self._finish(TaskFailed(f"the task has failed: {failure}"), failure)

    def _abandon(self, end: LoopError) -> None:
        self._finish(end, Failure(end))

    def _finish(self, end: LoopError, result: I | Failure) -> None:
        self._end, self._result = end, result
        self._cooperator._remove(self)
        waits_for, self._waits_for = self._waits_for, None
        if waits_for is not None:
            waits_for.cancel()
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            if isinstance(self._result, Failure):
                done.errback(self._result)
            else:
                done.callback(self._result)


class Cooperator:
    """Lets tasks take turns.

    *terminationPredicateFactory* is called at the beginning of a slice, and gives what is called
    after each step and says whether the slice is over. *scheduler* has the next slice begin: it
    calls what it is given in a later turn of the loop, and gives an object with `cancel`.
    With *started* false, no step is taken until `start`.
    """

    def __init__(
        self,
        terminationPredicateFactory: Callable[[], Callable[[], bool]] = _slice,
        scheduler: Callable[[Callable[[], object]], _Handle] = _next_turn,
        started: bool = True,
    ) -> None:
        self._slice, self._schedule = terminationPredicateFactory, scheduler
        self._tasks: OrderedDict[CooperativeTask[Any], None] = OrderedDict()
        self._next: _Handle | None = None
        self._working = False  # in the midst of a slice, at whose end the next is planned
        self._started, self._stopped = started, False

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._started and not self._stopped

    def cooperate(self, iterator: I) -> CooperativeTask[I]:
        """Work through *iterator*, which may yield a Deferred or a coroutine to wait for it."""
        return CooperativeTask(iterator, self)

    def coiterate(self, iterator: I, doneDeferred: Deferred[I] | None = None) -> Deferred[I]:
        """As `cooperate(iterator).whenDone()`, save that cancelling it stops the task.

        A *doneDeferred* is fired, and given, instead of one of ours.
        """
        task = self.cooperate(iterator)
        end = task.whenDone()

        def cancel(_: object) -> None:
            end.cancel()
            task.stop()

        done: Deferred[I] = Deferred(cancel) if doneDeferred is None else doneDeferred
        end.chainDeferred(done)
        return done

    def start(self) -> None:
        """Begin to take steps, also after `stop`."""
        self._started, self._stopped = True, False
        self._plan()

    def stop(self) -> None:
        """Take no more steps; all tasks end with SchedulerStopped, and those that come after."""
        self._stopped = True
        for task in list(self._tasks):
            task._abandon(_stopped())
        self._plan()

    def _add(self, task: CooperativeTask[Any]) -> None:
        if self._stopped:
            task._abandon(_stopped())
        else:
            self._tasks[task] = None
            self._plan()

    def _remove(self, task: CooperativeTask[Any]) -> None:
        self._tasks.pop(task, None)
        self._plan()

    def _plan(self) -> None:
        """Have the next slice begin, or not, as there is work."""
        if self._working:
            return
        wanted = bool(self._tasks) and self.running
        if wanted and self._next is None:
            self._next = self._schedule(self._work)
        elif not wanted and self._next is not None:
            self._next.cancel()
            self._next = None

    def _work(self) -> None:
        self._next, self._working = None, True
        try:
            is_over = self._slice()
            while self._tasks and self.running:
                task = next(iter(self._tasks))
                self._tasks.move_to_end(task)
                task._step()
                if is_over():
                    break
        finally:
            self._working = False
            self._plan()


# One for each loop, so that all the tasks there take turns with each other.
_shared: dict[AbstractEventLoop, Cooperator] = {}


def _shared_here() -> Cooperator:
    loop = current_loop()
    if loop not in _shared:
        for other in [each for each in _shared if each.is_closed()]:
            del _shared[other]
        _shared[loop] = Cooperator()
    return _shared[loop]


def cooperate(iterator: I) -> CooperativeTask[I]:
    """Work through *iterator*, in turn with the other tasks of this loop."""
    return _shared_here().cooperate(iterator)


def coiterate(iterator: I) -> Deferred[I]:
    """Work through *iterator*, in turn with the other tasks; fires with it at its end."""
    return _shared_here().coiterate(iterator)


def _stopped() -> SchedulerStopped:
    return SchedulerStopped("the Cooperator was stopped; start() it before it is given work")


def _drop(failure: Failure) -> None:
    """Nobody wants to know."""
