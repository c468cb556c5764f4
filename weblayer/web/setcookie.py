"""The cookie a response sets: a value, its attributes, and defaults that are safe."""

from datetime import UTC, datetime

from weblayer.wire.cookies import format_cookie
from weblayer.wire.dates import format_date

__all__ = ["set_cookie"]

_SAME_SITE = {"lax": b"Lax", "strict": b"Strict", "none": b"None"}


def set_cookie(
    name: str,
    value: str,
    *,
    expires: datetime | str | None,
    domain: str | None,
    path: str | None,
    max_age: int | None,
    secure: bool,
    http_only: bool,
    same_site: str | None,
) -> bytes:
    """A Set-Cookie value. Raises ValueError for what would not come back as it was set."""
    attributes: list[tuple[bytes, bytes | None]] = []
    for key, text in ((b"Domain", domain), (b"Path", path), (b"Expires", _moment(expires))):
        if text is not None:
            attributes.append((key, text.encode("latin-1")))
    if max_age is not None:
        attributes.append((b"Max-Age", b"%d" % max_age))
    if same_site is not None:
        attributes.append((b"SameSite", _same_site(same_site, secure)))
    attributes += [(key, None) for key, on in ((b"Secure", secure), (b"HttpOnly", http_only)) if on]
    return format_cookie(name.encode("latin-1"), value.encode("utf-8"), attributes)


def _moment(expires: datetime | str | None) -> str | None:
    if isinstance(expires, datetime):
        if expires.tzinfo is None:
            raise ValueError(f"expires must have a time zone: {expires!r}")
        return format_date(expires.astimezone(UTC).timestamp()).decode()
    return expires


def _same_site(word: str, secure: bool) -> bytes:
    if word.lower() not in _SAME_SITE:
        raise ValueError(f'sameSite must be "Lax", "Strict" or "None", not {word!r}')
    if word.lower() == "none" and not secure:
        raise ValueError('sameSite="None" needs secure=True: browsers drop the cookie otherwise')
    return _SAME_SITE[word.lower()]
