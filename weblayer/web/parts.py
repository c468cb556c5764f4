"""A form part by part, while it comes: nothing is kept, and the client waits for the reader."""

from collections import deque
from collections.abc import AsyncIterator

from weblayer.web.errors import ContentTooLarge
from weblayer.web.faults import bad_form
from weblayer.web.upload import FormPart
from weblayer.wire.errors import BadMessage
from weblayer.wire.formdata import Part
from weblayer.wire.mediatype import MediaType
from weblayer.wire.multipart import FormEvent, MultipartReader, form_boundary

__all__ = ["Parts", "StreamedPart"]

# 64 KiB: much for a field, and little for who holds one of each client's.
MOST = 64 * 1024


class Parts:
    """An async iterator over the parts of a form, at most *most* of them.

    What the reader leaves of a part is passed over when the next one is asked for. *pieces* is
    the body. Raises BadRequest for what is no form, and what *pieces* raises.
    """

    def __init__(self, pieces: AsyncIterator[bytes], media: MediaType, most: int) -> None:
        try:
            self._reader = MultipartReader(form_boundary(media), most)
        except BadMessage as fault:
            raise bad_form(fault) from fault
        self._pieces = pieces
        self._events: deque[FormEvent] = deque()
        self._part: StreamedPart | None = None

    def __aiter__(self) -> "Parts":
        return self

    async def __anext__(self) -> "StreamedPart":
        if self._part is not None:
            self._part._is_over = True
        while not isinstance(event := await self._next(), Part):
            if event is None:
                raise StopAsyncIteration
        self._part = StreamedPart(event, self)
        return self._part

    async def _next(self) -> FormEvent | None:
        """The next event; None behind the last."""
        while not self._events:
            data = await anext(self._pieces, None)
            try:
                if data is None:
                    self._reader.finish()
                    return None
                self._events.extend(self._reader.feed(data))
            except BadMessage as fault:
                raise bad_form(fault) from fault
        return self._events.popleft()


class StreamedPart(FormPart):
    """A part whose content comes as it is iterated over, in pieces of bytes, or read.

    Raises RuntimeError when the next part has been asked for, and BadRequest for what is no form.
    """

    def __init__(self, part: Part, parts: Parts) -> None:
        super().__init__(part)
        self._is_over = False
        self._parts = parts
        self._is_read = False

    def __aiter__(self) -> "StreamedPart":
        return self

    async def __anext__(self) -> bytes:
        if self._is_read:
            raise StopAsyncIteration
        if self._is_over:
            raise RuntimeError("the next part has been asked for; read each one before that")
        event = await self._parts._next()
        if isinstance(event, bytes):
            return event
        self._is_read = True
        raise StopAsyncIteration

    async def read(self, most: int = MOST) -> bytes:
        """What is left of the content. Raises ContentTooLarge when it is more than *most* bytes."""
        content = bytearray()  # pieces may be tiny and many
        async for piece in self:
            if len(content) + len(piece) > most:
                raise ContentTooLarge(f"{self.name!r} accepts at most {most:,} bytes.")
            content += piece
        return bytes(content)
