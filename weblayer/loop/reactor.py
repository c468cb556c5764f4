"""The reactor: the field's face of an asyncio event loop.

It keeps what a loop does not tell: which delayed calls wait, which ports and connections
are open, and what is to be done at start and stop. All else is the loop's.

There are two ways to use one. A program that is nothing else calls `run`, and the reactor
takes, runs and closes a loop. In a loop that somebody else runs, `Reactor(loop)` listens,
connects and times at once, and is never run.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from socket import socket
from typing import ParamSpec

from weblayer.loop import loops
from weblayer.loop.address import Address, UNIXAddress
from weblayer.loop.connectors import Connector, addressOf, openTCP, openUNIX
from weblayer.loop.deferred import Deferred
from weblayer.loop.error import ReactorAlreadyRunning, ReactorNotRestartable, ReactorNotRunning
from weblayer.loop.ports import Port, Roster, bindTCP, bindUNIX
from weblayer.loop.protocol import IClientFactory, IFactory
from weblayer.loop.signals import caught
from weblayer.loop.threads import inThread
from weblayer.loop.timers import DelayedCall, Timers
from weblayer.loop.triggers import PHASES, Trigger, Triggers

__all__ = ["Reactor", "theReactor"]

P = ParamSpec("P")

log = logging.getLogger("weblayer")

# Connections that the kernel holds while we are busy; Linux takes no more than somaxconn.
BACKLOG = 1024

# Seconds for all that is waited for at shutdown: longer than a slow answer takes, and below
# the ten after which container runtimes kill.
SHUTDOWN = 8.0


class Reactor:
    """Time, sockets and threads of one event loop, in the field's words.

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
        self._firing: asyncio.Task[None] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""
        return self._bound().loop

    # Running.

    @property
    def running(self) -> bool:
        """Whether the loop runs and is not being stopped."""
        return bool(self._bond and self._bond.loop.is_running() and self._state != "stopping")

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
        return self.loop.time()

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

        For a loop that somebody else runs: "shutdown" closes what the reactor opened in it.
        """
        return Deferred.fromFuture(self.loop.create_task(self._fire(eventType)))

    # Threads.

    def callFromThread(self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """From any thread: call *f* in the loop, soon."""
        self.loop.call_soon_threadsafe(partial(f, *args, **kwargs))

    def callInThread(self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call *f* in a thread, and forget it; what it raises is logged."""
        inThread(self.loop, partial(f, *args, **kwargs)).add_done_callback(_log_failure)

    # Sockets.

    def listenTCP(
        self, port: int, factory: IFactory, backlog: int = BACKLOG, interface: str = "",
        reusePort: bool = False,
    ) -> Port:  # fmt: skip
        """Listen on *port*, 0 for one that is free, and let *factory* answer.

        *interface* is an address of this machine: "" is all of IPv4, "::" all of IPv6 (and
        IPv4, where the system says so). *reusePort* lets several processes share the port.
        Raises CannotListenError.
        """
        return self._listen(bindTCP(port, interface, backlog, reusePort), factory, backlog)

    def listenUNIX(
        self, address: str, factory: IFactory, backlog: int = BACKLOG, mode: int = 0o666
    ) -> Port:
        """Listen at the path *address*, made with *mode*, and let *factory* answer.

        A socket file that nobody listens on is replaced. Raises CannotListenError.
        """
        return self._listen(bindUNIX(address, mode, backlog), factory, backlog)

    def connectTCP(
        self, host: str, port: int, factory: IClientFactory, timeout: float | None = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> Connector:  # fmt: skip
        """Connect to *host*, a name or an address, within *timeout* seconds.

        *bindAddress* is the (host, port) of our side, chosen by the system when None.
        """
        opening = partial(openTCP, self.loop, host, port, bindAddress)
        return self._connect(addressOf(host, port), factory, timeout, opening)

    def connectUNIX(
        self, address: str, factory: IClientFactory, timeout: float | None = 30
    ) -> Connector:
        """Connect to the server that listens at the path *address*, as connectTCP does."""
        opening = partial(openUNIX, self.loop, address)
        return self._connect(UNIXAddress(address), factory, timeout, opening)

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

    def _listen(self, sock: socket, factory: IFactory, backlog: int) -> Port:
        bond = self._bound()
        try:
            port = Port(bond.loop, sock, factory, backlog, bond.roster)
            port.startListening()
        except BaseException:
            sock.close()
            raise
        return port

    def _connect(
        self, address: Address, factory: IClientFactory, timeout: float | None,
        opening: Callable[[], Awaitable[socket]],
    ) -> Connector:  # fmt: skip
        bond = self._bound()
        connector = Connector(bond.loop, address, factory, timeout, opening, bond.roster)
        connector.connect()
        return connector

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
        bond.roster.abort()
        bond.loop.run_until_complete(_few_turns())
        if not self._given:
            with asyncio.Runner(loop_factory=lambda: bond.loop) as runner:
                runner.get_loop()  # on leaving: cancels the tasks, ends threads, closes

    async def _fire(self, event: str) -> None:
        bond, limit = self._bound(), None
        if event == "shutdown":
            limit = bond.loop.time() + self.shutdownTimeout
        for phase in PHASES:
            if limit is not None and phase == "during":
                await bond.roster.close(limit - bond.loop.time())
            left = None if limit is None else max(0.0, limit - bond.loop.time())
            await self._triggers.fire(phase, event, left)


class _Bond:
    """What a reactor keeps for the loop it has."""

    __slots__ = ("loop", "roster", "timers")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.timers = Timers(loop.time, loop.call_at)
        self.roster = Roster()


async def _few_turns() -> None:
    """Let what was just ended be told so: a connection, a task, and what that waited for."""
    for _ in range(3):
        await asyncio.sleep(0)


def _log_failure(call: asyncio.Future[object]) -> None:
    if not call.cancelled() and (error := call.exception()):
        log.error("a call in a thread failed", exc_info=error)


_the_reactor: Reactor | None = None


def theReactor() -> Reactor:
    """The one that programs share which do not make their own; made on first use."""
    global _the_reactor
    if _the_reactor is None:
        _the_reactor = Reactor()
    return _the_reactor
