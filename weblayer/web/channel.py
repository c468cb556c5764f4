"""HTTP/1.1 on one connection: bytes to exchanges, and their answers to bytes.

Theory. The parser turns bytes into events; `_advance` takes them one by one. One exchange is
in flight at a time: the next head waits in `_events` until the answer before it is whole,
so that answers go out in the order of their requests (RFC 9112, 9.3.2). `end` inside
`_advance` only marks that the turn has passed on: a thousand requests in one packet are a
loop, not a recursion. While anything waits, or the client does not read, the socket is not
read either: what a connection can hold is what one read gave and the write buffer.

A client that ends its side may still be there, or have left. What it asked for is answered if
the answer begins soon; see `readConnectionLost`.

Once a second the site has each channel look whether its client keeps it waiting for too long:
see `sweep` and deadlines.py.

The channel is the `Stream` of its exchange, and the transport's only producer.
"""

import logging
from typing import Protocol as Face

from weblayer.loop.address import Address
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IPullProducer, IPushProducer
from weblayer.loop.ssl import Certificate
from weblayer.web.answering import NO_HEAD, Answering
from weblayer.web.deadlines import Deadlines
from weblayer.web.errors import Error
from weblayer.web.exchange import Exchange, Serving
from weblayer.web.watch import BODY, HEAD, LEAVING, NEXT, NOTHING, READING, Awaited, Watch
from weblayer.wire.events import END, Bad, Event, Head
from weblayer.wire.parse import Limits, RequestParser

__all__ = ["HTTPChannel", "Server"]

log = logging.getLogger("weblayer")

# More than this much of a body that nobody wants is not waited for, even while lingering.
MOST_DRAINED = 4 * 1024 * 1024


class Server(Serving, Face):
    """What a channel asks of the site, beside what its exchanges ask."""

    commonFields: bytes
    now: float
    deadlines: Deadlines
    times: dict[Awaited, float]
    parsing: Limits
    inFlight: int
    mostInFlight: int
    mostPerConnection: int
    mostPipelined: int

    def joined(self, channel: "HTTPChannel", /) -> bool:
        """A connection was made. Gives whether there is room for it."""

    def left(self, channel: "HTTPChannel", /) -> None:
        """A connection was lost."""

    def leaving(self, channel: "HTTPChannel", /) -> None:
        """A connection is about to close; have it `dismiss` itself in a moment."""


