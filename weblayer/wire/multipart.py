"""Forms with files: multipart/form-data, read as it comes.

The body is a chain of delimiters, CRLF `--` boundary, with a part behind each but the last:

    opening → line → head → body → line → ... → line → close → epilogue

Each state is a method that reads what it can from `_data` at `_at`, and says whether it came on.
The rule that must hold: what is read does not depend on how the bytes are cut. So nothing is judged
before all that the judgement needs is there, and what is held back is never more than a head or a
delimiter.

The reader is our own because the library for it, multipart 2.0.1, breaks that rule: a bare LF in a
head, a preamble, and a line at the limit are taken or refused as the network cuts them. It also
takes NUL in a field, spaces around its name, a name said twice, and any bytes behind the end.

Source: RFC 7578; RFC 2046, 5.1.1, without its preamble, padding and folding, which no form has.
"""

import re
from collections.abc import Callable

from weblayer.wire.errors import BadMessage
from weblayer.wire.events import END, End
from weblayer.wire.formdata import Part, parse_part
from weblayer.wire.mediatype import MediaType

__all__ = ["FormEvent", "MultipartReader", "form_boundary"]

# As many as an urlencoded form may have fields, see forms.py.
MAX_PARTS = 1000

# 8 KiB: names of field and file, 255 characters each, take 3 kB in UTF-8 with percent signs.
MAX_PART_HEAD = 8 * 1024

_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")

FormEvent = Part | bytes | End


def form_boundary(media: MediaType) -> bytes:
    """The boundary that a Content-Type of multipart/form-data declares.

    Raises BadMessage (400) when it is missing, declared twice or malformed (RFC 2046, 5.1.1).
    """
    found = [value for name, value in media.parameters if name == b"boundary"]
    if len(found) != 1 or not _BOUNDARY.fullmatch(found[0]):
        raise BadMessage(400, "multipart/form-data without one good boundary", b", ".join(found))
    return found[0]


class MultipartReader:
    """Reads one form: bytes in, events out: for each part a Part, bytes of its content, END.

    A part without content has no bytes. Content is handed on as it comes; how much of it there may
    be is the caller's to say.
    """

    __slots__ = ("_at", "_count", "_data", "_delimiter", "_most", "_passed", "_step")

    def __init__(self, boundary: bytes, most: int = MAX_PARTS) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._most = most
        self._data = b""
        self._at = self._count = 0
        self._passed = 0  # bytes of the form before `_data`
        # Not a bound method, which would tie the reader to itself.
        self._step: _Step = MultipartReader._opening

    def feed(self, data: bytes) -> list[FormEvent]:
        """What *data* brings. Raises BadMessage (400) for what is no form; then all is over."""
        self._passed += self._at
        self._data, self._at = self._data[self._at :] + data, 0
        events: list[FormEvent] = []
        while self._step(self, events):
            pass
        return events

    def finish(self) -> None:
        """No more comes. Raises BadMessage (400) when the form is not whole."""
        whole = self._step is MultipartReader._close and self._at == len(self._data)
        if not whole and self._step is not MultipartReader._epilogue:
            raise BadMessage(400, "a form that is cut short")

    def _opening(self, events: list[FormEvent]) -> bool:
        # The first delimiter needs no CRLF; programs that write all of them alike send one.
        first = self._delimiter if self._data.startswith(b"\r") else self._delimiter[2:]
        if not first.startswith(self._data[: len(first)]):
            raise BadMessage(400, "a form that does not start with its boundary", self._data)
        return len(self._data) >= len(first) and self._go(len(first), MultipartReader._line)

    def _line(self, events: list[FormEvent]) -> bool:
        """The rest of a delimiter: a part follows, or none."""
        rest = self._data[self._at : self._at + 2]
        if rest == b"\r\n":
            return self._go(self._at, MultipartReader._head)
        if rest == b"--":
            return self._go(self._at + 2, MultipartReader._close)
        if rest not in (b"", b"\r", b"-"):
            raise BadMessage(400, "a form's boundary with more behind it", rest)
        return False

    def _head(self, events: list[FormEvent]) -> bool:
        # The CRLF that ends the delimiter is read here, so that a head without lines is one too.
        end = self._data.find(b"\r\n\r\n", self._at)
        longest = len(self._data) - 3 if end < 0 else end
        if longest - self._at > MAX_PART_HEAD:
            raise BadMessage(400, f"a part's head of more than {MAX_PART_HEAD} bytes")
        if end < 0:
            return False
        if self._count == self._most:
            raise BadMessage(400, f"a form of more than {self._most} parts")
        self._count += 1
        part = parse_part(self._data[self._at + 2 : end])
        events.append(part._replace(start=self._passed + end + 4))
        return self._go(end + 4, MultipartReader._body)

    def _body(self, events: list[FormEvent]) -> bool:
        end = self._data.find(self._delimiter, self._at)
        stop = self._maybe_delimiter() if end < 0 else end
        if stop > self._at:
            events.append(self._data[self._at : stop])
            self._at = stop
        if end < 0:
            return False
        events.append(END)
        return self._go(end + len(self._delimiter), MultipartReader._line)

    def _maybe_delimiter(self) -> int:
        """Where the delimiter may have begun whose rest has not come; it holds no other CR."""
        start = self._data.rfind(b"\r", max(self._at, len(self._data) - len(self._delimiter)))
        begun = start >= 0 and self._delimiter.startswith(self._data[start:])
        return start if begun else len(self._data)

    def _close(self, events: list[FormEvent]) -> bool:
        rest = self._data[self._at : self._at + 2]
        if not b"\r\n".startswith(rest):
            raise BadMessage(400, "a form's last boundary with more behind it", rest)
        return len(rest) == 2 and self._go(self._at + 2, MultipartReader._epilogue)

    def _epilogue(self, events: list[FormEvent]) -> bool:
        self._at = len(self._data)  # to be ignored (RFC 2046, 5.1.1)
        return False

    def _go(self, at: int, step: "_Step") -> bool:
        self._at, self._step = at, step
        return True


_Step = Callable[[MultipartReader, list[FormEvent]], bool]
