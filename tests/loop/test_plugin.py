"""The pytest plugin, in a pytest of its own: what it runs, what it finds, what it leaves alone."""

import gc
import warnings

import pytest

from tests.programs import ROOT
from weblayer.loop.timers import Clock

HEAD = """
import asyncio, socket, subprocess, sys, threading
import pytest
from weblayer.loop.defer import Deferred, fail, inlineCallbacks, succeed
from weblayer.loop.protocol import (
    ClientFactory, DatagramProtocol, Factory, ProcessProtocol, Protocol,
)
from weblayer.loop.task import LoopingCall, deferLater

async def forever():
    await asyncio.sleep(3600)
"""
ABOVE = len(HEAD.splitlines())  # pytester strips the first, which is empty


@pytest.fixture
def run(pytester, monkeypatch):
    """A function that runs a test file, on one kind of loop; its result."""
    monkeypatch.setenv("COLUMNS", "200")  # pytest cuts no line of its summary short
    for name in ("CI", "BUILD_NUMBER"):  # where these are set, the summary repeats each complaint
        monkeypatch.delenv(name, raising=False)

    def run(text, *options):
        pytester.makepyfile(HEAD + "\n" + text)
        return pytester.runpytest(
            "-p", "weblayer.loop.plugin", "-p", "no:randomly", "-Werror", *options
        )

    yield run
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # what was left behind on purpose
        gc.collect()


@pytest.fixture(params=["asyncio", "uvloop"])
def told(request, run):
    """A function that runs a test file, and gives the lines in which the plugin complained."""

    def told(text):
        result = run(text, "-o", f"weblayer_loop={request.param}")
        result.assert_outcomes(passed=1, errors=1)
        return [line[2:] for line in result.outlines if line.startswith("  ")]

    return told


def here(line):
    """How a place is written: the line of the test file's text, counted from one."""
    return f".py:{ABOVE + line}"


# What is run.


KINDS_OF_TESTS = {
    "a coroutine": "async def test(): await asyncio.sleep(0); TOLD.append(asyncio.current_task())",
    "a Deferred": """
def test(reactor):
    return deferLater(reactor, 0.001, TOLD.append, asyncio.get_running_loop())""",
    "inlineCallbacks": """
@inlineCallbacks
def test():
    TOLD.append((yield asyncio.sleep(0.001, 1)))""",
    "marked": """
@pytest.mark.weblayer
def test():
    return succeed(asyncio.get_running_loop()).addCallback(TOLD.append)""",
    "in a class": """
class TestIt:
    async def test(self, tmp_path):
        TOLD.append(tmp_path)""",
}


@pytest.mark.parametrize("text", KINDS_OF_TESTS.values(), ids=KINDS_OF_TESTS)
def test_what_is_to_be_waited_for_is_waited_for(run, text):
    """A coroutine, a Deferred and a generator are run to their end, in a loop."""
    told = "TOLD = []\ndef teardown_module(): assert len(TOLD) == 1\n"
    run(told + text).assert_outcomes(passed=1)


def test_what_a_test_waited_for_may_fail_it(run):
    """An error at the end of a Deferred is the test's, and nothing else is."""
    result = run("def test(reactor): return fail(ValueError('at the end'))")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ValueError: at the end"])


@pytest.mark.parametrize(("word", "kinds"), [("both", 2), ("uvloop", 1), ("asyncio", 1)])
def test_the_loop_is_chosen_by_a_setting(run, word, kinds):
    """Each test runs on the loop that the ini file names, or once on either."""
    text = "async def test(): print(type(asyncio.get_running_loop()).__mro__)"
    result = run(text, "-s", "-o", f"weblayer_loop={word}")
    result.assert_outcomes(passed=kinds)
    assert ("uvloop.Loop" in str(result.stdout)) == (word != "asyncio")
    assert ("SelectorEventLoop" in str(result.stdout)) == (word != "uvloop")


def test_the_marker_overrules_the_setting(run):
    """One test may say that it is for one loop."""
    text = "@pytest.mark.weblayer(loop='asyncio')\nasync def test(): pass"
    result = run(text, "-v", "-o", "weblayer_loop=both")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*test?asyncio? PASSED*"])


