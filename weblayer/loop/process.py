"""A child: the pipes and the exit of a program that we have started, and all such programs.

A child is over when it has exited and its pipes have ended; these are two things, in either
order, because what it started itself may hold a pipe open, and because a pipe may still be full
when its writer is gone. Each pipe is a Connection with the transport that a socket has.
"""

import asyncio
import atexit
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from signal import SIGKILL, SIGTERM, Signals
from subprocess import Popen, TimeoutExpired

from weblayer.loop.address import Address
from weblayer.loop.connection import Connection
from weblayer.loop.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from weblayer.loop.failure import Failure
from weblayer.loop.pipes import open_pipe
from weblayer.loop.protocol import (
    IProcessProtocol,
    IProtocol,
    IPullProducer,
    IPushProducer,
    ITransport,
)
from weblayer.loop.reap import watch_exit
from weblayer.loop.spawn import Order, Wiring, start, wire_pipes, wire_terminal
from weblayer.loop.transport import guarded

__all__ = ["PIPES", "Children", "Process"]

log = logging.getLogger("weblayer")

# What a child has unless it is told otherwise.
PIPES: Mapping[int, int | str] = {0: "w", 1: "r", 2: "r"}

# Seconds that a killed process is waited for; it is gone at once unless the kernel is stuck.
REAPING = 1.0


