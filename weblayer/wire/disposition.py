"""A name for what is saved: the Content-Disposition field. Source: RFC 6266."""

import re

from weblayer.wire.extvalue import format_ext_value
from weblayer.wire.fields import is_token

__all__ = ["format_disposition"]

# What no file's name should hold: controls and the separators of paths.
_UNSAFE = re.compile(rb"[\x00-\x1f\x7f/\\]")

# What older browsers misread within quotes, besides what is not ASCII (RFC 6266, appendix D).
_MISREAD = re.compile(rb'["%]')


def format_disposition(filename: bytes | None = None, kind: bytes = b"attachment") -> bytes:
    """Write a Content-Disposition: save the body, or with *kind* `inline` show it, as *filename*.

    *filename* is UTF-8 as a rule. Controls and slashes in it become underscores; a name that is
    not plain is sent twice, in ASCII for old readers and in UTF-8 for all others.
    Raises ValueError when *kind* is no token.
    """
    if not is_token(kind):
        raise ValueError(f"kind must be a token such as b'attachment', not {kind!r}")
    if not filename:
        return kind
    safe = _UNSAFE.sub(b"_", filename)
    plain = _MISREAD.sub(b"_", _ascii(safe))
    field = b'%b; filename="%b"' % (kind, plain)
    if plain == safe or not _is_utf8(safe):
        return field
    return field + b"; filename*=" + format_ext_value(safe)


def _ascii(name: bytes) -> bytes:
    """*name* with an underscore for each character, or byte, that is not ASCII."""
    return name.decode("utf-8", "surrogateescape").encode("ascii", "replace").replace(b"?", b"_")


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
