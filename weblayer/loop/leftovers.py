"""What was left behind on an event loop, and where it was made.

The theory. A `Watch` has a loop of its own, which notes what it is asked for, and where. Some
things no loop is asked for: plain sockets and processes, and the connections that a server
accepts. The garbage collector knows those. Its heap is frozen when the watch begins (lists are
joined, which costs nothing), so that what it lists at the end was made meanwhile, and what it
collects then are the failures of this watch and no other. Nothing is patched, and nothing
outlives `end`.
"""

import asyncio
import gc
import logging
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Coroutine, Iterable, Iterator
from inspect import isawaitable, iscoroutine
from types import FrameType
from typing import Any, NamedTuple

from weblayer.loop.places import Notes, Place, noting_loop, place_here, place_of_error
from weblayer.loop.process import Process
from weblayer.loop.reactor import Reactor

__all__ = ["KINDS", "Leftover", "TookTooLong", "Watch"]

KINDS = ("task", "timer", "socket", "process", "thread", "error")

# Seconds that the last things get to end by themselves: a peer's end of file has to come
# through the kernel. Only a test that leaves something waits for so long.
PATIENCE = 0.25


class Leftover(NamedTuple):
    """Something left behind: one of KINDS, in words, and where it was made (or raised, or is)."""

    kind: str
    words: str
    place: str

    def __str__(self) -> str:
        return f"{self.words}, {self.place}"


class TookTooLong(Exception):
    """What ran has not ended in time; it says where it waited."""

    def __init__(self, seconds: float, place: Place | None) -> None:
        where = f"at {place}" if place else "for what it returned"
        super().__init__(f"not ended within {seconds:g} seconds: waiting {where}")


