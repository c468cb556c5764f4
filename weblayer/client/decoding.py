"""Bodies that come compressed, and are read as they were. Source: RFC 9110, 8.4.

A compressed body may be a thousand times as long as what is sent of it, and it is the server
who says so. So it is decoded in small pieces, no faster than they are read, and no farther than
the two limits of the agent.
"""

from collections.abc import Callable, Sequence

from weblayer.client.agent import IAgent
from weblayer.client.decoders import IDecoder, decodersHere
from weblayer.client.error import NotDecoded, ResponseDone, ResponseFailed
from weblayer.client.response import UNKNOWN_LENGTH, Readable, Response, Wrapping
from weblayer.client.wrapping import Body, Text, as_text, copied
from weblayer.loop.deferred import Deferred
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IProtocol, Protocol
from weblayer.wire.fields import split_list
from weblayer.wire.headers import Headers

__all__ = ["ContentDecoderAgent"]

# Bytes that are decoded at once.
PIECE = 64 * 1024

# What a decoded body may be: longer than any page; a download is no page, and comes as it is.
MOST = 1024 * 1024 * 1024

# Times its compressed length, beyond the first ten megabytes: text comes to 20, a table with
# little in it to 60, and nothing but noughts to 230 at gzip's fastest and 1030 at its best; to
# 30,000 in zstd, and to a million in br.
MOST_TIMES = 100
FREE = 10 * 1024 * 1024

# More codings than one nobody uses for good.
MOST_CODINGS = 4


Decoders = Sequence[tuple[Text, Callable[[], IDecoder]]]


class ContentDecoderAgent:
    """Asks *agent* for a compressed body, and gives it decoded.

    *decoders* are pairs of a coding's name and what makes an IDecoder of it, the favourite first;
    without them it is gzip and deflate, and br and zstd where their packages are installed.
    The response has no Content-Encoding then, and no length; one in another coding is as it came.
    A body that breaks its coding, is longer than *maxSize* bytes or than *maxRatio* times what
    was sent (beyond its first 10 MB) ends with ResponseFailed, whose reason is NotDecoded. With
    an Accept-Encoding or a Range of the caller's nothing is asked for.
    """

    def __init__(
        self,
        agent: IAgent,
        decoders: Decoders | None = None,
        *,
        maxSize: int = MOST,
        maxRatio: float = MOST_TIMES,
    ) -> None:
        self._agent = agent
        known = decodersHere() if decoders is None else decoders
        self._decoders = {as_text("decoders", name).lower(): make for name, make in known}
        self._accepted = ", ".join(self._decoders)
        self._limits = maxSize, maxRatio

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Readable]:
        """Ask; fires with the response, decoded."""
        asked = copied(headers)
        if not (asked.hasHeader("accept-encoding") or asked.hasHeader("range")):
            asked.setHeader("Accept-Encoding", self._accepted)
        return self._agent.request(method, uri, asked, bodyProducer).addCallback(self._read)

    def _read(self, response: Response) -> Readable:
        """*response*, decoded where that can be."""
        said = response.headers.getRawHeaders(b"content-encoding")
        if said is None:
            return response
        codings = [one.decode("latin-1") for one in split_list(b",".join(said))]
        codings = [one.removeprefix("x-") for one in codings if one != "identity"]
        known = all(one in self._decoders for one in codings)
        # A part of a compressed body is no compressed body.
        if not codings or not known or len(codings) > MOST_CODINGS or response.code == 206:
            return response
        decoders = [self._decoders[one]() for one in reversed(codings)]
        return _Decoded(response, decoders, self._limits)


