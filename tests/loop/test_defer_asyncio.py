"""The doors between Deferreds and asyncio, both ways, on both loops."""

import asyncio
import contextvars
import gc
import weakref

import pytest

from weblayer.loop import defer
from weblayer.loop.defer import (
    CancelledError,
    Deferred,
    ensureDeferred,
    execute,
    fail,
    gatherResults,
    inlineCallbacks,
    maybeDeferred,
    race,
    succeed,
)
from weblayer.loop.loops import new_loop

LIMIT = 20  # seconds after which a test is taken to hang


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """A function that runs a coroutine to its end, and fails if the loop had anything to say."""
    loop, said = new_loop(request.param), []
    loop.set_exception_handler(lambda loop, context: said.append(context))

    def run(coroutine):
        result = loop.run_until_complete(asyncio.wait_for(coroutine, LIMIT))
        gc.collect()
        loop.run_until_complete(asyncio.sleep(0))
        assert not asyncio.all_tasks(loop)
        return result

    yield run
    loop.close()
    assert said == []


def result_of(deferred):
    results = []
    deferred.addBoth(results.append)
    return results


async def turns(count=3):
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


async def value_of(awaitable):
    return await awaitable


# Awaiting.


def test_awaiting_gives_the_result_and_leaves_it(run):
    """Any number of tasks may await a Deferred, before and after it fires, and all get the same."""

    async def main():
        deferred = Deferred()
        tasks = [asyncio.create_task(value_of(deferred)) for _ in range(2)]
        await turns()
        deferred.callback("same")
        return [await tasks[0], await tasks[1], await deferred, await deferred]

    assert run(main()) == ["same"] * 4


def test_awaiting_raises_the_failure_each_time(run, caplog):
    """A failure is raised at every await, and one that was raised is not logged."""

    async def main():
        for deferred in (fail(KeyError("k")), Deferred()):
            if not deferred.called:
                asyncio.get_running_loop().call_soon(deferred.errback, KeyError("k"))
            for _ in range(2):
                with pytest.raises(KeyError):
                    await deferred

    run(main())
    assert caplog.records == []


def test_a_failure_after_the_await_is_logged(run, caplog):
    """That a task saw the result does not hide what a later callback raises."""

    async def main():
        deferred = Deferred()
        task = asyncio.create_task(value_of(deferred))
        await turns()
        deferred.addCallback(lambda result: {}["later"])
        deferred.callback(1)
        return await task

    assert run(main()) == 1
    assert ["later" in record.getMessage() for record in caplog.records] == [True]


def test_awaiting_a_fired_one_needs_no_loop():
    """What is there already is given without a future, and without a turn of any loop."""
    with pytest.raises(StopIteration) as stop:
        value_of(succeed(5)).send(None)
    assert stop.value.value == 5


def test_the_result_is_that_of_its_place_in_the_chain(run):
    """Callbacks added after an await do not change what that await gives."""

    async def main():
        deferred = Deferred()
        task = asyncio.create_task(value_of(deferred))
        await turns()
        deferred.addCallback(lambda result: result + 1)
        deferred.callback(1)
        return await task, await deferred

    assert run(main()) == (1, 2)


def test_awaiting_leaves_no_cycle(run):
    """When the error is handled, it and its stack are freed without the collector."""

    class Seen(Exception):
        pass

    def failing(pending):
        if not pending:
            return fail(Seen())
        deferred = Deferred()
        asyncio.get_running_loop().call_soon(deferred.errback, Seen())
        return deferred

    async def check(pending):
        try:
            await failing(pending)
        except Seen as error:
            return weakref.ref(error)

    async def main():
        gc.disable()
        try:
            for pending in (True, False):
                ref = await check(pending)
                await turns()
                assert ref() is None, f"pending={pending}"
        finally:
            gc.enable()

    run(main())


# Cancelling, from asyncio to Deferreds.


