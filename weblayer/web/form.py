"""A form with files, read while its body is spooled: fields by value, files by their place."""

from typing import IO

from weblayer.web.faults import bad_form, long_fields
from weblayer.web.upload import Upload
from weblayer.wire.errors import BadMessage
from weblayer.wire.events import End
from weblayer.wire.formdata import Part
from weblayer.wire.mediatype import MediaType
from weblayer.wire.multipart import FormEvent, MultipartReader, form_boundary

__all__ = ["Form"]


class Form:
    """The fields and files of a multipart form: at most *parts*, and *most* bytes of fields.

    It reads each piece as it comes, so that no turn of the loop is spent on a large body, and none
    of it is read from the disk again. What is wrong is told when the form is asked for: a render
    that wants the body as it was sent may read it by other rules than ours.
    """

    def __init__(self, media: MediaType, parts: int, most: int) -> None:
        self._limit = self._most = most
        self._pairs: list[tuple[bytes, bytes]] = []
        self._files: list[tuple[Part, int]] = []
        self._part: Part | None = None  # the last one
        self._size = 0  # bytes of it
        self._held = bytearray()  # the same, where it is a field; chunks may be tiny and many
        self._reader: MultipartReader | None = None  # until it is whole, or wrong
        self._fault: BadMessage | None = None
        try:
            self._reader = MultipartReader(form_boundary(media), parts)
        except BadMessage as fault:
            self._give_up(fault)

    def received(self, data: bytes) -> None:
        """Some of the body came."""
        if self._reader is not None:
            try:
                for event in self._reader.feed(data):
                    self._take(event)
            except BadMessage as fault:
                self._give_up(fault)

    def complete(self) -> None:
        """The body is whole."""
        reader, self._reader = self._reader, None
        if reader is not None:
            try:
                reader.finish()
            except BadMessage as fault:
                self._give_up(fault)

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Pairs of (name, value), in the order sent. Raises BadRequest, ContentTooLarge."""
        self._check()
        return self._pairs

    def uploads(self, body: IO[bytes]) -> dict[str, list[Upload]]:
        """The files by the name of their field, in the order sent, their content in *body*.

        Raises BadRequest, ContentTooLarge.
        """
        self._check()
        found: dict[str, list[Upload]] = {}
        for part, size in self._files:
            upload = Upload(part, size, body)
            found.setdefault(upload.name, []).append(upload)
        return found

    def _check(self) -> None:
        if self._fault is not None:
            raise bad_form(self._fault)

    def _take(self, event: FormEvent) -> None:
        if isinstance(event, Part):
            self._part, self._size, self._held = event, 0, bytearray()
        elif isinstance(event, End):
            self._end()
        else:
            self._size += len(event)
            if self._part is not None and self._part.filename is None:
                self._hold(event)

    def _hold(self, data: bytes) -> None:
        self._most -= len(data)
        if self._most < 0:
            raise long_fields(self._limit)
        self._held += data

    def _end(self) -> None:
        part = self._part
        assert part is not None  # nothing ends that has not begun
        if part.filename is None:
            self._pairs.append((part.name, bytes(self._held)))
        elif part.filename or self._size:  # else a person chose none
            self._files.append((part, self._size))

    def _give_up(self, fault: BadMessage) -> None:
        self._fault, self._reader = fault.with_traceback(None), None
        self._pairs, self._held = [], bytearray()
