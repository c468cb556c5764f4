"""Processes: real programs, on both loops, that leave no descriptor and no zombie behind."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from weblayer.loop.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from weblayer.loop.loops import new_loop
from weblayer.loop.protocol import ProcessProtocol

ROOT = os.geteuid() == 0


class Child(ProcessProtocol):
    """Remembers what happened; `ended` and `exited` are futures of the reason."""

    def __init__(self, loop, whenReceived=None):
        self.calls, self.data = [], {}
        self.whenReceived = whenReceived or (lambda childFD, data: None)
        self.exited, self.ended = loop.create_future(), loop.create_future()
        self.news = asyncio.Event()

    def connectionMade(self):
        self.calls.append("made")

    def childDataReceived(self, childFD, data):
        super().childDataReceived(childFD, data)
        self.calls.append(("data", childFD))
        self.data[childFD] = self.data.get(childFD, b"") + data
        self.news.set()
        self.whenReceived(childFD, data)

    def childConnectionLost(self, childFD):
        super().childConnectionLost(childFD)
        self.calls.append(("lost", childFD))
        self.news.set()

    def processExited(self, reason):
        self.calls.append("exited")
        self.exited.set_result(reason.value)

    def processEnded(self, reason):
        self.calls.append("ended")
        self.ended.set_result(reason.value)

    async def until(self, sure):
        """Wait until *sure* of this is true; it is asked whenever something has come."""
        while not sure(self):
            self.news.clear()
            await self.news.wait()


def descriptors():
    found = Path("/proc/self/fd")
    return len(list(found.iterdir())) if found.exists() else 0


@pytest.fixture(autouse=True)
def nothing_left():
    """Every descriptor is closed, and every child collected, when a test is over."""
    for kind in ("asyncio", "uvloop"):
        new_loop(kind).close()  # the first one opens descriptors for all that come
    before = descriptors()
    yield
    assert descriptors() <= before
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)


@pytest.fixture(params=["descriptor", "thread"])
def watched(request, monkeypatch):
    """How the exit of a child is noticed: by what the kernel has, or by a thread that waits."""
    if request.param == "thread":
        monkeypatch.delattr(os, "pidfd_open", raising=False)


@pytest.fixture
def spawn(reactor):
    """A function that starts a program with a Child, and gives both."""

    def spawn(*args, whenReceived=None, **kwargs):
        child = Child(reactor.loop, whenReceived)
        return child, reactor.spawnProcess(child, args[0], args, **kwargs)

    return spawn


def python(code):
    return [sys.executable, "-I", "-S", "-c", code]


def test_a_conversation(watched, spawn, drive):
    """What is written is read there, and what is read here was written there; then all ends."""

    async def scenario():
        child, process = spawn("cat")
        process.write(b"one ")
        process.writeSequence([b"two ", b"three"])
        process.closeStdin()
        assert (await child.ended).__class__ is ProcessDone
        assert child.data == {1: b"one two three"}
        assert child.calls[0] == "made"
        assert child.calls[-1] == "ended"
        for once in ("made", "exited", "ended", ("lost", 0), ("lost", 1), ("lost", 2)):
            assert child.calls.count(once) == 1
        assert process.pid is None

    drive(scenario())


def test_a_child_may_be_started_before_the_loop_runs(spawn, drive):
    """And written to: it is there when spawnProcess returns."""
    child, process = spawn("cat")
    assert child.transport is process
    process.write(b"early")
    process.closeStdin()

    async def scenario():
        await child.ended
        assert child.data == {1: b"early"}

    drive(scenario())


@pytest.mark.parametrize(
    ("script", "kind", "exitCode", "number"),
    [
        ("exit 0", ProcessDone, 0, None),
        ("exit 3", ProcessTerminated, 3, None),
        ("kill -9 $$", ProcessTerminated, None, 9),
    ],
)
def test_the_reason_tells_how_it_ended(watched, spawn, drive, script, kind, exitCode, number):
    """The exit code, or the signal, at processExited and at processEnded."""

    async def scenario():
        child, _ = spawn("sh", "-c", script)
        for end in (child.exited, child.ended):
            reason = await end
            assert (type(reason), reason.exitCode, reason.signal) == (kind, exitCode, number)
            ended = exitCode if number is None else -number
            assert os.waitstatus_to_exitcode(reason.status) == ended

    drive(scenario())


def test_output_and_errors_come_apart(reactor, spawn, drive):
    """outReceived and errReceived, inConnectionLost and its like, each for its own pipe."""
    told = []

    class Told(Child):
        def outReceived(self, data):
            told.append(("out", data))

        def errReceived(self, data):
            told.append(("err", data))

        def inConnectionLost(self):
            told.append("in lost")

        def outConnectionLost(self):
            told.append("out lost")

        def errConnectionLost(self):
            told.append("err lost")

    async def scenario():
        child = Told(reactor.loop)
        reactor.spawnProcess(child, "sh", ["sh", "-c", "echo o; echo e >&2"])
        await child.ended
        expected = {("out", b"o\n"), ("err", b"e\n"), "in lost", "out lost", "err lost"}
        assert set(told) == expected
        assert len(told) == len(expected)

    drive(scenario())


class Source:
    """A push producer of *size* bytes, in pieces; knows the most that it wrote unpaused."""

    piece = bytes(range(256)) * 64

    def __init__(self, process, size, soon):
        self.process, self.left, self.soon = process, size, soon
        self.paused, self.stopped, self.pauses = False, False, 0

    def resumeProducing(self):
        self.paused = False
        self.produce()

    def pauseProducing(self):
        self.paused = True
        self.pauses += 1

    def stopProducing(self):
        self.stopped = True

    def produce(self):
        while self.left and not self.paused:
            self.left -= len(self.piece)
            self.process.write(self.piece)
        if not self.left:
            self.left = 0
            self.process.unregisterProducer()
            self.process.closeStdin()


def test_ten_megabytes_go_through_with_backpressure(reactor, spawn, drive):
    """The producer is paused while the child cannot read on, and every byte arrives."""
    size = 10 << 20

    async def scenario():
        child, process = spawn("cat")
        process.pauseProducing()  # cat can write no more, and so soon reads no more
        source = Source(process, size, reactor.loop.call_soon)
        process.registerProducer(source, True)
        source.produce()
        assert source.paused
        assert source.left > size - (1 << 20)
        process.resumeProducing()
        await child.ended
        assert child.data[1] == source.piece * (size // len(source.piece))
        assert source.pauses > 10

    drive(scenario())


def test_ten_megabytes_may_be_written_at_once(spawn, drive):
    """A write never blocks, however little the child reads."""
    data = os.urandom(10 << 20)

    async def scenario():
        child, process = spawn("cat")
        process.write(data)
        process.closeStdin()
        await child.ended
        assert child.data[1] == data

    drive(scenario())


def test_a_producer_is_stopped_when_its_child_is_gone(reactor, spawn, drive):
    """stopProducing is told, as by a connection that is lost."""

    async def scenario():
        child, process = spawn("true")
        source = Source(process, 1 << 20, reactor.loop.call_soon)
        process.registerProducer(source, True)
        await child.ended
        assert source.stopped

    drive(scenario())


def test_pausing_reads_no_more(spawn, drive):
    """What the child writes waits in its pipe until it is resumed."""
    told, tell = os.pipe()
    os.set_blocking(told, False)

    async def scenario():
        loop = asyncio.get_running_loop()
        written = loop.create_future()
        loop.add_reader(told, lambda: written.done() or written.set_result(None))
        child, process = spawn(
            "sh", "-c", "echo out; echo >&5", childFDs={0: "w", 1: "r", 2: "r", 5: tell}
        )
        process.pauseProducing()
        await written
        loop.remove_reader(told)
        await child.exited
        assert child.data == {}
        assert not child.ended.done()
        process.resumeProducing()
        await child.ended
        assert child.data == {1: b"out\n"}

    drive(scenario())
    os.close(told)
    os.close(tell)


def test_writing_to_a_child_that_is_gone_is_no_error(watched, spawn, drive):
    """Neither before we know, nor after."""

    async def scenario():
        child, process = spawn("true")
        process.write(bytes(1 << 20))
        await child.exited
        process.write(b"too late")
        await child.ended
        process.write(b"much too late")
        process.closeStdin()
        process.loseConnection()

    drive(scenario())


def test_a_closed_input_is_noticed_without_writing(spawn, drive):
    """inConnectionLost comes when the child closes its side, though it runs on."""

    async def scenario():
        child, process = spawn("sh", "-c", "exec <&-; read line <&5", childFDs={0: "w", 5: "w"})
        await child.until(lambda child: ("lost", 0) in child.calls)
        assert process.pid is not None
        process.closeChildFD(5)
        await child.ended

    drive(scenario())


@pytest.mark.parametrize("how", ["closeStdout", "loseConnection"])
@pytest.mark.parametrize("extra", [{}, {30: "r"}])
def test_closing_its_output_tells_the_child(spawn, drive, how, extra):
    """A program that writes on is ended by SIGPIPE, which we do not have it ignore."""

    async def scenario():
        child, process = spawn("yes", childFDs={0: "w", 1: "r", 2: "r"} | extra)
        getattr(process, how)()
        assert (await child.ended).signal == signal.SIGPIPE

    drive(scenario())


def test_closing_stderr_alone(spawn, drive):
    """The other pipes stay."""

    async def scenario():
        child, process = spawn("sh", "-c", "echo out; cat")
        process.closeStderr()
        await child.until(lambda child: child.data.get(1) == b"out\n")
        assert ("lost", 2) in child.calls
        assert ("lost", 1) not in child.calls
        process.closeStdin()
        await child.ended

    drive(scenario())


def test_writing_text_is_told(spawn, drive):
    """A TypeError that names what was given."""

    async def scenario():
        child, process = spawn("cat")
        with pytest.raises(TypeError, match="bytes, not str"):
            process.write("text")
        process.closeStdin()
        await child.ended

    drive(scenario())


# The environment, the place and the user.


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [({}, b""), ({"env": {"A": "1"}}, b"A=1\n"), ({"env": {b"B": b"\xff"}}, b"B=\xff\n")],
)
@pytest.mark.parametrize("usePTY", [False, True])
def test_nothing_of_our_environment_is_inherited(spawn, drive, kwargs, expected, usePTY):
    """The child has what it is given, and nothing when it is given nothing."""

    async def scenario():
        child, _ = spawn("env", usePTY=usePTY, **kwargs)
        await child.ended
        assert child.data.get(1, b"").replace(b"\r", b"") == expected

    drive(scenario())


def test_env_none_inherits_all(spawn, drive, monkeypatch):
    """None is our own environment, as it is now."""
    monkeypatch.setenv("WEBLAYER_TEST", "here")

    async def scenario():
        child, _ = spawn("env", env=None)
        await child.ended
        assert b"WEBLAYER_TEST=here\n" in child.data[1]

    drive(scenario())


@pytest.mark.parametrize("usePTY", [False, True])
def test_the_program_is_looked_up_in_the_given_path(spawn, drive, tmp_path, usePTY):
    """PATH of env, not ours; and its arguments are what they are, the first one too."""
    program = tmp_path / "mine"
    program.write_text('#!/bin/sh\necho "$@"')
    program.chmod(0o755)

    async def scenario():
        child, _ = spawn("mine", "a b", "\udcff", env={"PATH": str(tmp_path)}, usePTY=usePTY)
        await child.ended
        assert child.data[1].split(b"\r")[0].strip() == b"a b \xff"

    drive(scenario())


def test_without_arguments_its_name_is_the_first(reactor, spawn, drive):
    """No program has to do without a name."""

    async def scenario():
        child = Child(reactor.loop)
        reactor.spawnProcess(child, "cat").closeStdin()
        assert type(await child.ended) is ProcessDone

    drive(scenario())


@pytest.mark.parametrize("usePTY", [False, True])
def test_it_runs_in_the_given_path(spawn, drive, tmp_path, usePTY):
    """*path* is its folder."""

    async def scenario():
        code = "import os; print(os.getcwd(), end='')"
        child, _ = spawn(*python(code), path=str(tmp_path), usePTY=usePTY)
        await child.ended
        assert child.data[1].decode() == str(tmp_path.resolve())

    drive(scenario())


@pytest.mark.skipif(not ROOT, reason="only root may become somebody else")
@pytest.mark.parametrize("usePTY", [False, True])
@pytest.mark.parametrize(
    ("who", "expected"),
    [({"uid": 65534}, "65534 65534 65534"), ({"uid": 1, "gid": 7}, "1 7 7"), ({"gid": 7}, "0 7 7")],
)
def test_it_runs_as_the_given_user(spawn, drive, usePTY, who, expected):
    """With that user's groups, and none of ours."""

    async def scenario():
        child, _ = spawn("sh", "-c", "echo $(id -u) $(id -g) $(id -G)", usePTY=usePTY, **who)
        await child.ended
        assert child.data[1].decode().strip() == expected

    drive(scenario())


