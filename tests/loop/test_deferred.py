"""The laws of a Deferred: order, exactly once, chains, pauses, cancelling, and what is logged."""

import contextlib
import contextvars
import gc
import logging
import weakref
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.deferred import (
    AlreadyCalledError,
    CancelledError,
    Deferred,
    fail,
    succeed,
)
from weblayer.loop.failure import Failure
from weblayer.loop.timers import Clock

MANY = 100_000


def result_of(deferred):
    """What a Deferred has come to; a list, empty when nothing has."""
    results = []
    deferred.addBoth(results.append)
    return results


def failure_of(deferred):
    """The exception that a Deferred has failed with."""
    return result_of(deferred)[0].value


def plus(result, more=1):
    return result + more


# The laws against a small model, which recurses and copies as it likes.


@dataclass(eq=False)
class Model:
    """What a Deferred means, in as few words as possible."""

    value: tuple = ("ok", None)
    called: bool = False
    forgiven: bool = False
    pauses: int = 0
    waits: "Model | None" = None
    links: list = field(default_factory=list)

    def add(self, link):
        self.links.append(link)
        self.run()

    def fire(self, value):
        if self.called and not self.forgiven:
            raise AlreadyCalledError
        if not self.called:
            self.called, self.value = True, value
            self.run()
        self.forgiven = False

    def cancel(self):
        if self.waits:
            self.waits.cancel()
        elif not self.called:
            self.fire(("error", "cancelled"))
            self.forgiven = True

    def pause(self):
        self.pauses += 1

    def unpause(self):
        if not self.pauses:
            raise RuntimeError
        self.pauses -= 1
        self.run()

    def run(self):
        while self.called and self.links and not self.pauses and not self.waits:
            answer = self.links.pop(0)(self.value)
            if isinstance(answer, Model):
                self.value, self.waits = ("ok", None), answer
                answer.add(lambda value, inner=answer: self.resume(inner, value))
            elif answer is not None:
                self.value = answer

    def forget(self):
        pass

    def resume(self, inner, value):
        inner.value, self.waits, self.value = ("ok", None), None, value
        self.run()


class Real:
    """A Deferred with the words of the model."""

    def __init__(self):
        self.deferred = Deferred()

    def add(self, link):
        self.deferred.addBoth(lambda result: real(link(seen(result))))

    def fire(self, value):
        if value[0] == "ok":
            self.deferred.callback(value[1])
        else:
            self.deferred.errback(KeyError(value[1]))

    def cancel(self):
        self.deferred.cancel()

    def pause(self):
        self.deferred.pause()

    def unpause(self):
        self.deferred.unpause()

    def forget(self):
        """Leave no failure to be logged: that is another law."""
        with contextlib.suppress(RuntimeError):
            while True:
                self.deferred.unpause()
        self.deferred.addErrback(lambda failure: None)


def seen(result):
    if not isinstance(result, Failure):
        return ("ok", result)
    return ("error", "cancelled" if result.check(CancelledError) else result.value.args[0])


def real(answer):
    if isinstance(answer, Real):
        return answer.deferred
    if answer[0] == "error":
        raise CancelledError if answer[1] == "cancelled" else KeyError(answer[1])
    return answer[1]


PLACES = range(3)
ANSWERS = st.one_of(
    st.just("same"),
    st.tuples(st.sampled_from(["ok", "error"]), st.integers()),
    st.sampled_from(PLACES),
)
STEPS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(PLACES), ANSWERS),
    st.tuples(
        st.just("fire"),
        st.sampled_from(PLACES),
        st.tuples(st.sampled_from(["ok", "error"]), st.integers()),
    ),
    st.tuples(st.sampled_from(["cancel", "pause", "unpause"]), st.sampled_from(PLACES), st.none()),
)


