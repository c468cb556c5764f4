"""What the head of a form's part says: the name of the field, and of the file.

Browsers write names in quotes with a quote as %22, CR as %0D and LF as %0A, and a backslash as it
is (HTML, 4.10.21.8). Older programs write a quote as `\\"` and a backslash as `\\\\` (RFC 9110,
5.6.4), and some add `filename*` (RFC 8187), although RFC 7578, 4.2, says they must not. The
browsers' reading comes first; the older one decides where that one makes no sense, or where a quote
stands behind a backslash, which no browser writes.
"""

import re
from typing import NamedTuple

from weblayer.wire.errors import BadMessage
from weblayer.wire.extvalue import parse_ext_value
from weblayer.wire.fields import is_token, is_value
from weblayer.wire.parameters import TOKEN, parse_parameters

__all__ = ["Part", "parse_part"]

# RFC 7578, 4.8, knows three; some programs add Content-Length and one of their own.
MAX_FIELDS = 16

# A quote ends a value only before the next parameter or at the end.
_LITERAL = re.compile(rb';[ \t]*(?:(%b)=(?:"(.*?)"|(%b))[ \t]*)?(?=;|\Z)' % (TOKEN, TOKEN))
_BACKSLASHED = re.compile(rb'\\(["\\])')
_PERCENT = re.compile(rb"%(?:22|0D|0A)")
_MEANT = {b"%22": b'"', b"%0D": b"\r", b"%0A": b"\n"}

# The whole path, as Internet Explorer sent it: `C:\\dir\\name` and `\\\\server\\dir\\name`.
_WINDOWS_PATH = re.compile(rb"\A(?:[A-Za-z]:|\\)\\(?:.*\\)?", re.DOTALL)


class Part(NamedTuple):
    """The head of one part. *name*, *filename* and *fields* are bytes as meant, UTF-8 as a rule.

    *filename* is None for a plain field; it is what the peer chose to send: never a path to open.
    *content_type* is the value of Content-Type, None without one; *fields* are pairs of
    (name, value), names as sent, in the order sent. *start* is where in the form its content does.
    """

    name: bytes
    filename: bytes | None
    content_type: bytes | None
    fields: list[tuple[bytes, bytes]]
    start: int = 0


def parse_part(head: bytes) -> Part:
    """Read the lines of a part's head, without the blank one that ends it.

    Raises BadMessage (400) where two readers could disagree: a line that is no field, a field or a
    parameter that matters and stands there twice, no Content-Disposition of a form, no name.
    Source: RFC 7578, 4.2.
    """
    fields = [_read_line(line) for line in head.split(b"\r\n", MAX_FIELDS) if head]
    if len(fields) > MAX_FIELDS:
        raise BadMessage(400, f"a part of more than {MAX_FIELDS} fields")
    disposition = _only(fields, b"content-disposition")
    names = _read_disposition(disposition or b"")
    if b"name" not in names:
        raise BadMessage(400, "a part without a name", head)
    filename = _extended(names.get(b"filename*")) or names.get(b"filename")
    return Part(names[b"name"], filename, _only(fields, b"content-type"), fields)


def _read_line(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    # No folding: no program in use folds here, and readers differ about it.
    if not colon or not is_token(name) or not is_value(value):
        raise BadMessage(400, "a malformed field in a part's head", line)
    return name, value.strip(b" \t")


def _only(fields: list[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    found = [value for key, value in fields if key.lower() == name]
    if len(found) > 1:
        raise BadMessage(400, f"a part with several {name.decode()} fields")
    return found[0] if found else None


def _read_disposition(field: bytes) -> dict[bytes, bytes]:
    kind, semicolon, rest = field.partition(b";")
    pairs = _read_literally(semicolon + rest)
    if pairs is None:
        pairs = parse_parameters(semicolon + rest)
    names = dict(pairs or ())
    if kind.strip(b" \t").lower() != b"form-data" or len(names) != len(pairs or ()):
        raise BadMessage(400, "a part whose Content-Disposition is not that of a form", field)
    if names.get(b"filename"):
        names[b"filename"] = _WINDOWS_PATH.sub(b"", names[b"filename"])
    return names


def _read_literally(data: bytes) -> list[tuple[bytes, bytes]] | None:
    """Parameters as browsers write them; None when they are not written so."""
    pairs, at = [], 0
    while at < len(data):
        found = _LITERAL.match(data, at)
        if found is None:
            return None
        name, quoted, token = found.groups()
        if name:
            pairs.append((name.lower(), token if quoted is None else _meant(quoted)))
        at = found.end()
    return pairs


def _meant(quoted: bytes) -> bytes:
    if b'\\"' in quoted:
        return _BACKSLASHED.sub(rb"\1", quoted)
    return _PERCENT.sub(lambda found: _MEANT[found[0]], quoted)


def _extended(value: bytes | None) -> bytes | None:
    return None if value is None else parse_ext_value(value)
