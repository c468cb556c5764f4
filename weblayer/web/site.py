"""The site: the factory of HTTP connections, with the root of the tree."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, tzinfo
from typing import IO, TYPE_CHECKING, NoReturn

from weblayer.loop.address import Address
from weblayer.loop.loops import current_loop
from weblayer.loop.protocol import ServerFactory
from weblayer.loop.reactor import SHUTDOWN, Reactor
from weblayer.loop.timers import DelayedCall, IReactorTime
from weblayer.web.accesslog import LogFormatter, accessLogFormatter
from weblayer.web.channel import HTTPChannel
from weblayer.web.deadlines import Deadlines
from weblayer.web.limits import Limits
from weblayer.web.request import Request
from weblayer.web.resource import Node, isNode
from weblayer.web.stream import Stream
from weblayer.web.watch import Awaited
from weblayer.wire.dates import format_date
from weblayer.wire.encode import server_fields
from weblayer.wire.events import Head

if TYPE_CHECKING:
    from weblayer.web.proxies import Proxies
    from weblayer.web.store import SessionStore

__all__ = ["Site"]

log = logging.getLogger("weblayer")

# Seconds. How long a connection may be silent: with the sweep after it, which comes once a second,
# within the minute that the field has as its default, and nginx 60 to 75.
TIMEOUT = 58.0

# Connections beyond the last for which there is room that are told so; those beyond are dropped.
MOST_TOLD = 100

# Seconds after which the log is told again that there is no room: a crowd stays for hours.
FULL_AGAIN = 60.0

# Seconds in which a request may arrive that was sent before its client heard that we shut down:
# a round trip to the other side of the world.
ROUND_TRIP = 0.25

# Seconds until a later turn of the loop. libuv calls timers before it reads: where the machine was
# busy for a round trip, a request that has arrived would find its connection closed.
NEXT_TURN = 0.001

# Connections that are looked at in one turn of the loop: about a millisecond. All of 10,000 at once
# would have everybody wait for 10 to 20.
SLICE = 500

# What the usual proxies write, or can easily be told to. X-Forwarded-Host and -Prefix are not among
# them: nginx and most balancers pass those on, and a stranger would name our host.
PROXY_FIELDS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID")

LIMITS = Limits()
DEADLINES = Deadlines()


class Site(ServerFactory):
    """Serves the tree under *resource*: give it to `reactor.listenTCP`.

    *requestFactory* makes the requests, *timeout* is how many seconds a connection may be silent,
    be it between two requests, or that nothing of an answer is read. *limits* and *deadlines* say
    how much clients may ask and how long they may take, each with the reason for its number.
    *logPath*, a file's path or an open text file, gets a line an exchange, as *logFormatter*
    writes it: a function, or what `accessLogFormatter` takes, as "json". A file of ours is written
    out once a second.
    *trustedProxies* are the proxies of ours that requests may come through: addresses, networks
    ("10.0.0.0/8"), and "unix" for whoever connects to a UNIX socket. They are believed in the
    fields that they write, *proxyFields*, which may be Forwarded, or any of X-Forwarded-For,
    -Proto, -Host and -Prefix, and X-Request-ID. Name none that they pass on from strangers.
    *sessions* is where those of visitors are kept: MemorySessions, if nothing is said.
    *reactor* tells the time (a Clock will do); without one, the event loop that
    the first connection comes in does.
    `displayTracebacks` shows errors of the program to whoever asks: for development only.
    """

    displayTracebacks = False
    # The bytes of a Server field; it names the program and not its version, which is of use
    # to attackers alone (RFC 9110, 10.2.4).
    serverName = b"weblayer"

    def __init__(
        self,
        resource: Node,
        requestFactory: Callable[[Stream, Head], Request] = Request,
        *,
        logPath: str | os.PathLike[str] | IO[str] | None = None,
        timeout: float = TIMEOUT,
        limits: Limits = LIMITS,
        deadlines: Deadlines = DEADLINES,
        logFormatter: LogFormatter | str = "combined",
        trustedProxies: Collection[str] = (),
        proxyFields: Iterable[str] = PROXY_FIELDS,
        sessions: "SessionStore | None" = None,
        reactor: IReactorTime | None = None,
    ) -> None:
        if not isNode(resource):
            raise TypeError(
                f"resource must be a resource (an instance, not a class), not {resource!r}"
            )
        if not isinstance(timeout, int | float) or not timeout > 0:
            raise ValueError(f"timeout must be seconds, more than 0, inf for none, not {timeout!r}")
        if not isinstance(limits, Limits):
            raise TypeError(f"limits must be Limits(...), not {limits!r}")
        if not isinstance(deadlines, Deadlines):
            raise TypeError(f"deadlines must be Deadlines(...), not {deadlines!r}")
        self.resource = resource
        self.requestFactory = requestFactory
        self.timeout, self.limits, self.deadlines = timeout, limits, deadlines
        self.times: dict[Awaited, float] = {}  # from the first sweep on
        self.parsing = limits._forParser()
        self.inFlight = 0
        self.mostInFlight = limits.maxRequestsInFlight or sys.maxsize
        self.mostPipelined = limits.maxPipelined
        self.mostPerConnection = limits.maxRequestsPerConnection or 0
        if isinstance(logFormatter, str):
            logFormatter = accessLogFormatter(logFormatter)
        self.logFormatter = logFormatter
        self.proxies = _proxies(trustedProxies, proxyFields)
        # Of the clock that was given; else one that tells more than the loop's milliseconds.
        self.seconds = time.perf_counter if reactor is None else reactor.seconds
        self.now = 0.0
        self.commonFields = b""
        self._sessions = sessions
        self._logPath = logPath
        self._log: IO[str] | None = None
        self.isLogging = False  # asked at each exchange, so that no log costs no call
        self._failsToLog = False  # which is told once, until it is written again
        self._hasStopped = False
        self._zone: tzinfo = UTC  # ours, from the first sweep on: to ask at each line is dear
        self._reactor = reactor
        self._room = limits._connections()
        self._toldFull = -FULL_AGAIN
        self._channels: set[HTTPChannel] = set()
        self._sweeping: DelayedCall | None = None
        self._slicing: DelayedCall | None = None
        self._unswept: list[HTTPChannel] = []  # at whom the sweep of this second has yet to look
        self._leaving: list[HTTPChannel] = []
        self._dismissing: DelayedCall | None = None

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

    @property
    def sessions(self) -> "SessionStore":
        """Where sessions are kept; made when the first page asks for one."""
        if self._sessions is None:
            from weblayer.web.memorysessions import MemorySessions

            self._sessions = MemorySessions(reactor=self._reactor)
        return self._sessions

    def acceptableProtocols(self) -> list[bytes]:
        """What is spoken here, for an encrypted connection's beginning (ALPN, RFC 7301)."""
        return [b"http/1.1"]

    def buildProtocol(self, addr: Address) -> HTTPChannel | None:
        """A channel for one connection; None when even those that are told no are too many."""
        if len(self._channels) >= self._room + MOST_TOLD:
            return None
        if self._sweeping is None:
            self._sweep()
        return HTTPChannel(self)

    def startFactory(self) -> None:
        """Open the access log."""
        self._hasStopped = False
        if self._log is None:
            self._open_log()

    def stopFactory(self) -> None:
        """Close what is open, as soon as there is no connection that may still need it."""
        self._hasStopped = True
        if not self._channels:
            self._close()

    def reopenLog(self) -> None:
        """Open the file of the access log anew: the old one has been moved away.

        Nothing happens to a log that was given open, and without one. Raises OSError, and goes on
        with the old file.
        """
        if self._log is not None and self._log is not self._logPath:
            old = self._log
            self._open_log()
            old.close()

    # What channels and exchanges tell us

    def joined(self, channel: HTTPChannel) -> bool:
        """A connection was made. Gives whether there is room for it."""
        self._channels.add(channel)
        has_room = len(self._channels) <= self._room
        if not has_room and self.now >= self._toldFull + FULL_AGAIN:
            self._toldFull = self.now
            log.warning(
                "more than %d connections (maxConnections): others are told 503", self._room
            )
        return has_room

    def left(self, channel: HTTPChannel) -> None:
        """A connection was lost; without any, nothing is timed."""
        self._channels.discard(channel)
        if not self._channels:
            for timer in (self._sweeping, self._slicing, self._dismissing):
                if timer is not None:
                    timer.cancel()
            self._sweeping = self._slicing = self._dismissing = None
            self._leaving, self._unswept = [], []
            self._flush()
            if self._hasStopped:
                self._close()

    def leaving(self, channel: HTTPChannel) -> None:
        """A connection is about to close, but its client may have sent a request already."""
        self._leaving.append(channel)
        if self._dismissing is None:
            self._dismissing = self._later(ROUND_TRIP, self._look_again)

    def log(self, request: Request) -> None:
        """An exchange is over: write its line, when there is a log."""
        if self._log is not None:
            try:
                self._log.write(self.logFormatter(datetime.now(self._zone), request) + "\n")
                if self._log is self._logPath:
                    self._log.flush()
                    self._failsToLog = False
            except Exception as error:  # a full disk must not break the answers
                self._complain(error)

    def _open_log(self) -> None:
        if isinstance(self._logPath, str | os.PathLike):
            self._log = open(self._logPath, "a", encoding="utf-8")  # noqa: SIM115  # _close
        else:
            self._log = self._logPath
        self.isLogging = self._log is not None

    def _close(self) -> None:
        """Close the access log, where it was we who opened it, and what keeps the sessions."""
        if self._sessions is not None:
            self._sessions.close()
        file, self._log = self._log, None
        self.isLogging = False
        if file is not None and file is not self._logPath:
            try:
                file.close()
            except OSError as error:  # as in log
                self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Say that the log fails: a line for each line that is lost would fill the next disk."""
        if not self._failsToLog:
            self._failsToLog = True
            log.error("the access log could not be written", exc_info=error)

    def _sweep(self) -> None:
        """Once a second, for all connections: the time, the Date, the log, and the silent ones."""
        self._sweeping = self._later(1, self._sweep)
        self.now = self._sweeping.getTime() - 1
        self.commonFields = server_fields(self.serverName, format_date(time.time()))
        self._zone = datetime.now(UTC).astimezone().tzinfo or UTC
        self._flush()
        self.times = self.deadlines._times(self.timeout)  # which a program may change
        if self._slicing is not None:
            self._slicing.cancel()
        for channel in self._unswept:  # whom a busy loop has not come to
            self._look_at(channel)
        self._unswept = [*self._channels]
        self._look_at_some()

    def _look_at_some(self) -> None:
        """Look at so many connections; at the others in later turns, between what they ask."""
        self._slicing = None
        some = self._unswept[-SLICE:]
        del self._unswept[-SLICE:]
        for channel in some:
            self._look_at(channel)
        if self._unswept:
            self._slicing = self._later(NEXT_TURN, self._look_at_some)

    def _look_at(self, channel: HTTPChannel) -> None:
        if channel in self._channels:  # else it has left meanwhile
            channel.sweep(self.now)

    def _look_again(self) -> None:
        self._dismissing = self._later(NEXT_TURN, self._dismiss)

    def _dismiss(self) -> None:
        leaving, self._leaving, self._dismissing = self._leaving, [], None
        for channel in leaving:
            channel.dismiss()

    def _later(self, seconds: float, call: Callable[[], None]) -> DelayedCall:
        # The loop we are in, not the global reactor's: a site may live in somebody else's.
        return (self._reactor or Reactor(current_loop())).callLater(seconds, call)

    def _flush(self) -> None:
        """Write out the lines of a second: a call to the system for each costs what a line does."""
        if self._log is not None and self._log is not self._logPath:
            try:
                self._log.flush()
                self._failsToLog = False
            except OSError as error:  # as in log
                self._complain(error)


def _proxies(trusted: Collection[str], fields: Iterable[str]) -> "Proxies | None":
    if not trusted:
        return None
    from weblayer.web.proxies import Proxies  # and ipaddress, which few programs need

    return Proxies(trusted, fields)