def history(kind, steps):
    """What every callback saw, in order, and which steps were refused."""
    each, told = [kind() for _ in PLACES], []
    for number, (verb, place, argument) in enumerate(steps):
        try:
            if verb == "add":
                each[place].add(link(each, place, argument, told, number))
            elif verb == "fire":
                each[place].fire(argument)
            else:
                getattr(each[place], verb)()
        except RuntimeError:
            told.append((number, "refused"))
    seen = tuple(told)
    for one in each:
        one.forget()
    return seen


def link(each, place, answer, told, number):
    def called(value):
        told.append((number, value))
        if answer == "same":
            return value
        if isinstance(answer, int):  # only a later one, so that none waits for itself
            return each[answer] if answer > place else value
        return answer

    return called


@given(st.lists(STEPS, max_size=30))
def test_it_does_what_the_model_does(steps):
    """Adding, firing, pausing and cancelling in any order calls the same links with the same."""
    assert history(Real, steps) == history(Model, steps)


# The chain.


def test_links_run_in_order_with_what_the_one_before_gave():
    """A chain is a pipe: each callback gets what the last one returned, and its own arguments."""
    deferred = Deferred()
    deferred.addCallback(plus).addCallback(plus, 10).addCallback(plus, more=100)
    deferred.callback(1000)
    assert result_of(deferred) == [1111]


def test_an_errback_mends_the_chain():
    """What a callback raises goes to the next errback, whose result goes to the next callback."""
    deferred = succeed("x").addCallback(int).addCallback(plus).addErrback(lambda failure: 7)
    assert result_of(deferred.addCallback(plus)) == [8]


def test_a_fork_does_not_see_what_its_other_side_raises():
    """The errback of addCallbacks is for what came before, not for its own callback."""
    seen = []
    deferred = succeed("x").addCallbacks(int, seen.append)
    assert isinstance(failure_of(deferred), ValueError)
    assert seen == []


def test_each_side_of_a_fork_has_its_own_arguments():
    """addCallbacks hands each side its own extra arguments and keywords."""
    ends = ((2,), {"more": 5}, (3,), {"more": 7})
    sides = (lambda r, a, more: (r, a, more), lambda f, a, more: (a, more))
    assert result_of(succeed(1).addCallbacks(*sides, *ends)) == [(1, 2, 5)]
    assert result_of(fail(KeyError()).addCallbacks(*sides, *ends)) == [(3, 7)]


def test_a_callback_must_be_callable():
    """What cannot be called is refused when it is added, where the fault is."""
    with pytest.raises(TypeError, match="callable"):
        succeed(1).addCallback(5)


def test_a_callback_added_while_running_waits_its_turn():
    """A callback that adds to its own Deferred adds at the end of the chain."""
    told, deferred = [], Deferred()
    deferred.addCallback(lambda _: deferred.addCallback(lambda _: told.append("added")) and None)
    deferred.addCallback(lambda _: told.append("second"))
    deferred.callback(None)
    assert told == ["second", "added"]


def test_who_waits_goes_first():
    """A Deferred that waits for another runs before what was added to the other after it."""
    told, inner = [], Deferred()
    succeed(None).addCallback(lambda _: inner).addCallback(told.append)
    inner.addCallback(told.append)
    inner.callback("result")
    assert told == ["result", None]


def test_a_deferred_cannot_wait_for_itself():
    """A callback that returns its own Deferred is told so, instead of never hearing again."""
    deferred = Deferred()
    deferred.addCallback(lambda _: deferred)
    deferred.callback(None)
    assert isinstance(failure_of(deferred), RuntimeError)


def test_a_deferred_is_no_result():
    """To fire with a Deferred is refused, naming chainDeferred as what was meant."""
    with pytest.raises(TypeError, match="chainDeferred"):
        Deferred().callback(succeed(1))


def test_chain_deferred_hands_over():
    """chainDeferred fires the other with the value or the Failure, and keeps nothing."""
    good, bad = Deferred(), Deferred()
    first = succeed(1).chainDeferred(good)
    fail(KeyError("k")).chainDeferred(bad)
    assert result_of(good) == [1]
    assert isinstance(failure_of(bad), KeyError)
    assert result_of(first) == [None]


