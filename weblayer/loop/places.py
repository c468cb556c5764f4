"""Where in the program something was made: an event loop that notes it.

A place is a code object and a line, found by walking the stack out of the libraries when the
loop is asked for a timer, a task, a server, a connection, a process or a call in a thread. It
also goes into the context in which the loop will call back, so that what is made there, where
no line of the program is on the stack, has the place that it all began with.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from weblayer.loop.loops import new_loop

__all__ = ["Notes", "Place", "noting_loop", "place_here", "place_of_error"]

# What the program did not write.
_LIBRARIES = {"asyncio", "concurrent", "contextlib", "uvloop", "weblayer"}

# What called the program; a stack goes no further.
_RUNNERS = {"_pytest", "pluggy", "pytest"}


class Place(NamedTuple):
    """A line of a program."""

    code: CodeType
    line: int

    @classmethod
    def of(cls, frame: FrameType) -> "Place":
        """Where *frame* stands now."""
        return cls(frame.f_code, frame.f_lineno)

    def __str__(self) -> str:
        path, here = Path(self.code.co_filename), Path.cwd()
        return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{self.line}"


class Notes:
    """What a watched loop was asked for, and where."""

    def __init__(self) -> None:
        self.timers: WeakKeyDictionary[asyncio.TimerHandle, Place | None] = WeakKeyDictionary()
        # By id: a task that is collected as it waits has lost its weak references by then.
        self.tasks: dict[int, Place | None] = {}
        self.calls: WeakKeyDictionary[asyncio.Future[Any], Place | None] = WeakKeyDictionary()
        # Servers and transports, held: uvloop's processes cannot be referred to weakly.
        self.made: dict[Any, Place | None] = {}
        self.serving: dict[Any, Place | None] = {}  # by the address of the listening socket
        self.readers: dict[int, Place | None] = {}  # by the descriptor that the loop waits for
        self.processes: dict[int, Place | None] = {}  # by their number

    def keep(self, made: Any, place: Place | None) -> None:
        """Note what a method of the loop gave: a server, or a transport and its protocol."""
        thing = made[0] if isinstance(made, tuple) else made
        self.made[thing] = place
        for sock in getattr(thing, "sockets", ()):
            self.serving[sock.getsockname()] = place


_origin: ContextVar[Place | None] = ContextVar("weblayer_origin", default=None)

_OPENING = (
    "create_server create_unix_server create_connection create_unix_connection"
    " create_datagram_endpoint connect_accepted_socket connect_read_pipe connect_write_pipe"
    " subprocess_exec subprocess_shell"
).split()


def noting_loop(kind: str | None, notes: Notes) -> asyncio.AbstractEventLoop:
    """A loop of *kind*, as `new_loop` understands it, that keeps *notes*."""
    loop = _noting_class(kind or os.environ.get("WEBLAYER_LOOP"))()
    loop.notes = notes
    return cast("asyncio.AbstractEventLoop", loop)  # cast: the class was made here


# Any: what the methods take and give is the parent's, which is uvloop's or asyncio's.


@cache
def _noting_class(kind: str | None) -> Any:
    plain = new_loop(kind)
    plain.close()
    parent: Any = type(plain)
    names: dict[str, Any] = {name: _opening(getattr(parent, name)) for name in _OPENING}
    names |= {name: _timing(getattr(parent, name)) for name in ("call_at", "call_later")}
    names["add_reader"] = _reading(parent.add_reader)
    names["create_task"] = _starting(parent.create_task)
    names["run_in_executor"] = _executing(parent.run_in_executor)
    return type("NotingLoop", (parent,), names)


def _timing(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        place, context = _origin_of(context)
        handle = method(self, when, callback, *args, context=context)
        self.notes.timers[handle] = place
        return handle

    return call


def _starting(method: Callable[..., Any]) -> Callable[..., Any]:
    def create_task(self: Any, coroutine: Any, *, context: Any = None, **kwargs: Any) -> Any:
        place, context = _origin_of(context)
        task = method(self, coroutine, context=context, **kwargs)
        self.notes.tasks[id(task)] = place
        return task

    return create_task


def _executing(method: Callable[..., Any]) -> Callable[..., Any]:
    def run_in_executor(self: Any, executor: Any, call: Any, *args: Any) -> Any:
        future = method(self, executor, call, *args)
        self.notes.calls[future] = place_here()
        return future

    return run_in_executor


def _reading(method: Callable[..., Any]) -> Callable[..., Any]:
    def add_reader(self: Any, fd: Any, *args: Any) -> Any:
        number = fd if isinstance(fd, int) else fd.fileno()
        # Asked again and again by some: the first has the line of the program.
        self.notes.readers[number] = place_here() or self.notes.readers.get(number)
        return method(self, fd, *args)

    return add_reader


def _opening(method: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        place = place_here()
        made = await method(self, *args, **kwargs)
        self.notes.keep(made, place)
        return made

    return call


def _origin_of(context: Any) -> tuple[Place | None, Any]:
    """The place we are called from, and a context that remembers it."""
    place = place_here()
    # One that the program chose is its own, and is left as it is.
    if context is None and place is not _origin.get():
        context = copy_context()
        context.run(_origin.set, place)
    return place, context


def place_here() -> Place | None:
    """The line of the program that called, or that the calling began with."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and not _is_runner(frame):
        if not _is_library(frame):
            return Place.of(frame)
        frame = frame.f_back
    return _origin.get()


def _is_library(frame: FrameType) -> bool:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in _LIBRARIES


def _is_runner(frame: FrameType) -> bool:
    """Whether it is the test runner's, and all below it on the stack is."""
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0] in _RUNNERS


def place_of_error(error: BaseException) -> Place | None:
    """The last line of the program in an error's traceback, else its last line; None without."""
    place, mine = None, None
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        place = Place(trace.tb_frame.f_code, trace.tb_lineno)
        if not _is_library(trace.tb_frame):
            mine = place
        trace = trace.tb_next
    return mine or place