def test_cancelling_the_task_cancels_the_deferred(run):
    """A cancelled task cancels what it awaits, and ends as cancelled, whatever that ended with."""

    async def ends(canceller):
        deferred = Deferred(canceller)
        task = asyncio.create_task(value_of(deferred))
        await turns()
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError, match="why") as raised:
            await task
        assert task.cancelled()
        assert deferred.called
        return raised.value.__cause__

    assert run(ends(None)) is None
    assert run(ends(lambda deferred: deferred.callback("value"))) is None
    assert isinstance(run(ends(lambda deferred: deferred.errback(OSError()))), OSError)


def test_a_result_in_the_moment_of_cancelling_makes_no_noise(run, caplog):
    """Fired and cancelled in one turn of the loop, the task is cancelled and nothing is logged."""

    async def main():
        for fire in (lambda d: d.callback(1), lambda d: d.errback(KeyError())):
            for first in (True, False):
                deferred = Deferred()
                task = asyncio.create_task(value_of(deferred))
                await turns()
                if first:
                    fire(deferred)
                task.cancel()
                if not first:
                    fire(deferred)
                await asyncio.wait([task])
                assert task.cancelled()

    run(main())
    assert caplog.records == []


def test_asyncio_timeout_around_a_deferred(run):
    """asyncio.timeout cancels the Deferred, and is a TimeoutError, though its canceller fails."""

    async def main():
        for canceller in (None, lambda deferred: deferred.errback(OSError())):
            deferred = Deferred(canceller)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await deferred
            assert deferred.called

    run(main())


def test_a_task_group_around_deferreds(run):
    """When one task of a group fails, what the others await is cancelled, and only it is told."""

    async def main():
        waiting = Deferred(lambda deferred: deferred.errback(OSError("stopped")))
        with pytest.raises(ExceptionGroup) as raised:
            async with asyncio.TaskGroup() as group:
                group.create_task(value_of(waiting))
                group.create_task(value_of(fail(KeyError("k"))))
        assert [type(error) for error in raised.value.exceptions] == [KeyError]
        assert waiting.called

    run(main())


def test_asyncio_functions_take_deferreds(run):
    """gather, wait_for and shield of asyncio take a Deferred as it is."""

    async def main():
        assert await asyncio.gather(succeed(1), succeed(2)) == [1, 2]
        assert await asyncio.wait_for(succeed(3), 5) == 3
        deferred = Deferred()
        shield = asyncio.shield(deferred)
        shield.cancel()
        await turns()
        assert not deferred.called
        deferred.callback(None)
        await turns()

    run(main())


def test_a_cancelled_task_waits_for_a_coroutine_to_clean_up(run):
    """Through a Deferred too, who cancels and waits comes after the cleaning up."""

    async def main():
        told = []

        async def slow():
            try:
                await asyncio.sleep(LIMIT)
            finally:
                await turns()
                told.append("clean")

        task = asyncio.create_task(value_of(ensureDeferred(slow())))
        await turns()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return told

    assert run(main()) == ["clean"]


def test_a_second_cancelling_reaches_the_cleaning_up(run):
    """A task cancelled again while the cleaning up takes too long cancels that too."""

    async def main():
        told = []

        async def stubborn():
            try:
                await asyncio.sleep(LIMIT)
            finally:
                told.append("first")
                try:
                    await asyncio.sleep(LIMIT)
                finally:
                    told.append("second")

        task = asyncio.create_task(value_of(ensureDeferred(stubborn())))
        await turns()
        task.cancel()
        await turns(5)
        assert (told, task.done()) == (["first"], False)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return told

    assert run(main()) == ["first", "second"]


def test_a_paused_deferred_does_not_hold_a_cancelled_task(run):
    """A task that awaits a paused Deferred can be cancelled."""

    async def main():
        deferred = Deferred()
        deferred.pause()
        task = asyncio.create_task(value_of(deferred))
        await turns()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run(main())


# Cancelling, from Deferreds to asyncio.


