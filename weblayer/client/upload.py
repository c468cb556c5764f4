"""A request's body on its way: what stands between its producer and the connection."""

from collections.abc import Callable

from weblayer.client.bodies import IBodyProducer
from weblayer.client.error import WrongBodyLength
from weblayer.loop.failure import Failure
from weblayer.loop.transport import Transport
from weblayer.wire.encode import LAST_CHUNK, encode_chunk

__all__ = ["Upload"]

UNBEGUN, BEGUN, OVER = range(3)


class Upload:
    """One producer's writing. Tells *done* of the end: None, or the Failure that it came by.

    To the transport it is the producer: who is stopped there has not failed.
    """

    __slots__ = (
        "_done", "_left", "_producer", "_state", "_transport",
        "moved", "pauseProducing", "resumeProducing",
    )  # fmt: skip

    def __init__(
        self, producer: IBodyProducer, transport: Transport, done: Callable[[Failure | None], None]
    ) -> None:
        self._producer, self._transport, self._done = producer, transport, done
        self.pauseProducing = producer.pauseProducing
        self.resumeProducing = producer.resumeProducing
        self._left = producer.length  # bytes still to come, None for chunks
        self._state = UNBEGUN
        self.moved = False  # whether anything was written since somebody last looked

    def begin(self) -> None:
        """Have the producer write, unless it does so already."""
        if self._state != UNBEGUN:
            return
        self._state = BEGUN
        try:
            writing = self._producer.startProducing(self)
        except Exception as error:
            self._end(Failure(error))
            return
        # After its start: a transport that is full has it paused at once, and who has not
        # begun has nothing to pause.
        self._transport.registerProducer(self, True)
        writing.addCallbacks(self._written, self._end)

    def write(self, data: bytes) -> None:
        """Send some of the body."""
        if self._state != BEGUN or not data:
            return  # an empty chunk would be the last one
        self.moved = True
        if self._left is None:
            data = encode_chunk(data)
        else:
            self._left -= len(data)
            if self._left < 0:
                self._break(f"{-self._left} bytes more than its length")
                return
        self._transport.write(data)

    def stop(self) -> None:
        """Have the producer write no more. Nobody is told of an end."""
        state, self._state = self._state, OVER
        if state == BEGUN:
            self._transport.unregisterProducer()
        if state != OVER:
            self._producer.stopProducing()

    def stopProducing(self) -> None:
        """The connection has ended. Nobody is told."""
        state, self._state = self._state, OVER
        if state != OVER:
            self._producer.stopProducing()

    def _written(self, _: object) -> None:
        if self._state != BEGUN:
            return
        if self._left:
            self._break(f"{self._left} bytes fewer than its length")
            return
        if self._left is None:
            self._transport.write(LAST_CHUNK)
        self._end(None)

    def _break(self, how: str) -> None:
        error = WrongBodyLength(f"the producer of the body wrote {how}, {self._producer.length}")
        self.stop()
        self._done(Failure(error))

    def _end(self, failure: Failure | None) -> None:
        state, self._state = self._state, OVER
        if state == BEGUN:
            self._transport.unregisterProducer()
            self._done(failure)
