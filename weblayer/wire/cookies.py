"""Cookies on the wire: what a browser sends, and what it is told to keep. Source: RFC 6265."""

import re

__all__ = ["format_cookie", "parse_cookies"]

# cookie-octet (RFC 6265, 4.1.1), plus the space and comma that programs do send; without
# quotes around them, since browsers keep those as part of the value.
_VALUE = re.compile(rb"[\x20!#-+\--:<-\[\]-~,]*")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ATTRIBUTE = re.compile(rb"[\x20-:<-~]*")


def parse_cookies(field: bytes) -> list[tuple[bytes, bytes]]:
    """Pairs of (name, value) from a Cookie field, in the order sent.

    Takes what browsers send: any bytes but a semicolon; a pair without `=` has an empty
    name and is dropped. Quotes around a value are taken off.
    """
    pairs = []
    for part in field.split(b";"):
        name, equals, value = part.partition(b"=")
        if equals and (name := name.strip(b" \t")):
            pairs.append((name, _unquoted(value.strip(b" \t"))))
    return pairs


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value


def format_cookie(name: bytes, value: bytes, attributes: list[tuple[bytes, bytes | None]]) -> bytes:
    """A Set-Cookie value. *attributes* are (name, value), value None for a bare flag.

    Raises ValueError for what would end the cookie early or become another field.
    Source: RFC 6265, 4.1.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a cookie's name must be a token, not {name!r}")
    if not _VALUE.fullmatch(value) or value != value.strip(b" "):
        raise ValueError(
            f"a cookie's value may hold no quote, semicolon, backslash or control: {value!r}"
        )
    parts = [name + b"=" + value]
    for key, text in attributes:
        if not _NAME.fullmatch(key):
            raise ValueError(f"a cookie's attribute must be a token, not {key!r}")
        if text is not None and not _ATTRIBUTE.fullmatch(text):
            raise ValueError(
                f"a cookie's {key.decode()} may hold no semicolon or control: {text!r}"
            )
        parts.append(key if text is None else key + b"=" + text)
    return b"; ".join(parts)
