"""Straight-line code over Deferreds, as a generator: what `async def` is without a task.

It starts at once and needs no running loop, which is why it is still worth having.
"""

import sys
from collections.abc import Callable, Generator
from contextvars import copy_context
from functools import wraps
from inspect import isawaitable
from typing import Any, NoReturn, ParamSpec, TypeVar

from weblayer.loop.bridge import ensureDeferred
from weblayer.loop.chain import LEAVING, Chain, site_of
from weblayer.loop.deferred import CANCELLING, Deferred
from weblayer.loop.failure import Failure, caught

__all__ = ["inlineCallbacks", "returnValue"]

T = TypeVar("T")
P = ParamSpec("P")


def inlineCallbacks(function: Callable[P, Generator[Any, Any, T]]) -> Callable[P, Deferred[T]]:
    """Make a generator function one that gives a Deferred of what the generator returns.

    `result = yield awaitable` waits for any awaitable, and raises what it failed with; another
    value is given back as it is. Cancelling the Deferred cancels what the generator waits for;
    it then fires with what the generator makes of that.
    """

    @wraps(function)
    def begin(*args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        generator = function(*args, **kwargs)
        if not isinstance(generator, Generator):
            raise TypeError(f"inlineCallbacks needs a generator function; it gave {generator!r}")
        inline = _Inline(generator)
        inline.advance(None)
        inline.done._run()
        return inline.done

    return begin


def returnValue(value: object) -> NoReturn:
    """End an inlineCallbacks generator with *value*: what older programs write for `return`."""
    raise _Returned(value)


class _Returned(BaseException):
    """Carries the value of `returnValue` past any `except Exception` of the generator."""

    def __init__(self, value: object) -> None:
        super().__init__("returnValue() belongs in an inlineCallbacks generator")
        self.value = value


class _Inline:
    """A generator under way: what it waits for, and the Deferred of its end."""

    __slots__ = ("_context", "_generator", "_must_cancel", "_waits_for", "done")

    def __init__(self, generator: Generator[Any, Any, Any]) -> None:
        self._generator = generator
        self._context = copy_context()  # one for all its steps: what it sets, it sees again
        self._waits_for: Deferred[Any] | None = None
        self._must_cancel = False
        self.done: Deferred[Any] = Deferred(self._cancel)

    def advance(self, result: Any) -> Chain | None:
        """Run the generator until it must wait; gives its Deferred, fired, when it has ended.

        Steps that need no waiting are a loop here, and the end of a generator that another one
        waits for goes through the ready list of the chain: neither recurses.
        """
        while True:
            run, send, throw = self._context.run, self._generator.send, self._generator.throw
            try:
                if isinstance(result, Failure):
                    waited = run(throw, result.value.with_traceback(result.getTracebackObject()))
                else:
                    waited = run(send, result)
                deferred = _promise(waited)
            except StopIteration as stop:
                return self._end(stop.value)
            except _Returned as returned:
                return self._end(returned.value)
            except LEAVING:
                raise
            except BaseException as error:
                return self._end(caught(error))
            if deferred is None:
                result = waited
            elif deferred._is_settled():
                result = deferred._look()
            else:
                self._wait(deferred)
                return None

    def _wait(self, deferred: Deferred[Any]) -> None:
        self._waits_for = deferred
        deferred._add(self._resume)
        if self._must_cancel:
            self._must_cancel = False
            deferred.cancel()

    def _resume(self, source: Chain) -> Chain | None:
        self._waits_for = None
        return self.advance(source._look())

    def _end(self, result: object) -> Chain | None:
        return self.done if self.done._begin(result, site_of(sys._getframe())) else None

    def _cancel(self, _: Deferred[Any]) -> object:
        if self._waits_for is None:  # its own doing, in a step: the next waiting ends it
            self._must_cancel = True
        else:
            self._waits_for.cancel()
        return CANCELLING


def _promise(waited: Any) -> Deferred[Any] | None:
    if isinstance(waited, Deferred):
        return waited
    return ensureDeferred(waited) if isawaitable(waited) else None
