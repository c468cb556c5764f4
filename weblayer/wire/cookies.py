"""Cookies on the wire: what a browser sends, and what it is told to keep. Source: RFC 6265."""

import re

__all__ = ["format_cookie", "parse_cookies"]

# cookie-octet (RFC 6265, 4.1.1), plus the space and comma that programs do send; without
# quotes around them, since browsers keep those as part of the value.
_VALUE = re.compile(rb"[\x20!#-+\--:<-\[\]-~,]*")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ATTRIBUTE = re.compile(rb"[\x20-:<-~]*")

# Browsers drop a cookie, and forget an attribute, that is longer (RFC 6265bis, 5.6 and 5.7).
MAX_COOKIE = 4096
MAX_ATTRIBUTE = 1024


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

    Raises ValueError for what would end the cookie early or become another field, and for what
    browsers would drop: too long, or not as its prefix or Partitioned asks.
    Source: RFC 6265, 4.1; RFC 6265bis, 4.1.3 (`__Secure-`, `__Host-`).
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a cookie's name must be a token, not {name!r}")
    if not _VALUE.fullmatch(value) or value != value.strip(b" "):
        raise ValueError(
            f"a cookie's value may hold no quote, semicolon, backslash or control: {value!r}"
        )
    if len(name) + len(value) > MAX_COOKIE:
        raise ValueError(f"the cookie {name!r} has more than {MAX_COOKIE} bytes")
    _check_promises(name, {key.lower(): text for key, text in attributes})
    parts = [name + b"=" + value]
    for key, text in attributes:
        if not _NAME.fullmatch(key):
            raise ValueError(f"a cookie's attribute must be a token, not {key!r}")
        if text is not None and not _ATTRIBUTE.fullmatch(text):
            raise ValueError(
                f"a cookie's {key.decode()} may hold no semicolon or control: {text!r}"
            )
        if len(text or b"") > MAX_ATTRIBUTE:
            raise ValueError(f"a cookie's {key.decode()} has more than {MAX_ATTRIBUTE} bytes")
        parts.append(key if text is None else key + b"=" + text)
    return b"; ".join(parts)


def _check_promises(name: bytes, given: dict[bytes, bytes | None]) -> None:
    """What a name promises, in any case, or Partitioned, the other attributes must keep."""
    is_host = name.lower().startswith(b"__host-")
    promises = is_host or name.lower().startswith(b"__secure-") or b"partitioned" in given
    if promises and b"secure" not in given:
        raise ValueError(f"the cookie {name!r} must be Secure: browsers drop it otherwise")
    if is_host and (b"domain" in given or given.get(b"path") != b"/"):
        raise ValueError(f"the cookie {name!r} must have Path=/ and no Domain: see __Host-")