def test_cancelling_the_deferred_cancels_the_task(run):
    """A coroutine sees the cancelling of its Deferred, which fires when the coroutine has ended."""

    async def main():
        told = []

        async def slow():
            try:
                await asyncio.sleep(LIMIT)
            except asyncio.CancelledError:
                told.append("cancelled")
                raise

        deferred = ensureDeferred(slow())
        await turns()
        deferred.cancel()
        assert not deferred.called
        with pytest.raises(CancelledError):
            await deferred
        assert not asyncio.current_task().cancelled()
        return told

    assert run(main()) == ["cancelled"]


def test_cancelling_goes_through_every_layer(run):
    """A Deferred that waits for a coroutine that awaits a Deferred: the innermost is cancelled."""

    async def main():
        cancelled = []
        innermost = Deferred(cancelled.append)
        outer = succeed(None).addCallback(lambda _: ensureDeferred(value_of(innermost)))
        await turns()
        outer.cancel()
        await turns()
        assert cancelled == [innermost]
        assert result_of(outer)[0].check(CancelledError)

    run(main())


def test_a_timeout_of_a_coroutine(run):
    """addTimeout on the loop's own clock cancels the coroutine, and is a TimeoutError."""

    async def main():
        with pytest.raises(TimeoutError, match="within"):
            await ensureDeferred(asyncio.sleep(LIMIT)).addTimeout(0.001)
        assert await ensureDeferred(turns()).addTimeout(LIMIT) is None

    run(main())


# Coroutines and futures as Deferreds.


def test_a_coroutine_runs_in_a_task(run):
    """Inside fromCoroutine there is a current task, so asyncio's timeouts work there."""

    async def inside():
        async with asyncio.timeout(LIMIT), asyncio.TaskGroup():
            return asyncio.current_task()

    async def main():
        return await Deferred.fromCoroutine(inside())

    assert isinstance(run(main()), asyncio.Task)


def test_a_callback_may_be_a_coroutine_function(run):
    """What an async callback returns is the next result, and what it raises the failure."""

    async def later(result, more):
        await asyncio.sleep(0)
        return {3: "three"}[result + more]

    async def main():
        assert await succeed(1).addCallback(later, 2) == "three"
        with pytest.raises(KeyError):
            await succeed(1).addCallback(later, 1)

    run(main())


def test_any_awaitable_becomes_a_deferred(run):
    """ensureDeferred and maybeDeferred take whatever can be awaited, and name what cannot."""

    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return "awaited"

    async def main():
        future = asyncio.get_running_loop().create_future()
        future.set_result("set")
        deferred = succeed("fired")
        assert ensureDeferred(deferred) is deferred
        assert result_of(ensureDeferred(future)) == ["set"]
        assert await ensureDeferred(Awaitable()) == "awaited"
        assert await maybeDeferred(value_of, Awaitable()) == "awaited"
        with pytest.raises(TypeError, match="awaitable must be"):
            ensureDeferred(5)
        with pytest.raises(TypeError, match="coroutine must be"):
            Deferred.fromCoroutine(Awaitable())

    run(main())


def test_a_call_becomes_a_deferred():
    """maybeDeferred and execute fire with what a call returns or raises, at once."""
    for make in (maybeDeferred, execute):
        assert result_of(make(divmod, 7, 2)) == [(3, 1)]
        assert result_of(make(divmod, 7, 0))[0].check(ZeroDivisionError)
        with pytest.raises(KeyboardInterrupt):
            make(exec, "raise KeyboardInterrupt")
    assert result_of(maybeDeferred(lambda: defer.Failure(KeyError())))[0].check(KeyError)


def test_a_future_fails_or_is_cancelled(run):
    """What a future ended with is what the Deferred ends with."""

    async def main():
        futures = [asyncio.get_running_loop().create_future() for _ in range(2)]
        failed, cancelled = (Deferred.fromFuture(future) for future in futures)
        futures[0].set_exception(KeyError("k"))
        futures[1].cancel()
        with pytest.raises(KeyError):
            await failed
        with pytest.raises(CancelledError):
            await cancelled

    run(main())