def test_what_cannot_be_started_is_told_at_once(spawn, tmp_path):
    """The operating system's error, from spawnProcess itself; the protocol is told nothing."""
    plain = tmp_path / "plain"
    plain.write_text("")
    remapped = {0: "w", 1: "r", 7: "r"}
    for kwargs in ({}, {"usePTY": True}, {"childFDs": remapped}):
        with pytest.raises(FileNotFoundError, match="no-such-program"):
            spawn("no-such-program", **kwargs)
        with pytest.raises(PermissionError, match="plain"):
            spawn(str(plain), **kwargs)
        with pytest.raises(FileNotFoundError, match="no-such-folder"):
            spawn("true", path=str(tmp_path / "no-such-folder"), **kwargs)


def test_bad_use_is_told(reactor, spawn, drive):
    """Each mistake names the parameter."""
    with pytest.raises(TypeError, match="args"):
        reactor.spawnProcess(Child(reactor.loop), "true", "true")
    with pytest.raises(ValueError, match="childFDs"):
        spawn("true", childFDs={0: "x"})
    with pytest.raises(ValueError, match="usePTY"):
        spawn("true", usePTY=True, childFDs={0: "w"})
    with pytest.raises(ValueError, match="give gid"):
        spawn("true", uid=3_999_999)

    async def scenario():
        child, process = spawn("cat")
        with pytest.raises(ValueError, match="signalID"):
            process.signalProcess("LUNCH")
        with pytest.raises(ValueError, match="those are: 0"):
            process.writeToChild(1, b"")
        process.closeStdin()
        await child.ended

    drive(scenario())


