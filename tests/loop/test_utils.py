"""Programs that are run for what they say."""

import asyncio
import os
import signal

import pytest

from weblayer.loop.error import ProcessSignalled, UnexpectedErrorOutput
from weblayer.loop.utils import getProcessOutput, getProcessOutputAndValue, getProcessValue

ALL = [getProcessOutput, getProcessValue, getProcessOutputAndValue]


@pytest.fixture(autouse=True)
def nothing_left():
    """Every child is collected when a test is over."""
    yield
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)


def test_the_output(reactor, drive):
    """Standard output, of a program that reads no input, whatever its exit code."""

    async def scenario():
        assert await getProcessOutput("sh", ["-c", "cat; echo out; exit 3"]) == b"out\n"

    drive(scenario())


def test_unexpected_errors_fail(reactor, drive):
    """What was written to standard error is in the failure, and the output too."""

    async def scenario():
        with pytest.raises(UnexpectedErrorOutput, match="to standard error: b'err") as told:
            await getProcessOutput("sh", ["-c", "echo out; echo err >&2"])
        assert (told.value.out, told.value.err) == (b"out\n", b"err\n")

    drive(scenario())


def test_errors_too(reactor, drive):
    """With errortoo both are the output."""

    async def scenario():
        output = await getProcessOutput("sh", ["-c", "echo out; echo err >&2"], errortoo=True)
        assert sorted(output.split()) == [b"err", b"out"]

    drive(scenario())


@pytest.mark.parametrize("code", [0, 7])
def test_the_value(reactor, drive, code):
    """The exit code, and nothing is said of the output."""

    async def scenario():
        assert await getProcessValue("sh", ["-c", f"echo out; echo err >&2; exit {code}"]) == code

    drive(scenario())


def test_everything(reactor, drive):
    """Both outputs and the exit code; the program reads what it is given, however much."""
    data = os.urandom(1 << 20)

    async def scenario():
        told = await getProcessOutputAndValue(
            "sh", ["-c", "cat; echo err >&2; exit 3"], stdinBytes=data
        )
        assert told == (data, b"err\n", 3)

    drive(scenario())


@pytest.mark.parametrize("run", [getProcessValue, getProcessOutputAndValue])
def test_a_signal_is_no_value(reactor, drive, run):
    """It fails, with the signal and with what had been written."""

    async def scenario():
        with pytest.raises(ProcessSignalled, match="signal 9") as told:
            await run("sh", ["-c", "echo out; kill -9 $$"])
        assert (told.value.signal, told.value.out, told.value.err) == (9, b"out\n", b"")

    drive(scenario())


@pytest.mark.parametrize("run", ALL)
def test_a_program_that_cannot_be_started(reactor, drive, run):
    """The Deferred fails with the operating system's error."""

    async def scenario():
        with pytest.raises(FileNotFoundError, match="no-such-program"):
            await run("no-such-program")

    drive(scenario())


@pytest.mark.parametrize("run", ALL)
def test_the_environment_and_the_place(reactor, drive, tmp_path, run):
    """They are as told, and the environment is empty when nothing is told."""

    async def scenario():
        script = 'test "$A" = 1 -a -z "$HOME" -a "$PWD" = "$B" || exit 1; echo yes'
        where = str(tmp_path.resolve())
        told = await run("sh", ["-c", script], env={"A": "1", "B": where}, path=where)
        assert told in (b"yes\n", 0, (b"yes\n", b"", 0))

    drive(scenario())


@pytest.mark.parametrize("run", ALL)
def test_cancelling_kills(reactor, drive, tmp_path, run):
    """The program and what it has started, which hold a pipe open as long as they live."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    script = f"trap '' TERM; exec 9>{pipe}; sleep 1000 & echo here >&9; sleep 1000; sleep 1000"

    async def until_readable():
        ready = reactor.loop.create_future()
        reactor.loop.add_reader(reader, lambda: ready.done() or ready.set_result(None))
        await ready
        reactor.loop.remove_reader(reader)
        return os.read(reader, 100)

    async def scenario():
        running = run("sh", ["-c", script])
        assert await until_readable() == b"here\n"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await until_readable() == b""

    drive(scenario())
    os.close(reader)


def test_a_time_limit(reactor, drive):
    """addTimeout cancels, and so kills."""

    async def scenario():
        with pytest.raises(TimeoutError):
            await getProcessOutput("sleep", ["1000"]).addTimeout(0.01)

    drive(scenario())


def test_on_another_reactor(reactor, drive):
    """Where the program is started is a parameter."""

    async def scenario():
        running = getProcessValue("cat", ["/dev/zero"], reactor=reactor)
        await reactor.fireSystemEvent("shutdown")
        with pytest.raises(ProcessSignalled) as told:
            await running
        assert told.value.signal == signal.SIGTERM

    drive(scenario())
