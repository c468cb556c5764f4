"""The half of a connection that reads: bytes to exchanges, one in flight at a time.

Theory. The parser turns bytes into events; `_advance` takes them one by one. One exchange is
in flight at a time: the next head waits in `_events` until the answer before it is whole,
so that answers go out in the order of their requests (RFC 9112, 9.3.2). `end` inside
`_advance` only marks that the turn has passed on: a thousand requests in one packet are a
loop, not a recursion. While anything waits, or the client does not read, the socket is not
read either: what a connection can hold is what one read gave and the write buffer.

It inherits from the half that answers, as the channel does from it: both have one state, and a
request passes through both.
"""

from typing import Protocol as Face

from weblayer.loop.protocol import IPullProducer, IPushProducer
from weblayer.web.answering import Answering, Common
from weblayer.web.errors import Error
from weblayer.web.exchange import Exchange, Serving
from weblayer.wire.events import END, Bad, Event, Head
from weblayer.wire.parse import Limits, RequestParser

__all__ = ["Busy", "Reading"]

# More than this much of a body that nobody wants is not waited for, even while lingering.
MOST_DRAINED = 4 * 1024 * 1024


class Busy(Serving, Common, Face):
    """What it asks of the site."""

    now: float
    parsing: Limits
    inFlight: int
    mostInFlight: int
    mostPerConnection: int
    mostPipelined: int


class Reading(Answering):
    """Has each request that comes answered in its turn."""

    __slots__ = (
        "_advancing", "_allowed", "_arrived", "_choked", "_closing", "_counted", "_drained",
        "_ended", "_events", "_exchange", "_held", "_is_cut", "_parser", "_paused", "_since",
        "_site", "_started",
    )  # fmt: skip

    _site: Busy
    is_bounded = True  # as a producer: what it writes ends with the requests that have come

    def __init__(self, site: Busy) -> None:
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
        self._allowed = site.mostPerConnection  # requests that may still come; 0 is no limit
        self._drained = 0  # bytes read to nobody while closing
        self._since = self._started = site.now  # of the last turn, and of the last head
        self._arrived = 0  # bytes of a body that came since the last sweep

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

    # What the connection tells us of the client's reading

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

    # What the exchange in flight asks of us

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

    # The turns

    def _advance(self) -> None:
        """Take events, as long as it is somebody's turn."""
        if self._advancing:
            return
        self._advancing, site = True, self._site
        try:
            while self._events or self._parser.has_more:
                if self._choked or self._closing:
                    break
                if not self._events:
                    self._events = self._parser.feed(b"")
                    continue
                event = self._events[0]
                if type(event) is Head:
                    if self._exchange is not None:
                        break
                    del self._events[0]  # they are few
                    self._head = event
                    if event.facts.length:
                        self._receiving = True
                    self._since = self._started = site.now
                    if self._allowed:
                        self._allowed -= 1
                        self._last = self._last or not self._allowed
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

    def _pass_turn(self) -> None:
        """The exchange in flight is over: the next one, or the end."""
        exchange, self._exchange = self._exchange, None
        self._held = False
        if self._counted:
            self._uncount()
        if self._lent:
            self.unregisterProducer()
        self._since = self._site.now
        if exchange is not None and exchange.is_open:
            exchange.close()
        if not self._keep:
            self._close()
        elif not self._advancing:
            self._advance()

    def _refuse(self, bad: Bad) -> None:
        """Answer what is not a request."""
        raise NotImplementedError

    def _close(self) -> None:
        """Close when the answer is out."""
        raise NotImplementedError

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > MOST_DRAINED:
            self.transport.abortConnection()


def _size(event: Event) -> int:
    """How many bytes an event was, about."""
    return len(event.raw) if type(event) is Head else len(event) if type(event) is bytes else 0
