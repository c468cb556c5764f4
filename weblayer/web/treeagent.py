"""An agent whose network is a tree in memory: what a program asks of others is answered here.

    async with Session(agent=TreeAgent(Root())) as session:
        response = await session.get("http://any.example/path")

Both ends are the real ones: what the client writes is read by the server's parser, walks the
tree, and what comes back is framed and parsed as it would be over a socket.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from weblayer.client.agent import Agent
from weblayer.client.pool import HTTPConnectionPool, IPoolReactor
from weblayer.client.timeouts import Timeouts
from weblayer.client.uri import URI
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.loops import Soon
from weblayer.loop.memory import connect
from weblayer.loop.protocol import IFactory
from weblayer.loop.reactor import reactorHere
from weblayer.web.resource import IResource
from weblayer.web.site import Site

__all__ = ["TreeAgent"]


class TreeAgent(Agent):
    """Asks *tree*, a Site or a resource that becomes the root of one, whatever host a URI names.

    Inside a running event loop all goes by itself. With a Clock as *reactor*, its time is that of
    both sides: of the client's timeouts and of the site's deadlines. Outside of a loop, bytes move
    when it is advanced, if only by nought, and what the tree waits for must be Deferreds.
    `https` is secure to both sides, though nothing is encrypted. Close it, or a Session on it, at
    the end.
    """

    def __init__(
        self,
        tree: IResource | Site,
        reactor: IPoolReactor | None = None,
        pool: HTTPConnectionPool | None = None,
        *,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.site = tree if isinstance(tree, Site) else Site(tree, reactor=reactor)
        reactor = reactor or reactorHere()
        pool = pool or HTTPConnectionPool(reactor)
        self._set_up(_Trees(self.site, reactor), pool, timeouts or Timeouts())
        self.site.doStart()

    def close(self) -> None:
        """End the connections, and tell the site that this port of it has gone."""
        self.pool.close()
        self.site.doStop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Trees:
    """Where every URI leads to."""

    site: Site
    reactor: IPoolReactor

    def endpointForURI(self, uri: URI) -> "_Tree":
        return _Tree(self.site, self.reactor, uri.scheme == "https")


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """The site, as a place to connect to."""

    site: Site
    reactor: IPoolReactor
    secure: bool

    def connect(self, factory: IFactory) -> Deferred[Any]:
        """A connection to the site, made at once."""
        pair = connect(self.site, factory, soon=self._soon(), secure=self.secure)
        return succeed(pair.client.protocol)

    def _soon(self) -> Soon:
        """How to have something called a turn later: by the loop, or by a clock where none runs."""
        try:
            return asyncio.get_running_loop().call_soon
        except RuntimeError:
            return self._by_clock

    def _by_clock(self, call: Callable[[], object]) -> None:
        self.reactor.callLater(0, call)
