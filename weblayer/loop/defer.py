"""Promises under one roof, by the name that the field's programs import them from."""

from weblayer.loop.bridge import ensureDeferred, execute, maybeDeferred
from weblayer.loop.deferred import (
    CANCELLING,
    AlreadyCalledError,
    CallsLater,
    CancelledError,
    Deferred,
    Delayed,
    TimeoutError,  # noqa: A004 - Python's own
    fail,
    succeed,
)
from weblayer.loop.failure import Failure, NoCurrentExceptionError
from weblayer.loop.gather import DeferredList, FailureGroup, FirstError, gatherResults, race
from weblayer.loop.inline import inlineCallbacks, returnValue
from weblayer.loop.locks import (
    DeferredLock,
    DeferredQueue,
    DeferredSemaphore,
    QueueOverflow,
    QueueUnderflow,
)

__all__ = [
    "CANCELLING",
    "AlreadyCalledError",
    "CallsLater",
    "CancelledError",
    "Deferred",
    "DeferredList",
    "DeferredLock",
    "DeferredQueue",
    "DeferredSemaphore",
    "Delayed",
    "Failure",
    "FailureGroup",
    "FirstError",
    "NoCurrentExceptionError",
    "QueueOverflow",
    "QueueUnderflow",
    "TimeoutError",
    "ensureDeferred",
    "execute",
    "fail",
    "gatherResults",
    "inlineCallbacks",
    "maybeDeferred",
    "race",
    "returnValue",
    "succeed",
]
