"""What a program asked to be done when the reactor starts and stops.

An event has three phases. Each trigger is called once, in the order added; before the next
phase begins, what the triggers of a phase returned (Deferreds, coroutines) is waited for.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

__all__ = ["EVENTS", "PHASES", "Trigger", "Triggers"]

PHASES = ("before", "during", "after")
EVENTS = ("startup", "shutdown")

log = logging.getLogger("weblayer")


class Trigger(NamedTuple):
    """What addSystemEventTrigger gives, and removeSystemEventTrigger takes."""

    phase: str
    event: str
    number: int


class Triggers:
    """The calls that wait for an event, by phase."""

    __slots__ = ("_calls", "_count")

    def __init__(self) -> None:
        self._calls: dict[Trigger, Callable[[], object]] = {}
        self._count = 0

    def add(self, phase: str, event: str, call: Callable[[], object]) -> Trigger:
        """Have *call* made in that phase of the event. Raises ValueError for a wrong word."""
        if phase not in PHASES:
            raise ValueError(f"phase must be one of {', '.join(PHASES)}, not {phase!r}")
        if event not in EVENTS:
            raise ValueError(f"eventType must be one of {', '.join(EVENTS)}, not {event!r}")
        self._count += 1
        trigger = Trigger(phase, event, self._count)
        self._calls[trigger] = call
        return trigger

    def remove(self, trigger: Trigger) -> None:
        """Forget a trigger. Raises ValueError when it has been called or removed."""
        if self._calls.pop(trigger, None) is None:
            raise ValueError(f"triggerID {trigger!r} has been called or removed already")

    async def fire(self, phase: str, event: str, seconds: float | None) -> None:
        """Make the calls of one phase and wait for what they returned, at most *seconds*.

        What is late is cancelled and logged; what fails is logged and stops nothing.
        """
        waits = [
            asyncio.ensure_future(_arrival(result))
            for trigger in [t for t in self._calls if t[:2] == (phase, event)]
            if inspect.isawaitable(result := _called(self._calls.pop(trigger, None)))
        ]
        if waits:
            await _all_of(waits, f"{phase} {event}", seconds)


async def _all_of(waits: Sequence[asyncio.Future[None]], name: str, seconds: float | None) -> None:
    try:
        done, late = await asyncio.wait(waits, timeout=seconds)
    except asyncio.CancelledError:
        for wait in waits:
            wait.cancel()
        raise
    for wait in done:
        if not wait.cancelled() and (error := wait.exception()):
            log.error("a %s trigger failed", name, exc_info=error)
    for wait in late:
        wait.cancel()
        log.error("a %s trigger took longer than %g seconds and was left", name, seconds)


async def _arrival(result: Awaitable[object]) -> None:
    await result


def _called(call: Callable[[], object] | None) -> object:
    # None: an earlier trigger of the phase has removed this one.
    try:
        return call() if call else None
    except Exception:
        log.exception("a trigger failed")
        return None
