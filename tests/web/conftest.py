"""What holds for every test of the web."""

import asyncio

import pytest
from hypothesis import settings

from tests.web.scripts import nothing_left, program
from weblayer.loop.loops import new_loop
from weblayer.loop.reactor import Reactor
from weblayer.web.site import Site

__all__ = ["nothing_left", "program"]

LIMIT = 20  # seconds after which a test is taken to hang

# A busy machine is slow at times, and no law here is about how fast one example is.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(params=["asyncio", "uvloop"])
def serve(request):
    """A function that serves a tree as long as another, given the port, asks it in a thread."""
    loop = new_loop(request.param)
    reactor = Reactor(loop, shutdownTimeout=1)

    async def scenario(ask, port):
        async with asyncio.timeout(LIMIT):
            try:
                return await asyncio.to_thread(ask, port)
            finally:
                await reactor.fireSystemEvent("shutdown")

    def serve(root, ask, listen=reactor.listenTCP, where=(0,), **options):
        port = listen(*where, root if isinstance(root, Site) else Site(root), **options)
        return loop.run_until_complete(scenario(ask, port.getHost()))

    serve.reactor = reactor
    yield serve
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
