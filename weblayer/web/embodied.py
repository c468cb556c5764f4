"""The body of a request, and the forms in it: the half that may come later than the head."""

import io
from collections.abc import AsyncIterator
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import IO, TYPE_CHECKING, Any, NoReturn

from weblayer.web.args import Args
from weblayer.web.errors import BadRequest, UnsupportedMediaType
from weblayer.web.faults import bad_form, long_fields
from weblayer.web.incoming import Incoming
from weblayer.wire.errors import BadMessage
from weblayer.wire.forms import MAX_PAIRS, parse_urlencoded

if TYPE_CHECKING:  # loaded by the requests that bring forms with files
    from weblayer.web.form import Form
    from weblayer.web.parts import Parts
    from weblayer.web.upload import Upload
    from weblayer.wire.mediatype import MediaType

__all__ = ["Embodied"]

_URLENCODED = b"application/x-www-form-urlencoded"
_MULTIPART = b"multipart/form-data"

# 64 KiB: what the transport takes before it asks a producer to pause.
PIECE = 64 * 1024

# Not all that `bytes.decode` takes: punycode needs minutes for a megabyte, escapes are no
# charset, and each name that it does not know stays in its memory.
_CHARSETS = frozenset(aliases.values())


class Embodied(Incoming):
    """A request with its body, taken in as the policy of the resource says."""

    __slots__ = ()

    # What few requests need is made when it is asked for, and then lives in the dict.
    _body: IO[bytes] | None = None  # whole
    _form: "Form | None" = None  # in it
    _coming: AsyncIterator[bytes] | None = None  # still on its way
    _args: Args | None = None
    _files: "dict[str, list[Upload]] | None" = None

    @property
    def args(self) -> Args:
        """The values of the query, then those of a form's fields, by name.

        What streams is no form yet: its fields come by `parts`.
        Raises BadRequest for a malformed form, or one of more fields than the policy's maxFields,
        ContentTooLarge for more than its maxFieldBytes.
        """
        if self._args is None:
            args = Args.fromPairs(_urlencoded(self._head.query, MAX_PAIRS))
            args.addPairs(self._fields_of_form())
            self._args = args
        return self._args

    @property
    def files(self) -> "dict[str, list[Upload]]":
        """The files of a form by the name of their field, in the order sent.

        A name that was not sent raises MissingArgument, as in `args`.
        Raises as `args` does, and TypeError where the policy takes the body as a stream.
        """
        if self._files is None:
            from weblayer.web.upload import Files  # few requests have any

            body = self.content
            self._files = Files({} if self._form is None else self._form.uploads(body))
        return self._files

    def parts(self) -> "Parts":
        """The fields and files of a multipart form as they come, with backpressure to the client.

            async for part in request.parts():
                async for piece in part: ...

        Raises UnsupportedMediaType when the body is none, and from the iteration BadRequest and
        ContentTooLarge.
        """
        from weblayer.web.parts import Parts

        if self._kind() != _MULTIPART:
            raise UnsupportedMediaType("Send a form as multipart/form-data.")
        return Parts(self.stream(), self._media_type(), self.policy.maxFields or 0)

    @property
    def content(self) -> IO[bytes]:
        """The body as a file, at its beginning when the render starts; empty without one.

        Raises TypeError where the policy takes the body as a stream, RuntimeError in a getChild.
        """
        if self._coming is not None:
            raise TypeError('the policy takesBody="stream": use request.stream(), or parts()')
        if self._body is None:
            if self._head.facts.length and self.policy.takesBody == "spool":
                raise RuntimeError("the body has not come yet: getChild is asked on the head alone")
            self._body = io.BytesIO()
        return self._body

    def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes, with backpressure to the client; a spooled one in pieces.

        Raises ContentTooLarge, from the iteration, when it grows over the policy's maxBody.
        """
        return self._coming or _pieces(self.content)

    def text(self) -> str:
        """The body as text, in the charset that its type declares, else in UTF-8.

        Raises BadRequest when it is not in that charset, UnsupportedMediaType for one unknown.
        """
        charset = _python_name(self._media_type().charset or b"utf-8")
        data = self._whole_body()
        try:
            return data.decode(charset)
        except UnicodeError:
            raise BadRequest(f"The body is not in the charset {charset}.") from None
        except LookupError:  # also for what is known, and no charset: base64, rot13
            raise UnsupportedMediaType("The body's charset is unknown here.") from None

    def json(self) -> Any:  # whatever it says
        """The body read as JSON. Raises BadRequest when it is none."""
        import json

        data = self._whole_body()
        try:
            return json.loads(data, parse_constant=_no_json)
        except (ValueError, RecursionError):
            raise BadRequest("The body is not JSON.") from None

    def _new_form(self) -> "Form | None":
        """What reads along with the spool, when the body that is about to come is such a form."""
        if self._kind() != _MULTIPART:
            return None
        from weblayer.web.form import Form

        return Form(self._media_type(), self.policy.maxFields or 0, self.policy.maxFieldBytes or 0)

    def _arrived(self, body: IO[bytes], form: "Form | None") -> None:
        """The body is whole; what was asked of the head alone is asked again."""
        self._body, self._form, self._args = body, form, None

    def _fields_of_form(self) -> list[tuple[bytes, bytes]]:
        if self._form is not None:
            return self._form.fields()
        if self._body is None or self._kind() != _URLENCODED:
            return []
        most = self.policy.maxFieldBytes or 0
        data = self._whole_body(most + 1)
        if len(data) > most:
            raise bad_form(long_fields(most))
        return _urlencoded(data, self.policy.maxFields or 0)

    def _media_type(self) -> "MediaType":
        """What the body is said to be; a type alone where what stands behind it is malformed."""
        from weblayer.wire.mediatype import MediaType, parse_media_type

        field = self.getHeader(b"content-type") or b""
        return parse_media_type(field) or MediaType(self._kind(), [])

    def _kind(self) -> bytes:
        """The type that the body is said to be of, whatever stands behind it."""
        field = self.getHeader(b"content-type") or b""
        return field.partition(b";")[0].strip(b" \t").lower()

    def _whole_body(self, most: int = -1) -> bytes:
        """All of a spooled body, or its first *most* bytes, the file left where it stood."""
        content, place = self.content, self.content.tell()
        content.seek(0)
        try:
            return content.read(most)
        finally:
            content.seek(place)


async def _pieces(content: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := content.read(PIECE):
        yield piece


def _urlencoded(data: bytes, most: int) -> list[tuple[bytes, bytes]]:
    try:
        return parse_urlencoded(data, most)
    except BadMessage as fault:
        raise bad_form(fault) from fault


def _python_name(charset: bytes) -> str:
    """What Python calls a charset; "unknown" when it has none of that name."""
    name = normalize_encoding(charset.decode("latin-1")).lower()
    codec = aliases.get(name, name)
    return codec if codec in _CHARSETS else "unknown"


def _no_json(name: str) -> NoReturn:
    """NaN and the infinities are no JSON (RFC 8259, 6), though Python's reader takes them."""
    raise ValueError(name)
