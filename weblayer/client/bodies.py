"""Bodies of requests: what writes them, as fast as the server takes them.

A body that is here already can be given to `Agent.request` as bytes or text. What is read from a
file or made on the way is written by a producer: it knows its `length` or None, begins at
`startProducing`, which gives a Deferred of its end, and is paused when the server does not read.

One that `isReplayable` writes the same again when it is started again: after a redirect that keeps
the method, a challenge, a connection that was stale.
"""

import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO
from typing import Protocol as Face

from weblayer.loop import cooperate as cooperation
from weblayer.loop.cooperate import TaskFinished
from weblayer.loop.deferred import Deferred
from weblayer.loop.failure import Failure

__all__ = [
    "AsyncBodyProducer",
    "FileBodyProducer",
    "FilePieces",
    "IBodyConsumer",
    "IBodyProducer",
    "PiecesProducer",
    "StringProducer",
    "piecesOf",
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
    """Writes the pieces of an iterable, of *length* bytes in all, one in each turn.

    It can be replayed where the iterable can: a list, but no generator.
    """

    def __init__(
        self, pieces: Iterable[bytes], length: int | None = None, cooperator: Any = cooperation
    ) -> None:  # Any: the module, whose function is generic, or a Cooperator
        self.length = length
        self.isReplayable = not isinstance(pieces, Iterator)
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
        if self._task is not None:
            with suppress(TaskFinished):  # it was the last piece that had it paused
                getattr(self._task, what)()

    def _end(self, result: Any) -> Any:
        return result if isinstance(result, Failure) else None


class StringProducer(PiecesProducer):
    """Writes what is here already."""

    def __init__(self, body: bytes | str, cooperator: Any = cooperation) -> None:
        data = body.encode() if isinstance(body, str) else body
        super().__init__(_Slices(data), len(data), cooperator)


class _Slices:
    """Bytes in pieces, cut as they are gone through: not a copy of all."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._data), PIECE):
            yield self._data[at : at + PIECE]


class FilePieces:
    """What a file holds from where it stands, in pieces, as often as they are gone through."""

    def __init__(self, file: BinaryIO, size: int = PIECE) -> None:
        self._file, self._size = file, size
        self._start = file.tell()
        self.length = file.seek(0, os.SEEK_END) - self._start
        file.seek(self._start)

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._start)
        while piece := self._file.read(self._size):
            yield piece


class FileBodyProducer(PiecesProducer):
    """Writes a file, open for bytes, from where it stands to its end.

    It does not close the file: a redirect may ask for it again, and who opened it knows when all is
    done. One that cannot tell where it stands (a pipe) has no length, is sent in chunks, and once.
    """

    def __init__(
        self, inputFile: BinaryIO, cooperator: Any = cooperation, readSize: int = PIECE
    ) -> None:
        pieces = piecesOf(inputFile, readSize)
        length = pieces.length if isinstance(pieces, FilePieces) else None
        super().__init__(pieces, length, cooperator)


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


def piecesOf(file: BinaryIO, size: int = PIECE) -> FilePieces | Iterator[bytes]:
    """What is left of *file*, in pieces of at most *size* bytes; once only where it cannot seek."""
    try:
        return FilePieces(file, size)
    except OSError:  # io.UnsupportedOperation is one
        return iter(partial(file.read, size), b"")
