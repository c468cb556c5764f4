"""Taking turns: order, giving back on every path, leaving the line."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.deferred import CancelledError, Deferred, fail
from weblayer.loop.locks import (
    DeferredLock,
    DeferredQueue,
    DeferredSemaphore,
    QueueOverflow,
    QueueUnderflow,
)


def result_of(deferred):
    results = []
    deferred.addBoth(results.append)
    return results


def test_a_lock_is_had_by_one_at_a_time():
    """The second waits until the first has released, and gets the lock itself."""
    lock = DeferredLock()
    first, second = result_of(lock.acquire()), result_of(lock.acquire())
    assert (first, second, lock.locked) == ([lock], [], True)
    lock.release()
    assert second == [lock]
    lock.release()
    assert not lock.locked


@given(tokens=st.integers(1, 5), askers=st.integers(0, 12))
def test_a_semaphore_serves_in_order(tokens, askers):
    """No more than *tokens* have a turn, and turns come in the order they were asked for."""
    semaphore, order = DeferredSemaphore(tokens), []
    for number in range(askers):
        semaphore.acquire().addCallback(lambda _, number=number: order.append(number))
    assert order == list(range(min(tokens, askers)))
    for _ in range(askers):
        semaphore.release()
    assert order == list(range(askers))
    assert semaphore.tokens == tokens


@pytest.mark.parametrize("tokens", [0, -1])
def test_a_semaphore_needs_a_token(tokens):
    """A semaphore that could never be acquired is refused."""
    with pytest.raises(ValueError, match="tokens"):
        DeferredSemaphore(tokens)


def test_what_was_not_acquired_cannot_be_released():
    """release() without acquire() is an error, not one token more."""
    with pytest.raises(RuntimeError, match="acquire"):
        DeferredLock().release()


def test_cancelling_leaves_the_line():
    """Who cancels is passed over."""
    lock = DeferredLock()
    lock.acquire()
    second, third = lock.acquire(), result_of(lock.acquire())
    second.cancel()
    assert result_of(second)[0].check(CancelledError)
    lock.release()
    assert third == [lock]


def test_run_gives_the_turn_back_on_every_path():
    """run gives what the function gave, later or failing too, and the lock is then free."""
    lock, later = DeferredLock(), Deferred()
    results = result_of(lock.run(lambda value: later, "value"))
    failures = result_of(lock.run(lambda: {}["k"]))
    again = result_of(lock.run(fail, ValueError()))
    assert (results, failures, lock.locked) == ([], [], True)
    later.callback("done")
    assert results == ["done"]
    assert failures[0].check(KeyError)
    assert again[0].check(ValueError)
    assert not lock.locked


def test_cancelling_a_run_cancels_the_work():
    """A run that is cancelled cancels what it waits for, and gives the turn back."""
    lock = DeferredLock()
    work = lock.run(Deferred)
    work.cancel()
    assert result_of(work)[0].check(CancelledError)
    assert not lock.locked


def test_a_long_line_does_not_recurse():
    """Ten thousand runs that end at once follow each other in a loop."""
    lock, done = DeferredLock(), []
    lock.acquire()
    for number in range(10_000):
        lock.run(done.append, number)
    lock.release()
    assert done == list(range(10_000))


def test_async_with_takes_turns():
    """`async with` holds the lock inside, and gives it back when the body raises."""
    lock = DeferredLock()

    async def main():
        with pytest.raises(KeyError):
            async with lock as had:
                assert had is lock
                assert lock.locked
                raise KeyError
        assert not lock.locked

    asyncio.run(main())


@pytest.mark.parametrize("granted", [True, False])
def test_a_cancelled_async_with_keeps_nothing(granted):
    """A task cancelled while it waits, or just as its turn has come, leaves the lock free."""
    lock = DeferredLock()

    async def wait():
        async with lock:
            raise AssertionError("entered")

    async def main():
        lock.acquire()
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        if granted:
            lock.release()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if not granted:
            lock.release()
        assert not lock.locked

    asyncio.run(main())


@given(st.lists(st.one_of(st.integers(), st.none()), max_size=20))
def test_a_queue_gives_what_was_put_in_order(steps):
    """However puts (numbers) and gets (None) alternate, the n-th get has the n-th put."""
    queue, got = DeferredQueue(), []
    for step in steps:
        if step is None:
            queue.get().addCallback(got.append)
        else:
            queue.put(step)
    put = [step for step in steps if step is not None]
    assert got == put[: steps.count(None)]


def test_a_queue_has_bounds():
    """More than *size* things, or more than *backlog* who wait, is refused."""
    queue = DeferredQueue(size=1, backlog=1)
    queue.put("one")
    with pytest.raises(QueueOverflow, match="size is 1"):
        queue.put("two")
    queue.get()
    queue.get()
    with pytest.raises(QueueUnderflow, match="backlog is 1"):
        queue.get()


def test_cancelling_a_get_leaves_the_line():
    """What is put goes to the next who still waits."""
    queue = DeferredQueue()
    first, second = queue.get(), result_of(queue.get())
    first.cancel()
    queue.put("kept")
    assert result_of(first)[0].check(CancelledError)
    assert second == ["kept"]
