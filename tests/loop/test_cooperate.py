"""Tasks that take turns, a step at a time."""

import asyncio
import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.reactor import Reactor
from weblayer.loop.task import (
    Cooperator,
    NotPaused,
    SchedulerStopped,
    TaskDone,
    TaskFailed,
    TaskFinished,
    TaskStopped,
    coiterate,
    cooperate,
    deferLater,
)


class Turns:
    """A scheduler in the hands of a test, and a Cooperator whose slices are *steps* long."""

    def __init__(self, steps=1, started=True):
        self.steps, self.waiting = steps, []
        self.cooperator = Cooperator(self.slice, self.schedule, started)

    def slice(self):
        left = iter(range(self.steps - 1))
        return lambda: next(left, None) is None

    def schedule(self, call):
        self.waiting.append(call)
        return Place(self.waiting, call)

    def take(self, turns=1):
        """Let slices go by; those that nothing was planned for are short."""
        for _ in range(turns):
            if self.waiting:
                self.waiting.pop(0)()

    def finish(self):
        while self.waiting:
            self.take()


class Place:
    def __init__(self, waiting, call):
        self.waiting, self.call = waiting, call

    def cancel(self):
        self.waiting.remove(self.call)


@pytest.fixture
def turns():
    return Turns()


def seen_of(deferred):
    """What has become of a Deferred, in a list."""
    seen = []
    deferred.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 9))
def test_tasks_take_turns(lengths, steps):
    """Whatever the slices, no task that still has steps to take is two steps behind another."""
    turns, taken = Turns(steps), [0] * len(lengths)

    def count(number):
        for _ in range(lengths[number]):
            taken[number] += 1
            behind = [t for t, length in zip(taken, lengths, strict=True) if t < length]
            assert max(taken) - min(behind, default=max(taken)) <= 1
            yield

    ends = [seen_of(turns.cooperator.cooperate(count(n)).whenDone()) for n in range(len(lengths))]
    turns.finish()
    assert taken == lengths
    assert all(len(end) == 1 for end in ends)


def test_whenDone_gives_the_iterator(turns):
    """Each call another Deferred, before the end and after."""
    iterator = iter([1, 2])
    task = turns.cooperator.cooperate(iterator)
    seen = [seen_of(task.whenDone()), seen_of(task.whenDone())]
    turns.finish()
    assert [*seen, seen_of(task.whenDone())] == [[iterator]] * 3
    for verb in (task.pause, task.stop):
        with pytest.raises(TaskDone):
            verb()
    with pytest.raises(NotPaused):
        task.resume()


def test_whenDone_may_be_cancelled(turns):
    """Which is between the two of us: the task goes on."""
    task = turns.cooperator.cooperate(iter([1]))
    seen = seen_of(cancelled := task.whenDone())
    cancelled.cancel()
    other = seen_of(task.whenDone())
    turns.finish()
    assert len(other) == 1
    assert [type(value) for value in seen] == [asyncio.CancelledError]


def test_an_error_ends_the_task(turns):
    """whenDone fails with it, and the others go on."""

    def failing():
        yield
        raise KeyError("mine")

    others, task = [], turns.cooperator.cooperate(failing())
    turns.cooperator.cooperate(others.append(n) for n in range(5))
    turns.finish()
    assert [type(value) for value in seen_of(task.whenDone())] == [KeyError]
    assert others == [0, 1, 2, 3, 4]
    with pytest.raises(TaskFailed, match="mine"):
        task.stop()


async def coroutine():
    await asyncio.sleep(0)


def test_an_error_that_nobody_asks_for_is_logged(turns, caplog):
    """Once, when the task is forgotten; and not when somebody asks, however late."""

    def failing(error):
        yield
        raise error

    def run(error):
        task = turns.cooperator.cooperate(failing(error))
        turns.finish()
        return task

    run(KeyError("unseen"))
    gc.collect()
    assert [record.exc_info[0] for record in caplog.records] == [KeyError]
    seen = seen_of(run(ValueError("seen")).whenDone())
    gc.collect()
    assert [type(value) for value in seen] == [ValueError]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("make", [coroutine, lambda: deferLater(Reactor(), 0), lambda: succeed(1)])
def test_a_task_waits_for_what_it_yields(reactor, drive, make):
    """A coroutine, and a Deferred, fired or not."""
    seen = []

    def waiting():
        for number in range(3):
            seen.append(number)
            yield make()

    async def scenario():
        await cooperate(waiting()).whenDone()
        assert seen == [0, 1, 2]

    drive(scenario())


def test_a_task_that_waits_takes_no_step(turns):
    """The others do, until it has what it waits for."""
    answer, mine, others = Deferred(), [], []

    def waiting():
        mine.append("before")
        yield answer
        mine.append("after")

    turns.cooperator.cooperate(waiting())
    turns.cooperator.cooperate(others.append(n) for n in range(5))
    turns.take(6)
    assert (mine, others) == (["before"], [0, 1, 2, 3, 4])
    answer.callback(None)
    turns.finish()
    assert mine == ["before", "after"]


