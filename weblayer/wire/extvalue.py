"""Parameters in any language, such as `filename*=UTF-8''na%C3%AFve`. Source: RFC 8187, 3.2."""

import re

from weblayer.wire.percent import percent_decode

__all__ = ["format_ext_value", "parse_ext_value"]

_PLAIN = rb"!#$&+.^_`|~0-9A-Za-z-"  # attr-char
_UNPLAIN = re.compile(rb"[^%b]" % _PLAIN)
_VALUE = re.compile(
    rb"(utf-8|iso-8859-1)'[0-9A-Za-z-]*'((?:[%b]|%%[0-9A-Fa-f]{2})*)" % _PLAIN, re.IGNORECASE
)


def parse_ext_value(value: bytes) -> bytes | None:
    """The text, in UTF-8, whichever charset it came in; None when *value* is malformed."""
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    try:
        return percent_decode(found[2]).decode(found[1].decode("ascii")).encode()
    except UnicodeDecodeError:
        return None


def format_ext_value(text: bytes) -> bytes:
    """Write *text*, which is UTF-8, as the value of a parameter whose name ends in `*`."""
    return b"UTF-8''" + _UNPLAIN.sub(lambda byte: b"%%%02X" % ord(byte[0]), text)
