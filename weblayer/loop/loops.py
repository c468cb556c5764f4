"""Which event loop: the one that runs, else the one that will.

The only door to uvloop. A program that runs inside somebody else's loop never
comes here for a new one: `current_loop` gives it the loop it is in.
"""

import asyncio
import os
from collections.abc import Callable
from importlib.util import find_spec

__all__ = ["Soon", "current_loop", "default_loop", "new_loop"]

# Has something called in the next turn of a loop.
Soon = Callable[[Callable[[], object]], object]

_default: asyncio.AbstractEventLoop | None = None


def new_loop(kind: str | None = None) -> asyncio.AbstractEventLoop:
    """Make an event loop of *kind*, "uvloop" or "asyncio".

    Without a kind, `WEBLAYER_LOOP` in the environment decides, else uvloop where it
    is installed (half the cost per packet), else the standard library's.
    Raises ValueError for any other word, ImportError when uvloop is asked for and missing.
    """
    kind = kind or os.environ.get("WEBLAYER_LOOP") or _best_kind()
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    if kind == "asyncio":
        return asyncio.new_event_loop()
    raise ValueError(f"WEBLAYER_LOOP must be uvloop or asyncio, not {kind!r}")


def default_loop() -> asyncio.AbstractEventLoop:
    """The loop that the global reactor runs, made on first use and again once it is closed."""
    global _default
    if _default is None or _default.is_closed():
        _default = new_loop()
    return _default


def current_loop() -> asyncio.AbstractEventLoop:
    """The loop we are running in; outside of any, the one the global reactor will run."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return default_loop()


def _best_kind() -> str:
    return "uvloop" if find_spec("uvloop") else "asyncio"