def test_an_unknown_loop_is_told_plainly(run):
    """The setting says which words there are."""
    result = run("async def test(): pass", "-o", "weblayer_loop=libev")
    result.stdout.fnmatch_lines(["*weblayer_loop must be uvloop, asyncio or both, not 'libev'*"])


def test_a_test_that_hangs_is_ended_and_says_where(run):
    """After its time, with the line that it waited at."""
    result = run("@pytest.mark.weblayer(timeout=0.02)\nasync def test():\n    await Deferred()")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*not ended within 0.02 seconds: waiting at *{here(3)}"])


def test_a_deferred_that_never_fires_is_said_to_be_waited_for(run):
    """There is no line of the program where it waits."""
    result = run("@pytest.mark.weblayer(timeout=0.02)\ndef test(): return Deferred()")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not ended within 0.02 seconds: waiting for what it returned"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("mayLeave=['tread']", "mayLeave may be any of error, *, timer, not tread"),
        ("mayLeave='timer'", "mayLeave may be any of error, *, timer, not 'timer'"),
        ("timeot=5", "setting may be any of loop, mayLeave, timeout, not timeot"),
    ],
)
def test_a_wrong_word_of_the_marker_is_told(run, wrong, words):
    """It would change nothing, and be taken to have."""
    result = run(f"@pytest.mark.weblayer({wrong})\nasync def test(): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*weblayer: {words}"])


DECORATED = """
from functools import wraps

def in_a_loop(function):
    @wraps(function)
    def call():
        asyncio.run(function())
    return call

def each(function):
    @wraps(function)
    def call():
        for step in function():
            asyncio.run(step)
    return call

@in_a_loop
async def test_coroutine(): await asyncio.sleep(0)

@each
def test_generator(): yield asyncio.sleep(0)
"""


def test_what_another_decorator_runs_is_left_alone(run):
    """A loop that it makes itself cannot run in one of ours."""
    run(DECORATED).assert_outcomes(passed=2)


def test_a_decorator_over_inlineCallbacks_changes_nothing(run):
    """What it gives is a Deferred all the same."""
    text = """
from unittest import mock
TOLD = []

@mock.patch("sys.path", [])
@inlineCallbacks
def test():
    TOLD.append((yield asyncio.sleep(0, 1)))

def teardown_module(): assert TOLD == [1]
"""
    run(text).assert_outcomes(passed=1)


def test_other_tests_are_left_alone(run):
    """No loop, no log handler and no frozen heap for a test that did not ask; nor for others'."""
    text = """
import gc, logging
HANDLERS = list(logging.getLogger("weblayer").handlers)
def test_plain():
    asyncio.run(asyncio.sleep(0))
    assert gc.get_freeze_count() == 0
    assert logging.getLogger("weblayer").handlers == HANDLERS
    LEFT.append(socket.socket())
LEFT = []
def teardown_module(): LEFT.pop().close()
@pytest.mark.anyio
async def test_of_another_plugin():
    pass
"""
    result = run(text, "-p", "no:anyio", "-o", "markers=anyio")
    result.assert_outcomes(passed=1, failed=1)  # nobody here runs anyio's tests
    result.stdout.fnmatch_lines(["*async def functions are not natively supported*"])


