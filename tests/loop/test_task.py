"""Things done later, again and again, or until done."""

import asyncio
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.deferred import Deferred
from weblayer.loop.reactor import Reactor, theReactor
from weblayer.loop.task import LoopingCall, deferLater, react
from weblayer.loop.timers import Clock


def looping(f, interval, now=True, clock=None):
    """A LoopingCall on a Clock that has begun, the clock, and what start gave."""
    clock, loop = clock or Clock(), LoopingCall(f)
    loop.clock = clock
    return clock, loop, loop.start(interval, now)


def test_deferLater_gives_what_the_call_gives():
    """After the delay, and not before; a Deferred from the call is waited for."""
    clock, seen, inner = Clock(), [], Deferred()
    deferLater(clock, 2, lambda *a, **k: (a, k), 1, f=2).addCallback(seen.append)
    deferLater(clock, 2).addCallback(seen.append)
    deferLater(clock, 2, lambda: inner).addCallback(seen.append)
    clock.advance(1)
    assert seen == []
    clock.advance(1)
    assert seen == [((1,), {"f": 2}), None]
    inner.callback("inner")
    assert seen[2] == "inner"


def test_deferLater_fails_with_what_the_call_raises():
    """An error in the call is a Failure."""
    clock, seen = Clock(), []
    later = deferLater(clock, 1, lambda: 1 / 0)
    later.addErrback(lambda failure: seen.append(failure.check(ZeroDivisionError)))
    clock.advance(1)
    assert seen == [ZeroDivisionError]


def test_deferLater_can_be_cancelled():
    """The call is not made, and nothing is left on the clock."""
    clock, seen, called = Clock(), [], []
    later = deferLater(clock, 1, called.append, 1)
    later.addErrback(lambda failure: seen.append(failure.check(asyncio.CancelledError)))
    later.cancel()
    assert clock.getDelayedCalls() == []
    clock.advance(1)
    assert seen == [asyncio.CancelledError]
    assert called == []


def test_deferLater_on_a_reactor(reactor, drive):
    """A reactor is a clock too."""

    async def scenario():
        assert await deferLater(reactor, 0, lambda: "done") == "done"

    drive(scenario())


@given(
    st.sampled_from([0.1, 0.3, 1, 7]),
    st.lists(st.floats(0.001, 30), min_size=1, max_size=30),
    st.booleans(),
)
def test_beats_do_not_drift(interval, steps, now):
    """However late the clock is, a call comes at most once a beat, and the beats stay."""
    clock, times = Clock(), []
    looping(lambda: times.append(clock.seconds()), interval, now, clock)
    for step in steps:
        before = len(times)
        clock.advance(step)
        assert len(times) - before <= 1
        (following,) = clock.getDelayedCalls()
        assert following.getTime() == pytest.approx(
            round(following.getTime() / interval) * interval
        )
        assert following.getTime() > clock.seconds()
        assert following.getTime() <= clock.seconds() + interval * 1.000001


@given(st.integers(1, 1000), st.sampled_from([0.1, 0.3, 0.7]))
def test_a_late_call_on_a_beat_waits_for_the_next(beats, interval):
    """Also where so many tenths are not exactly that many times a tenth."""
    clock, calls = Clock(), []
    looping(lambda: calls.append(1), interval, False, clock)
    clock.advance(beats * 0.1 * (interval * 10))
    assert len(calls) == 1
    (following,) = clock.getDelayedCalls()
    assert following.getTime() == pytest.approx((beats + 1) * interval)


def test_a_loop_that_calls_early_calls_no_more_often():
    """A loop that counts whole milliseconds may call just before the beat: once all the same."""

    class Hasty(Clock):
        def callLater(self, delay, f, /, *args, **kwargs):
            return super().callLater(max(0.0, delay - 0.0005), f, *args, **kwargs)

    clock, calls = Hasty(), []
    looping(lambda: calls.append(1), 0.01, False, clock)
    for _ in range(1000):
        clock.advance(0.0001)
    assert len(calls) == 10


def test_the_first_call_is_now_or_an_interval_away():
    """As start was told."""
    calls = []
    looping(lambda: calls.append("now"), 1)
    clock, _, _ = looping(lambda: calls.append("later"), 1, now=False)
    assert calls == ["now"]
    clock.advance(1)
    assert calls == ["now", "later"]


