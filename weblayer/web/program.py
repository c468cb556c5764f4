"""A program that works for one request: its pipes, its time, and its end.

Theory. The body goes to its standard input as fast as it reads; what it writes is iterated over,
and it waits when nobody does; what it says on standard error goes to the log. Its life is the
request's: when the answer is whole, or the client has gone, it is ended with all that it has
started (SIGTERM to its process group, then SIGKILL), and only when it and its pipes are gone is its
place at the turnstile free.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from typing import Any

from weblayer.loop.error import ConnectionLost
from weblayer.loop.failure import Failure
from weblayer.loop.loops import current_loop
from weblayer.loop.protocol import ProcessProtocol
from weblayer.loop.reactor import Reactor
from weblayer.web.errors import Error
from weblayer.web.gate import Gate
from weblayer.web.request import Request
from weblayer.web.turnstile import Turnstile

__all__ = ["PROGRAMS", "TIMEOUT", "Program", "ProgramError"]

log = logging.getLogger("weblayer")

# Those of the whole server, unless it is said otherwise. 32 that hold 30 MB each, as PHP does, are
# a gigabyte; 256 in line are seen to within a minute where each needs five seconds.
PROGRAMS = Turnstile(32, 256)

# Seconds of silence, as nginx allows a FastCGI program.
TIMEOUT = 60.0

# 64 KiB waiting for a slow client, then the program waits: what its pipe holds (Linux).
HIGH = 64 * 1024

# Seconds that a program may go on when its answer is whole, as in Apache; the client waits at most
# as long to hear whether it crashed.
GRACE = 3.0
VERDICT = 1.0

# Seconds between being asked to end and being ended: within a second nothing is left.
MERCY = 0.5

# The first this many bytes of what it complains of are kept; a stranger may choose how many it has.
MOST_SAID = 16 * 1024

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class ProgramError(Error):
    """502 or 504: a program did not do its part; *why* is for the log alone."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(code)
        self._why = why

    def __str__(self) -> str:
        return f"{self.code}: {self._why}"