class HTTPChannel(Answering):
    """One connection of a site."""

    _site: Server
    is_bounded = True  # as a producer: what it writes ends with the requests that have come

    def __init__(self, site: Server) -> None:
        super().__init__()
        self._site = site
        self._parser = RequestParser(site.parsing)
        self._events: list[Event] = []  # that wait, at most what one feed gave
        self._exchange: Exchange | None = None
        self._advancing = False
        self._held = False  # the exchange wants no more of the body for now
        self._choked = False  # the client does not read
        self._closing = False  # nothing more is answered
        self._ended = False  # the client sends no more
        self._is_cut = False  # more was sent than is read
        self._paused = False  # we do not read
        self._counted = False  # the exchange is among those that the site has in flight
        self._requests = 0
        self._drained = 0  # bytes read to nobody while closing
        self._since = self._started = site.now  # of the last turn, and of the last head
        self._watch = Watch(site.now)
        self._unread = 0  # bytes that waited for the client to read at the last sweep
        self._arrived = 0  # bytes of a body that came since then

    # What the connection tells us

    def connectionMade(self) -> None:
        """Begin: we are the transport's producer as long as it lives."""
        self.transport.registerProducer(self, True)
        if not self._site.joined(self):
            self._refuse(Bad(503, "too many connections"))

    def dataReceived(self, data: bytes) -> None:
        """Some bytes came."""
        if self._closing:
            self._drain(len(data))
            return
        if self._events:
            self._events += self._parser.feed(data)
        else:
            self._events = self._parser.feed(data)
        self._advance()

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

    def pauseProducing(self) -> None:
        """The client does not read: neither do we."""
        self._choked = True
        self._regulate()

    def resumeProducing(self) -> None:
        """The client reads again."""
        self._choked = False
        self._advance()

    def stopProducing(self) -> None:
        """The connection is lost; connectionLost comes next."""

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

    # The turns

    def _advance(self) -> None:
        """Take events, as long as it is somebody's turn."""
        if self._advancing:
            return
        self._advancing, site = True, self._site
        try:
            while (self._events or self._parser.has_more) and not (self._choked or self._closing):
                if not self._events:
                    self._events = self._parser.feed(b"")
                    continue
                event = self._events[0]
                if type(event) is Head:
                    if self._exchange is not None:
                        break
                    self._events.pop(0)  # they are few
                    self._head = event
                    self._receiving = event.facts.length != 0
                    self._since = self._started = site.now
                    self._requests += 1
                    if self._requests == site.mostPerConnection:
                        self._last = True
                    self._exchange = exchange = Exchange(self, event, site)
                    if site.inFlight < site.mostInFlight:
                        exchange.start()
                    else:
                        exchange.refuse(503)
                    if self._exchange is not None:  # what is answered at once was never in flight
                        self._counted = True
                        site.inFlight += 1
                elif type(event) is Bad:
                    if self._exchange is None:
                        self._refuse(event)
                    elif self._receiving and not self._held:
                        self._events.pop(0)
                        self._exchange.spoil(Error(event.status))
                    else:
                        break
                elif self._held:
                    break
                else:
                    self._events.pop(0)
                    self._pass_on(event)
        finally:
            self._advancing = False
        if self._events or self._paused:
            self._regulate()

    def _uncount(self) -> None:
        if self._counted:
            self._counted = False
            self._site.inFlight -= 1

    def _pass_on(self, event: Event) -> None:
        """Give the exchange some of its body; where it has been answered already, nobody."""
        if event is END:
            self._receiving = False
            if self._exchange is not None:
                self._exchange.complete()
        elif self._exchange is not None:
            self._arrived += len(event)  # type: ignore[arg-type]  # bytes: all else is ruled out
            self._exchange.received(event)  # type: ignore[arg-type]  # as above

    def _regulate(self) -> None:
        """Read only while nothing waits and the client reads."""
        if self._ended:
            self._end()
            return
        pause = not self._closing and (bool(self._events) or self._choked or self._held)
        if pause != self._paused:
            self._paused = pause
            if pause:
                self.transport.pauseProducing()
                self._bound()
            else:
                self.transport.resumeProducing()

    def _bound(self) -> None:
        """Where more waits behind the request in flight than may, that is the last."""
        if self._exchange is None or self._receiving:
            return  # what waits is taken in a moment, or is its body
        if self._parser.waiting + sum(map(_size, self._events)) > self._site.mostPipelined:
            self._parser.stop()
            self._events = []
            self._is_cut, self._last, self._keep = True, True, False

    def _has_end(self) -> bool:
        return END in self._events

    def _end(self) -> None:
        """The client has ended its side: close when all that came whole is answered."""
        is_heard = not (self._events or self._parser.has_more)
        if is_heard and (self._exchange is None or self._receiving):
            self.transport.close()

    # The rest of the stream of the exchange in flight

    def _pass_turn(self) -> None:
        """The exchange in flight is over: the next one, or the end."""
        exchange, self._exchange = self._exchange, None
        self._held, self._sender = False, None
        if self._counted:
            self._uncount()
        if self._lent:
            self.unregisterProducer()
        self._since = self._site.now
        if exchange is not None:
            exchange.close()
        if not self._keep:
            self._close()
        elif not self._advancing:
            self._advance()

    def abort(self) -> None:
        """Break off."""
        self._closing = True
        self.transport.abortConnection()

    def pause(self) -> None:
        """Keep what comes of the body, and soon read no more of it."""
        self._held = True
        self._regulate()

    def resume(self) -> None:
        """Go on with the body."""
        if self._held:
            self._held = False
            self._since = self._site.now
            self._advance()

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """Let *producer* do the writing, in our place, as fast as the client reads.

        What it does not need is ours again with `unregisterProducer`: while an exchange is in
        flight nothing new is begun, whether the client reads or not.
        """
        if self._lent:
            raise RuntimeError("a producer is registered; call unregisterProducer() first")
        self.transport.unregisterProducer()
        self._lent = True
        self._choked = False
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """The producer is done."""
        if self._lent:
            self._lent = False
            self.transport.unregisterProducer()
            self.transport.registerProducer(self, True)

    def getPeer(self) -> Address:
        """Who is at the other end."""
        return self.transport.getPeer()

    def getHost(self) -> Address:
        """Which address of ours this is."""
        return self.transport.getHost()

    def isSecure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.transport.secure

    def getPeerCertificate(self) -> Certificate | None:
        """What the client has shown, if anything."""
        return self.transport.getPeerCertificate()

    # The end

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

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > MOST_DRAINED:
            self.transport.abortConnection()


def _size(event: Event) -> int:
    """How many bytes an event was, about."""
    return len(event.raw) if type(event) is Head else len(event) if type(event) is bytes else 0
