"""Many Deferreds as one: all of them, or the first of them.

Each takes any awaitables. Cancelling one of these cancels what it waits for, waits until
they have ended, and then gives CancelledError, so that `addTimeout` can know it again.
"""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, TypeVar, cast

from weblayer.loop.bridge import ensureDeferred
from weblayer.loop.deferred import CANCELLING, CancelledError, Deferred
from weblayer.loop.failure import Failure

__all__ = ["DeferredList", "FailureGroup", "FirstError", "gatherResults", "race"]

T = TypeVar("T")


class FirstError(Exception):
    """One of many has failed: *subFailure* is how, *index* says which."""

    def __init__(self, subFailure: Failure, index: int) -> None:
        super().__init__(subFailure, index)
        self.subFailure = subFailure
        self.index = index
        self.__cause__ = subFailure.value  # the traceback then shows where it began

    def __str__(self) -> str:
        return f"number {self.index} of those waited for failed: {self.subFailure}"


class FailureGroup(Exception):
    """All have failed: *failures* in the order the Deferreds were given."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__(failures)
        self.failures = failures

    def __str__(self) -> str:
        return "all failed: " + "; ".join(str(failure) for failure in self.failures)


class DeferredList(Deferred[Any]):
    """Fires with a list of (success, result or Failure), in the order the awaitables were given.

    With *fireOnOneCallback* it fires at the first success, with (result, index); with
    *fireOnOneErrback* it fails at the first failure, with FirstError. What comes later then is
    left where it is. With *consumeErrors* the failures end here, and nobody logs them.
    """

    __slots__ = (
        "_cancelled",
        "_consume",
        "_each",
        "_first_fails",
        "_first_wins",
        "_missing",
        "_outcomes",
    )

    def __init__(
        self,
        awaitables: Iterable[Awaitable[Any]],
        fireOnOneCallback: bool = False,
        fireOnOneErrback: bool = False,
        consumeErrors: bool = False,
    ) -> None:
        each = [ensureDeferred(awaitable) for awaitable in awaitables]
        if fireOnOneCallback and not each:
            raise ValueError("awaitables is empty: with fireOnOneCallback it would never fire")
        super().__init__(self._cancel_each)
        self._first_wins, self._first_fails = fireOnOneCallback, fireOnOneErrback
        self._consume = consumeErrors
        self._cancelled = False
        self._each = each
        self._missing = len(each)
        self._outcomes: list[tuple[bool, Any] | None] = [None] * len(each)
        for index, deferred in enumerate(each):
            deferred.addBoth(self._arrive, index)
        if not each:
            self.callback([])

    def _arrive(self, result: Any, index: int) -> Any:
        failed = isinstance(result, Failure)
        self._outcomes[index] = (not failed, result)
        self._missing -= 1
        if not self.called:
            self._decide(result, index, failed)
        return None if failed and (self._consume or self._cancelled) else result

    def _decide(self, result: Any, index: int, failed: bool) -> None:
        if self._cancelled:
            if not self._missing:
                self.errback(CancelledError())
        elif failed and self._first_fails:
            self.errback(FirstError(result, index))
        elif not failed and self._first_wins:
            self.callback((result, index))
        elif not self._missing:
            self.callback(self._outcomes)

    def _cancel_each(self, _: Deferred[Any]) -> object:
        self._cancelled = True
        for deferred in self._each:
            deferred.cancel()
        return CANCELLING


def gatherResults(
    awaitables: Iterable[Awaitable[T]], consumeErrors: bool = False
) -> Deferred[list[T]]:
    """A Deferred of the list of all results; fails at the first failure, with FirstError.

    The others go on; with *consumeErrors* their failures are not logged.
    """
    everything = DeferredList(awaitables, fireOnOneErrback=True, consumeErrors=consumeErrors)
    return everything.addCallback(lambda outcomes: [result for _, result in outcomes])


def race(awaitables: Iterable[Awaitable[T]]) -> Deferred[tuple[int, T]]:
    """A Deferred of (index, result) of the first to succeed; the others are then cancelled.

    When all fail it fails with FailureGroup.
    """
    each = [ensureDeferred(awaitable) for awaitable in awaitables]
    if not each:
        raise ValueError("awaitables is empty: there is no race to win")
    first = DeferredList(each, fireOnOneCallback=True, consumeErrors=True)

    def won(outcome: Any) -> tuple[int, T]:
        if isinstance(outcome, list):  # nobody succeeded
            raise FailureGroup([failure for _, failure in outcome])
        for deferred in each:
            deferred.cancel()
        return outcome[1], cast("T", outcome[0])

    return first.addCallback(won)
