"""Taking a body in: spooled, streamed or ignored, and never more of it than the policy allows."""

import asyncio
import io
from collections import deque
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Protocol

from weblayer.loop.loops import current_loop
from weblayer.web.errors import ContentTooLarge
from weblayer.web.stream import Stream

if TYPE_CHECKING:  # loaded by who gets forms with files
    from weblayer.web.form import Form

__all__ = ["BodyStream", "Intake", "Spool", "too_large"]

# 256 KiB: most bodies that fit a limit of 1 MiB never touch the disk.
MEMORY = 256 * 1024

# 64 KiB waiting for a slow consumer, then the socket is not read any more: the same mark
# at which a transport asks its producer to pause.
HIGH = 64 * 1024


class Intake(Protocol):
    """What a body is given to, piece by piece."""

    @property
    def is_waiting(self) -> bool:
        """Whether nothing goes on until more of the body comes."""

    def received(self, data: bytes) -> None:
        """Some of the body came. Raises ContentTooLarge."""

    def complete(self) -> None:
        """The body is whole."""

    def lose(self, why: BaseException) -> None:
        """The rest will never come."""


class Spool:
    """Keeps a body: in memory, from MEMORY bytes on in a temporary file; *form* reads along."""

    def __init__(self, most: int, form: "Form | None" = None) -> None:
        self.file: IO[bytes] = io.BytesIO()
        self.form = form
        self.is_waiting = True
        self._most = most
        self._size = 0

    def received(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            raise too_large(self._most)
        if self._size > MEMORY and isinstance(self.file, io.BytesIO):
            self._move()
        self.file.write(data)
        if self.form is not None:
            self.form.received(data)

    def complete(self) -> None:
        self.is_waiting = False
        self.file.seek(0)
        if self.form is not None:
            self.form.complete()

    def lose(self, why: BaseException) -> None:
        self.file.close()

    def _move(self) -> None:
        from tempfile import TemporaryFile  # 10 ms of imports that few programs need

        kept = self.file
        self.file = TemporaryFile()  # noqa: SIM115  # closed with the request
        self.file.write(kept.getbuffer())  # type: ignore[attr-defined]  # a BytesIO


class BodyStream:
    """A body as it comes: an async iterator, which holds back the client when it is not read.

    *stream* is paused when enough waits, and resumed when it has been taken. *proceed* is
    called when the first piece is waited for, so that a client who asks first sends no body
    to a render that does not read it.
    """

    def __init__(self, most: int, stream: Stream, proceed: Callable[[], None]) -> None:
        self._most, self._stream, self._proceed = most, stream, proceed
        self._size = 0
        self._waiting: deque[bytes] = deque()
        self._held = 0
        self._error: BaseException | None = None
        self._done = self._paused = self._asked = False
        self._reader: asyncio.Future[None] | None = None

    def received(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            self._error, self._done = too_large(self._most), True
            self._wake()
            return
        self._waiting.append(data)
        self._held += len(data)
        if self._held >= HIGH and not self._paused:
            self._paused = True
            self._stream.pause()
        self._wake()

    @property
    def is_waiting(self) -> bool:
        return self._reader is not None and not self._reader.done()

    def complete(self) -> None:
        self._done = True
        self._wake()

    def lose(self, why: BaseException) -> None:
        self._paused = False
        if not self._done:
            self._error, self._done = why, True
            self._wake()

    def __aiter__(self) -> "BodyStream":
        return self

    async def __anext__(self) -> bytes:
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._done:
                raise StopAsyncIteration
            self._ask()
            self._reader = current_loop().create_future()
            await self._reader
        data = self._waiting.popleft()
        self._held -= len(data)
        # Only where we paused it: the stream may be another exchange's by now.
        if self._paused and self._held < HIGH:
            self._paused = False
            self._stream.resume()
        return data

    def _ask(self) -> None:
        if not self._asked and not self._size:
            self._asked = True
            self._proceed()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def too_large(most: int) -> ContentTooLarge:
    """The error for a body of more than *most* bytes."""
    from weblayer.web.filetext import formatFileSize

    return ContentTooLarge(f"This address accepts at most {formatFileSize(most)}.")