# Descriptors.


def test_other_pipes_than_the_three(spawn, drive):
    """childFDs makes pipes of any number, either way."""

    async def scenario():
        child, process = spawn("sh", "-c", "cat <&5 >&4", childFDs={1: "r", 4: "r", 5: "w"})
        process.writeToChild(5, b"by the fifth")
        process.closeChildFD(5)
        await child.ended
        assert child.data == {4: b"by the fifth"}

    drive(scenario())


def test_descriptors_of_ours(spawn, drive):
    """A number in childFDs is one of ours, which stays open here."""
    reader, writer = os.pipe()
    same = os.dup(writer)

    async def scenario():
        fds = {1: writer, 9: writer, same: same}
        child, _ = spawn(*python(f"import os; [os.write(n, b'x') for n in (1, 9, {same})]"),
                         childFDs=fds)  # fmt: skip
        await child.ended
        assert os.read(reader, 100) == b"xxx"

    drive(scenario())
    for fd in (reader, writer, same):
        os.close(fd)


@pytest.mark.parametrize("extra", [{}, {30: "r"}])
def test_all_other_descriptors_are_closed(spawn, drive, extra):
    """The child has those of childFDs, and /dev/null for what is missing of the first three."""
    code = (
        "import os\n"
        "null = os.stat('/dev/null').st_rdev\n"
        "for n in range(100):\n"
        "    try: print(n, os.fstat(n).st_rdev == null)\n"
        "    except OSError: pass\n"
    )
    leak = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(leak, True)

    async def scenario():
        child, _ = spawn(*python(code), childFDs={1: "r", **extra})
        await child.ended
        seen = dict(line.split() for line in child.data[1].decode().splitlines())
        others = {str(number): "False" for number in extra}
        assert seen == {"0": "True", "1": "False", "2": "True"} | others

    drive(scenario())
    os.close(leak)


