"""A reactor on each event loop, for rooms whose tests say the same of both."""

import asyncio

import pytest
from hypothesis import settings

from weblayer.loop.loops import new_loop
from weblayer.loop.reactor import Reactor

LIMIT = 20  # seconds after which a test is taken to hang

# A busy machine is slow at times, and no law here is about how fast one example is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(params=["asyncio", "uvloop"])
def reactor(request):
    """A reactor on a loop of each kind; `reactor.drive` runs a coroutine, then closes all."""
    loop = new_loop(request.param)
    reactor = Reactor(loop, shutdownTimeout=5)
    errors = []
    loop.set_exception_handler(lambda loop, context: errors.append(context))

    def drive(coroutine):
        async def limited():
            try:
                async with asyncio.timeout(LIMIT):
                    await coroutine
            finally:  # a loop of uvloop that closes with a port open may do so for ever
                await reactor.fireSystemEvent("shutdown")

        loop.run_until_complete(limited())

    reactor.drive = drive
    yield reactor
    left = [*reactor.getDelayedCalls(), *asyncio.all_tasks(loop)]
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert not left, f"left in the loop: {left}"
    assert not errors, f"errors that no test looked at: {errors}"