def test_stop_ends_it():
    """No call comes after, nothing is left, and start's Deferred fires with the loop."""
    calls, seen = [], []
    clock, loop, done = looping(lambda: calls.append(1), 1)
    done.addCallback(seen.append)
    clock.advance(1)
    loop.stop()
    assert seen == [loop]
    clock.advance(5)
    assert len(calls) == 2
    assert clock.getDelayedCalls() == []
    with pytest.raises(RuntimeError, match="does not run"):
        loop.stop()


def test_stop_from_inside_the_call():
    """The call that stops is the last."""
    seen = []
    clock = Clock()
    loop = LoopingCall(lambda: loop.stop())
    loop.clock = clock
    loop.start(1).addCallback(seen.append)
    assert seen == [loop]
    assert clock.getDelayedCalls() == []


def test_an_error_stops_it():
    """start's Deferred fails with it, and no call comes after."""
    seen = []
    clock, loop, done = looping(lambda: 1 / 0, 1, now=False)
    done.addErrback(lambda failure: seen.append(failure.check(ZeroDivisionError)))
    clock.advance(1)
    assert seen == [ZeroDivisionError]
    assert not loop.running
    assert clock.getDelayedCalls() == []


def test_a_call_that_takes_long_is_waited_for():
    """The next call comes on the first beat after the Deferred has fired."""
    answers, times = [], []

    def call():
        times.append(clock.seconds())
        answers.append(Deferred())
        return answers[-1]

    clock, loop, done = looping(call, 1, now=False)
    clock.advance(1)
    clock.advance(2.5)
    assert times == [1]
    answers[0].callback(None)
    clock.advance(0.5)
    assert times == [1, 4]
    seen = []
    done.addCallback(seen.append)
    loop.stop()
    assert seen == []
    answers[1].callback(None)
    assert seen == [loop]


def test_reset_counts_from_now():
    """The next call is a whole interval away."""
    calls = []
    clock, loop, _ = looping(lambda: calls.append(clock.seconds()), 10, now=False)
    clock.advance(7)
    loop.reset()
    clock.advance(9)
    assert calls == []
    clock.advance(1)
    assert calls == [17]


def test_reset_in_the_midst_of_a_call():
    """The next call is an interval away from the reset, not from the start."""
    times = []

    def call():
        times.append(clock.seconds())
        if len(times) == 1:
            loop.reset()

    clock, loop = Clock(), LoopingCall(call)
    loop.clock = clock
    loop.start(10, now=False)
    clock.advance(13)
    clock.advance(9)
    assert times == [13]
    clock.advance(1)
    assert times == [13, 23]


def counting(now, steps, interval=1):
    """The counts that a LoopingCall withCount has given after each of *steps*."""
    clock, counts = Clock(), []
    loop = LoopingCall.withCount(counts.append)
    loop.clock = clock
    loop.start(interval, now)
    clock.pump(steps)
    return counts


def test_withCount_tells_of_beats_left_out():
    """1 for each on time; a late call counts those it was too late for."""
    assert counting(True, [1, 1, 2.5, 0.5, 1]) == [1, 1, 1, 2, 1, 1]
    assert counting(False, [3.2, 0.8, 1]) == [3, 1, 1]


@given(
    st.sampled_from([0.1, 0.3, 1, 7]),
    st.lists(st.floats(0.001, 30), min_size=1, max_size=30),
    st.booleans(),
)
def test_the_counts_add_up(interval, steps, now):
    """However late the clock is, the counts together are the beats that there were."""
    clock, counts = Clock(), []
    loop = LoopingCall.withCount(counts.append)
    loop.clock = clock
    loop.start(interval, now)
    for step in steps:
        clock.advance(step)
        beats = clock.seconds() / interval
        assert beats - 1.000001 <= sum(counts) - now <= beats + 0.000002
    assert all(count >= 1 for count in counts)


def test_withCount_without_interval_counts_one():
    """There are no beats to be left out."""
    clock, counts = Clock(), []

    def call(count):
        counts.append(count)
        if len(counts) == 3:
            loop.stop()

    loop = LoopingCall.withCount(call)
    loop.clock = clock
    loop.start(0)
    clock.advance(5)
    assert counts == [1, 1, 1]


def test_withCount_counts_what_passes_during_a_call():
    """A call that takes long is told afterwards how many beats it has cost."""
    counts, answers = [], []

    def call(count):
        counts.append(count)
        answers.append(Deferred())
        return answers[-1]

    clock, loop = Clock(), LoopingCall.withCount(call)
    loop.clock = clock
    loop.start(1)
    clock.advance(4.5)
    answers[0].callback(None)
    clock.advance(0.5)
    assert counts == [1, 5]


