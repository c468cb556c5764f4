"""Delayed calls: one meaning on a Clock and on both loops."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.error import AlreadyCalled, AlreadyCancelled
from weblayer.loop.timers import Clock

TIMES = st.integers(0, 8)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("callLater"), TIMES),
        st.tuples(st.just("advance"), TIMES),
        st.tuples(st.sampled_from(["cancel", "reset", "delay"]), st.integers(0, 9), TIMES),
    ),
    max_size=40,
)


class Model:
    """What delayed calls ought to do: a list of the times they are due, looked through."""

    def __init__(self):
        self.now, self.due, self.ran = 0, {}, []

    def callLater(self, delay):
        self.due[len(self.due)] = self.now + delay

    def advance(self, amount):
        self.now += amount
        ready = [(when, n) for n, when in self.due.items() if when is not None and when <= self.now]
        for when, number in sorted(ready):
            self.due[number] = None
            self.ran.append((when, number))

    def change(self, verb, number, amount):
        if self.due.get(number) is None:
            return
        moved = {"cancel": None, "reset": self.now + amount, "delay": self.due[number] + amount}
        self.due[number] = moved[verb]


@given(STEPS)
def test_a_clock_agrees_with_the_model(steps):
    """Whatever is called, moved, cancelled and advanced: the same calls run, in order of time."""
    clock, model, calls, ran = Clock(), Model(), [], []

    def note(number):
        ran.append((calls[number].getTime(), number))

    for verb, *numbers in steps:
        if verb == "callLater":
            calls.append(clock.callLater(*numbers, note, len(calls)))
            model.callLater(*numbers)
        elif verb == "advance":
            clock.advance(*numbers)
            model.advance(*numbers)
        else:
            which, amount = numbers
            if which < len(calls) and calls[which].active():
                getattr(calls[which], verb)(*[amount] * (verb != "cancel"))
            model.change(verb, which, amount)
        assert clock.seconds() == model.now
        assert [when for when, _ in ran] == [when for when, _ in model.ran]
        assert sorted(ran) == sorted(model.ran)
        assert [c.getTime() for c in clock.getDelayedCalls()] == sorted(
            when for when in model.due.values() if when is not None
        )
        assert [c.active() for c in calls] == [when is not None for when in model.due.values()]


def test_calls_of_one_time_run_in_the_order_made():
    """Two calls that are due together keep their order on a Clock."""
    clock, ran = Clock(), []
    for number in range(20):
        clock.callLater(1, ran.append, number)
    clock.advance(1)
    assert ran == list(range(20))


def test_arguments_are_passed_on():
    """callLater passes on positional and keyword arguments, `f` and `delay` among them."""
    clock, got = Clock(), []
    clock.callLater(1, lambda *args, **kwargs: got.append((args, kwargs)), 1, 2, f=3, delay=4)
    clock.advance(1)
    assert got == [((1, 2), {"f": 3, "delay": 4})]


def test_advance_makes_the_calls_that_calls_make():
    """What a call adds that is due by the new time is called in the same advance."""
    clock, ran = Clock(), []
    clock.callLater(1, lambda: clock.callLater(0, ran.append, clock.seconds()))
    clock.advance(5)
    assert ran == [5]


def test_pump_advances_step_by_step():
    """Each step sees its own time."""
    clock, seen = Clock(), []
    for delay in (1, 2, 3):
        clock.callLater(delay, lambda: seen.append(clock.seconds()))
    clock.pump([1, 1, 1])
    assert seen == [1, 2, 3]


def test_an_error_is_raised_by_advance_and_the_rest_comes_next():
    """A test sees what its call raised; the calls after it are not lost."""
    clock, ran = Clock(), []
    clock.callLater(1, lambda: 1 / 0)
    clock.callLater(1, ran.append, "next")
    with pytest.raises(ZeroDivisionError):
        clock.advance(1)
    clock.advance(0)
    assert ran == ["next"]


@pytest.mark.parametrize("seconds", [-1, -0.001, math.nan])
def test_no_time_is_negative(seconds):
    """A negative time is a ValueError that shows it, for delays and for the clock."""
    clock = Clock()
    call = clock.callLater(1, int)
    for refuse in (lambda: clock.callLater(seconds, int), lambda: clock.advance(seconds),
                   lambda: call.reset(seconds)):  # fmt: skip
        with pytest.raises(ValueError, match=str(seconds)):
            refuse()


def test_only_functions_are_called_later():
    """What cannot be called is a TypeError at once, and not when its time has come."""
    with pytest.raises(TypeError, match="f must be callable"):
        Clock().callLater(1, None)


class TestOnEveryClock:
    """The same laws on a Clock and on a reactor; only here does a test wait, for milliseconds."""

    def test_a_call_is_made_once(self, timed):
        """After its time it has been called, and is active no more."""
        clock, wait = timed
        ran = []
        call = clock.callLater(0.01, ran.append, 1)
        assert call.active()
        assert clock.getDelayedCalls() == [call]
        wait(0.05)
        assert ran == [1]
        assert not call.active()
        assert clock.getDelayedCalls() == []

    def test_a_cancelled_call_is_not_made(self, timed):
        """cancel is final, and a second one is told."""
        clock, wait = timed
        ran = []
        call = clock.callLater(0.01, ran.append, 1)
        call.cancel()
        wait(0.03)
        assert ran == []
        assert not call.active()
        for change in (call.cancel, lambda: call.reset(1), lambda: call.delay(1)):
            with pytest.raises(AlreadyCancelled):
                change()

    def test_a_call_that_was_made_cannot_be_changed(self, timed):
        """AlreadyCalled says so, also to the call itself."""
        clock, wait = timed
        told = []

        def change():
            with pytest.raises(AlreadyCalled):
                call.reset(1)
            told.append(True)

        call = clock.callLater(0, change)
        wait(0.01)
        for late in (call.cancel, lambda: call.reset(1), lambda: call.delay(1)):
            with pytest.raises(AlreadyCalled):
                late()
        assert told == [True]

    def test_a_call_can_be_moved(self, timed):
        """Later or earlier, by reset and by delay; getTime tells where it is."""
        clock, wait = timed
        ran = []
        later = clock.callLater(0.01, ran.append, "later")
        sooner = clock.callLater(60, ran.append, "sooner")
        before = later.getTime()
        later.delay(60)
        assert later.getTime() == before + 60
        sooner.reset(0.01)
        assert sooner.getTime() == pytest.approx(clock.seconds() + 0.01, abs=0.05)
        wait(0.05)
        assert ran == ["sooner"]
        assert clock.getDelayedCalls() == [later]
        later.delay(-60)
        wait(0.05)
        assert ran == ["sooner", "later"]


def test_an_error_in_a_call_is_reported_and_the_loop_goes_on(reactor, drive):
    """It reaches the loop's handler once; later calls are made."""

    async def scenario():
        reactor.callLater(0, lambda: 1 / 0)
        done = asyncio.Event()
        reactor.callLater(0.01, done.set)
        await done.wait()

    drive(scenario())
    assert [type(context["exception"]) for context in reactor.errors] == [ZeroDivisionError]
    reactor.errors.clear()