def test_a_coroutine_that_nobody_holds_runs_to_its_end(run):
    """A task started for a Deferred lives until its end, though everybody forgot it."""

    async def main():
        told = []

        async def forgotten():
            await unfired()
            told.append("never")

        def unfired():
            future = asyncio.get_running_loop().create_future()
            refs.append(weakref.ref(future))
            return future

        refs = []
        ensureDeferred(forgotten())
        await turns()
        gc.collect()
        refs[0]().set_result(None)
        await turns()
        return told

    assert run(main()) == ["never"]


def test_an_ended_task_is_forgotten(run):
    """A task that has ended is kept by nobody, its Deferred least of all."""

    async def main():
        deferred = ensureDeferred(refer())
        await deferred
        await turns()
        gc.collect()
        return refs[0](), deferred.called

    async def refer():
        refs.append(weakref.ref(asyncio.current_task()))

    refs = []
    assert run(main()) == (None, True)


def test_contextvars_follow_a_coroutine(run):
    """A coroutine sees the context it was started in, and a callback the one it was added in."""
    var = contextvars.ContextVar("var", default=None)

    async def read(_=None):
        await asyncio.sleep(0)
        return var.get()

    async def main():
        var.set("request 1")
        direct, after, deferred = ensureDeferred(read()), Deferred(), Deferred()
        after.addCallback(read)
        deferred.addCallback(lambda _: var.get())
        var.set("request 2")
        after.callback(None)
        deferred.callback(None)
        return await direct, await after, await deferred

    assert run(main()) == ("request 1",) * 3


# Deferreds as futures.


def test_as_future_takes_the_result_over(run):
    """The future gets the value or the exception; the Deferred keeps None."""

    async def main():
        deferred = Deferred()
        future, failing = deferred.asFuture(), fail(KeyError("k")).asFuture()
        deferred.callback(5)
        assert await future == 5
        assert await deferred is None
        with pytest.raises(KeyError):
            await failing
        with pytest.raises(RuntimeError, match="StopIteration"):
            await fail(StopIteration()).asFuture()

    run(main())


def test_as_future_cancels_both_ways(run):
    """A cancelled future cancels its Deferred; a cancelled Deferred is a cancelled future."""

    async def main():
        cancelled = []
        down, up = Deferred(cancelled.append), Deferred()
        future = down.asFuture()
        future.cancel()
        await turns()
        assert cancelled == [down]
        future = up.asFuture()
        up.cancel()
        assert future.cancelled()

    run(main())


def test_as_future_cancels_nothing_that_came_later(run):
    """Once the result was handed over, the future has no more say over the chain."""

    async def main():
        deferred, later = Deferred(), Deferred()
        future = deferred.asFuture()
        deferred.addCallback(lambda _: later)
        deferred.cancel()
        await turns()
        assert future.cancelled()
        assert not later.called

    run(main())


def test_gathering_coroutines(run, caplog):
    """gatherResults and race take coroutines, and the loser of a race is cancelled and ended."""

    async def main():
        assert await gatherResults([value_of(succeed(1)), succeed(2)]) == [1, 2]
        loser = ensureDeferred(asyncio.sleep(LIMIT))
        assert await race([loser, turns()]) == (1, None)
        await turns()
        assert loser.called

    run(main())
    assert caplog.records == []


def test_an_inline_generator_in_a_task_group(run):
    """inlineCallbacks, coroutines and task groups nest in any order."""

    @inlineCallbacks
    def inner(value):
        return (yield asyncio.sleep(0, value))

    async def main():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(value_of(inner(n))) for n in range(3)]
        return [task.result() for task in tasks]

    assert run(main()) == [0, 1, 2]


def test_one_roof():
    """Every name of the field is found in defer, and none of them is missing."""
    assert all(hasattr(defer, name) for name in defer.__all__)
    assert defer.CancelledError is asyncio.CancelledError
    assert defer.TimeoutError is TimeoutError is asyncio.TimeoutError