def test_nothing_of_ours_is_imported_before_it_is_used(pytester, monkeypatch):
    """The plugin costs a suite that does not use it nothing but itself."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile("""
        import sys
        def test():
            loaded = {name for name in sys.modules if name.startswith("weblayer.")}
            assert loaded == {"weblayer.loop", "weblayer.loop.plugin"}
    """)
    pytester.runpytest_subprocess("-p", "weblayer.loop.plugin").assert_outcomes(passed=1)


# What is found.


LEFT = {
    "async def test(): asyncio.get_running_loop().call_later(30, print)": "a timer, due in *",
    "def test(reactor): reactor.callLater(30, print)": "a timer, due in *",
    "def test(reactor): LoopingCall(int).start(5)": "a timer, due in *",
    "async def test(): asyncio.create_task(forever())": "a task, forever, made",
    "def test(reactor): reactor.listenTCP(0, SERVER, interface='127.0.0.1')": (
        "a socket at 127.0.0.1:*, made"
    ),
    "def test(reactor): reactor.connectTCP('127.0.0.1', TAKEN, CLIENT); return MOMENT()": (
        "a connection from 127.0.0.1:* to 127.0.0.1:*, made"
    ),
    "def test(reactor): reactor.listenUDP(0, DatagramProtocol(), interface='127.0.0.1')": (
        "a socket at 127.0.0.1:*, made"
    ),
    "def test(reactor): reactor.spawnProcess(ProcessProtocol(), 'sleep', ['sleep', '30'])": (
        "a process, *, made"
    ),
    "async def test(): await asyncio.create_subprocess_exec('sleep', '30')": "a process, *, made",
    "async def test(): asyncio.get_running_loop().run_in_executor(None, EVENT.wait)": (
        "a call in a thread, made"
    ),
}  # fmt: skip

FIXTURES = """
EVENT = threading.Event()
LISTENING = socket.create_server(("127.0.0.1", 0))
TAKEN = LISTENING.getsockname()[1]
SERVER = Factory.forProtocol(Protocol)
CLIENT = ClientFactory.forProtocol(Protocol)
MOMENT = lambda: asyncio.sleep(0.05)
def teardown_module():
    EVENT.set()
    LISTENING.close()
"""


@pytest.mark.parametrize(("text", "words"), LEFT.items(), ids=range(len(LEFT)))
def test_what_is_left_behind_is_named_with_the_line_that_made_it(told, text, words):
    """A timer, a task, a port, a connection, a process, a call in a thread."""
    lines = told(FIXTURES + text)
    assert len(lines) == 1
    assert pytest.LineMatcher(lines).fnmatch_lines([words + "*" + here(11)]) is None


def test_the_first_line_says_what_kinds_are_left(run):
    """Each once; pytest's summary shows no more than that line."""
    text = """
async def test():
    for _ in range(2): asyncio.get_running_loop().call_later(30, print)
    fail(ValueError())
"""
    result = run(text)
    result.stdout.fnmatch_lines(["the test has left behind: timer, error"])


def test_a_process_is_told_by_its_command(told):
    """With its number, which is of use only while it runs."""
    text = """
async def test(reactor):
    reactor.spawnProcess(ProcessProtocol(), sys.executable, ["mine", "-c", "input('a b')"], None)
"""
    pytest.LineMatcher(told(text)).fnmatch_lines(["a process, * (mine -c *a b*), made at *"])


def test_a_timer_keeps_its_place_however_often_it_is_set_again(told):
    """What a looping call set when nobody was calling was made where it was started."""
    lines = told("""
def test(reactor):
    LoopingCall(int).start(0.001)
    return deferLater(reactor, 0.01)""")
    assert [line.endswith(here(3)) for line in lines] == [True]


def test_both_sides_of_a_connection_have_their_places(told):
    """The accepted side belongs to the line that listened."""
    lines = told("""
def test(reactor):
    port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    reactor.connectTCP("127.0.0.1", port.getHost().port, ClientFactory.forProtocol(Protocol))
    return deferLater(reactor, 0.05, port.stopListening)""")
    assert sorted(line.rpartition(":")[2] for line in lines) == [str(ABOVE + 3), str(ABOVE + 4)]


def test_what_no_loop_was_asked_for_is_found_too(told):
    """A plain socket, a plain process, a thread: with what they are and where they stand."""
    lines = told("""
EVENT = threading.Event()
def wait():
    EVENT.wait()
def teardown_module():
    EVENT.set(); KEPT[0].close(); KEPT[1].kill(); KEPT[1].wait()
KEPT = []
async def test():
    KEPT.append(socket.create_server(("127.0.0.1", 0)))
    KEPT.append(subprocess.Popen(["sleep", "30"]))
    threading.Thread(target=wait, name="Ariadne").start()""")
    pytest.LineMatcher(lines).fnmatch_lines(
        ["a socket at 127.0.0.1:*", "a process, *", f"a thread, Ariadne, now at *{here(4)}"]
    )


