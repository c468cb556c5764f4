"""Whether what the client holds is still good, and whether it may change what we hold.

Source: RFC 9110, 13.
"""

from collections.abc import Iterable
from typing import NamedTuple

from weblayer.wire.dates import parse_date
from weblayer.wire.etags import match_strongly, match_weakly, parse_etags

__all__ = ["Conditions", "is_unmodified", "judge_conditions", "kept_fields"]


class Conditions(NamedTuple):
    """The values of a request's conditional fields, lines of one name joined; None when absent.

    If-Range is not among them: it decides only about ranges, see ranges.py.
    """

    if_match: bytes | None = None
    if_none_match: bytes | None = None
    if_modified_since: bytes | None = None
    if_unmodified_since: bytes | None = None


# Neither chooses a page nor changes one: conditions mean nothing to them (RFC 9110, 13.2.1).
_UNCONDITIONAL = frozenset({b"CONNECT", b"OPTIONS", b"TRACE"})


# Content-Location is not among them (RFC 9110, 15.4.5).
_DESCRIBING = frozenset(
    {b"content-type", b"content-encoding", b"content-language", b"content-disposition",
     b"content-range", b"accept-ranges"}
)  # fmt: skip


def judge_conditions(
    method: bytes,
    conditions: Conditions,
    etag: bytes | None = None,
    modified: int | None = None,
    exists: bool = True,
) -> int | None:
    """The status that answers the request already, 304 or 412; None when it should proceed.

    *etag* (quotes and all) and *modified* (seconds since 1970) are those of the page as it is now,
    None where they are not known; *exists* is whether there is one at all, which a PUT may find
    there is not. To be asked only where the answer would otherwise be 2xx.
    Source: RFC 9110, 13.1 for each field, 13.2.2 for their order.
    """
    if method in _UNCONDITIONAL:
        return None
    if not _may_change(conditions, etag, modified, exists):
        return 412
    reads = method in (b"GET", b"HEAD")
    if conditions.if_none_match is not None:
        if not _holds(conditions.if_none_match, etag, exists):
            return None
        return 304 if reads else 412
    if reads and modified is not None and is_unmodified(conditions.if_modified_since, modified):
        return 304
    return None


def kept_fields(fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What of the fields of a 200 stands in a 304 in its place.

    Not what describes the body, which the client knows; Last-Modified only where there is no ETag.
    Content-Length is the caller's to decide about. Source: RFC 9110, 15.4.5.
    """
    kept = [field for field in fields if field[0].lower() not in _DESCRIBING]
    if any(name.lower() == b"etag" for name, _ in kept):
        return [field for field in kept if field[0].lower() != b"last-modified"]
    return kept


def is_unmodified(since: bytes | None, modified: int) -> bool:
    """Whether a page last changed at *modified* (seconds since 1970) has not changed since.

    *since* is the value of If-Modified-Since; one that is absent or no date is ignored.
    Source: RFC 9110, 13.1.3.
    """
    moment = parse_date(since) if since else None
    return moment is not None and modified <= moment


def _may_change(
    conditions: Conditions, etag: bytes | None, modified: int | None, exists: bool
) -> bool:
    """If-Match, or without it If-Unmodified-Since: the page is still the one that the client saw.

    A malformed list matches nothing, so that nothing is overwritten; a malformed date is ignored,
    and so is any date for a page that has none (RFC 9110, 13.1.1 and 13.1.4).
    """
    wanted = conditions.if_match
    if wanted is not None:
        if wanted.strip(b" \t") == b"*":
            return exists
        return exists and match_strongly(parse_etags(wanted), etag)
    moment = parse_date(conditions.if_unmodified_since or b"")
    return moment is None or modified is None or modified <= moment


def _holds(held: bytes, etag: bytes | None, exists: bool) -> bool:
    """If-None-Match names the page as it is now: the client has it (RFC 9110, 13.1.2)."""
    if held.strip(b" \t") == b"*":
        return exists
    return exists and match_weakly(parse_etags(held), etag)
