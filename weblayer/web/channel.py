"""HTTP/1.1 on one connection: bytes to exchanges, and their answers to bytes.

Theory. Its two halves are in reading.py and answering.py. What is left is the connection itself:
how it begins and ends, and the time that its client takes.

A client that ends its side may still be there, or have left. What it asked for is answered if
the answer begins soon; see `readConnectionLost`.

Once a second the site has each channel look whether its client keeps it waiting for too long:
see `sweep` and deadlines.py.

The channel is the `Stream` of its exchange, and the transport's only producer.
"""

import logging
from typing import Protocol as Face

from weblayer.loop.failure import Failure
from weblayer.web.answering import NO_HEAD
from weblayer.web.deadlines import Deadlines
from weblayer.web.errors import Error
from weblayer.web.exchange import Exchange
from weblayer.web.reading import Busy, Reading
from weblayer.web.watch import BODY, HEAD, LEAVING, NEXT, NOTHING, READING, Awaited, Watch
from weblayer.wire.events import Bad

__all__ = ["HTTPChannel", "Server"]

log = logging.getLogger("weblayer")


class Server(Busy, Face):
    """What a channel asks of the site, beside what its halves ask."""

    deadlines: Deadlines
    times: dict[Awaited, float]

    def joined(self, channel: "HTTPChannel", /) -> bool:
        """A connection was made. Gives whether there is room for it."""

    def left(self, channel: "HTTPChannel", /) -> None:
        """A connection was lost."""

    def leaving(self, channel: "HTTPChannel", /) -> None:
        """A connection is about to close; have it `dismiss` itself in a moment."""


class HTTPChannel(Reading):
    """One connection of a site."""

    __slots__ = ("_unread", "_watch")

    _site: Server

    def __init__(self, site: Server) -> None:
        super().__init__(site)
        self._watch = Watch(site.now)
        self._unread = 0  # bytes that waited for the client to read at the last sweep

    # What the connection tells us

    def connectionMade(self) -> None:
        """Begin: we are the transport's producer as long as it lives."""
        self.transport.registerProducer(self, True)
        if not self._site.joined(self):
            self._refuse(Bad(503, "too many connections"))

    def readConnectionLost(self) -> None:
        """The client sends no more. What came whole is answered; what is half there is not.

        Most who end their side have left, and only writing to them would show it. So whoever does
        so in the midst of an answer gets no more of it, and an answer that has not begun after 5 to
        6 s (LINGER, and the next sweep) is given up; at once where the policy says to cancel what
        nobody waits for: a program may be at work for it.
        """
        self._ended = self._paused = True
        self._since = self._site.now
        asked = None if self._exchange is None else self._exchange.request
        if asked is not None and (asked.began or asked.policy.cancelWhenLost):
            self.transport.close()
        else:
            self._regulate()

    def writeConnectionLost(self) -> None:
        """All that we had to say is sent."""

    def connectionLost(self, reason: Failure) -> None:
        """The client is gone, or we have closed."""
        self._site.left(self)
        self._closing = True
        self._events = []
        exchange, self._exchange = self._exchange, None
        self._uncount()
        if exchange is not None:
            exchange.lost(reason)

    def retire(self) -> None:
        """The server shuts down: close behind the answer in flight, or as soon as may be.

        Where there was an answer a moment ago, the next request may be under way, and is answered.
        """
        was_busy = self._since >= self._site.now
        self._last, self._keep = True, False
        if self._exchange is not None:
            self._exchange.retire()
        elif was_busy:
            self._site.leaving(self)
        else:
            self.dismiss()

    def dismiss(self) -> None:
        """Close, unless a request has begun to come since; that has its answer, and is the last."""
        if self._exchange is None and self._parser.is_idle and not self._closing:
            self._close()

    # The time

    def sweep(self, now: float) -> None:
        """Called every second: end what the client has kept waiting for too long."""
        site, exchange = self._site, self._exchange
        unread = self.transport.under.get_write_buffer_size()
        if self._sender is not None:
            unread += self._sender.left
        awaited = self._awaited(unread)
        moved = self._arrived if awaited is BODY else self._unread + self._written - unread
        self._unread, self._arrived, self._written = unread, 0, 0
        least = site.deadlines.minBodyRate
        if self._watch.is_over(awaited, now, self._since, moved, site.times, least):
            self._hurry(awaited)
        elif exchange is not None:
            exchange.look(now - self._started)
        elif awaited is NEXT:
            self._head = NO_HEAD  # with all that a browser sent
            self._parser.forget()

    def _awaited(self, unread: int) -> Awaited:
        """What the next move is."""
        if unread:
            return READING
        if self._closing or self._ended:
            return LEAVING
        if self._exchange is None:
            return NEXT if self._parser.is_idle else HEAD
        is_ours = self._held or not self._exchange.awaits_body
        return NOTHING if is_ours else BODY

    def _hurry(self, awaited: Awaited) -> None:
        """The client has had its time: end it as politely as may be."""
        if self._closing or awaited is READING:
            self.abort()
        elif awaited is LEAVING:
            self.transport.close()
        elif awaited is NEXT:
            self._close()
        elif awaited is HEAD:
            self._refuse(Bad(408, "the head took too long"))
        elif self._exchange is not None:
            self._exchange.spoil(Error(408))

    # The end

    def abort(self) -> None:
        """Break off."""
        self._closing = True
        self.transport.abortConnection()

    def _refuse(self, bad: Bad) -> None:
        """Answer what is not a request."""
        log.info("%s: %d, %s", self.transport.getPeer(), bad.status, bad.rule)
        self._head, self._receiving = NO_HEAD, True
        self._exchange = exchange = Exchange(self, NO_HEAD, self._site)
        exchange.refuse(bad.status)

    def _close(self) -> None:
        """Close when the answer is out; first let a client that is still sending read it."""
        self._closing = True
        self._events = []
        self.unregisterProducer()
        self.transport.unregisterProducer()
        if self._receiving or self._is_cut:
            self.transport.loseWriteConnection()
            self._regulate()
        else:
            self.transport.loseConnection()
