"""An exception and where it was raised, held as a value.

What an errback gets, and what a Deferred keeps until somebody looks. Making one formats
nothing: it is two references, and the text is made when it is asked for.

The rule of this module and of those above it: no frame of ours stays in a traceback while
it still refers to the failure, or every error would be a cycle (exception, traceback,
frame, failure, exception) that keeps its whole stack alive until the collector comes.
"""

import builtins
import sys
from traceback import TracebackException
from types import TracebackType
from typing import NoReturn, TextIO, TypeVar

__all__ = ["Failure", "NoCurrentExceptionError", "caught"]

E = TypeVar("E", bound=BaseException)


class NoCurrentExceptionError(RuntimeError):
    """Failure() without an exception was made where none was being handled."""

    def __init__(self) -> None:
        super().__init__("no exception is being handled here: give one, as in Failure(error)")


class Failure:
    """An exception (*value*) with the traceback it had when it was caught.

    Without *exc* it is the exception being handled, and NoCurrentExceptionError when there
    is none.
    """

    __slots__ = ("_traceback", "value")

    value: BaseException

    def __init__(self, exc: BaseException | None = None) -> None:
        value = sys.exc_info()[1] if exc is None else exc
        if value is None:
            raise NoCurrentExceptionError
        if not isinstance(value, BaseException):
            raise TypeError(f"exc must be an exception instance, not {value!r}")
        self.value = value
        self._traceback = value.__traceback__

    @property
    def type(self) -> builtins.type[BaseException]:
        """The class of the exception."""
        return self.value.__class__

    def check(self, *errorTypes: builtins.type[E]) -> builtins.type[E] | None:
        """The first of *errorTypes* that the exception is an instance of, else None."""
        return next((kind for kind in errorTypes if isinstance(self.value, kind)), None)

    def trap(self, *errorTypes: builtins.type[E]) -> builtins.type[E]:
        """As `check`, but any other exception is raised again, and so goes to the next errback."""
        kind = self.check(*errorTypes)
        if kind is not None:
            return kind
        try:
            self.raiseException()
        finally:
            del self  # the rule at the top

    def raiseException(self) -> NoReturn:
        """Raise the exception, with the traceback it had when it was caught."""
        # Raised twice, it would otherwise carry the stacks of both, one before the other.
        try:
            raise self.value.with_traceback(self._traceback)
        finally:
            del self  # the rule at the top

    def getErrorMessage(self) -> str:
        """What the exception says; empty when it says nothing."""
        try:
            return str(self.value)
        except Exception:  # a broken __str__ must not hide that something failed
            return "(its message cannot be shown)"

    def getTracebackObject(self) -> TracebackType | None:
        """The traceback it had when it was caught; None for an exception that was never raised."""
        return self._traceback

    def getTraceback(self) -> str:
        """The whole traceback as Python prints it, causes included, ending in a newline."""
        return "".join(self._told().format())

    def getBriefTraceback(self) -> str:
        """The error, then a line `file:line:function` per frame, the outermost first."""
        frames = (f"{f.filename}:{f.lineno}:{f.name}\n" for f in self._told().stack)
        return f"Traceback: {self}\n{''.join(frames)}"

    def printTraceback(self, file: TextIO | None = None) -> None:
        """Write `getTraceback` to *file*, else to standard error."""
        (file or sys.stderr).write(self.getTraceback())

    def _told(self) -> TracebackException:
        return TracebackException(self.type, self.value, self._traceback)

    def __str__(self) -> str:
        message = self.getErrorMessage()
        return f"{self.type.__name__}: {message}" if message else self.type.__name__

    def __repr__(self) -> str:
        return f"<Failure {self}>"


def caught(error: BaseException, before: object = None) -> Failure:
    """The Failure of an *error* just caught, told without the frame that caught it.

    When *before* is a Failure of the same error (an errback raised again what it was given),
    it is that one, and the error gets its first traceback back.
    """
    if isinstance(before, Failure) and before.value is error:
        error.__traceback__ = before.getTracebackObject()
        return before
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next
    return Failure(error)
