"""What a cache may do with an answer: the Cache-Control field. Source: RFC 9111, 5.2."""

import re

from weblayer.wire.parameters import QUOTED, TOKEN, unquote

__all__ = ["delta_seconds", "format_cache_control", "parse_cache_control"]

_DIRECTIVE = re.compile(rb"[ \t]*(?:(%b)(?:=(%b|%b))?[ \t]*)?(?:,|\Z)" % (TOKEN, TOKEN, QUOTED))

# RFC 9111, 1.2.2: what does not fit 31 bits is taken for this, 68 years.
_MOST_SECONDS = 2**31


def format_cache_control(
    *,
    public: bool = False,
    private: bool = False,
    no_store: bool = False,
    no_cache: bool = False,
    no_transform: bool = False,
    must_revalidate: bool = False,
    proxy_revalidate: bool = False,
    must_understand: bool = False,
    immutable: bool = False,
    max_age: int | None = None,
    s_maxage: int | None = None,
    stale_while_revalidate: int | None = None,
    stale_if_error: int | None = None,
) -> bytes:
    """Write a response's Cache-Control; numbers are seconds. Empty when nothing is said.

    Raises ValueError for a negative number, and for public and private at once.
    Source: RFC 9111, 5.2.2; RFC 5861; RFC 8246.
    """
    if public and private:
        raise ValueError("public and private exclude each other")
    flags = {
        b"public": public, b"private": private, b"no-store": no_store, b"no-cache": no_cache,
        b"no-transform": no_transform, b"must-revalidate": must_revalidate,
        b"proxy-revalidate": proxy_revalidate, b"must-understand": must_understand,
        b"immutable": immutable,
    }  # fmt: skip
    ages = {
        b"max-age": max_age, b"s-maxage": s_maxage,
        b"stale-while-revalidate": stale_while_revalidate, b"stale-if-error": stale_if_error,
    }  # fmt: skip
    said = [name for name, on in flags.items() if on]
    return b", ".join(said + [_aged(name, age) for name, age in ages.items() if age is not None])


def parse_cache_control(field: bytes) -> dict[bytes, bytes | None]:
    """Directives by name in lower case, value without quotes, None for a bare one.

    Of several with one name the first counts (RFC 9111, 4.2.1). A malformed one is skipped.
    """
    found: dict[bytes, bytes | None] = {}
    at = 0
    while at < len(field):
        match = _DIRECTIVE.match(field, at)
        name, value = match.groups() if match else (None, None)
        if name:
            found.setdefault(name.lower(), None if value is None else unquote(value))
        at = match.end() if match else (field.find(b",", at) + 1 or len(field))
    return found


def delta_seconds(value: bytes | None) -> int | None:
    """A number of seconds, 2**31 for any larger one; None when it is none.

    Source: RFC 9111, 1.2.2.
    """
    if value is None or not value.isdigit():
        return None
    digits = value.lstrip(b"0")
    return min(int(digits or b"0"), _MOST_SECONDS) if len(digits) <= 10 else _MOST_SECONDS


def _aged(name: bytes, age: int) -> bytes:
    if age < 0:
        raise ValueError(f"{name.decode()} must be 0 seconds or more, not {age}")
    return b"%b=%d" % (name, age)
