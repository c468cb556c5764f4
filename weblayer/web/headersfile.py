"""The file `_headers` of a static site: fields for the answers under some paths. Pure.

    # A path stands at the beginning of a line, its fields below it, further in.
    /*
      X-Frame-Options: DENY
    /downloads/:name
      Content-Disposition: attachment
      ! X-Frame-Options

All paths that fit count, in their order. Several values of a name are joined with a comma; `!`
takes away what lines above it have set. This is the syntax that static hosts share.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from weblayer.web.pathpattern import PatternTable, check_length, fill
from weblayer.wire.headers import Headers

__all__ = ["FieldRules", "parse_headers"]

# How the message is framed and coded, and when it was made, is not the site's to say.
_OURS: Final = frozenset(
    "accept-ranges age allow connection content-encoding content-length content-range date"
    " keep-alive trailer transfer-encoding upgrade".split()
)


class _Field(NamedTuple):
    """A line; *value* is None where the field is taken away."""

    name: str
    value: str | None


class FieldRules:
    """The paths of a `_headers` file, with their fields."""

    def __init__(self) -> None:
        self._table: PatternTable[list[_Field]] = PatternTable()

    def __len__(self) -> int:
        return len(self._table)

    def add(self, pattern: str) -> list[_Field]:
        """Add a path behind the others; gives the list for its fields. Raises ValueError."""
        fields: list[_Field] = []
        self._table.add(pattern, fields)
        return fields

    def find(self, path: str) -> list[tuple[str, str]]:
        """The fields for *path*, which is spelled: pairs of name and value."""
        found: dict[str, tuple[str, str]] = {}
        for fields, captured in self._table.matches(path):
            for field in fields:
                _lay(found, field, captured)
        return list(found.values())


def parse_headers(text: str) -> tuple[FieldRules, list[str]]:
    """Read a `_headers` file; what cannot be read is left out, and told in sentences."""
    found, wrong = FieldRules(), []
    fields: list[_Field] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        try:
            check_length(line)
            if line[0] not in " \t":
                fields = None  # so that the fields of a path that is none go nowhere
                fields = found.add(said)
            elif fields is not None:
                fields.append(parse_field(said))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    return found, wrong


def parse_field(text: str) -> _Field:
    """Read `Name: value`, or `! Name`. Raises ValueError."""
    if text.startswith("!"):
        return _Field(text[1:].strip(), None)
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if not colon:
        raise ValueError(f"{text!r} is no field: write it as 'Name: value'")
    if name.lower() in _OURS:
        raise ValueError(f"{name} is the server's own to set")
    Headers().setHeader(name, value)
    return _Field(name, value)


def _lay(found: dict[str, tuple[str, str]], field: _Field, captured: Mapping[str, str]) -> None:
    key = field.name.lower()
    if field.value is None:
        found.pop(key, None)
        return
    value = fill(field.value, captured)
    found[key] = (field.name, f"{found[key][1]}, {value}" if key in found else value)
