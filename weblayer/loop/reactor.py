"""The reactor: the field's face of an asyncio event loop.

It keeps what a loop does not tell: which delayed calls wait, which ports and connections
are open, and what is to be done at start and stop. All else is the loop's.

There are two ways to use one. A program that is nothing else calls `run`, and the reactor
takes, runs and closes a loop. In a loop that somebody else runs, `Reactor(loop)` listens,
connects and times at once, and is never run.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, ParamSpec

from weblayer.loop import loops
from weblayer.loop.deferred import Deferred
from weblayer.loop.error import ReactorAlreadyRunning, ReactorNotRestartable, ReactorNotRunning
from weblayer.loop.network import Network
from weblayer.loop.ports import Roster
from weblayer.loop.protocol import IProcessProtocol
from weblayer.loop.signals import caught
from weblayer.loop.timers import DelayedCall, Timers
from weblayer.loop.triggers import PHASES, Trigger, Triggers

# Few programs have threads or processes, and none should start the later for them: their
# modules are imported by what first needs them.
if TYPE_CHECKING:
    from weblayer.loop.process import Children, Process
    from weblayer.loop.spawn import Environment
    from weblayer.loop.threadpool import LoopThreads

__all__ = ["SHUTDOWN", "Reactor", "reactorHere", "theReactor"]

P = ParamSpec("P")

log = logging.getLogger("weblayer")

# Seconds for all that is waited for at shutdown: longer than a slow answer takes. Container engines
# kill after ten; who is run by one, and waits for its last second, sets a little less.
SHUTDOWN = 10.0

LATE_THREADS = "run() ends when the calls that it made in threads have returned; some have not"


class Reactor(Network):
    """Time, sockets, threads and processes of one event loop, in the field's words.

    Without *loop* it takes the one that runs where it is first used, else the one that
    `run` will run; when that has been closed, it takes another the same way.
    *shutdownTimeout* is how many seconds stopping may take in all.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop | None = None, *, shutdownTimeout: float = SHUTDOWN
    ) -> None:
        self.shutdownTimeout = shutdownTimeout
        self._given = loop is not None
        self._bond = None if loop is None else _Bond(loop)
        self._triggers = Triggers()
        self._state = "idle"
        self._shutting = False  # the shutdown event is under way
        self._firing: asyncio.Task[None] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""
        return self._bound().loop

    # Running.

    @property
    def running(self) -> bool:
        """Whether the loop runs and is not being stopped."""
        return bool(self._bond and self._bond.loop.is_running() and not self.stopping)

    @property
    def stopping(self) -> bool:
        """Whether it is shutting down: what is begun now will not last."""
        return self._shutting or self._state == "stopping"

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run until stop(), or SIGINT or SIGTERM; a second of these stops at once.

        A loop that the reactor took is closed at the end, with what was left in it, and
        run() may be called again; one that it was given stays open.
        Raises ReactorAlreadyRunning, ReactorNotRestartable.
        """
        bond = self._runnable()
        signals = caught(bond.loop, self._signalled) if installSignalHandlers else nullcontext()
        try:
            with signals:
                self._state = "running"
                self._firing = bond.loop.create_task(self._fire("startup"))
                bond.loop.run_forever()
        finally:
            self._state = "stopping"
            self._leave(bond)
            self._state = "idle"

    def stop(self) -> None:
        """Fire the shutdown event, wait for it, and have run() return.

        Raises ReactorNotRunning when run() does not run, or is stopping already.
        """
        if self._state != "running":
            raise ReactorNotRunning(
                f"stop() is for once, while run() runs, and the reactor is {self._state}"
            )
        self._state = "stopping"
        self._firing = self.loop.create_task(self._stop())

    def crash(self) -> None:
        """Have run() return at once: no trigger is called, nothing is waited for.

        Raises ReactorNotRunning when run() does not run.
        """
        if self._state == "idle":
            raise ReactorNotRunning("crash() is for while run() runs, and the reactor is idle")
        self._state = "stopping"
        self.loop.stop()

    # Time.

    def seconds(self) -> float:
        """The loop's clock, which no change of the system's time moves."""
        return self._bound().loop.time()

    def callLater(
        self, delay: float, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> DelayedCall:
        """Call *f* in *delay* seconds."""
        return self._bound().timers.callLater(delay, f, *args, **kwargs)

    def getDelayedCalls(self) -> list[DelayedCall]:
        """The calls that wait, the one due first first."""
        return self._bound().timers.getDelayedCalls()

    # Start and stop.

    def callWhenRunning(
        self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> Trigger | None:
        """Call *f* now when the loop runs, else as soon as it does."""
        if self.loop.is_running():
            f(*args, **kwargs)
            return None
        return self.addSystemEventTrigger("after", "startup", f, *args, **kwargs)

    def addSystemEventTrigger(
        self, phase: str, eventType: str, f: Callable[P, object], /,
        *args: P.args, **kwargs: P.kwargs,
    ) -> Trigger:  # fmt: skip
        """Call *f*, once, "before", "during" or "after" the next "startup" or "shutdown".

        A Deferred or coroutine that it returns is waited for before the next phase. Open
        ports and connections are closed at the beginning of "during" shutdown.
        """
        return self._triggers.add(phase, eventType, partial(f, *args, **kwargs))

    def removeSystemEventTrigger(self, triggerID: Trigger) -> None:
        """Take back what addSystemEventTrigger or callWhenRunning gave."""
        self._triggers.remove(triggerID)

    def fireSystemEvent(self, eventType: str) -> Deferred[None]:
        """Call the triggers of an event; fires when all is done.

        For a loop that somebody else runs: "shutdown" closes what the reactor opened in it, and
        drops it when that is cancelled.
        """
        firing = self.loop.create_task(self._fire(eventType))
        if eventType == "shutdown":
            firing.add_done_callback(self._drop_rest)
        return Deferred.fromFuture(firing)

    # Threads.

    def callFromThread(self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """From any thread: call *f* in the loop, soon."""
        self.loop.call_soon_threadsafe(partial(f, *args, **kwargs))

    def callInThread(self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call *f* in a thread, and forget it; what it raises is logged."""
        self.getThreadPool().callInThread(f, *args, **kwargs)

    def getThreadPool(self) -> "LoopThreads":
        """The threads of callInThread and deferToThread, which are the loop's own."""
        return self._bound().threads

    def suggestThreadPoolSize(self, size: int) -> None:
        """Have at most *size* such threads from now on.

        At its end, run() waits for the calls in them: a thread cannot be stopped.
        """
        self.getThreadPool().adjustPoolsize(maxthreads=size)

    # Processes.

    def spawnProcess(
        self, processProtocol: IProcessProtocol, executable: str | bytes,
        args: Sequence[str | bytes] = (), env: "Environment | None" = MappingProxyType({}),
        path: str | bytes | None = None, uid: int | None = None, gid: int | None = None,
        usePTY: bool | tuple[int, int, str] = False,
        childFDs: Mapping[int, int | str] | None = None,
    ) -> "Process":  # fmt: skip
        """Start *executable* with *args* (its own name first) and let *processProtocol* talk to it.

        It is looked up in the PATH of *env*, which is its whole environment: nothing of ours is
        inherited unless *env* is None, which is all of ours. *path* is where it runs, *uid* and
        *gid* as whom (gid None: that user's own group, and its other groups). *childFDs* says
        what its descriptors are: "w" a pipe that we write to, "r" one that we read, a number one
        of ours; all others are closed, and of 0 to 2 /dev/null. With *usePTY* 0 to 2 are a
        terminal of its own, or that pair of (ours, its) from os.openpty(), which is taken over.

        It runs in a session of its own (not when it is given our terminal). When the reactor
        stops, it and what it has started is sent SIGTERM, and SIGKILL at the end of the shutdown's
        seconds; what is to live on must leave its process group. Raises OSError when it cannot be
        started, ValueError, TypeError.
        """
        from weblayer.loop.spawn import Order

        bond = self._bound()
        order = Order(executable, args, env, path, uid, gid)
        return bond.children.spawn(bond.loop, processProtocol, order, usePTY, childFDs)

    # Inside.

    def _bound(self) -> "_Bond":
        bond = self._bond
        if bond is None or (bond.loop.is_closed() and not self._given):
            bond = self._bond = _Bond(loops.current_loop())
        return bond

    def _runnable(self) -> "_Bond":
        bond = self._bound()
        if bond.loop.is_running():
            raise ReactorAlreadyRunning("the loop runs already; use the reactor without run()")
        if bond.loop.is_closed():
            raise ReactorNotRestartable("the loop it was given is closed; make another Reactor")
        return bond

    def _signalled(self) -> None:
        if self._state == "running":
            self.stop()
        else:
            self.crash()

    async def _stop(self) -> None:
        await self._fire("shutdown")
        self.loop.stop()

    def _leave(self, bond: "_Bond") -> None:
        """Drop what is left after run(), which a second signal may have cut short."""
        if self._firing is not None:
            self._firing.cancel()
            self._firing = None
        bond.abort()
        bond.loop.run_until_complete(_few_turns())
        if not self._given:
            bond.loop.call_later(self.shutdownTimeout, log.warning, LATE_THREADS)
            bond.loop.run_until_complete(bond.join())
            with asyncio.Runner(loop_factory=lambda: bond.loop) as runner:
                runner.get_loop()  # on leaving: cancels the tasks, ends threads, closes

    async def _fire(self, event: str) -> None:
        if event == "shutdown":
            self._shutting = True
            try:
                await self._shut_down()
            finally:
                self._shutting = False
        else:
            for phase in PHASES:
                await self._triggers.fire(phase, event, None)

    def _drop_rest(self, firing: asyncio.Task[None]) -> None:
        # Who cancels every task of a loop ends this one too, perhaps before it has begun.
        if firing.cancelled():
            self._bound().abort()

    async def _shut_down(self) -> None:
        bond = self._bound()
        limit = bond.loop.time() + self.shutdownTimeout
        for phase in PHASES:
            if phase == "during":
                await bond.close(limit - bond.loop.time())
            await self._triggers.fire(phase, "shutdown", max(0.0, limit - bond.loop.time()))


