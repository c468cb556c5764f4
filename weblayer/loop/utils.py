"""Running a program for what it says: its output, its exit code, or both.

The program reads end of file, or what it is given, from standard input. Cancelling one of these
Deferreds kills it, with what it has started, and fires when it has ended.
"""

from collections.abc import Sequence

from weblayer.loop.deferred import CANCELLING, CancelledError, Deferred, fail
from weblayer.loop.error import (
    ProcessDone,
    ProcessSignalled,
    ProcessTerminated,
    UnexpectedErrorOutput,
)
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import ProcessProtocol
from weblayer.loop.reactor import Reactor, reactorHere
from weblayer.loop.spawn import NO_ENVIRONMENT, Environment

__all__ = ["getProcessOutput", "getProcessOutputAndValue", "getProcessValue"]

Text = str | bytes


def getProcessOutput(
    executable: Text, args: Sequence[Text] = (), env: Environment | None = NO_ENVIRONMENT,
    path: Text | None = None, reactor: Reactor | None = None, errortoo: bool = False,
) -> Deferred[bytes]:  # fmt: skip
    """Run a program; fires with its standard output, whatever its exit code.

    *args* are without the program's own name; *env* and *path* are as of `spawnProcess`. What it
    writes to standard error is added to the output where *errortoo*, as it comes, else it makes
    this fail with UnexpectedErrorOutput at the end. Fails with OSError when it cannot be started.
    """

    def output(run: _Run) -> bytes:
        if run.err and not errortoo:
            raise UnexpectedErrorOutput(bytes(run.out), bytes(run.err))
        return bytes(run.out)

    return _run(_Run(b"", errortoo), executable, args, env, path, reactor).addCallback(output)


def getProcessValue(
    executable: Text, args: Sequence[Text] = (), env: Environment | None = NO_ENVIRONMENT,
    path: Text | None = None, reactor: Reactor | None = None,
) -> Deferred[int]:  # fmt: skip
    """Run a program; fires with its exit code, or fails with ProcessSignalled or OSError."""
    return _run(_Run(), executable, args, env, path, reactor).addCallback(_Run.value)


def getProcessOutputAndValue(
    executable: Text, args: Sequence[Text] = (), env: Environment | None = NO_ENVIRONMENT,
    path: Text | None = None, reactor: Reactor | None = None, *, stdinBytes: bytes | None = None,
) -> Deferred[tuple[bytes, bytes, int]]:  # fmt: skip
    """Run a program; fires with (standard output, standard error, exit code).

    *stdinBytes* is what it reads. Fails with ProcessSignalled, which has the two outputs, when a
    signal has ended it, and with OSError when it cannot be started.
    """

    def everything(run: _Run) -> tuple[bytes, bytes, int]:
        return bytes(run.out), bytes(run.err), run.value()

    run = _Run(stdinBytes or b"")
    return _run(run, executable, args, env, path, reactor).addCallback(everything)


class _Run(ProcessProtocol):
    """A program under way, and what it has written; *done* fires with this when it has ended."""

    def __init__(self, given: bytes = b"", merges: bool = False) -> None:
        self.out = bytearray()
        self.err = self.out if merges else bytearray()
        self.done: Deferred[_Run] = Deferred(self._cancel)
        self._given = given
        self._cancelled = False
        self._reason: Failure | None = None

    def value(self) -> int:
        """The exit code. Raises ProcessSignalled."""
        assert self._reason is not None
        end = self._reason.value
        assert isinstance(end, ProcessDone | ProcessTerminated)
        if end.exitCode is None:
            raise ProcessSignalled(end.signal, bytes(self.out), bytes(self.err))
        return end.exitCode

    def connectionMade(self) -> None:
        self.transport.write(self._given)
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self.out += data

    def errReceived(self, data: bytes) -> None:
        self.err += data

    def processEnded(self, reason: Failure) -> None:
        self._reason = reason
        if self._cancelled:
            self.done.errback(CancelledError())
        else:
            self.done.callback(self)

    def _cancel(self, _: object) -> object:
        self._cancelled = True
        self.transport.signalGroup("KILL")
        self.transport.loseConnection()  # what has left the group may hold a pipe open
        return CANCELLING


def _run(
    run: _Run, executable: Text, args: Sequence[Text], env: Environment | None,
    path: Text | None, reactor: Reactor | None,
) -> Deferred[_Run]:  # fmt: skip
    reactor = reactor or reactorHere()
    try:
        reactor.spawnProcess(run, executable, [executable, *args], env, path)
    except OSError as error:
        return fail(error)
    return run.done
