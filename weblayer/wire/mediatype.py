"""What a body is: the Content-Type field. Source: RFC 9110, 8.3."""

import re
from typing import NamedTuple

from weblayer.wire.parameters import TOKEN, parse_parameters

__all__ = ["MediaType", "parse_media_type"]

_TYPE = re.compile(rb"[ \t]*(%b/%b)[ \t]*" % (TOKEN, TOKEN))


class MediaType(NamedTuple):
    """A type such as `text/html` in lower case, and pairs of (name in lower case, value)."""

    type: bytes
    parameters: list[tuple[bytes, bytes]]

    def parameter(self, name: bytes) -> bytes | None:
        """The value of the first parameter of this *name* (in lower case); None without one."""
        return next((value for key, value in self.parameters if key == name), None)

    @property
    def charset(self) -> bytes | None:
        """The charset that is declared, in lower case; None without one."""
        declared = self.parameter(b"charset")
        return declared and declared.lower()


def parse_media_type(field: bytes) -> MediaType | None:
    """Read a Content-Type field; None when it is malformed, as two of them in one field are."""
    name, semicolon, rest = field.partition(b";")
    kind = _TYPE.fullmatch(name)
    parameters = parse_parameters(semicolon + rest)
    if kind is None or parameters is None:
        return None
    return MediaType(kind[1].lower(), parameters)
