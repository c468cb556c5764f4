"""Connections to servers: who may have one, who waits for one, and how long one is kept.

Theory. Requests to one origin share a *place*. A place counts its connections from the moment
one is asked for until the socket is closed; that count, and the sum of all, never exceed the
caps. Who finds no free connection and no room for another waits in a line, and lines are served
in the order of arrival over all places: a busy origin cannot starve another.

One timer looks after all: once a second while anything is under way, else when the next idle
connection expires.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, ParamSpec
from typing import Protocol as Face

from weblayer.client.body import Body
from weblayer.client.connection import HTTPConnection
from weblayer.client.endpoint import IAgentEndpointFactory
from weblayer.client.error import ConnectTimeout, PoolClosed
from weblayer.client.exchange import Exchange
from weblayer.client.timeouts import LOOK, NEVER, Stage
from weblayer.loop import error as loop_error
from weblayer.loop.address import Address
from weblayer.loop.deferred import Deferred, succeed
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import Factory
from weblayer.loop.reactor import reactorHere
from weblayer.loop.timers import DelayedCall, IReactorTime

__all__ = ["HTTPConnectionPool", "IPoolReactor"]

P = ParamSpec("P")

# Where to connect, and what for: what one place is for.
Key = tuple[IAgentEndpointFactory, tuple[str, str, int]]

log = logging.getLogger("weblayer")

CONNECTING: Final = Stage.CONNECTING


class IPoolReactor(IReactorTime, Face):
    """What a pool asks of a reactor."""

    def callFromThread(
        self, f: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> object: ...


class HTTPConnectionPool:
    """Connections that are kept for the next request, and the bounds of all that there are.

    What is not *persistent* closes each connection after its answer. The numbers below are the
    instance's own, to be set before it is used.
    """

    # Open at once to one origin, all told: what 32 at once can do, more cannot do faster, and
    # servers that count (nginx's limit_conn) allow tens.
    maxConnectionsPerHost = 32
    # Open at once in all: a quarter of the 1024 descriptors that a process has by default.
    maxConnections = 256
    # Kept idle to one origin: all that there may be, since they expire.
    maxPersistentPerHost = 32
    # Seconds: just below nginx's 75 and Apache's 5 times twelve; a server that closes earlier
    # says so by closing, and its connection is forgotten.
    cachedConnectionTimeout = 55.0
    # Whether what may be repeated is, when its connection had been closed by the server.
    retryAutomatically = True

    def __init__(self, reactor: IPoolReactor | None = None, persistent: bool = True) -> None:
        self.persistent = persistent
        self._reactor: IPoolReactor = reactor or reactorHere()
        self._seconds = self._reactor.seconds
        self._places: dict[Key, _Place] = {}
        self._busy: set[Exchange] = set()
        self._count = 0  # connections, those being made included
        self._arrivals = 0  # of requests that had to wait
        self._queued = 0  # those that wait now
        self._timer: DelayedCall | None = None
        self._looks_at = NEVER  # when it looks next
        self._yielding: HTTPConnection | None = None  # closed to make room for another origin
        self._leaving: set[HTTPConnection] = set()  # closed by closeCachedConnections
        self._closed: list[Deferred[None]] = []  # to be fired when those have gone
        self._is_closed = self._has_told = False

    def closeCachedConnections(self) -> Deferred[None]:
        """Close the connections that wait for a next request; fires when they are closed."""
        for place in list(self._places.values()):
            self._leaving.update(place.idle)
            place.close_idle()
        if not self._leaving:
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._closed.append(done)
        return done

    def close(self) -> None:
        """Close every connection, at once. What is under way, or asked for afterwards, fails.

        PoolClosed is among its reasons.
        """
        self._is_closed = True
        for exchange in list(self._busy):
            self._stop(exchange, PoolClosed("the pool was closed"))
        for place in list(self._places.values()):
            place.close_idle()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer, self._looks_at = None, NEVER

    def getNumbers(self) -> tuple[int, int, int]:
        """Connections that there are, those of them that are idle, and requests under way."""
        idle = sum(len(place.idle) for place in self._places.values())
        return self._count, idle, len(self._busy)

    # Inside.

    def _begin(self, endpoints: IAgentEndpointFactory, exchange: Exchange) -> None:
        """Find a connection for *exchange*, now or when there is one."""
        if self._is_closed:
            exchange.fail(PoolClosed("the pool is closed"))
            return
        key = endpoints, exchange.draft.origin
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(self, key)
        exchange.place = place
        self._busy.add(exchange)
        now = exchange.since
        if now + exchange.timeouts.firstLook < self._looks_at:
            self._look_again(now + exchange.timeouts.firstLook)
        place.begin(exchange, now)

    def _stop(self, exchange: Exchange, error: BaseException | None = None) -> None:
        """End *exchange*, wherever it is, for *error*; without one nobody is told."""
        if error is None:
            exchange.answered = None
        carrier, connecting = exchange.carrier, exchange.connecting
        if carrier is not None:
            carrier.abandon(error)
            return
        self._busy.discard(exchange)
        if connecting is not None:
            connecting.cancel()
        elif exchange.place is not None:
            exchange.place.leave(exchange)
        if error is not None:
            exchange.fail(error)

    def _look_again(self, when: float) -> None:
        """Look after what is under way at the moment *when*, and not before."""
        seconds = max(when - self._seconds(), 0.0)
        self._looks_at = when
        if self._timer is None:
            self._timer = self._reactor.callLater(seconds, self._look)
        else:
            self._timer.reset(seconds)

    def _look(self) -> None:
        """End what is overdue and what has been idle for too long."""
        self._timer, self._looks_at = None, NEVER
        now, nearest = self._seconds(), NEVER
        for exchange in list(self._busy):
            when, error = exchange.overdue(now)
            if error is not None:
                self._stop(exchange, error)
            else:
                nearest = min(nearest, when, now + LOOK)
        for place in list(self._places.values()):
            nearest = min(nearest, place.expire(now))
        if nearest < self._looks_at:  # it may have been asked again meanwhile
            self._look_again(nearest)

    def _serve(self) -> None:
        """Give what room there is to those who have waited longest."""
        while self._queued and not self._is_closed:
            place = self._next()
            if place is None:
                break
            if self._count >= self.maxConnections:
                self._close_oldest()
                break
            place.connect(place.next(), self._seconds())

    def _next(self) -> "_Place | None":
        """The place whose turn it is to have another connection, as far as its own cap goes."""
        open_ones = [one for one in self._places.values() if one.waiting and one.has_room]
        return min(open_ones, key=_arrival, default=None)

    def _first(self) -> "_Place | None":
        """The place of who has waited longest, of those that a free connection could help."""
        full = self._count >= self.maxConnections
        helped = [p for p in self._places.values() if p.waiting and (full or not p.has_room)]
        return min(helped, key=_arrival, default=None)

    def _close_oldest(self) -> None:
        """Make room for another origin: close the connection that has been idle for longest."""
        idle = [place for place in self._places.values() if place.idle]
        if idle:
            oldest = min(idle, key=_oldest)
            oldest.idle.pop(0).transport.loseConnection()

    def _gone(self, connection: HTTPConnection) -> None:
        """A connection has ended."""
        if self._yielding is connection:
            self._yielding = None
        self._leaving.discard(connection)
        if not self._leaving:
            closed, self._closed = self._closed, []
            for done in closed:
                done.callback(None)

    def _drop(self, body: Body) -> None:
        """A response was dropped, in whatever thread, and its *body* with it unread."""
        with suppress(RuntimeError):  # the loop is closed, and all its connections with it
            self._reactor.callFromThread(self._dropped, body)

    def _dropped(self, body: Body) -> None:
        if body.drop() and not self._has_told:
            self._has_told = True
            log.warning(
                "a response was dropped and its body not read, which may cost its connection;"
                " read it, or ask with HEAD (told once)"
            )


class _Place(Factory):
    """The connections to one origin, and who waits for one. It keeps them, and makes them."""

    def __init__(self, pool: HTTPConnectionPool, key: Key) -> None:
        self._pool, self._key = pool, key
        self.idle: list[HTTPConnection] = []  # the newest last
        self.count = 0
        self.waiting: OrderedDict[Exchange, int] = OrderedDict()  # with the number of its arrival

    @property
    def has_room(self) -> bool:
        """Whether this origin may have one more connection."""
        return self.count < self._pool.maxConnectionsPerHost

    def begin(self, exchange: Exchange, now: float) -> None:
        """Have *exchange* on a connection, or wait for one."""
        pool = self._pool
        while self.idle and not self.waiting:
            connection = self.idle.pop()
            if connection.is_open():
                connection.begin(exchange, now)
                return
        if not self.waiting and self.has_room and pool._count < pool.maxConnections:
            self.connect(exchange, now)
            return
        pool._arrivals += 1
        pool._queued += 1
        self.waiting[exchange] = pool._arrivals
        if self.has_room:
            pool._close_oldest()

    def next(self) -> Exchange:
        """Who has waited longest; there must be somebody."""
        self._pool._queued -= 1
        return self.waiting.popitem(last=False)[0]

    def leave(self, exchange: Exchange) -> None:
        """*exchange* waits no more."""
        if self.waiting.pop(exchange, None) is not None:
            self._pool._queued -= 1
            self._forget()

    def connect(self, exchange: Exchange, now: float) -> None:
        """Make a connection for *exchange*."""
        self.count += 1
        self._pool._count += 1
        exchange.come_to(CONNECTING, now)
        exchange.connecting = connecting = exchange.connect(self._key[0], self)
        connecting.addCallbacks(partial(self._connected, exchange), partial(self._failed, exchange))

    def buildProtocol(self, addr: Address) -> HTTPConnection:
        """The protocol of a new connection."""
        return HTTPConnection(self)

    def expire(self, now: float) -> float:
        """Close what has been idle for too long; when to look again."""
        limit = self._pool.cachedConnectionTimeout
        for connection in self.idle:
            if connection.idle_since is None:
                connection.idle_since = now
        while self.idle and now - (self.idle[0].idle_since or now) >= limit:
            self.idle.pop(0).transport.loseConnection()
        return (self.idle[0].idle_since or now) + limit if self.idle else NEVER

    def close_idle(self) -> None:
        """Close what is idle."""
        idle, self.idle = self.idle, []
        for connection in idle:
            connection.transport.loseConnection()

    # The Keeper of its connections.

    def seconds(self) -> float:
        """The time."""
        return self._pool._seconds()

    def drop(self, body: Body) -> None:
        """A response has gone, and its body was not read."""
        self._pool._drop(body)

    def stop(self, exchange: Exchange) -> None:
        """Nobody wants the answer to an exchange."""
        self._pool._stop(exchange)

    def over(self, exchange: Exchange) -> None:
        """An exchange has ended, and its connection with it."""
        self._pool._busy.discard(exchange)

    def again(self, exchange: Exchange) -> bool:
        """Ask once more, on a connection that is not stale; False when that is not wanted."""
        if not self._pool.retryAutomatically or self._pool._is_closed:
            return False
        exchange.is_again = True
        self.close_idle()  # whatever ended one of them has ended them all, most likely
        self.begin(exchange, self.seconds())
        return True

    def release(self, connection: HTTPConnection, exchange: Exchange) -> None:
        """An exchange has ended, and its connection is free."""
        pool = self._pool
        pool._busy.discard(exchange)
        if pool._is_closed:
            connection.transport.loseConnection()
        elif not (pool._queued and self._pass_on(connection)):
            connection.idle_since = None
            self.idle.append(connection)
            if len(self.idle) > pool.maxPersistentPerHost:
                self.idle.pop(0).transport.loseConnection()

    def lost(self, connection: HTTPConnection) -> None:
        """A connection has ended."""
        if connection in self.idle:
            self.idle.remove(connection)
        self._pool._gone(connection)
        self._less()

    # Inside.

    def _pass_on(self, connection: HTTPConnection) -> bool:
        """Give a free connection, or its room, to who has waited longest, if that helps anybody."""
        pool = self._pool
        if pool._first() not in (None, self) and pool._yielding is None:
            pool._yielding = connection  # one is enough to make room for that one
            connection.transport.loseConnection()
        elif self.waiting:
            connection.begin(self.next(), self.seconds())
        else:
            return False
        return True

    def _connected(self, exchange: Exchange, connection: HTTPConnection) -> None:
        exchange.connecting = None
        if exchange in self._pool._busy:
            connection.begin(exchange, self.seconds())
        else:
            self.release(connection, exchange)

    def _failed(self, exchange: Exchange, failure: Failure) -> None:
        exchange.connecting = None
        if exchange in self._pool._busy:
            self._pool._busy.discard(exchange)
            error = failure.value
            if isinstance(error, loop_error.TimeoutError):
                late = ConnectTimeout(exchange.timeouts.of(ConnectTimeout))
                late.__cause__ = error
                error = late
            exchange.fail(error)
        self._less()

    def _less(self) -> None:
        self.count -= 1
        self._pool._count -= 1
        self._pool._serve()
        self._forget()

    def _forget(self) -> None:
        if not self.count and not self.waiting and self._pool._places.get(self._key) is self:
            del self._pool._places[self._key]


def _arrival(place: _Place) -> int:
    return next(iter(place.waiting.values()))


def _oldest(place: _Place) -> float:
    return place.idle[0].idle_since or NEVER
