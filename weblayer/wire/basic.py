"""The scheme Basic: a name and a password in base64. Source: RFC 7617, 2."""

import re
from base64 import b64decode

__all__ = ["parse_basic"]

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


def parse_basic(response: bytes) -> tuple[bytes, bytes] | None:
    """The name and the password in what stands behind the scheme; None when it is malformed."""
    try:
        data = b64decode(response.strip(b" "), validate=True)
    except ValueError:
        return None
    name, colon, password = data.partition(b":")
    return (name, password) if colon and not _CONTROL.search(data) else None