def test_withCount_may_be_reset():
    """The count begins anew with the beats."""
    counts = []
    clock, loop = Clock(), LoopingCall.withCount(counts.append)
    loop.clock = clock
    loop.start(1)
    clock.advance(0.5)
    loop.reset()
    clock.advance(2)
    assert counts == [1, 2]


def test_cancelling_what_start_gave_stops_it():
    """The Deferred is a handle too."""
    calls = []
    clock, loop, done = looping(lambda: calls.append(1), 1)
    done.cancel()
    clock.advance(5)
    assert calls == [1]
    assert not loop.running


def test_a_last_call_that_takes_long_is_waited_for_before_another_start():
    """Else two rounds would run at once; and what start gave may be cancelled meanwhile."""
    answer, seen = Deferred(), []
    _, loop, done = looping(lambda: answer, 1)
    loop.stop()
    with pytest.raises(RuntimeError, match="not over"):
        loop.start(1)
    done.addErrback(lambda failure: seen.append(failure.type)).cancel()
    assert seen == [asyncio.CancelledError]
    answer.callback(None)
    loop.start(1)
    loop.stop()


def test_it_can_be_started_again():
    """After stop, with another interval."""
    calls = []
    clock, loop, _ = looping(lambda: calls.append(clock.seconds()), 1, now=False)
    loop.stop()
    clock.advance(5)
    loop.start(3)
    clock.advance(3)
    assert calls == [5, 8]


def test_an_interval_of_nought_is_every_turn():
    """Each turn of the loop, and never two calls in one."""
    calls = []
    clock = Clock()

    def call():
        calls.append(1)
        if len(calls) == 3:
            loop.stop()

    loop = LoopingCall(call)
    loop.clock = clock
    loop.start(0)
    clock.advance(0)
    assert len(calls) == 3


def test_bad_use_is_told():
    """Starting twice, and a negative interval."""
    _, loop, _ = looping(int, 1)
    with pytest.raises(RuntimeError, match="stop"):
        loop.start(1)
    with pytest.raises(ValueError, match="interval"):
        LoopingCall(int).start(-1)
    with pytest.raises(RuntimeError, match="start"):
        LoopingCall(int).reset()


def test_a_coroutine_function_can_be_looped(reactor, drive):
    """Its coroutine is waited for, on a reactor."""
    calls = []

    async def call():
        await asyncio.sleep(0)
        calls.append(1)
        if len(calls) == 3:
            loop.stop()

    loop = LoopingCall(call)

    async def scenario():
        loop.clock = reactor
        assert await loop.start(0.001) is loop

    drive(scenario())
    assert calls == [1, 1, 1]


def test_without_a_clock_the_loop_that_runs_is_used(reactor, drive):
    """Also where the shared reactor belongs to another loop."""
    loop = LoopingCall(lambda: loop.stop())
    theReactor()

    async def scenario():
        assert await loop.start(0.001) is loop

    drive(scenario())


async def later(reactor, *argv):
    await deferLater(reactor, 0.001)
    return argv


async def broken(reactor):
    await deferLater(reactor, 0.001)
    raise KeyError("mine")


async def leaving(reactor):
    await deferLater(reactor, 0.001)
    sys.exit(7)


@pytest.mark.parametrize(
    ("main", "argv", "code"),
    [(later, ["a"], 0), (lambda reactor: Deferred.fromCoroutine(later(reactor)), [], 0),
     (lambda reactor: None, [], 0), (broken, [], 1), (leaving, [], 7),
     (lambda reactor: 1 / 0, [], 1)],
)  # fmt: skip
def test_react_runs_a_program_and_exits(main, argv, code, caplog):
    """The code tells how what main returned has ended, and a failure is logged."""
    with pytest.raises(SystemExit) as left:
        react(main, argv, Reactor())
    assert left.value.code == code
    assert bool(caplog.records) == (code == 1)


def test_stopping_the_reactor_cancels_the_program():
    """A program that waits for ever is cancelled, and the code is 0."""
    seen = []

    async def main(reactor):
        reactor.callLater(0.01, reactor.stop)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(SystemExit) as left:
        react(main, (), Reactor())
    assert left.value.code == 0
    assert seen == ["cancelled"]


def test_react_takes_the_shared_reactor():
    """Without a reactor it is theReactor() that runs."""
    code = (
        "from weblayer.loop.task import react\n"
        "from weblayer.loop.reactor import theReactor\n"
        "async def main(reactor, word):\n"
        "    print(reactor is theReactor(), word)\n"
        "react(main, ['hello'])\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True hello\n", "")
