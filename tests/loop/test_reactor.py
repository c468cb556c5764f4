"""Running and stopping: the reactor's own life, its triggers and its signals."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from weblayer.loop import loops
from weblayer.loop.deferred import Deferred, fail
from weblayer.loop.error import (
    ConnectionDone,
    ConnectionLost,
    ReactorAlreadyRunning,
    ReactorNotRestartable,
    ReactorNotRunning,
)
from weblayer.loop.reactor import Reactor, theReactor


def run(reactor, *calls):
    """Run the reactor, in no more than some seconds, with *calls* as soon as it runs."""
    for call in calls:
        reactor.callWhenRunning(call)
    late = reactor.callLater(20, reactor.crash)
    reactor.run()
    assert late.active(), "the reactor did not stop by itself"
    late.cancel()


def test_run_returns_after_stop(reactor):
    """The reactor runs between run and stop, and tells so."""
    seen = [reactor.running]
    run(reactor, lambda: seen.append(reactor.running), reactor.stop)
    assert [*seen, reactor.running] == [False, True, False]


def test_a_reactor_runs_again(reactor):
    """run() may follow run(); what was to be done when running is done once."""
    seen = []
    run(reactor, lambda: seen.append(1), reactor.stop)
    run(reactor, lambda: seen.append(2), reactor.stop)
    assert seen == [1, 2]


def test_callWhenRunning_on_a_running_reactor_calls_at_once(reactor):
    """There is nothing to wait for."""
    seen = []

    def inside():
        reactor.callWhenRunning(seen.append, "now")
        seen.append("after")
        reactor.stop()

    run(reactor, inside)
    assert seen == ["now", "after"]


def test_bad_use_is_told(reactor):
    """Running what runs, stopping what does not, and stopping twice."""
    told = []

    def inside():
        with pytest.raises(ReactorAlreadyRunning, match="without run"):
            reactor.run()
        reactor.stop()
        with pytest.raises(ReactorNotRunning, match="stopping"):
            reactor.stop()
        told.append(True)

    for early in (reactor.stop, reactor.crash):
        with pytest.raises(ReactorNotRunning, match="idle"):
            early()
    run(reactor, inside)
    assert told == [True]


def test_a_closed_loop_is_told():
    """A reactor whose loop the program has closed cannot run."""
    loop = loops.new_loop("asyncio")
    loop.close()
    with pytest.raises(ReactorNotRestartable, match="another Reactor"):
        Reactor(loop).run()


def test_a_loop_that_others_run(reactor, drive):
    """A reactor made around a running loop times and listens at once, and is not run."""

    async def scenario():
        inside = Reactor(asyncio.get_running_loop())
        assert inside.running
        done = Deferred()
        inside.callLater(0, done.callback, "timed")
        assert await done == "timed"
        with pytest.raises(ReactorAlreadyRunning, match="without run"):
            inside.run()
        with pytest.raises(ReactorNotRunning):
            inside.stop()

    drive(scenario())


def test_a_reactor_without_loop_takes_the_one_that_runs(reactor, drive):
    """Outside any loop it has its own, and inside another that one, chosen on first use."""

    async def scenario():
        assert Reactor().loop is asyncio.get_running_loop()

    drive(scenario())


def test_a_reactor_closes_the_loop_it_took(monkeypatch):
    """At the end of run the tasks are cancelled, the loop is closed, and another is there."""
    reactor, cancelled = Reactor(), []

    async def linger():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    first = reactor.loop
    task = []
    reactor.callWhenRunning(lambda: task.append(reactor.loop.create_task(linger())))
    reactor.callLater(0.01, reactor.stop)
    reactor.run()
    assert first.is_closed()
    assert cancelled == [True]
    second = reactor.loop
    assert second is not first
    reactor.callWhenRunning(reactor.stop)
    reactor.run()
    assert second.is_closed()


def test_theReactor_is_one():
    """It is made on first use, and the same ever after."""
    assert theReactor() is theReactor()


def test_triggers_fire_in_order(reactor):
    """Phase by phase, and in a phase in the order added; each only once."""
    seen = []
    for phase in ("after", "during", "before"):
        for event in ("shutdown", "startup"):
            for number in (1, 2):
                reactor.addSystemEventTrigger(phase, event, seen.append, (event, phase, number))
    run(reactor, reactor.stop)
    expected = [
        (event, phase, number)
        for event in ("startup", "shutdown")
        for phase in ("before", "during", "after")
        for number in (1, 2)
    ]
    assert seen == expected
    run(reactor, reactor.stop)
    assert seen == expected


def test_stopping_waits_for_what_triggers_return(reactor):
    """A Deferred and a coroutine are waited for before the next phase begins."""
    seen, deferred = [], Deferred()

    async def slowly():
        await asyncio.sleep(0.01)
        seen.append("coroutine")
        deferred.callback(None)

    def before():
        deferred.addCallback(lambda _: seen.append("deferred"))
        return deferred

    reactor.addSystemEventTrigger("before", "shutdown", before)
    reactor.addSystemEventTrigger("before", "shutdown", slowly)
    reactor.addSystemEventTrigger("during", "shutdown", seen.append, "during")
    run(reactor, reactor.stop)
    assert seen == ["coroutine", "deferred", "during"]


def test_stopping_waits_no_longer_than_its_bound(reactor, caplog):
    """A trigger that never ends is logged and left when the seconds are over."""
    seen = []
    reactor.shutdownTimeout = 0.05
    reactor.addSystemEventTrigger("before", "shutdown", Deferred)
    reactor.addSystemEventTrigger("after", "shutdown", seen.append, "after")
    run(reactor, reactor.stop)
    assert seen == ["after"]
    assert "longer than" in caplog.text


def test_a_trigger_that_fails_stops_nothing(reactor, caplog):
    """Errors raised, and Deferreds that fail, are logged; all others are called."""
    seen = []
    reactor.addSystemEventTrigger("before", "shutdown", lambda: 1 / 0)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: fail(KeyError("mine")))
    reactor.addSystemEventTrigger("before", "shutdown", seen.append, "next")
    run(reactor, reactor.stop)
    assert seen == ["next"]
    assert {record.exc_info[0] for record in caplog.records} == {ZeroDivisionError, KeyError}


def test_a_removed_trigger_is_not_called(reactor):
    """removeSystemEventTrigger takes what was given, once."""
    seen = []
    trigger = reactor.addSystemEventTrigger("before", "shutdown", seen.append, 1)
    other = reactor.callWhenRunning(seen.append, 2)
    for given in (trigger, other):
        reactor.removeSystemEventTrigger(given)
        with pytest.raises(ValueError, match="removed already"):
            reactor.removeSystemEventTrigger(given)
    run(reactor, reactor.stop)
    assert seen == []


@pytest.mark.parametrize("words", [("then", "shutdown"), ("before", "lunch")])
def test_a_wrong_word_is_told(reactor, words):
    """An unknown phase or event is a ValueError that shows it."""
    with pytest.raises(ValueError, match=r"then|lunch"):
        reactor.addSystemEventTrigger(*words, int)


def test_stopping_closes_what_is_open(reactor, recording):
    """Ports and connections end during shutdown; what was written leaves first."""
    ends = []

    def made(protocol):
        protocol.transport.write(b"bye")

    def begin():
        server = recording(made)
        client = recording(whenReceived=lambda protocol, data: reactor.stop())
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        ends.extend([server, client])

    def after():
        for factory in ends:
            protocol = factory.connected.get_nowait()
            assert [reason.type for reason in protocol.reasons] == [ConnectionDone]
            factory.calls.append("ended")

    reactor.addSystemEventTrigger("after", "shutdown", after)
    run(reactor, begin)
    assert [factory.calls[-1] for factory in ends] == ["ended", "ended"]


def test_a_peer_that_does_not_read_cannot_hold_the_end_up(reactor, recording):
    """What could not be sent within the bound is dropped, and told as a lost connection."""
    reactor.shutdownTimeout = 0.05
    factories = []

    def begin():
        def flood(protocol):
            protocol.transport.write(bytes(64 << 20))
            reactor.callLater(0.05, reactor.stop)

        server = recording(flood)
        client = recording(lambda protocol: protocol.transport.pauseProducing())
        client.whenReceived = lambda protocol, data: None
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        reactor.connectTCP("127.0.0.1", port.getHost().port, client)
        factories.append(server)

    # The client, which would be closed as well, is kept from reading by being paused.
    run(reactor, begin)
    protocol = factories[0].connected.get_nowait()
    assert [bool(reason.check(ConnectionLost)) for reason in protocol.reasons] == [True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_reactor(reactor, number):
    """run returns by way of the shutdown triggers, and the program's handlers are back."""
    seen, before = [], [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    reactor.addSystemEventTrigger("before", "shutdown", seen.append, "triggered")
    run(reactor, lambda: os.kill(os.getpid(), number))
    assert seen == ["triggered"]
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_second_signal_stops_at_once(reactor):
    """It waits for nothing more."""
    seen = []

    def wait():
        os.kill(os.getpid(), signal.SIGINT)
        return Deferred()

    reactor.addSystemEventTrigger("before", "shutdown", wait)
    reactor.addSystemEventTrigger("after", "shutdown", seen.append, "after")
    run(reactor, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert seen == []


def test_signals_may_be_left_alone(reactor):
    """With installSignalHandlers=False the program's own handler is called."""
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        reactor.callWhenRunning(os.kill, os.getpid(), signal.SIGTERM)
        reactor.callLater(0.05, reactor.stop)
        reactor.run(installSignalHandlers=False)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]


def test_a_reactor_runs_in_any_thread(reactor):
    """Outside the main thread there are no signals to catch, and run works as ever."""
    errors = []

    def work():
        try:
            run(reactor, reactor.stop)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert errors == []
    assert not thread.is_alive()


def test_time_is_the_loops(reactor):
    """seconds() is a clock that no change of the system's time moves."""
    assert reactor.seconds() == pytest.approx(reactor.loop.time(), abs=0.1)


def test_importing_touches_no_loop():
    """No module of the room makes an event loop or imports uvloop when it is imported."""
    code = (
        "import sys, asyncio\n"
        "asyncio.new_event_loop = None\n"
        "import weblayer.loop.task, weblayer.loop.memory\n"
        "assert 'uvloop' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_module_is_no_reactor():
    """Who imports it as the field's programs do is told where the reactor is."""
    from weblayer.loop import reactor

    with pytest.raises(AttributeError, match="from weblayer import reactor"):
        reactor.listenTCP  # noqa: B018  # asking is the test
    with pytest.raises(AttributeError, match=r"has no 'listenTPC'$"):
        reactor.listenTPC  # noqa: B018
