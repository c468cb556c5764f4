"""The body of a response: what has come of it, and whom it goes to.

Between the connection and who reads stands a Body. Until somebody reads it keeps what comes, up
to a mark at which the connection is not read any more; so does it while the reader has paused.
One that came whole with its head has no connection to wait for, and is Kept.
"""

import logging
from collections import deque
from typing import Final
from typing import Protocol as Face

from weblayer.client.error import ResponseDone
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IProtocol, Protocol

__all__ = ["DONE", "MOST_DRAINED", "Body", "Kept", "Source"]

log = logging.getLogger("weblayer")

# Bytes kept for nobody: a page and most answers of an API come whole, and their connection is
# free for others, however late they are read.
MOST_KEPT = 64 * 1024

# A body that nobody wants is read to its end when that is not farther than this, so that its
# connection lives on: about what the round trips of a new one would have brought instead.
MOST_DRAINED = 64 * 1024

READ_ALREADY = "this body is read already, or has been: that can be done once"

# What every body that came whole ends with: one for all, which holds no frames.
DONE: Final = Failure(ResponseDone("the body has come to its end"))


class Source(Face):
    """The connection, as the body sees it."""

    def hold(self) -> object: ...
    def flow(self) -> object: ...
    def abandon(self, reason: BaseException | None = None, /) -> object: ...


class Body:
    """One response's body. It is also the `transport` of the protocol that reads it."""

    __slots__ = (
        "_giving", "_kept", "_paused", "_pieces", "_reader", "_source", "left", "reason",
    )  # fmt: skip

    def __init__(self, source: Source | None, left: int | None) -> None:
        self._source = source  # none for what is kept, and came long ago
        self._pieces: deque[bytes] = deque()
        self._kept = 0  # bytes of the pieces
        self._giving = False
        self._reader: IProtocol | None = None
        self._paused = True  # what comes is kept
        self.left = left  # bytes to come; None: nobody knows
        self.reason: Failure | None = None  # why it has ended

    @property
    def is_claimed(self) -> bool:
        """Whether somebody reads it, or has."""
        return self._reader is not None

    def take(self) -> bytes | None:
        """All of it, where it has come to its end and nobody has read it; else None."""
        if self.reason is not DONE or self._reader is not None:
            return None
        self._reader = _NOBODY
        pieces = self._pieces
        return pieces.pop() if len(pieces) == 1 else b"".join(pieces)

    def deliver(self, reader: IProtocol) -> None:
        """Give it to *reader*: what has come at once, the rest as it comes, then the end."""
        if self._reader is not None:
            raise RuntimeError(READ_ALREADY)
        self._reader = reader
        reader.makeConnection(self)  # type: ignore[arg-type]  # of a transport it has these five
        self._unpause()

    def drop(self) -> bool:
        """Nobody will read it: read a short rest to its end, else end the connection.

        False where there was nothing left to drop, or somebody reads it.
        """
        if self._source is None or self._reader is not None:
            return False
        if (self.left or 0) > MOST_DRAINED:
            self._source.abandon()
        else:
            self._pieces.clear()
            self._reader = _Drain()
            self._reader.makeConnection(self)  # type: ignore[arg-type]  # as above
            self._unpause()
        return True

    # What the connection tells.

    def receive(self, data: bytes) -> None:
        """Some of it has come."""
        if self.left is not None:
            self.left -= len(data)
        if not self._paused:
            self._give(data)
            return
        self._pieces.append(data)
        self._kept += len(data)
        if self._kept > MOST_KEPT and self._source is not None:
            self._source.hold()

    def end(self, reason: Failure) -> None:
        """Nothing more will come."""
        if self.reason is None:
            self.reason = reason
            self._source = None
            if not (self._paused or self._giving):
                self._tell_end()

    # What the reader may do with its transport.

    def pauseProducing(self) -> None:
        """Keep what comes, and soon read no more."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Give what was kept, then what comes."""
        if self._paused and self._reader not in (None, _NOBODY):
            self._unpause()

    def stopProducing(self) -> None:
        """Want no more: drop what was kept, and end the connection when more would come."""
        self._pieces.clear()
        self._kept = 0
        if self._source is not None:
            self._source.abandon()

    loseConnection = abortConnection = stopProducing

    # Inside.

    def _unpause(self) -> None:
        self._paused = False
        if self._giving:
            return  # the reader paused and resumed while it was given a piece
        self._giving = True
        while self._pieces and not self._paused:
            piece = self._pieces.popleft()
            self._kept -= len(piece)
            self._give(piece)
        self._giving = False
        if self._paused:
            return
        if self.reason is not None:
            self._tell_end()
        elif self._source is not None:
            self._source.flow()

    def _give(self, data: bytes) -> None:
        assert self._reader is not None
        try:
            self._reader.dataReceived(data)
        except Exception as error:
            log.exception("an error escaped from the dataReceived of a body's reader")
            self._pieces.clear()
            self._kept = 0
            if self._source is not None:
                self._source.abandon(error)

    def _tell_end(self) -> None:
        reader, self._reader = self._reader, _NOBODY
        if reader is not None and reader is not _NOBODY and self.reason is not None:
            try:
                reader.connectionLost(self.reason)
            except Exception:
                log.exception("an error escaped from the connectionLost of a body's reader")


class Kept:
    """A body of which all is here, until somebody reads it."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data: bytes | None = data

    def take(self) -> bytes | None:
        """All of it, unless somebody has read it."""
        data, self._data = self._data, None
        return data

    def deliver(self, reader: IProtocol) -> None:
        """Give it to *reader*, and the end."""
        data = self.take()
        if data is None:
            raise RuntimeError(READ_ALREADY)
        body = Body(None, len(data))
        if data:
            body.receive(data)
        body.end(DONE)
        body.deliver(reader)

    def drop(self) -> bool:
        """Nobody will read it: False, since there is nothing to stop."""
        return False


class _Drain(Protocol):
    """Reads a body to nobody, as long as that is not far."""

    def __init__(self) -> None:
        self._left = MOST_DRAINED

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.transport.abortConnection()


_NOBODY = Protocol()