class Program(ProcessProtocol):
    """Runs for *request*, and is what it writes: iterate over it once it is started.

    It may be silent for *timeout* seconds, in which neither the client nor we keep it waiting.
    From the iteration come ProgramError, and what is wrong with the request's body (413, 408).
    """

    # Whether an exit code other than 0 spoils the answer. A crash (a signal) always does.
    is_strict = False

    def __init__(self, request: Request, turnstile: Turnstile, timeout: float) -> None:
        self.request = request
        self.name = ""
        self._asked = f"{request.method} {request.path}"  # before any local redirect
        self._turnstile, self._patience = turnstile, timeout
        self._loop = current_loop()
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._said = bytearray()
        self._error: Exception | None = None
        self._reason: Failure | None = None
        self._closed = self._paused = self._ending = self._over = self._awaits_client = False
        self._news: asyncio.Future[None] | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0  # of the last sign of life

    async def start(
        self, reactor: Reactor | None, args: Sequence[str], env: Mapping[str, str], path: str | None
    ) -> None:
        """Run *args* when its turn has come, with no variables but *env*, in the folder *path*.

        Raises ServiceUnavailable when there is no room for it, OSError when it cannot be started.
        """
        self.name = args[0]
        await self._turnstile.enter()
        try:
            self._spawn(reactor or Reactor(self._loop), args, env, path)
        except BaseException:
            self._turnstile.leave()
            raise
        self._touch()
        self._look()
        self.request.notifyFinish().addBoth(lambda _: self._finished())

    def stop(self) -> None:
        """Its answer is not needed: end it now."""
        if not self._ending:
            self._wind_up()
            self._terminate()

    def fail(self, error: Exception) -> None:
        """Have the iteration raise *error*, and end."""
        if self._error is None and not self._ending:
            self._error = error
            self.stop()

    # The iteration

    def __aiter__(self) -> "Program":
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._closed:
                await self._judge()
                raise StopAsyncIteration
            await self._change()
        piece = self._pieces.popleft()
        self._held -= len(piece)
        if self._paused and self._held < HIGH:
            self._resume()
        return piece

    async def has_more(self, seconds: float) -> bool:
        """Whether it has written more, or has ended, within so many seconds."""
        return await self._until(
            lambda: bool(self._pieces) or self._closed or self._error is not None, seconds
        )

    def put_back(self, piece: bytes) -> None:
        """Have the iteration give *piece*, of which it has given too much, again."""
        if piece:
            self._pieces.appendleft(piece)
            self._held += len(piece)

    # What the pipes tell us

    def outReceived(self, data: bytes) -> None:
        self._touch()
        if self._ending:
            return
        self._pieces.append(data)
        self._held += len(data)
        if self._held >= HIGH and not self._paused:
            self._paused = True
            self.transport.pauseProducing()
        self._wake()

    def errReceived(self, data: bytes) -> None:
        self._said += data[: MOST_SAID - len(self._said)]

    def inConnectionLost(self) -> None:
        if self._feeding is not None:
            self._feeding.cancel()  # it reads no more, whatever else the client sends

    def outConnectionLost(self) -> None:
        self._closed = True
        if not self._ending:
            self._stop_timer()  # there is nothing more to be heard
        self._wake()

    def processExited(self, reason: Failure) -> None:
        self._reason = reason
        self._wake()

    def processEnded(self, reason: Failure) -> None:
        self._over = True
        self._stop_timer()
        self._turnstile.leave()
        if self._said:
            told = self._asked, self.request.id, self.name, _shown(self._said)
            log.warning("%s (request %s): %s says:\n%s", *told)

    # Its beginning

    def _spawn(
        self, reactor: Reactor, args: Sequence[str], env: Mapping[str, str], path: str | None
    ) -> None:
        request = self.request
        if request.lost:
            raise ConnectionLost("the client left before its program was started")
        brings_body = request._head.facts.length != 0
        pipes: dict[int, int | str] = {1: "r", 2: "r"}
        if brings_body:
            pipes[0] = "w"
        # Bytes, so that what the client sent arrives as it was sent in any locale.
        told = {_raw(name): _raw(value) for name, value in env.items()}
        reactor.spawnProcess(self, args[0], args, told, path, childFDs=pipes)
        if brings_body:
            self._feeding = self._loop.create_task(self._feed(request.stream()))

    async def _feed(self, body: AsyncIterator[bytes]) -> None:
        gate = Gate()
        self.transport.registerProducer(gate, True)
        try:
            while (piece := await self._next(body)) is not None:
                self.transport.write(piece)
                await gate.opened()
        except Exception as error:
            self.fail(error)
        finally:
            self.transport.unregisterProducer()
            self.transport.closeStdin()

    async def _next(self, body: AsyncIterator[bytes]) -> bytes | None:
        self._awaits_client = True
        try:
            return await anext(body, None)
        finally:
            self._awaits_client = False
            self._touch()

    # Its time

    def _touch(self) -> None:
        self._since = self._loop.time()

    def _look(self) -> None:
        """Give it up when it has been silent for too long; else look again when it may have."""
        if self._paused or self._awaits_client:
            self._touch()  # clients that are slow have deadlines of their own
        left = self._since + self._patience - self._loop.time()
        if left == inf:
            return
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self.fail(ProgramError(504, f"{self.name} was silent for {self._patience:g} seconds"))

    def _resume(self) -> None:
        self._paused = False
        self._touch()
        self.transport.resumeProducing()

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    await self._change()
        except TimeoutError:
            return False
        return True

    async def _change(self) -> None:
        self._news = self._loop.create_future()
        await self._news

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # Its end

    async def _judge(self) -> None:
        """It writes no more. Raises ProgramError when it crashed: what it wrote is not whole."""
        if not await self._until(lambda: self._reason is not None, VERDICT):
            return  # it has closed its output, and works on: Apache lets it, too
        if self._ending:
            return  # by us
        # Any: a ProcessDone or ProcessTerminated, as ProcessProtocol says.
        how: Any = self._reason and self._reason.value
        if how.signal is not None or (self.is_strict and how.exitCode):
            raise ProgramError(502, f"{self.name}: {how}")

    def _finished(self) -> None:
        """The answer is whole, or the client has gone."""
        if self.request.lost:
            self.stop()
        elif not self._ending:
            self._wind_up()
            if not self._over:
                self._timer = self._loop.call_later(GRACE, self._terminate)

    def _wind_up(self) -> None:
        """Nothing more comes or goes: what it still writes is dropped."""
        self._ending = True
        self._stop_timer()
        self._pieces.clear()
        if self._feeding is not None:
            self._feeding.cancel()
        if self._paused:
            self._resume()
        self.transport.closeStdin()
        self._wake()

    def _terminate(self) -> None:
        if not self._over:
            self._signal("TERM")
            self._timer = self._loop.call_later(MERCY, self._kill)

    def _kill(self) -> None:
        self._signal("KILL")
        # Who has left the group may hold them open for ever.
        self.transport.loseConnection()

    def _signal(self, name: str) -> None:
        with suppress(PermissionError):  # it runs as somebody else: its pipes are all we have
            self.transport.signalGroup(name)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _shown(said: bytearray) -> str:
    """What a program said, so that no line of it is taken for one of the log's own."""
    text = said.decode("utf-8", "replace").rstrip()
    text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return "    " + text.replace("\n", "\n    ")
