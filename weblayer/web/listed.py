"""What a listing shows: its entries, their order, and their forms for programs. Pure."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from weblayer.web.filetext import formatFileSize

__all__ = ["COLUMNS", "Entry", "Order", "as_json", "as_text", "summary"]

_NUMBER = re.compile(r"([0-9]+)")

# Below 32 and around 127 a character is an order to a terminal.
_ORDERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Entry(NamedTuple):
    """A line of the listing. The names are those that `listing.html` reads."""

    name: str
    href: str
    size: int
    size_text: str
    modified: float
    date_text: str
    iso_date: str
    type: str
    kind: str
    is_directory: bool


class _Column(NamedTuple):
    """What a listing can be sorted by, and whether the first click gives it descending."""

    label: str
    key: Callable[[Entry], Any]  # Any: what can be compared with its like
    descends: bool


def _natural(entry: Entry) -> tuple[list[str | int], str]:
    """Numbers in a name by their value: "page 9" stands before "page 10"."""
    parts = _NUMBER.split(entry.name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], entry.name


# The newest and the largest is what people look for.
COLUMNS: Final = {
    "name": _Column("Name", _natural, False),
    "size": _Column("Size", lambda entry: entry.size, True),
    "date": _Column("Last changed (UTC)", lambda entry: entry.modified, True),
    "kind": _Column("Kind", lambda entry: entry.kind, False),
}


class Order(NamedTuple):
    """How a listing is sorted."""

    by: str
    descends: bool

    @classmethod
    def of(cls, by: str, order: str) -> "Order":
        """As a query asks; by name where it asks for nothing we know."""
        if by not in COLUMNS:
            return cls("name", False)
        return cls(by, order == "desc" if order in ("asc", "desc") else COLUMNS[by].descends)

    def sort(self, entries: list[Entry]) -> list[Entry]:
        """Folders first, then as asked; what is equal stays in the order of names."""
        entries.sort(key=COLUMNS["name"].key)
        if self != ("name", False):
            entries.sort(key=COLUMNS[self.by].key, reverse=self.descends)
        entries.sort(key=lambda entry: not entry.is_directory)
        return entries

    def column(self, name: str) -> tuple[str, str, str | None]:
        """The label of a column, the link that sorts by it, and how it is sorted now."""
        column = COLUMNS[name]
        if name != self.by:
            return column.label, _link(name, column.descends), None
        now = "descending" if self.descends else "ascending"
        return column.label, _link(name, not self.descends), now


def summary(entries: Sequence[Entry]) -> str:
    """How much there is: "2 folders, 9 files, 3.1 MB"."""
    folders = sum(entry.is_directory for entry in entries)
    parts = [_counted(folders, "folder"), _counted(len(entries) - folders, "file")]
    size = sum(entry.size for entry in entries)
    return ", ".join([part for part in parts if part] + ([formatFileSize(size)] if size else []))


def as_json(entries: Iterable[Entry]) -> str:
    """The entries for a program. The size of a folder, and its type, are null."""
    told = [
        {
            "name": entry.name,
            "href": entry.href,
            "isDirectory": entry.is_directory,
            "size": None if entry.is_directory else entry.size,
            "modified": entry.iso_date,
            "type": entry.type or None,
        }
        for entry in entries
    ]
    return json.dumps({"entries": told}, ensure_ascii=False) + "\n"


def as_text(entries: Iterable[Entry]) -> str:
    """The entries for a terminal: when, how large, and what; `?` for what would move its cursor."""
    return "".join(
        f"{entry.iso_date[:10]} {entry.iso_date[11:16]}  {entry.size_text:>8}  {_shown(entry)}\n"
        for entry in entries
    )


def _shown(entry: Entry) -> str:
    return _ORDERS.sub("?", entry.name) + ("/" if entry.is_directory else "")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else ""


def _link(by: str, descends: bool) -> str:
    return f"?sort={by}&order={'desc' if descends else 'asc'}"