class _Decoded(Wrapping):
    """A response whose body is decoded as it is read."""

    __slots__ = ("_decoders", "_headers", "_limits")

    def __init__(
        self, response: Response, decoders: list[IDecoder], limits: tuple[int, float]
    ) -> None:
        super().__init__(response)
        self._decoders, self._limits = decoders, limits
        self._headers = response.headers.copy()
        self._headers.removeHeader("content-encoding")
        self._headers.removeHeader("content-length")

    @property
    def headers(self) -> Headers:
        return self._headers

    @property
    def length(self) -> int | None:
        return UNKNOWN_LENGTH

    def deliverBody(self, protocol: IProtocol) -> None:
        self._response.deliverBody(_Decoding(protocol, self._decoders, self._limits))

    def __repr__(self) -> str:
        return f"<Response {self.code} {self.phrase}, decoded>"


class _Decoding(Protocol):
    """Reads a body, and is the transport of the protocol that reads it decoded."""

    def __init__(
        self, reader: IProtocol, decoders: list[IDecoder], limits: tuple[int, float]
    ) -> None:
        self._reader, self._decoders = reader, decoders
        self._most, self._times = limits
        # What waits before each decoder, None where that one wants more; behind the last stands
        # the reader.
        self._waiting: list[bytes | None] = [None] * len(decoders)
        self._seen = self._given = 0
        self._paused = self._busy = False
        self._reason: Failure | None = None
        self._is_over = False

    def connectionMade(self) -> None:
        self._reader.makeConnection(self)  # type: ignore[arg-type]  # of a transport it has these

    def dataReceived(self, data: bytes) -> None:
        self._seen += len(data)
        self._waiting[0] = (self._waiting[0] or b"") + data
        self._decode()

    def connectionLost(self, reason: Failure) -> None:
        self._reason = reason
        self._decode()

    # What the reader may do with its transport.

    def pauseProducing(self) -> None:
        """Give no more for now."""
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Give on."""
        self._paused = False
        self._decode()

    def stopProducing(self) -> None:
        """Want no more."""
        self._waiting = [None] * len(self._decoders)
        self.transport.stopProducing()

    loseConnection = abortConnection = stopProducing

    # Inside.

    def _decode(self) -> None:
        """Give what can be given, piece by piece, until the reader pauses or there is no more."""
        if self._busy or self._is_over:
            return
        self._busy = True
        try:
            while not (self._paused or self._is_over) and (piece := self._next()) is not None:
                self._give(piece)
        except NotDecoded as error:
            self._break(error)
        finally:
            self._busy = False
        if self._paused or self._is_over:
            return
        if self._reason is not None:
            self._end(self._reason)
        else:
            self.transport.resumeProducing()

    def _next(self) -> bytes | None:
        """One more piece, which may be empty; None where there is nothing to decode."""
        waiting = self._waiting
        for at in reversed(range(len(waiting))):
            data = waiting[at]
            if data is not None:
                piece, waiting[at] = self._decoded(at, data)
                if at + 1 == len(waiting):
                    return piece
                waiting[at + 1] = piece or None
                return b""
        return None

    def _decoded(self, at: int, data: bytes) -> tuple[bytes, bytes | None]:
        try:
            return self._decoders[at].decode(data, PIECE)
        except Exception as error:  # each package has its own, and so has a caller's decoder
            raise NotDecoded(
                f"the body is not in the coding that it is said to be in: {error}"
            ) from error

    def _give(self, piece: bytes) -> None:
        self._given += len(piece)
        if self._given > self._most:
            raise NotDecoded(f"decoded it is longer than the {self._most} bytes allowed")
        if self._given > FREE + self._seen * self._times:
            raise NotDecoded(f"decoded it is more than {self._times:g} times as long as it was")
        if piece:
            self._reader.dataReceived(piece)

    def _end(self, reason: Failure) -> None:
        cut = self._seen and not all(one.isWhole() for one in self._decoders)
        if cut and reason.check(ResponseDone):
            self._break(NotDecoded("the compressed body ends too early"))
            return
        self._is_over = True
        self._reader.connectionLost(reason)

    def _break(self, error: NotDecoded) -> None:
        self._is_over = True
        self.stopProducing()
        self._reader.connectionLost(Failure(ResponseFailed([Failure(error)])))
