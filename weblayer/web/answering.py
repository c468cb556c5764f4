"""The half of a connection that answers: how an answer in flight is framed, and its bytes.

The channel is this and what reads. It inherits instead of holding, because every answer passes
through here, and each of its steps would be one call more.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NoReturn
from typing import Protocol as Face

from weblayer.loop.address import Address
from weblayer.loop.protocol import IPullProducer, IPushProducer, Protocol
from weblayer.loop.sendfile import FileSender
from weblayer.loop.transport import Transport
from weblayer.wire.encode import (
    CONTINUE,
    LAST_CHUNK,
    encode_chunk,
    encode_head,
    encode_hints,
    encode_last_chunk,
    without,
)
from weblayer.wire.events import Facts, Head
from weblayer.wire.framing import CHUNKS, CLOSE, LENGTH, NOTHING, Framing, response_framing

if TYPE_CHECKING:  # loaded by who encrypts
    from weblayer.loop.ssl import Certificate

__all__ = ["NO_HEAD", "Answering"]

# What a message that is none is answered as.
NO_HEAD = Head(b"", b"-", b"/", Facts(b"HTTP/1.1", keep_alive=False))

# Up to here the head and the body go out as one piece of bytes; more is not copied for it.
ONE_PIECE = 64 * 1024

Fields = Iterable[tuple[bytes, bytes]]


class Common(Face):
    """What it asks of the site."""

    commonFields: bytes


class Answering(Protocol):
    """Writes one answer after the other, each in the framing that its request allows."""

    # A channel has more attributes than the 30 whose names Python 3.11 lets instances share:
    # without slots each connection has a dict of 1.6 kB, and a look into that costs twice as much.
    __slots__ = (
        "_framing", "_head", "_keep", "_last", "_left", "_lent", "_out", "_receiving", "_sender",
        "_supplied", "_written", "connected", "transport",
    )  # fmt: skip

    transport: Transport
    _site: Common

    def __init__(self) -> None:
        self._head = NO_HEAD  # of the exchange in flight
        self._receiving = False  # the body of that head is not whole
        self._framing: Framing = NOTHING  # of the answer in flight, as are the next three
        self._keep = True
        self._last = False  # the program wants no answer behind this one
        self._left: int | None = None  # bytes of the body still to come
        self._out = b""  # the head, until the first of the body goes with it
        self._written = 0  # bytes of bodies that came in pieces, since the last sweep
        self._supplied: list[bytes] = []  # fields of ours that the next answer has itself
        self._lent = False  # the transport's producer is the exchange's, not we
        self._sender: FileSender | None = None  # what sends the body past us

    # The stream of the exchange in flight

    def begin(self, code: int, phrase: bytes | None, fields: Fields, length: int | None) -> None:
        """Keep the head, to be written with the first of the body."""
        self._out = self._frame(code, phrase, fields, length)
        self._left = length

    def answer(
        self, code: int, phrase: bytes | None, fields: Fields, length: int | None, body: bytes
    ) -> None:
        """Write a whole answer, in one write unless its body is large; pass the turn on."""
        head = self._frame(code, phrase, fields, length)
        write = self.transport.write  # no method: got first, called faster
        if self._framing is NOTHING:
            write(head)
        elif length != len(body):
            self._give_up(f"{len(body)} bytes, not the {length}")
        elif length > ONE_PIECE:
            write(head)
            write(body)
        else:
            write(head + body)
        self._pass_turn()

    def send(self, data: bytes) -> None:
        """Write some of the body, and the head before it."""
        if self._framing is NOTHING:
            if self._lent:
                self.transport.write(b"")  # a pull producer is asked again once it has written
            return
        size = len(data)
        self._written += size
        if self._framing is CHUNKS:
            data = encode_chunk(data) if size else b""
        elif self._left is not None:
            self._left -= size
            if self._left < 0:
                self._give_up(f"{-self._left} bytes longer than")
        if self._out:
            head, self._out = self._out, b""
            if size > ONE_PIECE:
                self.transport.write(head)
            else:
                data = head + data
        if data:
            self.transport.write(data)

    def send_file(
        self, file: int, start: int, stop: int, done: Callable[[Exception | None], object]
    ) -> bool:
        """Have the kernel send what is left of the body; not where it is encrypted or in chunks."""
        if self._out or self._framing is not LENGTH or self._left != stop - start:
            return False
        if not FileSender.can_send(self.transport):
            return False
        self._sender = sender = FileSender(self.transport, file, start, stop, done)
        self._written += self._left
        self._left = 0
        self.registerProducer(sender, True)
        sender.begin()
        return True

    def end(self, trailers: Fields = ()) -> None:
        """The answer is whole; pass the turn on."""
        self._sender = None
        if self._framing is LENGTH and self._left:
            self._give_up(f"{self._left} bytes shorter than")
        if self._framing is CHUNKS:
            self._out += encode_last_chunk(trailers) if trailers else LAST_CHUNK
        if self._out:
            self.transport.write(self._out)
        self._pass_turn()

    def supply(self, names: list[bytes]) -> None:
        """Leave our own lines of these fields out of the answer that is about to begin."""
        self._supplied = names

    def close_after(self) -> None:
        """Close behind the answer that is about to begin."""
        self._last = True

    def abort(self) -> None:
        """Break off."""
        raise NotImplementedError

    def registerProducer(self, producer: IPushProducer | IPullProducer, streaming: bool) -> None:
        """Let *producer* do the writing."""
        raise NotImplementedError

    def proceed(self) -> None:
        """Ask for the body of the exchange in flight. Source: RFC 9110, 10.1.1."""
        self.transport.write(CONTINUE)

    def hint(self, links: Iterable[bytes]) -> None:
        """Tell what the answer will need. HTTP/1.0 knows no such answers (RFC 9110, 15.2)."""
        if self._head.facts.version == b"HTTP/1.1":
            self.transport.write(encode_hints(links))

    def getPeer(self) -> Address:
        """Who is at the other end."""
        return self.transport.getPeer()

    def getHost(self) -> Address:
        """Which address of ours this is."""
        return self.transport.getHost()

    def isSecure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.transport.secure

    def getPeerCertificate(self) -> "Certificate | None":
        """What the client has shown, if anything."""
        return self.transport.getPeerCertificate()

    # Inside

    def _frame(self, code: int, phrase: bytes | None, fields: Fields, length: int | None) -> bytes:
        """Decide how the answer is framed, and whether the connection lives on; write its head."""
        method, facts = self._head.method, self._head.facts
        self._framing = framing = response_framing(method, code, facts.version, length)
        # A body that is not wanted is not read to find the next request behind it.
        self._keep = keep = (
            facts.keep_alive
            and not self._last
            and framing is not CLOSE
            and not (self._receiving and not self._has_end())
        )
        connection = None
        if not keep:
            connection = b"close"
        elif facts.version != b"HTTP/1.1":
            connection = b"keep-alive"
        common = self._site.commonFields
        if self._supplied:
            common, self._supplied = without(common, self._supplied), []
        return encode_head(code, phrase, common, fields, framing, length, connection)

    def _has_end(self) -> bool:
        """Whether the end of the body has come, though it has not been given to the exchange."""
        raise NotImplementedError

    def _pass_turn(self) -> None:
        """The exchange in flight is over: the next one, or the end."""
        raise NotImplementedError

    def _give_up(self, how: str) -> NoReturn:
        """The program broke its word on the length: the client must not take this for whole."""
        self.abort()
        raise ValueError(f"the body is {how} Content-Length says")
