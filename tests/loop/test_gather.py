"""Many Deferreds as one: their order, their first, their failures, their cancelling."""

import gc

import pytest

from weblayer.loop.deferred import CANCELLING, CancelledError, Deferred, fail, succeed
from weblayer.loop.failure import Failure
from weblayer.loop.gather import DeferredList, FailureGroup, FirstError, gatherResults, race
from weblayer.loop.timers import Clock


def result_of(deferred):
    results = []
    deferred.addBoth(results.append)
    return results


def test_a_list_keeps_the_order_of_what_it_was_given():
    """The outcomes stand in the order of the Deferreds, not of their firing."""
    first, second = Deferred(), Deferred()
    outcomes = result_of(DeferredList([first, second, fail(KeyError())], consumeErrors=True))
    second.callback("b")
    assert outcomes == []
    first.callback("a")
    (one, two, (success, failure)) = outcomes[0]
    assert (one, two, success) == ((True, "a"), (True, "b"), False)
    assert failure.check(KeyError)


def test_each_keeps_its_own_result():
    """Being gathered takes nothing away from the Deferreds themselves."""
    deferred = succeed(1)
    gatherResults([deferred])
    assert result_of(deferred) == [1]


def test_none_is_a_list_too():
    """An empty list fires at once; the first of none would never come, and is refused."""
    assert result_of(DeferredList([])) == [[]]
    assert result_of(gatherResults([])) == [[]]
    with pytest.raises(ValueError, match="empty"):
        DeferredList([], fireOnOneCallback=True)
    with pytest.raises(ValueError, match="empty"):
        race([])


def test_one_success_may_be_enough():
    """fireOnOneCallback fires with the first result and its index, and once."""
    first, second = Deferred(), Deferred()
    results = result_of(DeferredList([first, second], fireOnOneCallback=True))
    second.callback("b")
    first.callback("a")
    assert results == [("b", 1)]


def test_one_failure_may_be_enough():
    """gatherResults fails at the first failure, telling which and how."""
    waiting = Deferred()
    (failure,) = result_of(gatherResults([waiting, fail(KeyError("k"))], consumeErrors=True))
    assert failure.check(FirstError)
    assert failure.value.index == 1
    assert failure.value.subFailure.check(KeyError)
    assert "number 1" in str(failure)
    assert "KeyError" in failure.getTraceback()


def test_failures_are_left_unless_consumed(caplog):
    """Without consumeErrors a failure stays with its Deferred, and is logged with it."""
    for consume in (False, True):
        result_of(DeferredList([fail(KeyError("left"))], consumeErrors=consume))
        gc.collect()
        assert len(caplog.records) == 1


def test_cancelling_a_list_cancels_each(caplog):
    """Each is cancelled, those who need time are waited for, and the end is CancelledError."""
    quick, slow = Deferred(), Deferred(lambda deferred: CANCELLING)
    everything = gatherResults([quick, slow])
    results = result_of(everything)
    everything.cancel()
    assert results == []
    slow.errback(KeyError("while ending"))
    assert results[0].check(CancelledError)
    del slow, everything
    gc.collect()
    assert caplog.records == []


def test_a_list_can_be_given_a_time():
    """A timeout of many is a TimeoutError, as of one."""
    clock = Clock()
    for many in (gatherResults([Deferred()]), race([Deferred()]), DeferredList([Deferred()])):
        results = result_of(many.addTimeout(1, clock))
        clock.advance(1)
        assert results[0].check(TimeoutError)


def test_the_first_to_succeed_wins_the_race():
    """A failure loses, the winner is told with its index, and the others are cancelled."""
    cancelled = []
    runners = [fail(KeyError()), Deferred(cancelled.append), Deferred(), Deferred(cancelled.append)]
    results = result_of(race(runners))
    runners[2].callback("won")
    assert results == [(2, "won")]
    assert cancelled == [runners[1], runners[3]]


def test_a_race_that_nobody_wins_has_all_failures(caplog):
    """When all fail, their failures come in the order of the runners, and nowhere else."""
    first, second = Deferred(), Deferred()
    results = result_of(race([first, second]))
    second.errback(KeyError("b"))
    first.errback(ValueError("a"))
    assert results[0].check(FailureGroup)
    assert [type(failure) for failure in results[0].value.failures] == [Failure, Failure]
    assert str(results[0]) == "FailureGroup: all failed: ValueError: a; KeyError: 'b'"
    gc.collect()
    assert caplog.records == []