def test_a_failure_that_it_waits_for_ends_the_task(turns):
    """As an error of its own."""
    task = turns.cooperator.cooperate(iter([fail(KeyError("theirs"))]))
    seen = seen_of(task.whenDone())
    turns.finish()
    assert [type(value) for value in seen] == [KeyError]


def test_pause_and_resume(turns):
    """As often the one as the other, and not more."""
    steps = []
    task = turns.cooperator.cooperate(steps.append(n) for n in range(3))
    turns.take()
    task.pause()
    task.pause()
    task.resume()
    turns.finish()
    assert steps == [0]
    task.resume()
    with pytest.raises(NotPaused):
        task.resume()
    turns.finish()
    assert steps == [0, 1, 2]


def test_a_pause_while_it_waits_holds(turns):
    """What it waited for has come, but it is still paused."""
    answer, steps = Deferred(), []

    def waiting():
        yield answer
        steps.append("after")

    task = turns.cooperator.cooperate(waiting())
    turns.take()
    task.pause()
    answer.callback(None)
    turns.finish()
    assert steps == []
    task.resume()
    turns.finish()
    assert steps == ["after"]


def test_stop(turns):
    """No step follows, and whenDone fails with TaskStopped."""
    steps = []
    task = turns.cooperator.cooperate(steps.append(n) for n in range(3))
    seen = seen_of(task.whenDone())
    turns.take()
    task.stop()
    turns.finish()
    assert steps == [0]
    assert [type(value) for value in seen] == [TaskStopped]
    with pytest.raises(TaskFinished):
        task.stop()


def test_stop_cancels_what_the_task_waits_for(turns):
    """Nobody else has asked for it."""
    cancelled = []
    task = turns.cooperator.cooperate(iter([Deferred(cancelled.append)]))
    seen = seen_of(task.whenDone())
    turns.take()
    task.stop()
    assert len(cancelled) == 1
    assert [type(value) for value in seen] == [TaskStopped]


@pytest.mark.parametrize("last", [False, True])
def test_a_task_may_stop_itself(turns, last):
    """In the midst of a step, be it the last; what it then yields is cancelled."""
    cancelled = []

    def stopping():
        yield
        task.stop()
        if not last:
            yield Deferred(cancelled.append)

    task = turns.cooperator.cooperate(stopping())
    seen = seen_of(task.whenDone())
    turns.finish()
    assert [type(value) for value in seen] == [TaskStopped]
    assert len(cancelled) == (not last)


def test_a_cooperator_starts_when_it_is_told():
    """Not before start(), and not after stop()."""
    turns, steps = Turns(started=False), []
    turns.cooperator.cooperate(steps.append(n) for n in range(2))
    assert not turns.cooperator.running
    assert turns.waiting == []
    turns.cooperator.start()
    assert turns.cooperator.running
    turns.finish()
    assert steps == [0, 1]


def test_stopping_the_cooperator_ends_its_tasks(turns):
    """With SchedulerStopped, also those that come after and those that were paused."""
    running, paused = (turns.cooperator.cooperate(iter([1, 2])) for _ in range(2))
    paused.pause()
    seen = [seen_of(task.whenDone()) for task in (running, paused)]
    turns.cooperator.stop()
    assert turns.waiting == []
    paused.resume()
    seen.append(seen_of(turns.cooperator.cooperate(iter([1])).whenDone()))
    assert [[type(value) for value in each] for each in seen] == [[SchedulerStopped]] * 3
    turns.cooperator.start()
    seen = seen_of(turns.cooperator.cooperate(iter([1])).whenDone())
    turns.finish()
    assert len(seen) == 1


def test_coiterate(turns):
    """As whenDone, save that cancelling stops the task; or it fires what it is given."""
    steps, done = [], Deferred()
    iterator = iter([1])
    assert turns.cooperator.coiterate(iterator, done) is done
    seen = seen_of(done)
    turns.finish()
    assert seen == [iterator]
    work = turns.cooperator.coiterate(steps.append(n) for n in range(3))
    seen = seen_of(work)
    turns.take()
    work.cancel()
    turns.finish()
    assert steps == [0]
    assert [type(value) for value in seen] == [asyncio.CancelledError]


def test_the_loop_has_its_turns(reactor, drive):
    """Work that never ends holds nothing up; the slices are a hundredth of a second."""

    async def scenario():
        task = cooperate(iter(int, 1))
        for _ in range(3):
            await deferLater(reactor, 0.001)
        task.stop()

    drive(scenario())


def test_the_shared_cooperator_is_the_loops(reactor, drive):
    """Work that a closed loop has left undone does not hold up the next one's."""
    other = asyncio.new_event_loop()

    async def leave():
        cooperate(iter(int, 1))

    other.run_until_complete(leave())
    other.close()

    async def scenario():
        iterator = iter(range(3))
        assert await coiterate(iterator) is iterator

    drive(scenario())