ERRORS = {
    "async def test(): fail(ValueError('nobody'))": "*ValueError: nobody, never raised",
    "async def test(): succeed(0).addCallback(lambda x: 1 / x)": f"*division*raised at *{here(1)}",
    "async def test(): loop = []; loop.append((loop, fail(ValueError('round'))))": "*round*",
    "async def test(): asyncio.create_task(asyncio.Event().wait()); await asyncio.sleep(0)": (
        f"a task, Event.wait, that was lost as it waited, made at *{here(1)}"
    ),
    "async def test(): asyncio.get_running_loop().call_soon(int, 'x'); await asyncio.sleep(0)": (
        "*invalid literal*"
    ),
}


@pytest.mark.parametrize(("text", "words"), ERRORS.items(), ids=range(len(ERRORS)))
def test_an_error_that_nobody_looked_at_is_left_behind(told, text, words):
    """A failure in a Deferred, also in a cycle, and an error in the loop."""
    pytest.LineMatcher(told(text)).fnmatch_lines([words])


def test_an_error_is_told_to_the_test_that_made_it(run):
    """And not to a later one, in which the collector happens to come by."""
    result = run("""
import gc
KEPT = []
def test_plain():
    loop = []; loop.append((loop, fail(ValueError('not mine'))))
async def test_of_a_loop():
    gc.collect()
""", "-p", "no:logging")  # fmt: skip
    result.assert_outcomes(passed=2)


def test_errors_that_were_looked_at_do_not_count(run):
    """`flushLoggedErrors` gives them, of the types asked for."""
    run("""
async def test(flushLoggedErrors):
    fail(ValueError("mine")), fail(KeyError("mine"))
    assert [repr(e) for e in flushLoggedErrors(KeyError)] == ["KeyError('mine')"]
    assert [repr(e) for e in flushLoggedErrors()] == ["ValueError('mine')"]
    assert flushLoggedErrors() == []
""").assert_outcomes(passed=1)


def test_what_the_test_may_leave_is_left(run):
    """The marker names the kinds."""
    run("""
@pytest.mark.weblayer(mayLeave=["timer"])
async def test(): asyncio.get_running_loop().call_later(30, print)
""").assert_outcomes(passed=1)


def test_what_the_fixtures_clean_up_is_not_left(run):
    """The reckoning comes when all fixtures of the test have ended."""
    run("""
@pytest.fixture
def timer(reactor):
    call = reactor.callLater(30, print)
    yield call
    call.cancel()

async def test(timer):
    assert timer.active()
""").assert_outcomes(passed=1)


def test_what_ends_by_itself_in_a_moment_is_not_left(run):
    """A peer's end of file has to come through the kernel first."""
    run("""
async def test(reactor):
    port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    reader, writer = await asyncio.open_connection("127.0.0.1", port.getHost().port)
    await asyncio.sleep(0.01)
    port.stopListening()
    writer.close()
    threading.Timer(0.02, int).start()
""").assert_outcomes(passed=1)


def test_a_test_that_failed_has_that_to_tell_and_no_more(run):
    """What it left is ended in silence, and the next test does not meet it."""
    result = run("""
async def test_fails(reactor):
    asyncio.create_task(forever())
    reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    assert False
async def test_next():
    assert len(asyncio.all_tasks()) == 1
""")
    result.assert_outcomes(failed=1, passed=1)


def test_what_was_left_is_ended(run):
    """Tasks are cancelled, processes killed, and shutdown triggers called."""
    result = run("""
async def test(reactor):
    async def waits():
        try:
            await forever()
        finally:
            print("cancelled")
    asyncio.create_task(waits())
    await asyncio.sleep(0)
    reactor.addSystemEventTrigger("before", "shutdown", print, "shut down")
""", "-s")  # fmt: skip
    result.stdout.fnmatch_lines(["*cancelled*", "*shut down*"])


async def test_here_too(reactor, clock):
    """Our own suite has the plugin: the reactor is this folder's, the clock the plugin's."""
    assert isinstance(clock, Clock)
