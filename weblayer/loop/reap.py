"""Being told that a child has exited, by the loop, and leaving no zombie.

By a descriptor of the process where the kernel has them (Linux 5.3), else by a thread that waits.
Neither takes the signal SIGCHLD, which belongs to the program, nor the status of other children.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from subprocess import Popen
from threading import Thread

__all__ = ["watch_exit"]


def watch_exit(
    loop: asyncio.AbstractEventLoop, child: "Popen[bytes]", call: Callable[[], object]
) -> Callable[[], None]:
    """Have *call* made in the loop when *child* has exited; gives what stops watching.

    The caller then collects the status with `child.poll()`.
    """
    try:
        fd = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        return _wait_in_thread(loop, child, call)

    def forget() -> None:
        nonlocal fd
        if fd >= 0:
            loop.remove_reader(fd)
            os.close(fd)
            fd = -1

    def ready() -> None:
        forget()
        call()

    loop.add_reader(fd, ready)
    return forget


def _wait_in_thread(
    loop: asyncio.AbstractEventLoop, child: "Popen[bytes]", call: Callable[[], object]
) -> Callable[[], None]:
    watching = True

    def wait() -> None:
        child.wait()
        if watching:
            with suppress(RuntimeError):  # the loop has been closed
                loop.call_soon_threadsafe(call)

    def forget() -> None:
        nonlocal watching
        watching = False

    Thread(target=wait, name=f"wait for process {child.pid}", daemon=True).start()
    return forget
