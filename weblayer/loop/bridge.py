"""The doors by which anything becomes a Deferred: a call, a coroutine, a future, an awaitable."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, ParamSpec, TypeVar, overload

from weblayer.loop.chain import LEAVING
from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.failure import Failure, caught

__all__ = ["ensureDeferred", "execute", "maybeDeferred"]

T = TypeVar("T")
P = ParamSpec("P")


def ensureDeferred(awaitable: Awaitable[T]) -> Deferred[T]:
    """The Deferred of any awaitable: of itself, a future, a coroutine (run in a task), another.

    Raises TypeError for what cannot be awaited.
    """
    if isinstance(awaitable, Deferred):
        return awaitable
    if asyncio.isfuture(awaitable):
        return Deferred.fromFuture(awaitable)
    if asyncio.iscoroutine(awaitable):
        return Deferred.fromCoroutine(awaitable)
    if isawaitable(awaitable):
        return Deferred.fromCoroutine(_awaiting(awaitable))
    raise TypeError(f"awaitable must be a Deferred or something else to await, not {awaitable!r}")


@overload
def maybeDeferred(
    f: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> Deferred[T]: ...
@overload
def maybeDeferred(f: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]: ...
def maybeDeferred(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
    """Call *f*, and give a Deferred of what it returns, raises, or lets one wait for."""
    try:
        result = f(*args, **kwargs)
    except LEAVING:
        raise
    except BaseException as error:
        return fail(caught(error))
    if isinstance(result, Failure):
        return fail(result)
    return ensureDeferred(result) if isawaitable(result) else succeed(result)


def execute(f: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
    """Call *f*, and give a Deferred that has fired with what it returned or raised."""
    try:
        return succeed(f(*args, **kwargs))
    except LEAVING:
        raise
    except BaseException as error:
        return fail(caught(error))


async def _awaiting(awaitable: Awaitable[T]) -> T:
    return await awaitable
