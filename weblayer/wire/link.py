"""Where else to look: the Link field. Source: RFC 8288, 3."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from weblayer.wire.extvalue import format_ext_value, parse_ext_value
from weblayer.wire.fields import is_token, is_value
from weblayer.wire.parameters import QUOTED, TOKEN, quote, unquote

__all__ = ["Link", "format_link", "parse_links"]

_TARGET = re.compile(rb"[ \t,]*<([^<>\x00-\x20\x7f]*)>")
_PARAMETER = re.compile(
    rb"[ \t]*;[ \t]*(?:(%b)(?:[ \t]*=[ \t]*(%b|%b)?)?)?" % (TOKEN, TOKEN, QUOTED)
)
_END = re.compile(rb"[ \t]*(?:,|\Z)")
_REFERENCE = re.compile(rb"[!#-;=?-Z\[\]_a-z~]*")  # the characters of a URI (RFC 3986, 2)


class Link(NamedTuple):
    """A target as it is written, to be resolved by the caller, and what it is to this page.

    *parameters* are pairs of (name in lower case, value), in the order sent.
    """

    target: bytes
    parameters: list[tuple[bytes, bytes]]

    @property
    def relations(self) -> list[bytes]:
        """What the target is, for instance b"next", in lower case; only the first rel counts."""
        return (self.parameter(b"rel") or b"").lower().split()

    def parameter(self, name: bytes) -> bytes | None:
        """The value of the first parameter of this *name*; in UTF-8 where it came as `name*`."""
        wide = next((value for key, value in self.parameters if key == name + b"*"), None)
        if wide is not None and (text := parse_ext_value(wide)) is not None:
            return text
        return next((value for key, value in self.parameters if key == name), None)


def format_link(target: bytes, rel: bytes, parameters: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """Write one link: *rel* is one relation, or several with spaces.

    *parameters* are pairs of (name, value), what else is said, such as (b"as", b"style").

    A value that is not ASCII, which is UTF-8 then, goes out as `name*` (RFC 8187).
    Raises ValueError for a target that is not a URI reference, and for control characters.
    """
    if not _REFERENCE.fullmatch(target):
        raise ValueError(f"target must be a URI reference, percent-encoded, not {target!r}")
    return b"; ".join(
        [b"<%b>" % target, *(_format(name, value) for name, value in [(b"rel", rel), *parameters])]
    )


def parse_links(field: bytes) -> list[Link]:
    """The links of a field, in the order sent; where it becomes malformed the rest is ignored."""
    links, at = [], 0
    while start := _TARGET.match(field, at):
        pairs, at = _read_parameters(field, start.end())
        end = _END.match(field, at)
        if end is None:
            break
        links.append(Link(start[1], pairs))
        at = end.end()
    return links


def _read_parameters(field: bytes, at: int) -> tuple[list[tuple[bytes, bytes]], int]:
    pairs = []
    while found := _PARAMETER.match(field, at):
        if found[1]:
            pairs.append((found[1].lower(), unquote(found[2] or b"")))
        at = found.end()
    return pairs, at


def _format(name: bytes, value: bytes) -> bytes:
    if not is_token(name) or not is_value(value):
        raise ValueError(f"{name!r} may hold no control characters: {value!r}")
    if not value.isascii():
        return b"%b*=%b" % (name, format_ext_value(value))
    return b"%b=%b" % (name, quote(value))
