"""The listing of a folder: a page that a person can read, and sort without JavaScript."""

import os
from collections.abc import Callable, Iterator, Mapping
from stat import S_ISDIR
from typing import Any, NamedTuple

from weblayer.web.errors import Forbidden, NotFound
from weblayer.web.filetext import formatDate, formatFileSize, formatISODate, formatType
from weblayer.web.mime import CONTENT_ENCODINGS, CONTENT_TYPES, getTypeAndEncoding
from weblayer.web.paths import Root, absolute, refusal
from weblayer.web.request import Request
from weblayer.web.resource import Resource
from weblayer.web.template import OURS
from weblayer.wire.percent import percent_encode

__all__ = ["DirectoryLister"]


class DirectoryLister(Resource):
    """Lists the folder *path*, for an address that ends in a slash.

    *root* is the folder that the way back leads up to; without one it is *path*. What is
    hidden (unless *hidden*), what is no file and no folder, and symlinks that lead out of *root*
    (unless *followSymlinks*) are not listed. `?sort=` takes name, size, date or kind, and
    `&order=` asc or desc; folders always come first. The tables are those of File.
    """

    isLeaf = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        root: str | os.PathLike[str] | None = None,
        followSymlinks: bool = False,
        hidden: bool = False,
        contentTypes: Mapping[str, str] = CONTENT_TYPES,
        contentEncodings: Mapping[str, str] = CONTENT_ENCODINGS,
        defaultType: str = "application/octet-stream",
    ) -> None:
        self.path = absolute(path)
        self.contentTypes, self.contentEncodings = contentTypes, contentEncodings
        self.defaultType = defaultType
        self._root = Root(absolute(path if root is None else root), followSymlinks, hidden)

    def render_GET(self, request: Request) -> bytes:
        """The page. Raises NotFound, Forbidden."""
        order = _Order.of(request)
        segments = [name for name in request.prepath if name]
        page = OURS.page(
            "listing.html",
            title="Index of " + "/".join(["", *segments, ""]),
            crumbs=_crumbs(segments, self._root.names_to(self.path)),
            entries=order.sort(list(self._entries())),
            columns=[order.column(name) for name in _COLUMNS],
        )
        request.setHeader(b"Content-Type", "text/html; charset=utf-8")
        return page.encode()

    def _entries(self) -> "Iterator[_Entry]":
        try:
            with os.scandir(self.path) as found:
                names = [entry.name for entry in found if self._root.serves(entry.name)]
        except OSError as error:
            raise refusal(error) from error
        for name in names:
            try:
                facts = self._root.find(f"{self.path}/{name}")
            except (NotFound, Forbidden):
                continue
            yield self._entry(name, facts)

    def _entry(self, name: str, facts: os.stat_result) -> "_Entry":
        folder = S_ISDIR(facts.st_mode)
        return _Entry(
            name=name,
            # "./" first: "a:b" alone would be an address with the scheme "a".
            href=f"./{percent_encode(os.fsencode(name)).decode()}{'/' if folder else ''}",
            size=0 if folder else facts.st_size,
            size_text="" if folder else formatFileSize(facts.st_size),
            modified=facts.st_mtime,
            date_text=formatDate(facts.st_mtime),
            iso_date=formatISODate(facts.st_mtime),
            kind="Folder" if folder else self._kind(name),
            is_directory=folder,
        )

    def _kind(self, name: str) -> str:
        kind, encoding = getTypeAndEncoding(
            name, self.contentTypes, self.contentEncodings, self.defaultType
        )
        return formatType(kind) + (f" ({encoding})" if encoding else "")


class _Entry(NamedTuple):
    """A line of the listing. The names are those that `listing.html` reads."""

    name: str
    href: str
    size: int
    size_text: str
    modified: float
    date_text: str
    iso_date: str
    kind: str
    is_directory: bool


class _Column(NamedTuple):
    """What a listing can be sorted by, and whether the first click gives it descending."""

    label: str
    key: Callable[[_Entry], Any]  # Any: what can be compared with its like
    descends: bool


# The newest and the largest is what people look for.
_COLUMNS = {
    "name": _Column("Name", lambda entry: (entry.name.casefold(), entry.name), False),
    "size": _Column("Size", lambda entry: entry.size, True),
    "date": _Column("Last changed (UTC)", lambda entry: entry.modified, True),
    "kind": _Column("Kind", lambda entry: entry.kind, False),
}


class _Order(NamedTuple):
    """How a listing is sorted."""

    by: str
    descends: bool

    @classmethod
    def of(cls, request: Request) -> "_Order":
        """As the query asks; by name where it asks for nothing we know."""
        by = request.args.get("sort", [""])[0]
        if by not in _COLUMNS:
            return cls("name", False)
        order = request.args.get("order", [""])[0]
        return cls(by, order == "desc" if order in ("asc", "desc") else _COLUMNS[by].descends)

    def sort(self, entries: list[_Entry]) -> list[_Entry]:
        """Folders first, then as asked; what is equal stays in the order of names."""
        entries.sort(key=_COLUMNS["name"].key)
        entries.sort(key=_COLUMNS[self.by].key, reverse=self.descends)
        entries.sort(key=lambda entry: not entry.is_directory)
        return entries

    def column(self, name: str) -> tuple[str, str, str | None]:
        """The label of a column, the link that sorts by it, and how it is sorted now."""
        column = _COLUMNS[name]
        if name != self.by:
            return column.label, _link(name, column.descends), None
        now = "descending" if self.descends else "ascending"
        return column.label, _link(name, not self.descends), now


def _crumbs(segments: list[str], below: list[str]) -> list[tuple[str, str]]:
    """The way back: pairs of (name, href) from the root, which is *below* names up, to here.

    The root goes by the name it was put under, the last of *segments* that are not below it.
    """
    above = segments[: len(segments) - len(below)]
    names = [above[-1] if above else "home", *below]
    last = len(names) - 1
    return [(name, "../" * (last - place) or "./") for place, name in enumerate(names)]


def _link(by: str, descends: bool) -> str:
    return f"?sort={by}&order={'desc' if descends else 'asc'}"
