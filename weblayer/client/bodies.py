"""Bodies of requests: what writes them, as fast as the server takes them.

A body that is here already can be given to `Agent.request` as bytes or text. What is read from a
file or made on the way is written by a producer: it knows its `length` or None, begins at
`startProducing`, which gives a Deferred of its end, and is paused when the server does not read.
"""

import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO
from typing import Protocol as Face

from weblayer.loop import cooperate as cooperation
from weblayer.loop.cooperate import TaskFinished
from weblayer.loop.deferred import Deferred
from weblayer.loop.failure import Failure

__all__ = [
    "AsyncBodyProducer",
    "FileBodyProducer",
    "IBodyConsumer",
    "IBodyProducer",
    "PiecesProducer",
    "StringProducer",
    "piecesOf",
    "sizeLeft",
]

# Bytes written at once: as much as a connection takes before it has a producer paused.
PIECE = 64 * 1024


class IBodyConsumer(Face):
    """What a producer writes to: the request that its body is of."""

    def write(self, data: bytes, /) -> object: ...


class IBodyProducer(Face):
    """What writes a request's body. *length* is its bytes, None where nobody can say."""

    @property
    def length(self) -> int | None: ...
    def startProducing(self, consumer: IBodyConsumer, /) -> Deferred[Any]: ...
    def pauseProducing(self) -> object: ...
    def resumeProducing(self) -> object: ...
    def stopProducing(self) -> object: ...


class _Task(Face):
    def whenDone(self) -> Deferred[Any]: ...
    def pause(self) -> object: ...
    def resume(self) -> object: ...
    def stop(self) -> object: ...


class Cooperates(Face):
    """What has an iterator worked through: the `cooperate` module, or a Cooperator."""

    @property
    def cooperate(self) -> Callable[[Iterator[Any]], _Task]: ...


class PiecesProducer:
    """Writes the pieces of an iterable, of *length* bytes in all, one in each turn."""

    def __init__(
        self, pieces: Iterable[bytes], length: int | None = None, cooperator: Any = cooperation
    ) -> None:  # Any: the module, whose function is generic, or a Cooperator
        self.length = length
        self._pieces = pieces
        self._cooperator: Cooperates = cooperator
        self._task: _Task | None = None

    def startProducing(self, consumer: IBodyConsumer) -> Deferred[None]:
        """Begin to write; fires at the end, or fails with what the iterable raised."""
        self._task = self._cooperator.cooperate(consumer.write(one) for one in self._pieces)
        done: Deferred[Any] = self._task.whenDone()
        return done.addBoth(self._end)

    def pauseProducing(self) -> None:
        """Write no more until resumeProducing."""
        self._tell("pause")

    def resumeProducing(self) -> None:
        """Write on."""
        self._tell("resume")

    def stopProducing(self) -> None:
        """Write no more, ever."""
        self._tell("stop")

    def _tell(self, what: str) -> None:
        with suppress(TaskFinished):  # it was the last piece that had it paused
            getattr(self._task, what)()

    def _end(self, result: Any) -> Any:
        return result if isinstance(result, Failure) else None


class StringProducer(PiecesProducer):
    """Writes what is here already."""

    def __init__(self, body: bytes | str, cooperator: Any = cooperation) -> None:
        data = body.encode() if isinstance(body, str) else body
        pieces = (data[at : at + PIECE] for at in range(0, len(data), PIECE))
        super().__init__(pieces, len(data), cooperator)


class FileBodyProducer(PiecesProducer):
    """Writes a file, open for bytes, from where it stands to its end; then closes it.

    One that cannot tell where it stands (a pipe) has no length, and is sent in chunks.
    """

    def __init__(
        self, inputFile: BinaryIO, cooperator: Any = cooperation, readSize: int = PIECE
    ) -> None:
        length = sizeLeft(inputFile)
        super().__init__(piecesOf(inputFile, readSize), length, cooperator)
        self._file = inputFile

    def stopProducing(self) -> None:
        """Read no more, and close the file."""
        super().stopProducing()
        self._file.close()

    def _end(self, result: Any) -> Any:
        self._file.close()
        return super()._end(result)


class AsyncBodyProducer:
    """Writes the pieces of an asynchronous iterable, of *length* bytes in all."""

    def __init__(self, pieces: AsyncIterable[bytes], length: int | None = None) -> None:
        self.length = length
        self._pieces = pieces
        self._writing: Deferred[None] | None = None
        self._resumed: Deferred[None] | None = None

    def startProducing(self, consumer: IBodyConsumer) -> Deferred[None]:
        """Begin to write; fires at the end, or fails with what the iterable raised."""
        self._writing = Deferred.fromCoroutine(self._write(consumer))
        return self._writing

    def pauseProducing(self) -> None:
        """Ask for no more pieces until resumeProducing."""
        if self._resumed is None:
            self._resumed = Deferred()

    def resumeProducing(self) -> None:
        """Ask for more pieces."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None and not resumed.called:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """End the iterable, where it waits."""
        if self._writing is not None:
            self._writing.cancel()

    async def _write(self, consumer: IBodyConsumer) -> None:
        async for piece in self._pieces:
            consumer.write(piece)
            if self._resumed is not None:
                await self._resumed


def piecesOf(file: BinaryIO, size: int) -> Iterator[bytes]:
    """What is left of *file*, in pieces of at most *size* bytes."""
    while piece := file.read(size):
        yield piece


def sizeLeft(file: BinaryIO) -> int | None:
    """How many bytes are left of *file*; None where it cannot tell."""
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except OSError:
        return None  # io.UnsupportedOperation is one
    return end - here