def test_any_number_will_do(spawn, drive):
    """Also one that is taken here, by what we use to start the child among others."""
    numbers = range(3, 60)
    code = f"import os; [os.write(n, str(n).encode()) for n in {numbers}]"

    async def scenario():
        child, _ = spawn(*python(code), childFDs=dict.fromkeys(numbers, "r"))
        await child.ended
        assert child.data == {n: str(n).encode() for n in numbers}
        with pytest.raises(FileNotFoundError, match="no-such-program"):
            spawn("no-such-program", childFDs=dict.fromkeys(numbers, "r"))

    drive(scenario())


def test_crossed_descriptors_arrive_where_they_should(spawn, drive):
    """Each number may be the source of another."""
    pairs = [os.pipe() for _ in range(2)]
    (one_r, one), (two_r, two) = pairs

    async def scenario():
        code = f"import os; os.write({one}, b'to two'); os.write({two}, b'to one')"
        child, _ = spawn(*python(code), childFDs={one: two, two: one})
        await child.ended
        assert (os.read(one_r, 9), os.read(two_r, 9)) == (b"to one", b"to two")

    drive(scenario())
    for fd in (one_r, one, two_r, two):
        os.close(fd)


# Signals.


@pytest.mark.parametrize("name", ["TERM", "SIGTERM", "term", 15, signal.SIGTERM])
def test_a_signal_is_sent(watched, spawn, drive, name):
    """By its name or its number."""

    async def scenario():
        child, process = spawn("cat")
        process.signalProcess(name)
        assert (await child.ended).signal == signal.SIGTERM

    drive(scenario())


