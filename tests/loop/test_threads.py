"""Threads: calls into them, and out of them."""

import asyncio
import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.reactor import Reactor
from weblayer.loop.threadpool import ThreadPool
from weblayer.loop.threads import (
    blockingCallFromThread,
    callMultipleInThread,
    deferToThread,
    deferToThreadPool,
)

variable = ContextVar("variable", default="unset")


def test_deferToThread_gives_what_a_thread_made(reactor, drive):
    """The call is made in another thread, with its arguments; the answer comes in the loop's."""

    def work(*args, **kwargs):
        return threading.get_ident(), args, kwargs

    async def scenario():
        ident, args, kwargs = await deferToThread(work, 1, f=2)
        assert ident != threading.get_ident()
        assert (args, kwargs) == ((1,), {"f": 2})

    drive(scenario())


def test_deferToThread_fails_with_what_a_thread_raised(reactor, drive):
    """An error there is the Failure here."""
    seen = []

    async def scenario():
        failing = deferToThread(lambda: 1 / 0)
        failing.addErrback(lambda failure: seen.append(failure.check(ZeroDivisionError)))
        await failing

    drive(scenario())
    assert seen == [ZeroDivisionError]


def test_threads_see_the_context(reactor, drive):
    """A context variable has its value of the call, and is not changed for us."""

    async def scenario():
        variable.set("ours")
        assert await deferToThread(variable.get) == "ours"
        await deferToThread(variable.set, "theirs")
        assert variable.get() == "ours"

    drive(scenario())


def test_callInThread_logs_what_fails(reactor, drive, caplog):
    """The call is forgotten, but its error is not."""

    async def scenario():
        ran = Deferred()
        reactor.callInThread(reactor.callFromThread, ran.callback, "ran")
        reactor.callInThread(lambda: 1 / 0)
        assert await ran == "ran"

    drive(scenario())
    reactor.loop.run_until_complete(reactor.loop.shutdown_default_executor())
    reactor.loop.run_until_complete(asyncio.sleep(0))
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


def test_callFromThread_calls_in_the_loop(reactor, drive):
    """From another thread, in order, with arguments."""
    seen = []

    def note(*args, **kwargs):
        seen.append((threading.get_ident(), args, kwargs))

    async def scenario():
        done = reactor.loop.create_future()

        def work():
            reactor.callFromThread(note, 1, f=2)
            reactor.callFromThread(done.set_result, None)

        reactor.callInThread(work)
        await done

    drive(scenario())
    assert seen == [(threading.get_ident(), (1,), {"f": 2})]


async def arrive():
    await asyncio.sleep(0)
    return "coroutine"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(lambda: "plain", "plain"), (lambda: succeed("fired"), "fired"), (arrive, "coroutine")],
)
def test_blockingCallFromThread_waits_for_the_answer(reactor, drive, answer, expected):
    """A thread gets a plain answer, and one that comes later."""

    async def scenario():
        assert await deferToThread(blockingCallFromThread, reactor, answer) == expected

    drive(scenario())


@pytest.mark.parametrize("answer", [lambda: 1 / 0, lambda: fail(ZeroDivisionError())])
def test_blockingCallFromThread_raises_what_failed(reactor, drive, answer):
    """An error, or a Deferred that fails, is raised in the thread."""

    async def scenario():
        with pytest.raises(ZeroDivisionError):
            await deferToThread(blockingCallFromThread, reactor, answer)

    drive(scenario())


def test_blockingCallFromThread_in_the_loop_is_told(reactor, drive):
    """It would wait for itself: a RuntimeError instead."""

    async def scenario():
        with pytest.raises(RuntimeError, match="other threads"):
            blockingCallFromThread(reactor, int)

    drive(scenario())


def test_a_cancelled_answer_is_not_waited_for(reactor, drive):
    """Cancelling deferToThread lets go of the call, which runs to its end unheard."""
    begun, go_on = Deferred(), threading.Event()

    def work():
        reactor.callFromThread(begun.callback, None)
        go_on.wait(20)

    async def scenario():
        working = deferToThread(work)
        await begun
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        go_on.set()

    drive(scenario())


async def cancelled():
    raise asyncio.CancelledError


def cancel_at_once():
    raise asyncio.CancelledError


@pytest.mark.parametrize("answer", [cancelled, cancel_at_once])
def test_blockingCallFromThread_hears_of_a_cancelling(reactor, drive, answer):
    """A thread does not wait for ever for an answer that was cancelled."""

    async def scenario():
        with pytest.raises(asyncio.CancelledError):
            await deferToThread(blockingCallFromThread, reactor, answer)

    drive(scenario())


def test_callMultipleInThread_calls_in_order(reactor, drive, caplog):
    """In one thread; an error is logged, and is the last of them."""
    seen, done = [], Deferred()

    def note(*args, **kwargs):
        seen.append((threading.get_ident(), args, kwargs))

    async def scenario():
        callMultipleInThread([(note, (1,), {"f": 2}), (note, (), {}),
                              (reactor.callFromThread, (done.callback, None), {})])  # fmt: skip
        await done
        callMultipleInThread([(lambda: 1 / 0, (), {}), (note, (), {})])
        await reactor.loop.shutdown_default_executor()

    drive(scenario())
    idents, *told = zip(*seen, strict=True)
    assert told == [((1,), ()), ({"f": 2}, {})]
    assert len(set(idents)) == 1
    assert threading.get_ident() not in idents
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


def crowd(size, call):
    """Make *size* calls, by *call*, that must all be at work at once to end."""
    together = threading.Barrier(size)
    return [call(together.wait, 20) for _ in range(size)]


