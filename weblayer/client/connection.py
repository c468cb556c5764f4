"""One HTTP/1.1 connection to a server: requests to bytes, and bytes to their answers.

Theory. A connection has one exchange at a time. The parser turns what comes into events; when
the last of an answer has come the exchange is over, and the connection goes back to its keeper,
or ends, *before* anybody is told: who asks again at once finds it free. The keeper is told of
each exchange that is over and of the end of the connection, exactly once each.

What must hold: a body that was not sent to its end, bytes behind an answer, an answer that nobody
asked for, and anything that is no HTTP end the connection, since nobody can say what the next
bytes on it would mean.
"""

from typing import Final
from typing import Protocol as Face

from weblayer.client.bodies import StringProducer
from weblayer.client.body import DONE, Body, Kept
from weblayer.client.error import (
    MalformedResponse,
    PotentialDataLoss,
    RequestGenerationFailed,
    RequestTimeout,
    ResponseFailed,
    ResponseNeverReceived,
)
from weblayer.client.exchange import Exchange
from weblayer.client.response import Coming, Response
from weblayer.client.timeouts import Stage
from weblayer.client.upload import Upload
from weblayer.loop.error import ConnectionAborted, ConnectionDone
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import Protocol
from weblayer.loop.transport import Transport
from weblayer.wire.answer import UNTIL_CLOSE, AnswerEvent, AnswerHead, AnswerParser, is_bodiless
from weblayer.wire.events import END, Bad

__all__ = ["HTTPConnection", "Keeper"]

# As members of their class they cost a look-up each time (Python 3.11).
MOVING: Final = Stage.MOVING
SENT: Final = Stage.SENT


class Keeper(Face):
    """Whose connection it is: its place in the pool."""

    def seconds(self) -> float: ...
    def over(self, exchange: Exchange, /) -> object: ...
    def again(self, exchange: Exchange, /) -> bool: ...
    def release(self, connection: "HTTPConnection", exchange: Exchange, /) -> object: ...
    def lost(self, connection: "HTTPConnection", /) -> object: ...
    def drop(self, body: Body, /) -> object: ...