def test_chain_deferred_to_a_fired_one_is_a_failure():
    """Handing over to one that has fired fails here, and leaves the other alone."""
    other = succeed(1)
    assert isinstance(failure_of(succeed(2).chainDeferred(other)), AlreadyCalledError)
    assert result_of(other) == [1]


def test_long_chains_do_not_recurse():
    """A hundred thousand links run one after the other."""
    deferred = Deferred()
    for _ in range(MANY):
        deferred.addCallback(plus)
    deferred.callback(0)
    assert result_of(deferred) == [MANY]


@pytest.mark.parametrize("fired", [True, False], ids=["fired before", "fired after"])
def test_deep_nests_do_not_recurse(fired):
    """A hundred thousand Deferreds, each waiting for the one before, come to their result."""
    innermost = outer = succeed("deep") if fired else Deferred()
    for _ in range(MANY):
        outer = succeed(None).addCallback(lambda _, inner=outer: inner)
    if not fired:
        innermost.callback("deep")
    assert result_of(outer) == ["deep"]


def test_deep_hand_overs_do_not_recurse():
    """chainDeferred, a hundred thousand times, is a loop too."""
    first = last = Deferred()
    for _ in range(MANY):
        last.chainDeferred(last := Deferred())
    first.callback("far")
    assert result_of(last) == ["far"]


def test_deep_cancelling_does_not_recurse():
    """Cancelling the outermost of a hundred thousand reaches the innermost."""
    cancelled = []
    outer = Deferred(cancelled.append)
    for _ in range(MANY):
        outer = succeed(None).addCallback(lambda _, inner=outer: inner)
    outer.cancel()
    assert len(cancelled) == 1
    assert isinstance(failure_of(outer), CancelledError)


def test_two_that_wait_for_each_other_do_not_hang_a_cancel():
    """A fault of the program stays a fault of the program: cancel() still returns."""
    one, two = Deferred(), Deferred()
    one.addCallback(lambda _: two)
    two.addCallback(lambda _: one)
    one.callback(None)
    two.callback(None)
    one.cancel()
    assert result_of(one) == []


# Exactly once.


def test_firing_twice_names_the_first_place():
    """The second callback is an error that says in which line the first one was."""
    deferred = Deferred()
    deferred.callback(1)
    line = test_firing_twice_names_the_first_place.__code__.co_firstlineno + 3
    with pytest.raises(AlreadyCalledError, match=rf"test_deferred\.py:{line}$"):
        deferred.errback(KeyError())


def test_errback_takes_the_exception_being_handled():
    """errback() in an except block needs no argument."""
    deferred = Deferred()
    try:
        {}["k"]
    except KeyError:
        deferred.errback()
    assert isinstance(failure_of(deferred), KeyError)


def test_interrupts_go_out():
    """KeyboardInterrupt and SystemExit end the program, whatever the chain."""
    deferred = Deferred().addCallback(lambda _: exec("raise SystemExit(3)"))
    with pytest.raises(SystemExit):
        deferred.callback(None)


# Cancelling.


def test_cancel_fires_with_cancelled_error():
    """Without a canceller, cancelling fails it, and one late result is forgiven."""
    deferred = Deferred()
    failures = result_of(deferred)
    deferred.cancel()
    assert failures[0].check(CancelledError)
    deferred.callback("late")
    with pytest.raises(AlreadyCalledError):
        deferred.callback("later still")


def test_the_canceller_may_decide_the_result():
    """A canceller that fires the Deferred has the word."""
    deferred = Deferred(lambda deferred: deferred.callback("saved"))
    deferred.cancel()
    assert result_of(deferred) == ["saved"]


def test_a_broken_canceller_does_not_leave_anybody_waiting():
    """What a canceller raises becomes the failure."""
    deferred = Deferred(lambda deferred: {}["k"])
    deferred.cancel()
    assert isinstance(failure_of(deferred), KeyError)


def test_cancelling_a_fired_one_does_nothing():
    """A result that is there cannot be cancelled."""
    deferred = succeed(1)
    deferred.cancel()
    assert result_of(deferred) == [1]