def test_no_signal_after_the_exit(watched, spawn, drive):
    """ProcessExitedAlready, and never a signal to whoever has the number now."""

    async def scenario():
        child, process = spawn("true")
        await child.ended
        for send in (process.signalProcess, process.signalGroup):
            with pytest.raises(ProcessExitedAlready):
                send("TERM")

    drive(scenario())


def test_a_child_that_others_hold_open(spawn, drive):
    """It exits before it ends: what it has started may still write to its pipes."""

    async def scenario():
        child, process = spawn(
            "sh", "-c", "(read line; echo late) <&5 & exit 3",
            childFDs={0: "w", 1: "r", 2: "r", 5: "w"},
        )  # fmt: skip
        assert (await child.exited).exitCode == 3
        process.writeToChild(5, b"go on\n")
        assert (await child.ended).exitCode == 3
        assert child.data == {1: b"late\n"}

    drive(scenario())


def test_signalGroup_reaches_what_the_child_has_started(spawn, drive):
    """Also when the child itself has exited; the pipes then end, which their holders kept open."""

    async def scenario():
        child, process = spawn("sh", "-c", "sleep 1000 & sleep 1000")
        process.signalGroup("KILL")
        assert (await child.ended).signal == signal.SIGKILL
        child, process = spawn("sh", "-c", "sleep 1000 &")
        await child.exited
        process.signalGroup("KILL")
        assert (await child.ended).exitCode == 0

    drive(scenario())


# Terminals.


def test_a_terminal(spawn, drive):
    """It is 0, 1 and 2 of the child, and the one that controls it; it echoes what is typed."""

    async def scenario():
        child, process = spawn("sh", "-c", "test -t 0 -a -t 1 -a -t 2 && cat; echo end >/dev/tty",
                               usePTY=True)  # fmt: skip
        process.write(b"typed\n\x04")
        assert type(await child.ended) is ProcessDone
        assert child.data[1].replace(b"^D\x08\x08", b"") == b"typed\r\ntyped\r\nend\r\n"
        assert ("lost", 1) in child.calls

    drive(scenario())


def test_a_terminal_of_the_programs_own(spawn, drive):
    """The pair of os.openpty() is taken over, with what was set there before."""
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)

    async def scenario():
        child, _ = spawn("tty", usePTY=(ours, theirs, name))
        await child.ended
        assert child.data[1].decode().strip() == name

    drive(scenario())


def test_hanging_up(spawn, drive):
    """loseConnection closes the terminal, and the child is told by SIGHUP."""

    async def scenario():
        child, process = spawn("sh", "-c", "echo here; exec sleep 1000", usePTY=True)
        await child.until(lambda child: 1 in child.data)
        process.closeStdin()  # of no effect: a terminal has but one end
        process.loseConnection()
        assert (await child.ended).signal == signal.SIGHUP

    drive(scenario())


def test_sessions(spawn, drive):
    """A child has a session of its own, unless it is given a terminal of ours."""
    ours, theirs = os.openpty()

    async def scenario():
        child, _ = spawn(*python("import os; print(os.getsid(0) == os.getpid())"))
        await child.ended
        assert child.data[1] == b"True\n"
        code = f"import os; print(os.getsid(0) == {os.getsid(0)})"
        child, process = spawn(*python(code), childFDs={0: theirs, 1: "r"})
        process.signalGroup("CONT")  # it alone, and not us
        await child.ended
        assert child.data[1] == b"True\n"

    drive(scenario())
    os.close(ours)
    os.close(theirs)


# Errors of the program.