class _Bond:
    """What a reactor keeps for the loop it has."""

    __slots__ = ("_children", "_threads", "loop", "roster", "timers")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.timers = Timers(loop.time, loop.call_at)
        self.roster = Roster()
        self._children: Children | None = None
        self._threads: LoopThreads | None = None

    @property
    def children(self) -> "Children":
        if self._children is None:
            from weblayer.loop.process import Children

            self._children = Children()
        return self._children

    @property
    def threads(self) -> "LoopThreads":
        if self._threads is None:
            from weblayer.loop.threadpool import LoopThreads

            self._threads = LoopThreads(self.loop)
        return self._threads

    async def close(self, seconds: float) -> None:
        """Close what is open and end what was started; drop what has not ended in *seconds*.

        Cancelled, it drops that at once.
        """
        closings = [self.roster.close(seconds)]
        if self._children is not None:
            closings.append(self._children.close(seconds))
        try:
            await asyncio.gather(*closings)
        except asyncio.CancelledError:
            self.abort()
            raise

    def abort(self) -> None:
        """Drop what is open, and kill what was started."""
        self.roster.abort()
        if self._children is not None:
            self._children.abort()

    async def join(self) -> None:
        """Wait for the calls that are in threads which the loop does not know any more."""
        if self._threads is not None:
            await self._threads.join()


async def _few_turns() -> None:
    """Let what was just ended be told so: a connection, a task, and what that waited for."""
    for _ in range(3):
        await asyncio.sleep(0)


_the_reactor: Reactor | None = None


if not TYPE_CHECKING:  # to a type checker a name that is not there is a mistake

    def __getattr__(name: str) -> object:
        """Tell who takes this module for the reactor, as the field's programs import theirs."""
        advice = "; have the reactor by `from weblayer import reactor`"
        raise AttributeError(
            f"module {__name__!r} has no {name!r}{advice if hasattr(Reactor, name) else ''}"
        )


def theReactor() -> Reactor:
    """The one that programs share which do not make their own; made on first use."""
    global _the_reactor
    if _the_reactor is None:
        _the_reactor = Reactor()
    return _the_reactor


def reactorHere() -> Reactor:
    """The shared reactor, or one for the loop that runs here when that is another's."""
    shared, here = theReactor(), loops.current_loop()
    return shared if shared.loop is here else Reactor(here)
