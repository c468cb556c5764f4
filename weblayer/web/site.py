"""The site: the factory of HTTP connections, with the root of the tree."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, NoReturn

from weblayer.loop.address import Address
from weblayer.loop.loops import current_loop
from weblayer.loop.protocol import ServerFactory
from weblayer.loop.reactor import SHUTDOWN, Reactor
from weblayer.loop.timers import DelayedCall, IReactorTime
from weblayer.web.accesslog import combinedLogFormatter
from weblayer.web.channel import HTTPChannel
from weblayer.web.request import Request
from weblayer.web.resource import IResource
from weblayer.web.stream import Stream
from weblayer.wire.dates import format_date
from weblayer.wire.encode import server_fields
from weblayer.wire.events import Head

__all__ = ["Site"]

log = logging.getLogger("weblayer")

LogFormatter = Callable[[datetime, Request], str]

# Seconds. How long a connection may be silent: the field's default, and nginx's 60 to 75.
TIMEOUT = 60.0


class Site(ServerFactory):
    """Serves the tree under *resource*: give it to `reactor.listenTCP`.

    *requestFactory* makes the requests, *timeout* is how many seconds a connection may be silent.
    *logPath*, a file's path or an open text file, gets a line an exchange, as *logFormatter*
    writes it. *reactor* tells the time (a Clock will do); without one, the event loop that
    the first connection comes in does.
    `displayTracebacks` shows errors of the program to whoever asks: for development only.
    """

    displayTracebacks = False
    # The bytes of a Server field; it names the program and not its version, which is of use
    # to attackers alone (RFC 9110, 10.2.4).
    serverName = b"weblayer"

    def __init__(
        self,
        resource: IResource,
        requestFactory: Callable[[Stream, Head], Request] = Request,
        *,
        logPath: str | os.PathLike[str] | IO[str] | None = None,
        timeout: float = TIMEOUT,
        logFormatter: LogFormatter = combinedLogFormatter,
        reactor: IReactorTime | None = None,
    ) -> None:
        if isinstance(resource, type) or not hasattr(resource, "isLeaf"):
            raise TypeError(
                f"resource must be a resource (an instance, not a class), not {resource!r}"
            )
        self.resource = resource
        self.requestFactory = requestFactory
        self.timeout = timeout
        self.logFormatter = logFormatter
        self.now = 0.0
        self.commonFields = b""
        self._logPath = logPath
        self._log: IO[str] | None = None
        self.isLogging = False  # asked at each exchange, so that no log costs no call
        self._reactor = reactor
        self._channels: set[HTTPChannel] = set()
        self._sweeping: DelayedCall | None = None

    async def serve(
        self,
        description: str,
        *,
        whenListening: Callable[[Address], object] | None = None,
        shutdownTimeout: float = SHUTDOWN,
    ) -> NoReturn:
        """Serve inside an asyncio program, until cancelled.

            async with asyncio.TaskGroup() as group:
                group.create_task(site.serve("tcp:8080:interface=127.0.0.1"))
                group.create_task(...)

        *description* says where, as in `serverFromString`; *whenListening* is called with the
        address there, which has the number that the system chose for `tcp:0`. When cancelled, it
        closes the port and waits for what was written to be sent, *shutdownTimeout* seconds at
        most; cancelled again, it waits no longer. Either way nothing of it is left.
        Raises CannotListenError, and what serverFromString does, before it has waited at all.
        """
        from weblayer.loop.endpoints import serverFromString

        reactor = Reactor(asyncio.get_running_loop(), shutdownTimeout=shutdownTimeout)
        port = await serverFromString(reactor, description).listen(self)
        try:
            if whenListening is not None:
                whenListening(port.getHost())
            while True:
                await reactor.loop.create_future()  # for ever, which is until cancelled
        finally:
            await reactor.fireSystemEvent("shutdown")

    def buildProtocol(self, addr: Address) -> HTTPChannel:
        """A channel for one connection."""
        if self._sweeping is None:
            self._sweep()
        return HTTPChannel(self)

    def startFactory(self) -> None:
        """Open the access log."""
        if isinstance(self._logPath, str | os.PathLike):
            self._log = open(self._logPath, "a", encoding="utf-8")  # noqa: SIM115  # stopFactory
        else:
            self._log = self._logPath
        self.isLogging = self._log is not None

    def stopFactory(self) -> None:
        """Close the access log, where it was we who opened it."""
        if self._log is not None and self._log is not self._logPath:
            self._log.close()
        self._log = None
        self.isLogging = False

    # What channels and exchanges tell us

    def joined(self, channel: HTTPChannel) -> None:
        """A connection was made."""
        self._channels.add(channel)

    def left(self, channel: HTTPChannel) -> None:
        """A connection was lost; without any, nothing is swept."""
        self._channels.discard(channel)
        if not self._channels and self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    def log(self, request: Request) -> None:
        """An exchange is over: write its line, when there is a log."""
        if self._log is not None:
            moment = datetime.now(UTC).astimezone()
            try:
                self._log.write(self.logFormatter(moment, request) + "\n")
                self._log.flush()
            except Exception:  # a full disk must not break the answers
                log.exception("the access log could not be written")

    def _sweep(self) -> None:
        """Once a second, for all connections: the time, the Date, and the silent ones."""
        # The loop we are in, not the global reactor's: a site may live in somebody else's.
        reactor = self._reactor or Reactor(current_loop())
        self.now = reactor.seconds()
        self.commonFields = server_fields(self.serverName, format_date(time.time()))
        self._sweeping = reactor.callLater(1, self._sweep)
        for channel in tuple(self._channels):
            channel.sweep(self.now)
