"""HTTP/1.1 on one connection: bytes to exchanges, and their answers to bytes.

Theory. The parser turns bytes into events; `_advance` takes them one by one. One exchange is
in flight at a time: the next head waits in `_events` until the answer before it is whole,
so that answers go out in the order of their requests (RFC 9112, 9.3.2). `end` inside
`_advance` only marks that the turn has passed on: a thousand requests in one packet are a
loop, not a recursion. While anything waits, or the client does not read, the socket is not
read either: what a connection can hold is what one read gave and the write buffer.

The channel is the `Stream` of its exchange, and the transport's only producer.
"""

import logging
from collections.abc import Iterable
from typing import NoReturn
from typing import Protocol as Face

from weblayer.loop.address import Address
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IPullProducer, IPushProducer, Protocol
from weblayer.loop.transport import Transport
from weblayer.web.errors import Error
from weblayer.web.exchange import Exchange, Serving
from weblayer.web.pagetext import CONTENT_TYPES, default_detail, error_body
from weblayer.wire.encode import CONTINUE, LAST_CHUNK, encode_chunk, encode_head
from weblayer.wire.events import END, Bad, Event, Head
from weblayer.wire.framing import CHUNKS, CLOSE, LENGTH, NOTHING, Framing, response_framing
from weblayer.wire.parse import RequestParser
from weblayer.wire.status import phrase_of

__all__ = ["HTTPChannel", "Server"]

log = logging.getLogger("weblayer")

_NOTHING: list[Event] = []  # shared by all that have none: never added to

# What a message that is none is answered as.
_NO_HEAD = Head(b"", b"GET", b"", b"", b"", b"HTTP/1.1", b"", keep_alive=False)

# Up to here the head and the body go out as one piece of bytes; more is not copied for it.
ONE_PIECE = 64 * 1024

# Seconds to wait for a client to read an answer that we closed after, while its unread bytes
# keep coming: closing at once would reset the connection, and may lose the answer
# (RFC 9112, 9.6). nginx waits 5 for the next byte.
LINGER = 5


# More than this much of a body that nobody wants is not waited for, even while lingering.
MOST_DRAINED = 4 * 1024 * 1024


class Server(Serving, Face):
    """What a channel asks of the site, beside what its exchanges ask."""

    commonFields: bytes
    now: float
    timeout: float

    def joined(self, channel: "HTTPChannel", /) -> None:
        """A connection was made."""

    def left(self, channel: "HTTPChannel", /) -> None:
        """A connection was lost."""