class Process:
    """A program that runs, as its ProcessProtocol sees it. Made by `spawnProcess`.

    *pid* is its number, None once it has exited.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: IProcessProtocol,
        child: "Popen[bytes]", wiring: Wiring, children: "Children",
    ) -> None:  # fmt: skip
        self.pid: int | None = child.pid
        self._protocol, self._child, self._children = protocol, child, children
        self._is_apart, self._is_terminal = wiring.apart, wiring.terminal
        self._reason: Failure | None = None
        self._over = False
        self._open: set[_End] = set()
        self._inputs: dict[int, ITransport] = {}
        self._outputs: dict[int, ITransport] = {}
        self._attach(loop, wiring)
        self._forget_exit = watch_exit(loop, child, self._exited)

    # Writing.

    def write(self, data: bytes) -> None:
        """Write to the program's standard input, or terminal; of no effect once that is closed."""
        self.writeToChild(0, data)

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        """Write *pieces* as one."""
        self.writeToChild(0, b"".join(pieces))

    def writeToChild(self, childFD: int, data: bytes) -> None:
        """Write to a pipe that the program reads as its descriptor *childFD*."""
        self._input(childFD).write(data)

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """Let *producer* write to standard input as fast as the program reads, as a socket's."""
        self._input(0).registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """The producer is done; a closeStdin() that waited for it goes on."""
        self._input(0).unregisterProducer()

    # Reading.

    def pauseProducing(self) -> None:
        """Read no more for now; when its pipes are full, the program waits."""
        for transport in self._outputs.values():
            transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on after pauseProducing."""
        for transport in self._outputs.values():
            transport.resumeProducing()

    def stopProducing(self) -> None:
        """The same as loseConnection, for a consumer that we are the producer of."""
        self.loseConnection()

    # Ending.

    def closeStdin(self) -> None:
        """Close standard input once all that was written is sent: the program sees its end."""
        self.closeChildFD(0)

    def closeStdout(self) -> None:
        """Read no more of standard output; the program is told (SIGPIPE) when it writes to it."""
        self.closeChildFD(1)

    def closeStderr(self) -> None:
        """Read no more of standard error."""
        self.closeChildFD(2)

    def closeChildFD(self, childFD: int) -> None:
        """Close our end of a pipe; of no effect on a terminal, which has but one for all.

        (To end the input of a program on a terminal, write b"\\x04".)
        """
        if self._is_terminal:
            return
        for transports in (self._inputs, self._outputs):
            if childFD in transports:
                transports[childFD].loseConnection()

    def loseConnection(self) -> None:
        """Close every pipe, the input once it is written, or hang up the terminal.

        Most programs then end by themselves; `signalProcess` makes the others.
        """
        for transport in [*self._inputs.values(), *self._outputs.values()]:
            transport.loseConnection()

    def signalProcess(self, signalID: str | int) -> None:
        """Send a signal, "TERM" or 15, to the program. Raises ProcessExitedAlready, ValueError."""
        number = _number(signalID)
        if self.pid is None or self._child.poll() is not None:
            raise ProcessExitedAlready(f"process {self._child.pid} has exited")
        os.kill(self.pid, number)

    def signalGroup(self, signalID: str | int) -> None:
        """Send a signal to the program and to what it has started, unless that left its group.

        Also when the program has exited and others have its pipes; raises ProcessExitedAlready
        after processEnded. One that shares our terminal has no group of its own: it alone is
        sent the signal.
        """
        number = _number(signalID)
        if self._over:
            raise ProcessExitedAlready(f"process {self._child.pid} has ended, with all its pipes")
        if not self._is_apart:
            self.signalProcess(number)
            return
        # The number of a group is not given away while it has members, such as who has our pipes.
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)

    def _end_group(self, number: int) -> None:
        with suppress(ProcessExitedAlready, PermissionError):
            self.signalGroup(number)

    def _kill(self) -> None:
        """End it and what it has started, now; what its pipes still hold is dropped."""
        self._end_group(SIGKILL)
        for transport in [*self._inputs.values(), *self._outputs.values()]:
            transport.abortConnection()
        try:
            self._child.wait(REAPING)
        except TimeoutExpired:
            log.exception("process %d was killed and does not end", self._child.pid)
        else:
            self._exited()

    # Inside.

    def _attach(self, loop: asyncio.AbstractEventLoop, wiring: Wiring) -> None:
        if wiring.terminal:
            ends = [(1, wiring.outputs[1], True, True)]
        else:
            ends = [(number, fd, False, True) for number, fd in wiring.inputs.items()]
            ends += [(number, fd, True, False) for number, fd in wiring.outputs.items()]
        for number, fd, reads, writes in ends:
            end = _End(loop, number, self._protocol, self._closed)
            self._open.add(end)
            transport = open_pipe(loop, fd, end, reads=reads, writes=writes).transport
            if reads:
                self._outputs[number] = transport
            if writes:
                self._inputs[0 if wiring.terminal else number] = transport

    def _input(self, childFD: int) -> ITransport:
        try:
            return self._inputs[childFD]
        except KeyError:
            known = ", ".join(map(str, self._inputs)) or "none"
            raise ValueError(
                f"childFD {childFD} is no pipe that this process reads; those are: {known}"
            ) from None

    def _exited(self) -> None:
        """The program has exited: collect its status and tell so."""
        self._forget_exit()
        if self._reason is not None:
            return
        code = self._child.wait()
        self.pid = None
        self._reason = Failure(_reason(code))
        guarded(partial(self._protocol.processExited, self._reason))
        self._settle()

    def _closed(self, end: "_End") -> None:
        self._open.discard(end)
        self._settle()

    def _settle(self) -> None:
        if self._reason is not None and not self._open and not self._over:
            self._over = True
            self._children.discard(self)
            guarded(partial(self._protocol.processEnded, self._reason))


class _End:
    """Our end of one pipe: the owner of its connection, and the protocol of it."""

    soon: Callable[[Callable[[], object]], object]

    def __init__(
        self, loop: asyncio.AbstractEventLoop, number: int, protocol: IProcessProtocol,
        closed: Callable[["_End"], None],
    ) -> None:  # fmt: skip
        self.soon = loop.call_soon
        self.dataReceived = partial(protocol.childDataReceived, number)
        self._tell = partial(protocol.childConnectionLost, number)
        self._closed = closed

    def buildProtocol(self, addr: Address) -> IProtocol:
        return self

    def opened(self, connection: Connection) -> None:
        pass

    def makeConnection(self, transport: ITransport) -> None:
        pass

    def connectionLost(self, reason: Failure) -> None:
        self._tell()

    def lost(self, connection: Connection, reason: Failure) -> None:
        self._closed(self)


class Children:
    """The programs that a reactor has started, and that have not ended.

    Those that still run when Python exits are killed, so that there is no orphan.
    """

    def __init__(self) -> None:
        self._running: set[Process] = set()
        self._changed: asyncio.Event | None = None
        self._owner = os.getpid()

    def spawn(
        self, loop: asyncio.AbstractEventLoop, protocol: IProcessProtocol, order: Order,
        usePTY: bool | tuple[int, int, str], childFDs: Mapping[int, int | str] | None,
    ) -> Process:  # fmt: skip
        """Start a program and have *protocol* begin. Raises OSError, ValueError, TypeError."""
        if not usePTY:
            wiring = wire_pipes(PIPES if childFDs is None else childFDs)
        elif childFDs is None:
            wiring = wire_terminal(usePTY if isinstance(usePTY, tuple) else None)
        else:
            raise ValueError("childFDs cannot be given with usePTY: a terminal is 0, 1 and 2")
        try:
            child = start(order, wiring)
        except BaseException:
            wiring.close()
            raise
        process = Process(loop, protocol, child, wiring, self)
        self._add(process)
        try:
            protocol.makeConnection(process)
        except BaseException:
            process._kill()
            raise
        return process

    def discard(self, process: Process) -> None:
        """One has ended."""
        self._running.discard(process)
        if not self._running:
            atexit.unregister(self._at_exit)
            if self._changed is not None:
                self._changed.set()

    async def close(self, seconds: float) -> None:
        """Ask all to end (SIGTERM), and kill those that have not in *seconds*."""
        if not self._running:
            return
        self._changed = asyncio.Event()
        for process in list(self._running):
            process._end_group(SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                while self._running:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self.abort()
            await asyncio.sleep(0)  # in which their pipes' ends are told
        finally:
            self._changed = None

    def abort(self) -> None:
        """Kill all, with what they have started, and collect them."""
        for process in self._running:
            process._end_group(SIGKILL)
        for process in list(self._running):
            process._kill()

    def _add(self, process: Process) -> None:
        if not self._running:
            atexit.register(self._at_exit)
        self._running.add(process)
        if self._changed is not None:  # started while the others are being ended
            process._end_group(SIGTERM)

    def _at_exit(self) -> None:
        if self._owner == os.getpid():  # else we are a fork, and they are not ours
            for process in self._running:
                process._end_group(SIGKILL)


def _reason(code: int) -> Exception:
    if code == 0:
        return ProcessDone()
    return ProcessTerminated(None, -code) if code < 0 else ProcessTerminated(code)


def _number(signalID: str | int) -> int:
    if isinstance(signalID, int):
        return signalID
    name = signalID.upper()
    try:
        return Signals[name if name.startswith("SIG") else f"SIG{name}"]
    except KeyError:
        raise ValueError(
            f'signalID must be a number or the name of a signal such as "TERM", not {signalID!r}'
        ) from None