class HTTPConnection(Protocol):
    """A connection, and the exchange that it has. It is the Source of that one's body."""

    # Slots: the base has a default of `transport`, and what has one in the class is looked up
    # by name each time (Python 3.11).
    __slots__ = (
        "_body", "_exchange", "_head", "_held", "_is_bodiless", "_keeper", "_lives", "_parser",
        "_unsent", "_upload", "idle_since", "is_used", "transport",
    )  # fmt: skip

    transport: Transport

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._parser = AnswerParser()
        self._exchange: Exchange | None = None
        self._head: AnswerHead | None = None  # of the answer, as is the body
        self._body: Body | None = None
        self._is_bodiless = False  # the answer, whatever its head may say
        self._upload: Upload | None = None
        self._lives = True  # whether another exchange may follow
        self._held = False  # we do not read
        self._unsent = 0  # bytes that had been written and not sent when last looked at
        self.is_used = False  # whether it has had an exchange before
        self.idle_since: float | None = None  # for the pool, which stamps it

    def is_open(self) -> bool:
        """Whether something may be asked on it."""
        return not self.transport.under.is_closing()

    def begin(self, exchange: Exchange, now: float) -> None:
        """Ask. The connection must be free."""
        draft = exchange.draft
        self._exchange, self._lives = exchange, not draft.closes
        exchange.carrier = self
        self._parser.begin(draft.method)
        write = self.transport.write  # an attribute: called as a method it is looked up slower
        write(exchange.head)
        body = exchange.body
        if body is None:
            exchange.come_to(SENT, now)
            return
        producer = StringProducer(body) if isinstance(body, bytes) else body
        self._upload = upload = Upload(producer, self.transport, self._sent)
        if exchange.expects:
            exchange.come_to(SENT, now)
        else:
            exchange.come_to(MOVING, now)
            upload.begin()

    def proceed(self) -> None:
        """Send the body that waited for 100 Continue."""
        exchange = self._exchange
        if self._upload is not None and exchange is not None and exchange.expects:
            exchange.expects = False
            exchange.come_to(MOVING, self._keeper.seconds())
            self._upload.begin()

    # What the connection tells us.

    def dataReceived(self, data: bytes) -> None:
        """Some bytes came."""
        exchange = self._exchange
        if exchange is None:
            # The answer to nothing, or a server that says why it is about to close (408): of
            # no use to anybody (RFC 9112, 9.5).
            self.transport.abortConnection()
            return
        events = self._parser.feed(data)
        if len(events) == 3 and self._upload is None:
            head, body, end = events
            if end is END and type(head) is AnswerHead and type(body) is bytes:
                self._answer(exchange, head, body)
                return
        exchange.moved = True
        self._take(exchange, events)

    def connectionLost(self, reason: Failure) -> None:
        """The connection has ended."""
        exchange, upload = self._exchange, self._upload
        if upload is not None:
            self._upload = None
            upload.stopProducing()  # which nobody has done to one that had not begun
        if exchange is not None:
            if reason.check(ConnectionDone) and self._parser.has_begun:
                self._take(exchange, self._parser.feed_end())
            if self._exchange is exchange:
                self._lose(exchange, reason)
        self._keeper.lost(self)

    # The answer.

    def _take(self, exchange: Exchange, events: list[AnswerEvent]) -> None:
        response = None
        for event in events:
            if self._exchange is not exchange:
                break  # whoever reads the body wants no more of it
            if type(event) is bytes:
                assert self._body is not None
                self._body.receive(event)
            elif event is END:
                self._finish(exchange)
            elif type(event) is AnswerHead:
                if event.code >= 200 or event.code == 101:
                    response = self._start(exchange, event)
                elif event.code == 100:
                    self.proceed()
            elif type(event) is Bad:
                self._break(exchange, MalformedResponse(event.rule))
        # Told last: a short answer is whole by then, and its connection free.
        if response is not None:
            exchange.answer(response)

    def _answer(self, exchange: Exchange, head: AnswerHead, data: bytes) -> None:
        """All of the answer has come at once, as most do: nothing is to wait for, or to hold."""
        response = Response(exchange.request, head, Kept(data), len(data))
        self._end(exchange, self._lives and head.keep_alive and not self._parser.rest)
        exchange.answer(response)

    def _start(self, exchange: Exchange, head: AnswerHead) -> Response:
        self._head = head
        exchange.stage = MOVING
        self._is_bodiless = is_bodiless(exchange.draft.method, head.code)
        length = 0 if self._is_bodiless else head.length
        self._body = body = Body(self, length if length >= 0 else None)
        if self._upload is not None and (head.code >= 300 or exchange.expects):
            # It does not want the rest, or any of it. A good answer may come while its server
            # still reads, as an echo does (RFC 9112, 9.5).
            self._end_upload()
        return Coming(exchange.request, head, body, self._keeper.drop)

    def _finish(self, exchange: Exchange) -> None:
        """The answer is whole."""
        head, body = self._head, self._body
        assert head is not None
        assert body is not None
        if self._upload is not None:
            self._end_upload()
        # What follows 101, or a good answer to CONNECT, is another protocol.
        connects = exchange.draft.method == b"CONNECT"
        changes = self._is_bodiless and (head.code == 101 or connects)
        until_close = head.length == UNTIL_CLOSE and not self._is_bodiless
        ends = changes or until_close or self._parser.rest
        self._head = self._body = None
        if self._held:
            self.flow()
        self._end(exchange, self._lives and head.keep_alive and not ends)
        if until_close:
            body.end(Failure(PotentialDataLoss("the body ended with the connection")))
        else:
            body.end(DONE)

    def _lose(self, exchange: Exchange, reason: Failure) -> None:
        """The connection has ended before the answer had."""
        # A server may close a connection just as we ask on it: then it has read nothing of it,
        # or at least nobody can say so, and what may be repeated is (RFC 9112, 9.3.1).
        if self.is_used and not self._parser.has_begun and exchange.is_repeatable:
            self._exchange = exchange.carrier = None
            if self._keeper.again(exchange):
                return
        self._break(exchange, reason.value)

    def _break(self, exchange: Exchange, error: BaseException) -> None:
        """End the exchange, and the connection."""
        body = self._body
        if self._upload is not None:
            self._end_upload()
        self._exchange = self._head = self._body = exchange.carrier = None
        self._keeper.over(exchange)
        self.transport.abortConnection()
        told = _told(error, self._parser.has_begun)
        if body is not None:
            body.end(Failure(told))
        else:
            exchange.fail(told)

    def _end(self, exchange: Exchange, lives: bool) -> None:
        """The exchange is over, in order, and another may follow if the connection *lives*."""
        self._exchange = exchange.carrier = None
        if lives:
            self.is_used = True
            self._keeper.release(self, exchange)
        else:
            self._keeper.over(exchange)
            self.transport.loseConnection()

    # The body that goes out.

    def _sent(self, failure: Failure | None) -> None:
        """The producer has come to its end."""
        exchange, self._upload = self._exchange, None
        if exchange is None:
            return
        if failure is not None:
            self._break(exchange, RequestGenerationFailed([failure]))
        elif self._head is None:
            exchange.come_to(SENT, self._keeper.seconds())

    def _end_upload(self) -> None:
        upload, self._upload = self._upload, None
        self._lives = False
        if upload is not None:
            upload.stop()

    # The Source of a body, and the Carrier of an exchange.

    def hold(self) -> None:
        """Read no more."""
        if not self._held:
            self._held = True
            self.transport.pauseProducing()

    def flow(self) -> None:
        """Read on."""
        if self._held:
            self._held = False
            self.transport.resumeProducing()

    def abandon(self, reason: BaseException | None = None) -> None:
        """End the exchange for that *reason*, or because nobody wants more of it."""
        if self._exchange is not None:
            self._break(self._exchange, reason or ConnectionAborted("nobody wanted more of it"))

    def progress(self) -> bool:
        """Whether anything went out since the last look, or nothing is to come for now."""
        before, self._unsent = self._unsent, self.transport.under.get_write_buffer_size()
        moved = self._held or self._unsent != before
        if self._upload is not None:
            moved, self._upload.moved = moved or self._upload.moved, False
        return moved


def _told(error: BaseException, has_begun: bool) -> BaseException:
    """What to tell of an *error*: itself where it says what happened, else what it led to."""
    if isinstance(error, RequestTimeout | RequestGenerationFailed):
        return error
    kind = ResponseFailed if has_begun else ResponseNeverReceived
    return kind([Failure(error)])
