"""The listing of a folder: a page that a person can read, and sort without JavaScript."""

import os
from collections.abc import Iterable, Iterator, Mapping
from stat import S_ISDIR
from typing import Final, NamedTuple

from weblayer.loop.deferred import Deferred
from weblayer.web.errors import Forbidden, NotFound
from weblayer.web.filetext import formatDate, formatFileSize, formatISODate, formatType
from weblayer.web.listed import COLUMNS, Entry, Order, as_json, as_text, summary
from weblayer.web.mime import CONTENT_ENCODINGS, CONTENT_TYPES, getTypeAndEncoding
from weblayer.web.paths import Root, absolute, refusal
from weblayer.web.request import Request
from weblayer.web.resource import Resource
from weblayer.web.template import OURS
from weblayer.wire.accept import best, names_type
from weblayer.wire.percent import percent_encode

__all__ = ["DirectoryLister"]

# Up to here a listing is made at once, in some 5 ms; a larger one is made in a thread, so that
# 5,000 entries, which take a tenth of a second, hold nobody else up.
MOST_AT_ONCE = 250

# The page first: who takes anything at all may be about to follow its links (wget, pip).
_FORMS: Final = {
    b"text/html": "text/html; charset=utf-8",
    b"application/json": "application/json",
    b"text/plain": "text/plain; charset=utf-8",
}


class DirectoryLister(Resource):
    """Lists the folder *path*, for an address that ends in a slash; of it, the names in *dirs*.

    *root* is the folder that the way back leads up to; without one it is *path*. What is
    hidden (unless *hidden*), what is no file and no folder, and symlinks that lead out of *root*
    (unless *followSymlinks*) are not listed. `?sort=` takes name, size, date or kind, and
    `&order=` asc or desc; folders always come first. The tables are those of File.

    By Accept it is a page, JSON or plain text. As JSON it has "entries", each with its "name",
    "href" (relative), "isDirectory", "size" in bytes, "modified" (RFC 3339) and "type".
    """

    isLeaf = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        dirs: Iterable[str] | None = None,
        *,
        root: str | os.PathLike[str] | None = None,
        followSymlinks: bool = False,
        hidden: bool = False,
        contentTypes: Mapping[str, str] = CONTENT_TYPES,
        contentEncodings: Mapping[str, str] = CONTENT_ENCODINGS,
        defaultType: str = "application/octet-stream",
    ) -> None:
        self.path, self.dirs = absolute(path), dirs
        self.contentTypes, self.contentEncodings = contentTypes, contentEncodings
        self.defaultType = defaultType
        self._root = Root(absolute(path if root is None else root), followSymlinks, hidden)

    def render_GET(self, request: Request) -> bytes | Deferred[bytes]:
        """The listing, later if it is long. Raises NotFound, Forbidden."""
        names = self._names()
        asked = _Asked.of(request)
        request.setHeader(b"Content-Type", _FORMS[asked.form])
        request._vary(b"Accept")
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        if len(names) > MOST_AT_ONCE:
            from weblayer.loop.threads import deferToThread  # few folders are as large

            return deferToThread(self._body, names, asked)
        return self._body(names, asked)

    def _body(self, names: Iterable[str], asked: "_Asked") -> bytes:
        entries = asked.order.sort(list(self._entries(names)))
        if asked.form == b"text/html":
            text = self._page(entries, asked)
        else:
            text = as_json(entries) if asked.form == b"application/json" else as_text(entries)
        return text.encode(errors="replace")

    def _page(self, entries: list[Entry], asked: "_Asked") -> str:
        return OURS.page(
            "listing.html",
            title="Index of " + "/".join(["", *asked.segments, ""]),
            crumbs=_crumbs(asked.segments, self._root.names_to(self.path)),
            entries=entries,
            summary=summary(entries),
            columns=[asked.order.column(name) for name in COLUMNS],
            sorts=asked.sorts,
        )

    def _names(self) -> list[str]:
        try:
            names = os.listdir(self.path) if self.dirs is None else self.dirs
        except OSError as error:
            raise refusal(error) from error
        return [name for name in names if self._root.serves(name)]

    def _entries(self, names: Iterable[str]) -> Iterator[Entry]:
        for name in names:
            try:
                facts = self._root.find(f"{self.path}/{name}")
            except (NotFound, Forbidden):
                continue
            yield self._entry(name, facts)

    def _entry(self, name: str, facts: os.stat_result) -> Entry:
        folder = S_ISDIR(facts.st_mode)
        kind, encoding = ("", None) if folder else self._type(name)
        return Entry(
            name=name,
            # "./" first: "a:b" alone would be an address with the scheme "a".
            href=f"./{percent_encode(os.fsencode(name)).decode()}{'/' if folder else ''}",
            size=0 if folder else facts.st_size,
            size_text="" if folder else formatFileSize(facts.st_size),
            modified=facts.st_mtime,
            date_text=formatDate(facts.st_mtime),
            iso_date=formatISODate(facts.st_mtime),
            type=kind,
            kind="Folder" if folder else formatType(kind) + (f" ({encoding})" if encoding else ""),
            is_directory=folder,
        )

    def _type(self, name: str) -> tuple[str, str | None]:
        return getTypeAndEncoding(name, self.contentTypes, self.contentEncodings, self.defaultType)


class _Asked(NamedTuple):
    """What a request asks of a listing, so that a thread need not touch it."""

    form: bytes
    sorts: bool
    order: Order
    segments: list[str]

    @classmethod
    def of(cls, request: Request) -> "_Asked":
        accept = request.getHeader(b"accept")
        form = best(list(_FORMS), accept) or b"text/html"
        by, order = (request.args.get(name, [""])[0] for name in ("sort", "order"))
        # Not for `wget -m`: whoever follows every link would fetch each folder nine times.
        return cls(
            form,
            names_type(b"text/html", accept),
            Order.of(by, order),
            [name for name in request.prepath if name],
        )


def _crumbs(segments: list[str], below: list[str]) -> list[tuple[str, str]]:
    """The way back: pairs of (name, href) from the root, which is *below* names up, to here.

    The root goes by the name it was put under, the last of *segments* that are not below it.
    """
    above = segments[: len(segments) - len(below)]
    names = [above[-1] if above else "home", *below]
    last = len(names) - 1
    return [(name, "../" * (last - place) or "./") for place, name in enumerate(names)]
