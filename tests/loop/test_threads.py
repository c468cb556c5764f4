"""Threads: calls into them, and out of them."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.threads import blockingCallFromThread, deferToThread

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