# Time.


def test_a_timeout_is_a_timeout_error():
    """When the time is over the work is cancelled, and the failure is Python's TimeoutError."""
    clock, cancelled = Clock(), []
    failures = result_of(Deferred(cancelled.append).addTimeout(5, clock))
    clock.advance(4.9)
    assert failures == []
    clock.advance(0.1)
    assert isinstance(failures[0].value, TimeoutError)
    assert "5 seconds" in str(failures[0])
    assert len(cancelled) == 1


def test_a_result_in_time_stops_the_clock():
    """A result before the end leaves no timer behind."""
    clock, deferred = Clock(), Deferred()
    results = result_of(deferred.addTimeout(5, clock))
    deferred.callback("in time")
    assert results == ["in time"]
    assert clock.getDelayedCalls() == []


def test_what_a_timeout_means_can_be_said():
    """onTimeoutCancel gets the result of cancelling and the seconds, and gives the result."""
    clock = Clock()
    told = result_of(
        Deferred().addTimeout(2, clock, lambda failure, seconds: (failure.type, seconds))
    )
    clock.advance(2)
    assert told == [(CancelledError, 2)]


def test_being_cancelled_is_no_timeout():
    """A Deferred that somebody else cancels within its time stays a cancelled one."""
    clock = Clock()
    deferred = Deferred().addTimeout(2, clock)
    deferred.cancel()
    assert isinstance(failure_of(deferred), CancelledError)


# Context, memory and the log.


def test_a_callback_runs_in_the_context_it_was_added_in():
    """A context variable has the value it had when the callback was added."""
    var = contextvars.ContextVar("var")
    deferred, told = Deferred(), []
    contextvars.copy_context().run(
        lambda: (var.set("mine"), deferred.addCallback(lambda _: told.append(var.get())))
    )
    var.set("other")
    deferred.callback(None)
    assert told == ["mine"]


def test_an_unhandled_failure_is_logged_once(caplog):
    """A failure that nobody looked at is logged with its traceback when it is collected."""
    fail(KeyError("lost")).addCallback(plus)
    gc.collect()
    (record,) = caplog.records
    assert record.name == "weblayer"
    assert record.levelno == logging.ERROR
    assert "lost" in record.getMessage()
    assert record.exc_info[0] is KeyError


def test_a_handled_failure_is_not_logged(caplog):
    """An errback, a hand-over that is handled, or a cancelling leaves the log silent."""
    fail(KeyError()).addErrback(lambda failure: None)
    succeed(None).addCallback(lambda _: fail(KeyError())).addErrback(lambda failure: None)
    Deferred().cancel()
    gc.collect()
    assert caplog.records == []


def test_a_failure_leaves_no_cycle():
    """A failed chain is freed at once when it is dropped: no traceback waits for the collector."""

    class Seen(Exception):
        pass

    refs = []

    def broken(_):
        raise Seen

    def handled(failure):
        refs.append(weakref.ref(failure.value))

    gc.disable()
    try:
        deferred = Deferred()
        deferred.addCallback(broken).addErrback(lambda failure: failure.trap(KeyError))
        deferred.addErrback(handled)
        deferred.callback(None)
        del deferred
        assert refs[0]() is None
    finally:
        gc.enable()


def test_a_fired_deferred_lets_its_canceller_go():
    """What only the canceller held is freed as soon as there is nothing to cancel."""

    class Work:
        def stop(self, deferred):
            pass

    work = Work()
    deferred, ref = Deferred(work.stop), weakref.ref(work)
    del work
    deferred.callback(None)
    gc.collect()
    assert ref() is None


def test_it_tells_its_state():
    """repr says whether it has fired, what it has, and what it waits for."""
    inner = Deferred()
    outer = succeed(None).addCallback(lambda _: inner)
    assert "not fired" in repr(inner)
    assert f"waiting for the one at {id(inner):#x}" in repr(outer)
    assert "result: 5" in repr(succeed(5))
