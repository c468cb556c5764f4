"""The signals that stop a program, caught while its reactor runs."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["caught"]

STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def caught(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> Iterator[None]:
    """Have *call* made in the loop for SIGINT and SIGTERM, until the block ends.

    Outside the main thread, where Python delivers no signals, nothing is caught. What
    handled them before does so again afterwards.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOPPING}
    for number in STOPPING:
        loop.add_signal_handler(number, call)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)  # which sets Python's default
            # None: set by another language than Python, and not ours to give back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