class Watch:
    """An event loop with its reactor, watched from now until `end`.

    *kind* is "uvloop", "asyncio", or None for what `new_loop` makes of that.
    """

    def __init__(self, kind: str | None = None) -> None:
        self._notes = Notes()
        self.loop = noting_loop(kind, self._notes)
        self.loop.set_exception_handler(self._told)
        self.reactor = _NotingReactor(self._notes, self.loop)
        self._errors: list[_Heard] = []
        self._log = _Listener(self._errors)
        self._threads = set(threading.enumerate())
        logging.getLogger("weblayer").addHandler(self._log)
        gc.freeze()

    def run(self, call: Callable[[], Any], seconds: float) -> Any:  # Any: whatever *call* gives
        """Call *call* inside the loop, and wait for what it gives if that can be awaited.

        Raises TookTooLong after *seconds*.
        """
        __tracebackhide__ = True
        return self.loop.run_until_complete(_limited(call, seconds))

    def flushLoggedErrors(self, *errorTypes: type[BaseException]) -> list[BaseException]:
        """The errors logged so far, of *errorTypes* if any are given; they then count no more."""
        gc.collect()  # a failure is unhandled only when its Deferred is gone
        wanted = errorTypes or (BaseException,)
        taken = [entry for entry in self._errors if isinstance(entry.error, wanted)]
        self._errors[:] = [entry for entry in self._errors if entry not in taken]
        return [entry.error for entry in taken if entry.error is not None]

    def end(self) -> list[Leftover]:
        """Wait a little for the last things to end, end the rest and the loop. Gives the rest."""
        try:
            left = self._left()
            if left:
                self._do(self._clean())
            if not self._busy():  # it would be waited for
                self._do(self.loop.shutdown_default_executor())
            return [*left, *self._new_threads()]
        finally:
            gc.unfreeze()
            logging.getLogger("weblayer").removeHandler(self._log)
            self.loop.close()

    def _left(self) -> list[Leftover]:
        # Looked at while the loop stands: uvloop has sockets of its own while it runs.
        self._do(_turns())
        gc.collect()
        limit = time.monotonic() + PATIENCE
        while (left := [*self._tasks(), *self._things()]) and time.monotonic() < limit:
            self._do(asyncio.sleep(0.005))
        if tasks := [one for one in left if one.kind == "task"]:
            # What a task had open goes with it, and is no second story.
            self._do(_cancelled(asyncio.all_tasks(self.loop)))
            left = [*tasks, *self._things()]
        return left + [heard.told() for heard in self._errors]

    async def _clean(self) -> None:
        await self.reactor.fireSystemEvent("shutdown")
        for handle in list(self._notes.timers):
            handle.cancel()
        for thing in [*self._notes.made, *_transports()]:
            _close(thing)
        await _turns()
        limit = self.loop.time() + PATIENCE
        # Killed, but not gone before the loop has heard of it.
        while [*_processes(self._notes.made)] and self.loop.time() < limit:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    def _do(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._turned = self.loop.time()
        self.loop.run_until_complete(coroutine)

    def _told(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # Without the repr of what was called: the place says more.
        words = context["message"].partition(" <")[0].rstrip("!")
        heard = _Heard(words, context.get("exception"))
        if lost := context.get("task"):  # collected, because nobody held what it waited for
            place = _made(self._notes.tasks.get(id(lost)))
            heard = _Heard(f"a task, {_name_of(lost)}, that was lost as it waited", None, place)
        self._errors.append(heard)
        loop.default_exception_handler(context)

    # Looking around.

    def _tasks(self) -> Iterator[Leftover]:
        for task in asyncio.all_tasks(self.loop):
            yield Leftover(
                "task", f"a task, {_name_of(task)}", _made(self._notes.tasks.get(id(task)))
            )

    def _things(self) -> Iterator[Leftover]:
        now, notes = self.loop.time(), self._notes
        for handle, place in list(notes.timers.items()):
            # A handle does not say that it has been called; one that was due before the last
            # turns has been.
            if not handle.cancelled() and handle.when() > self._turned:
                yield Leftover(
                    "timer", f"a timer, due in {max(0, handle.when() - now):.3g} s", _made(place)
                )
        for call in self._busy():
            yield Leftover("thread", "a call in a thread", _made(notes.calls.get(call)))
        yield from _sockets(notes)
        yield from _processes(notes.made)
        yield from _plain_processes(notes)

    def _busy(self) -> list[asyncio.Future[Any]]:
        return [call for call in self._notes.calls if not call.done()]

    def _new_threads(self) -> Iterator[Leftover]:
        new = [t for t in threading.enumerate() if t not in self._threads]
        limit = time.monotonic() + PATIENCE
        for thread in new:
            thread.join(max(0, limit - time.monotonic()))
        frames = sys._current_frames()
        for thread in new:
            frame = _begun(frames.get(thread.ident or 0))
            module = frame.f_globals["__name__"] if frame else ""
            told = module in _WAITERS or (module == _POOL and self._busy())
            if thread.is_alive() and not told:
                where = f"now at {Place.of(frame)}" if frame else "at no line of Python"
                yield Leftover("thread", f"a thread, {thread.name}", where)


class _NotingReactor(Reactor):
    """A reactor that notes which line of the program started a process: its loop cannot tell."""

    def __init__(self, notes: Notes, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop, shutdownTimeout=PATIENCE)
        self._notes = notes

    def spawnProcess(self, *args: Any, **kwargs: Any) -> Process:
        process = super().spawnProcess(*args, **kwargs)
        if process.pid is not None:
            self._notes.processes[process.pid] = place_here()
        return process


async def _limited(call: Callable[[], Any], seconds: float) -> Any:
    __tracebackhide__ = True
    result = None
    try:
        async with asyncio.timeout(seconds) as limit:
            result = call()
            if not isawaitable(result):
                return result  # pytest has something to say about that
            await result
            return None
    except TimeoutError as error:
        if limit.expired():
            place = place_of_error(error.__cause__ or error) if iscoroutine(result) else None
            raise TookTooLong(seconds, place) from error
        raise


async def _turns() -> None:
    """Let what was just ended be told so."""
    for _ in range(3):
        await asyncio.sleep(0)


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel *tasks*, and wait a little for those that take long over it."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=PATIENCE)


def _close(thing: Any) -> None:
    """End what a loop has made, at once."""
    if hasattr(thing, "kill") and thing.get_returncode() is None:
        thing.kill()
    getattr(thing, "abort", thing.close)()


# What is there, whoever made it.


def _new(is_one: Callable[[type], bool]) -> list[Any]:
    """The objects of certain types that were made since the heap was frozen.

    The type is asked and not the object, which may be a proxy that answers by itself.
    """
    return [one for one in gc.get_objects() if is_one(type(one))]


def _transports() -> list[Any]:
    return [one for one in _new(_is_transport) if one.get_extra_info("socket") is not None]


def _is_transport(kind: type) -> bool:
    # By its face: uvloop's are no subclasses of asyncio's.
    return hasattr(kind, "get_protocol") and hasattr(kind, "get_extra_info")


def _sockets(notes: Notes) -> Iterator[Leftover]:
    seen: set[int] = set()
    for thing in [*notes.made, *_transports()]:
        for sock in _sockets_of(thing):
            if sock.fileno() >= 0 and sock.fileno() not in seen:
                seen.add(sock.fileno())
                place = notes.made.get(thing) or notes.serving.get(_own_name(sock))
                yield Leftover("socket", _described(sock), _made(place))
    for plain in _new(lambda kind: issubclass(kind, socket.socket)):
        if plain.fileno() >= 0 and plain.fileno() not in seen:
            place = notes.readers.get(plain.fileno())
            yield Leftover("socket", _described(plain), _made_outside(plain, place))


def _sockets_of(thing: Any) -> list[Any]:
    """The sockets of a server, or that of a transport; none of what is closed."""
    if hasattr(thing, "sockets"):
        return list(thing.sockets)
    # asyncio's own tell -1 once they are closed, uvloop's keep the number.
    if thing.is_closing() and not isinstance(thing, asyncio.BaseTransport):
        return []
    sock = thing.get_extra_info("socket")
    return [] if sock is None else [sock]


def _described(sock: Any) -> str:
    try:
        return f"a connection from {_written(sock.getsockname())} to {_written(sock.getpeername())}"
    except OSError:
        return f"a socket at {_written(_own_name(sock))}"


def _own_name(sock: Any) -> Any:
    try:
        return sock.getsockname()
    except OSError:  # closed meanwhile
        return None


def _written(name: Any) -> str:
    return ":".join(map(str, name[:2])) if isinstance(name, tuple) else repr(name)


def _processes(made: dict[Any, Place | None]) -> Iterator[Leftover]:
    for thing in made:
        if hasattr(thing, "get_pid") and thing.get_returncode() is None:
            yield Leftover("process", f"a process, {thing.get_pid()}", _made(made[thing]))


def _plain_processes(notes: Notes) -> Iterator[Leftover]:
    ours = {thing.get_pid() for thing in notes.made if hasattr(thing, "get_pid")}
    for plain in _new(lambda kind: issubclass(kind, subprocess.Popen)):
        # asyncio has one inside each of its own, whose end is asyncio's to hear.
        if plain.pid not in ours and plain.returncode is None:
            place = notes.processes.get(plain.pid)
            words = f"a process, {plain.pid} ({_command(plain.args)})"
            yield Leftover("process", words, _made_outside(plain, place))


def _command(args: Any) -> str:
    """The arguments of a Popen on a line; there may be one, not in a list."""
    return str(args) if isinstance(args, str | bytes | os.PathLike) else shlex.join(map(str, args))


def _name_of(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", task.get_name())


def _made(place: Place | None) -> str:
    return f"made at {place}" if place else "made where no line of the program was running"


def _made_outside(thing: object, place: Place | None) -> str:
    if place:
        return _made(place)
    if trace := tracemalloc.get_object_traceback(thing):
        return f"made at {trace[-1]}"
    return "made without the loop (python -X tracemalloc tells where)"


def _begun(frame: FrameType | None) -> FrameType | None:
    """The function that a thread began with, as it stands now."""
    found = None
    while frame is not None:
        if frame.f_globals.get("__name__") != "threading":
            found = frame
        frame = frame.f_back
    return found


# Modules whose threads are told of otherwise: by the call that is busy, or by the process.
_POOL, _WAITERS = "concurrent.futures.thread", {"asyncio.unix_events", "weblayer.loop.reap"}


class _Heard(NamedTuple):
    """An error that was logged, or told to the loop."""

    words: str
    error: BaseException | None
    place: str = "logged as an error"

    def told(self) -> Leftover:
        """It as a Leftover, with where it was raised."""
        if self.error is None:
            return Leftover("error", self.words, self.place)
        place = place_of_error(self.error)
        told = self.words if str(self.error) in self.words else f"{self.words}: {self.error!r}"
        return Leftover("error", told, f"raised at {place}" if place else "never raised")


class _Listener(logging.Handler):
    """Hears of the errors that weblayer logs."""

    def __init__(self, heard: list[_Heard]) -> None:
        super().__init__(logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first line: the last ones are the traceback."""
        error = record.exc_info[1] if record.exc_info else None
        self._heard.append(_Heard(record.getMessage().partition("\n")[0], error))
