"""Generators over Deferreds: they start at once, wait for anything, and end as they say."""

import asyncio
import contextvars
import gc
import weakref

import pytest

from weblayer.loop.deferred import CancelledError, Deferred, fail, succeed
from weblayer.loop.inline import inlineCallbacks, returnValue
from weblayer.loop.timers import Clock

MANY = 100_000


def result_of(deferred):
    results = []
    deferred.addBoth(results.append)
    return results


@inlineCallbacks
def doubled(deferred):
    result = yield deferred
    return result * 2


def test_it_runs_at_once_and_waits_for_deferreds():
    """The generator starts in the call, gets the results, and its return is the result."""
    deferred = Deferred()
    results = result_of(doubled(deferred))
    assert results == []
    deferred.callback(4)
    assert results == [8]


def test_a_failure_is_raised_where_it_was_yielded():
    """What is waited for raises at the yield; what the generator raises is the failure."""

    @inlineCallbacks
    def careful():
        try:
            yield fail(KeyError("k"))
        except KeyError:
            raise ValueError("instead") from None

    (failure,) = result_of(careful())
    assert failure.check(ValueError)
    assert "in careful" in failure.getTraceback()


def test_a_plain_value_is_given_back():
    """What cannot be awaited comes back as it is."""
    assert result_of(doubled(21)) == [42]


def test_return_value_ends_it():
    """returnValue, as older programs write it, passes `except Exception` and is the result."""

    @inlineCallbacks
    def older():
        try:
            returnValue((yield succeed("old")))
        except Exception:
            returnValue("wrong")

    assert result_of(older()) == ["old"]


def test_only_a_generator_function_will_do():
    """A function that is no generator is told so when it is called."""
    with pytest.raises(TypeError, match="generator"):
        inlineCallbacks(lambda: 5)()


def test_anything_awaitable_can_be_yielded():
    """Coroutines and futures are waited for as Deferreds are."""

    async def later(value):
        await asyncio.sleep(0)
        return value

    @inlineCallbacks
    def mixed():
        one = yield later(1)
        two = yield asyncio.ensure_future(later(2))
        three = yield succeed(3)
        return [one, two, three]

    async def main():
        return await mixed()

    assert asyncio.run(main()) == [1, 2, 3]


def test_many_fired_yields_do_not_recurse():
    """A hundred thousand yields of what is there already are a loop."""

    @inlineCallbacks
    def counting():
        total = 0
        for _ in range(MANY):
            total += yield succeed(1)
        return total

    assert result_of(counting()) == [MANY]


def test_deep_nests_do_not_recurse():
    """Ten thousand generators, each waiting for the next, end one after the other."""

    @inlineCallbacks
    def relay(deferred):
        return (yield deferred)

    first = last = Deferred()
    for _ in range(10_000):
        last = relay(last)
    first.callback("passed on")
    assert result_of(last) == ["passed on"]


def test_cancelling_goes_to_what_is_waited_for():
    """The Deferred that the generator waits for is cancelled, and the generator ends by it."""
    cancelled = []
    waiting = Deferred(cancelled.append)
    outer = doubled(doubled(waiting))
    outer.cancel()
    assert cancelled == [waiting]
    assert result_of(outer)[0].check(CancelledError)


def test_the_generator_may_clean_up_when_cancelled():
    """After a cancelling the generator may wait again; the Deferred fires when it has ended."""
    cleaned = Deferred()

    @inlineCallbacks
    def tidy():
        try:
            yield Deferred()
        except CancelledError:
            return (yield cleaned)

    outer = tidy()
    results = result_of(outer)
    outer.cancel()
    assert results == []
    cleaned.callback("clean")
    assert results == ["clean"]


def test_a_step_that_cancels_itself_ends_at_its_next_waiting():
    """Cancelled from inside a step, the next thing it waits for is cancelled."""
    start, waiting, outer = Deferred(), Deferred(), []

    @inlineCallbacks
    def suicidal():
        yield start
        outer[0].cancel()
        yield waiting

    outer.append(suicidal())
    start.callback(None)
    assert result_of(outer[0])[0].check(CancelledError)


def test_a_generator_can_be_given_a_time():
    """addTimeout cancels the generator, and is told as a TimeoutError."""
    clock = Clock()
    results = result_of(doubled(Deferred()).addTimeout(3, clock))
    clock.advance(3)
    assert results[0].check(TimeoutError)


def test_it_has_a_context_of_its_own():
    """What a generator sets in a context variable stays through its yields, and inside it."""
    var = contextvars.ContextVar("var", default="outside")

    @inlineCallbacks
    def setting(deferred):
        var.set("inside")
        yield deferred
        return var.get()

    deferred = Deferred()
    results = result_of(setting(deferred))
    assert var.get() == "outside"
    deferred.callback(None)
    assert results == ["inside"]


def test_yielding_leaves_the_result_in_place():
    """Two generators may wait for one Deferred, and both get its result."""
    deferred = Deferred()
    results = result_of(doubled(deferred)), result_of(doubled(deferred))
    deferred.callback(2)
    assert results == ([4], [4])
    assert result_of(deferred) == [2]


def test_a_failure_after_the_yielding_is_logged(caplog):
    """That a generator saw the result does not hide what a later callback raises."""
    deferred = Deferred()
    doubled(deferred)
    deferred.addCallback(lambda result: {}["later"])
    deferred.callback(1)
    del deferred
    gc.collect()
    assert ["later" in record.getMessage() for record in caplog.records] == [True]


def test_a_failure_leaves_no_cycle(caplog):
    """A failed generator is freed at once when it is dropped, and a seen failure is not logged."""

    class Seen(Exception):
        pass

    @inlineCallbacks
    def broken():
        yield fail(Seen())

    refs = []
    gc.disable()
    try:
        broken().addErrback(lambda failure: refs.append(weakref.ref(failure.value)))
        assert refs[0]() is None
    finally:
        gc.enable()
    assert caplog.records == []