class HTTPChannel(Protocol):
    """One connection of a site."""

    transport: Transport

    def __init__(self, site: Server) -> None:
        self._site = site
        self._parser = RequestParser()
        self._events = _NOTHING
        self._at = 0  # the next of the events
        self._exchange: Exchange | None = None
        self._head: Head | None = None  # of the exchange in flight
        self._receiving = False  # the body of the last head is not whole
        self._advancing = False
        self._held = False  # the exchange wants no more of the body for now
        self._choked = False  # the client does not read
        self._closing = False  # nothing more is answered
        self._paused = False  # we do not read
        self._lent = False  # the transport's producer is the exchange's, not we
        self._drained = 0  # bytes read to nobody while closing
        self._since = site.now  # when something last happened that a deadline counts from
        self._unread = 0  # bytes that waited for the client to read at the last sweep
        self._framing: Framing = NOTHING  # of the answer in flight, as are the next three
        self._keep = True
        self._last = False  # the program wants no answer behind this one
        self._left: int | None = None  # bytes of the body still to come
        self._out = b""  # the head, until the first of the body goes with it

    # What the connection tells us

    def connectionMade(self) -> None:
        """Begin: we are the transport's producer as long as it lives."""
        self.transport.registerProducer(self, True)
        self._site.joined(self)

    def dataReceived(self, data: bytes) -> None:
        """Some bytes came."""
        if self._closing:
            self._drain(len(data))
            return
        events = self._parser.feed(data)
        if self._events:
            self._events += events
        else:
            self._events = events
        if not self._advancing:
            self._advance()

    def connectionLost(self, reason: Failure) -> None:
        """The client is gone, or we have closed."""
        self._site.left(self)
        self._closing = True
        self._events = _NOTHING
        exchange, self._exchange = self._exchange, None
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

    def sweep(self, now: float) -> None:
        """Called every second: close what has been silent for too long."""
        unread, before = self.transport.under.get_write_buffer_size(), self._unread
        self._unread = unread
        if unread != before or not (unread or self._is_waiting()):
            self._since = now  # it reads, or it is not the client that we wait for
        silent = now - self._since
        if self._closing:
            if silent > (LINGER if self._receiving else self._site.timeout):
                self.transport.abortConnection()
        elif silent > self._site.timeout:
            self._hurry(bool(unread))

    def _hurry(self, is_unread: bool) -> None:
        """The client was silent for too long: end it as politely as may be."""
        if self._exchange is not None and is_unread:
            self.abort()
        elif self._exchange is not None:
            self._exchange.spoil(Error(408))
        elif self._parser.is_idle:
            self._close()
        else:
            self._refuse(Bad(408, "the request took too long"))

    def _is_waiting(self) -> bool:
        """Whether the next move is the client's, be it a request or more of a body."""
        return self._exchange is None or (self._exchange.awaits_body and not self._held)

    # The turns

    def _advance(self) -> None:
        """Take events, as long as it is somebody's turn."""
        if self._advancing:
            return
        self._advancing = True
        try:
            events = self._events  # which may grow meanwhile
            while self._at < len(events) and not (self._choked or self._closing):
                event = events[self._at]
                if type(event) is Head:
                    if self._exchange is not None:
                        break
                    self._at += 1
                    self._start(event)
                elif type(event) is Bad:
                    if self._exchange is None:
                        self._refuse(event)
                    elif self._receiving and not self._held:
                        self._at += 1
                        self._exchange.spoil(Error(event.status))
                    else:
                        break
                elif self._held:
                    break
                else:
                    self._at += 1
                    self._pass_on(event)
        finally:
            self._advancing = False
        if self._at == len(self._events):
            self._events, self._at = _NOTHING, 0
        if self._events or self._paused:
            self._regulate()

    def _start(self, head: Head) -> None:
        self._head = head
        self._receiving = head.length != 0
        self._since = self._site.now
        self._exchange = exchange = Exchange(self, head, self._site)
        exchange.start()

    def _pass_on(self, event: Event) -> None:
        """Give the exchange some of its body; where it has been answered already, nobody."""
        self._since = self._site.now
        if event is END:
            self._receiving = False
            if self._exchange is not None:
                self._exchange.complete()
        elif self._exchange is not None:
            self._exchange.received(event)  # type: ignore[arg-type]  # bytes: all else is ruled out

    def _regulate(self) -> None:
        """Read only while nothing waits and the client reads."""
        pause = not self._closing and (bool(self._events) or self._choked or self._held)
        if pause != self._paused:
            self._paused = pause
            if pause:
                self.transport.pauseProducing()
            else:
                self.transport.resumeProducing()

    # The stream of the exchange in flight

    def begin(
        self,
        code: int,
        phrase: bytes | None,
        fields: Iterable[tuple[bytes, bytes]],
        length: int | None,
    ) -> None:
        """Keep the head, to be written with the first of the body."""
        self._out = self._frame(code, phrase, fields, length)
        self._left = length

    def answer(
        self,
        code: int,
        phrase: bytes | None,
        fields: Iterable[tuple[bytes, bytes]],
        length: int | None,
        body: bytes,
    ) -> None:
        """Write a whole answer, in one write unless its body is large; pass the turn on."""
        head = self._frame(code, phrase, fields, length)
        if self._framing is NOTHING:
            self.transport.write(head)
        elif length != len(body):
            self._give_up(f"{len(body)} bytes, not the {length}")
        elif length > ONE_PIECE:
            self.transport.write(head)
            self.transport.write(body)
        else:
            self.transport.write(head + body)
        self._pass_turn()

    def _frame(
        self,
        code: int,
        phrase: bytes | None,
        fields: Iterable[tuple[bytes, bytes]],
        length: int | None,
    ) -> bytes:
        """Decide how the answer is framed, and whether the connection lives on; write its head."""
        head = self._head
        assert head is not None
        self._framing = framing = response_framing(head.method, code, head.version, length)
        # A body that is not wanted is not read to find the next request behind it.
        self._keep = (
            head.keep_alive
            and not self._last
            and framing is not CLOSE
            and not (self._receiving and END not in self._events[self._at :])
        )
        if self._keep:
            connection = None if head.version == b"HTTP/1.1" else b"keep-alive"
        else:
            connection = b"close"
        return encode_head(
            code, phrase, self._site.commonFields, fields, framing, length, connection
        )

    def send(self, data: bytes) -> None:
        """Write some of the body, and the head before it."""
        if self._framing is NOTHING:
            if self._lent:
                self.transport.write(b"")  # a pull producer is asked again once it has written
            return
        if self._framing is CHUNKS:
            data = encode_chunk(data)
        elif self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self._give_up(f"{-self._left} bytes longer than")
        if self._out:
            head, self._out = self._out, b""
            if len(data) > ONE_PIECE:
                self.transport.write(head)
            else:
                data = head + data
        self.transport.write(data)

    def end(self) -> None:
        """The answer is whole; pass the turn on."""
        if self._framing is LENGTH and self._left:
            self._give_up(f"{self._left} bytes shorter than")
        if self._framing is CHUNKS:
            self._out += LAST_CHUNK
        if self._out:
            self.transport.write(self._out)
        self._pass_turn()

    def _pass_turn(self) -> None:
        """The exchange in flight is over: the next one, or the end."""
        exchange, self._exchange = self._exchange, None
        self._held = False
        if self._lent:
            self.unregisterProducer()
        self._since = self._site.now
        if exchange is not None:
            exchange.close()
        if not self._keep:
            self._close()
        elif not self._advancing:
            self._advance()

    def close_after(self) -> None:
        """Close behind the answer that is about to begin."""
        self._last = True

    def abort(self) -> None:
        """Break off."""
        self._closing = True
        self.transport.abortConnection()

    def proceed(self) -> None:
        """Ask for the body of the exchange in flight. Source: RFC 9110, 10.1.1."""
        self.transport.write(CONTINUE)

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

    # The end

    def _refuse(self, bad: Bad) -> None:
        """Answer what is not a request; no resource is asked, and nobody's Accept was read."""
        log.info("%s: %d, %s", self.transport.getPeer(), bad.status, bad.rule)
        self._head, self._receiving = _NO_HEAD, True
        code = bad.status
        body = error_body("text", code, phrase_of(code).decode(), default_detail(code))
        self.begin(code, None, [(b"Content-Type", CONTENT_TYPES["text"].encode())], len(body))
        self.send(body)
        self.end()

    def _give_up(self, how: str) -> NoReturn:
        """The program broke its word on the length: the client must not take this for whole."""
        self.abort()
        raise ValueError(f"the body is {how} Content-Length says")

    def _close(self) -> None:
        """Close when the answer is out; first let a client that is still sending read it."""
        self._closing = True
        self._events, self._at = _NOTHING, 0
        self.unregisterProducer()
        self.transport.unregisterProducer()
        if self._receiving:
            self.transport.loseWriteConnection()
            self._regulate()
        else:
            self.transport.loseConnection()

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > MOST_DRAINED:
            self.transport.abortConnection()