def test_an_error_in_outReceived_closes_that_pipe(spawn, drive, caplog):
    """It is logged, and the child goes on until it writes."""

    def fail(childFD, data):
        raise KeyError("mine")

    async def scenario():
        child, _ = spawn("yes", whenReceived=fail)
        assert (await child.ended).signal == signal.SIGPIPE

    drive(scenario())
    assert [record.exc_info[0] for record in caplog.records] == [KeyError]


def test_an_error_in_connectionMade_ends_the_child(reactor, spawn, drive):
    """It is raised where the child was started, and there is no child."""

    class Broken(Child):
        def connectionMade(self):
            raise KeyError("mine")

    async def scenario():
        child = Broken(reactor.loop)
        with pytest.raises(KeyError):
            reactor.spawnProcess(child, "cat", ["cat"])
        assert (await child.ended).signal == signal.SIGKILL

    drive(scenario())


# The end of the reactor.


def test_stopping_ends_the_children(reactor, spawn, drive):
    """They are asked by SIGTERM, with what they have started, and waited for."""

    async def scenario():
        child, _ = spawn("sh", "-c", "trap 'echo bye; exit 5' TERM; echo here; sleep 1000 & wait")
        await child.until(lambda child: 1 in child.data)
        await reactor.fireSystemEvent("shutdown")
        assert (await child.ended).exitCode == 5
        assert child.data[1] == b"here\nbye\n"

    drive(scenario())


def test_what_does_not_end_is_killed(reactor, spawn, drive):
    """At the end of the shutdown's seconds, and processEnded is told."""
    reactor.shutdownTimeout = 0.05

    async def scenario():
        child, _ = spawn("sh", "-c", "trap '' TERM; echo here; sleep 1000 & sleep 1000; sleep 1000")
        await child.until(lambda child: 1 in child.data)
        await reactor.fireSystemEvent("shutdown")
        assert (await child.ended).signal == signal.SIGKILL

    drive(scenario())


def test_what_starts_during_the_end_is_ended_too(reactor, spawn, drive):
    """A program that starts another whenever one ends does not outwit the shutdown."""
    others = []

    class Again(Child):
        def processEnded(self, reason):
            super().processEnded(reason)
            if not others:
                others.append(spawn("cat")[0])

    async def scenario():
        reactor.spawnProcess(Again(reactor.loop), "cat", ["cat"])
        await reactor.fireSystemEvent("shutdown")
        assert others[0].ended.result().signal == signal.SIGTERM

    drive(scenario())


def test_crashing_kills_the_children(reactor, spawn):
    """run() leaves none, however it ends."""
    child, _ = spawn("sh", "-c", "trap '' TERM; sleep 1000 & sleep 1000; sleep 1000")
    reactor.callWhenRunning(reactor.crash)
    reactor.run()
    assert child.ended.result().signal == signal.SIGKILL


EXIT = """
import asyncio, os, sys
from weblayer.loop.loops import new_loop
from weblayer.loop.protocol import ProcessProtocol
from weblayer.loop.reactor import Reactor

async def main():
    process = Reactor(asyncio.get_running_loop()).spawnProcess(
        ProcessProtocol(), "sh", ["sh", "-c", "sleep 1000 & wait"], childFDs={5: int(sys.argv[1])})
    if not os.fork():
        sys.exit()  # as a worker of ours would
    os.wait()
    process.signalProcess(0)

asyncio.run(main())
print("over", flush=True)
"""


def test_no_orphan_when_python_exits(monkeypatch):
    """What still runs is killed, though nobody stopped a reactor; and not by a fork of us."""
    reader, writer = os.pipe()
    command = [sys.executable, "-W", "ignore", "-c", EXIT, str(writer)]
    ran = subprocess.run(command, pass_fds=[writer], capture_output=True, text=True, timeout=20)
    os.close(writer)
    assert (ran.stdout, ran.returncode) == ("over\n", 0), ran.stderr
    # The pipe is at its end when nobody has the other side of it: neither the shell nor sleep.
    assert select.select([reader], [], [], 20)[0]
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_many_at_once(spawn, drive):
    """Each gets its own bytes and its own end."""

    async def scenario():
        children = []
        for number in range(40):
            child, process = spawn("sh", "-c", f"cat; exit {number}")
            process.write(b"%d" % number)
            process.closeStdin()
            children.append(child)
        for number, child in enumerate(children):
            assert (await child.ended).exitCode == number
            assert child.data[1] == b"%d" % number

    drive(scenario())
