"""Entity tags: which bytes, or which meaning, a page has. Source: RFC 9110, 8.8.3."""

import re

__all__ = ["is_etag", "match_strongly", "match_weakly", "parse_etags"]

_ETAG = re.compile(rb'(?:W/)?"[!#-~\x80-\xff]*"')
_MEMBER = re.compile(rb'[ \t]*(?:((?:W/)?"[!#-~\x80-\xff]*")[ \t]*)?(?:,|\Z)')


def is_etag(value: bytes) -> bool:
    """Whether *value* is one entity tag, quotes and all, strong or weak."""
    return _ETAG.fullmatch(value) is not None


def parse_etags(field: bytes) -> list[bytes]:
    """The tags of a list, quotes and all, in the order sent; none when it is malformed.

    A tag may hold commas. `*` is not a tag, and a list that holds one is malformed.
    """
    tags, at = [], 0
    while at < len(field):
        found = _MEMBER.match(field, at)
        if found is None:
            return []
        if found[1]:
            tags.append(found[1])
        at = found.end()
    return tags


def match_strongly(tags: list[bytes], etag: bytes | None) -> bool:
    """Whether *etag* is among *tags*, byte for byte the same page; a weak one never is."""
    return etag is not None and not etag.startswith(b"W/") and etag in tags


def match_weakly(tags: list[bytes], etag: bytes | None) -> bool:
    """Whether *etag* is among *tags*, or means the same page."""
    return etag is not None and etag.removeprefix(b"W/") in [t.removeprefix(b"W/") for t in tags]