def test_suggestThreadPoolSize(reactor, drive):
    """So many calls are at work at once, and no more."""
    reactor.suggestThreadPoolSize(12)

    async def scenario():
        for waiting in crowd(12, deferToThread):
            await waiting
        reactor.suggestThreadPoolSize(1)
        names = [await deferToThread(threading.current_thread) for _ in range(5)]
        assert len(set(names)) == 1
        with pytest.raises(ValueError, match="maxthreads"):
            reactor.suggestThreadPoolSize(0)

    drive(scenario())


def test_getThreadPool_is_the_loops(reactor, drive):
    """What it is given shares the threads of deferToThread."""
    reactor.suggestThreadPoolSize(1)

    async def scenario():
        mine = await deferToThread(threading.get_ident)
        pool = reactor.getThreadPool()
        assert await deferToThreadPool(reactor, pool, threading.get_ident) == mine

    drive(scenario())


@pytest.fixture
def pool():
    pool = ThreadPool(0, 3, "mine")
    yield pool
    pool.stop()


def test_a_pool_of_ones_own(reactor, drive, pool):
    """Its threads are not the loop's, and no more than asked for; they end when it is stopped."""

    async def scenario():
        for waiting in crowd(3, lambda *args: deferToThreadPool(reactor, pool, *args)):
            await waiting
        thread = await deferToThreadPool(reactor, pool, threading.current_thread)
        assert thread.name.startswith("mine")
        pool.stop()
        assert not thread.is_alive()
        with pytest.raises(RuntimeError, match="start"):
            pool.callInThread(int)
        pool.start()
        assert await deferToThreadPool(reactor, pool, lambda *a, **k: (a, k), 1, f=2) == (
            (1,), {"f": 2},
        )  # fmt: skip

    drive(scenario())


def test_a_pool_is_resized_with_calls_in_it(reactor, drive, pool):
    """Those at work go on, and the new number holds for what comes."""

    async def scenario():
        go_on = threading.Event()
        held = deferToThreadPool(reactor, pool, go_on.wait, 20)
        pool.adjustPoolsize(maxthreads=5)
        assert (pool.min, pool.max) == (0, 5)
        for waiting in crowd(5, lambda *args: deferToThreadPool(reactor, pool, *args)):
            await waiting
        go_on.set()
        assert await held
        for least, most in [(-1, 1), (3, 2), (0, 0)]:
            with pytest.raises(ValueError, match="minthreads"):
                pool.adjustPoolsize(least, most)

    drive(scenario())


def test_deferToThreadPool_fails_with_what_a_thread_raised(reactor, drive, pool):
    """Whatever it is: it would end the thread, unheard."""

    async def scenario():
        for call, kind in ((lambda: 1 / 0, ZeroDivisionError), (sys.exit, SystemExit)):
            failing = deferToThreadPool(reactor, pool, call)
            seen = []
            failing.addErrback(lambda failure, seen=seen: seen.append(failure.type))
            await failing
            assert seen == [kind]

    drive(scenario())


def test_a_cancelled_call_is_not_begun(reactor, drive, pool):
    """One that waits for a thread is not made; nor does it disturb the others."""
    called, go_on = [], threading.Event()
    pool.adjustPoolsize(maxthreads=1)

    async def scenario():
        first = deferToThreadPool(reactor, pool, go_on.wait, 20)
        second = deferToThreadPool(reactor, pool, called.append, 1)
        second.cancel()
        go_on.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await second
        assert await deferToThreadPool(reactor, pool, lambda: called) == []

    drive(scenario())


def test_callInThreadWithCallback_tells_in_the_thread(pool, caplog):
    """True and the result, or False and a Failure; an error in the telling is logged."""
    told = []

    def tell(success, result):
        told.append((threading.current_thread().name[:4], success, result))

    pool.callInThreadWithCallback(tell, lambda: "given")
    pool.callInThreadWithCallback(tell, lambda: 1 / 0)
    pool.callInThreadWithCallback(lambda success, result: 1 / 0, int)
    pool.callInThread(lambda: 1 / 0)
    pool.stop()
    (good, bad) = sorted(told, key=lambda each: not each[1])
    assert good == ("mine", True, "given")
    assert bad[:2] == ("mine", False)
    assert bad[2].check(ZeroDivisionError)
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError] * 2


def test_no_thread_outlives_the_reactor():
    """run() waits for the calls in threads, also in those that were replaced, and says so."""
    code = """
import logging, threading
from weblayer.loop.reactor import Reactor
logging.basicConfig(format="%(message)s")
reactor, go_on = Reactor(shutdownTimeout=0.01), threading.Event()

class Late(logging.Handler):
    def emit(self, record):
        go_on.set()

logging.getLogger("weblayer").addHandler(Late())
def begin():
    reactor.suggestThreadPoolSize(1)
    reactor.callInThread(go_on.wait)
    reactor.suggestThreadPoolSize(2)
    reactor.callInThread(go_on.wait)
    reactor.stop()
reactor.callWhenRunning(begin)
reactor.run()
print(threading.active_count())
"""
    command = [sys.executable, "-W", "error", "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (ran.returncode, ran.stdout) == (0, "1\n"), ran.stderr
    assert "threads" in ran.stderr


def test_a_thread_that_waits_for_the_loop_does_not_hold_its_end_up():
    """blockingCallFromThread is given up when the reactor ends."""
    reactor, told = Reactor(), []

    def work():
        try:
            blockingCallFromThread(reactor, wait_for_ever)
        except asyncio.CancelledError:
            told.append("cancelled")

    def wait_for_ever():
        reactor.stop()
        return Deferred()

    reactor.callWhenRunning(reactor.callInThread, work)
    reactor.run()
    assert told == ["cancelled"]
