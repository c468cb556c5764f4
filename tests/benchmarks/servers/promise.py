"""An answer that is not there yet, for servers on the loop of asyncio."""

import asyncio

from tests.benchmarks.servers import HELLO

__all__ = ["later"]


def later() -> asyncio.Future[bytes]:
    """HELLO in a later turn of the loop, as it comes from a database or another server."""
    loop = asyncio.get_running_loop()
    promise = loop.create_future()
    loop.call_soon(promise.set_result, HELLO)
    return promise
