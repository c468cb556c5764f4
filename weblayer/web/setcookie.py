"""The cookie a response sets: a value, its attributes, and defaults that are safe."""

from typing import TYPE_CHECKING

from weblayer.wire.cookies import format_cookie
from weblayer.wire.dates import format_date

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["set_cookie"]

Text = str | bytes

_SAME_SITE = {b"lax": b"Lax", b"strict": b"Strict", b"none": b"None"}


def set_cookie(
    name: Text,
    value: Text,
    *,
    expires: "datetime | Text | None",
    domain: Text | None,
    path: Text | None,
    max_age: int | None,
    secure: bool,
    http_only: bool,
    same_site: Text | None,
    partitioned: bool,
) -> bytes:
    """A Set-Cookie value. Raises ValueError for what would not come back as it was set."""
    attributes: list[tuple[bytes, bytes | None]] = []
    for key, text in ((b"Domain", domain), (b"Path", path), (b"Expires", _moment(expires))):
        if text is not None:
            attributes.append((key, _bytes(text)))
    if max_age is not None:
        attributes.append((b"Max-Age", b"%d" % max_age))
    if same_site is not None:
        attributes.append((b"SameSite", _same_site(_bytes(same_site), secure)))
    flags = ((b"Secure", secure), (b"HttpOnly", http_only), (b"Partitioned", partitioned))
    attributes += [(key, None) for key, on in flags if on]
    return format_cookie(_bytes(name), _bytes(value), attributes)


def _bytes(text: Text) -> bytes:
    # What is not ASCII is refused, in any encoding, by format_cookie.
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _moment(expires: "datetime | Text | None") -> Text | None:
    if expires is None or isinstance(expires, str | bytes):
        return expires
    if expires.tzinfo is None:
        raise ValueError(f"expires must have a time zone: {expires!r}")
    return format_date(expires.timestamp())


def _same_site(word: bytes, secure: bool) -> bytes:
    if word.lower() not in _SAME_SITE:
        raise ValueError(f'sameSite must be "Lax", "Strict" or "None", not {word!r}')
    if word.lower() == b"none" and not secure:
        raise ValueError('sameSite="None" needs secure=True: browsers drop the cookie otherwise')
    return _SAME_SITE[word.lower()]
