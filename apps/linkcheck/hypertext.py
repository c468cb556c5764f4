"""What a page leads to, and what in it can be led to. Source: WHATWG HTML."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote

from weblayer.client.error import InvalidURI, SchemeNotSupported
from weblayer.client.uri import URI

# The attributes that hold one address, by element; `link`, `meta` and lists are special.
ADDRESSES = {
    "a": ["href"], "area": ["href"], "audio": ["src"], "embed": ["src"], "frame": ["src"],
    "iframe": ["src"], "image": ["href"], "img": ["src"], "input": ["src"], "object": ["data"],
    "script": ["src"], "source": ["src"], "track": ["src"], "video": ["src", "poster"],
}  # fmt: skip

# Links that are for the browser and lead to no document: a connection to be made, at most.
NOT_ASKED = {"dns-prefetch", "pingback", "preconnect"}

# What a browser loads with the page, without being asked to.
LOADED = frozenset(ADDRESSES) - {"a", "area"} | {"stylesheet", "link"}

# What may lead on.
FOLLOWED = frozenset(("a", "area", "frame", "iframe", "refresh", "start", "stylesheet"))

_REFRESH = re.compile(r"\s*[\d.]*\s*[;,]?\s*(?:url\s*=)?\s*['\"]?([^'\"]*)", re.IGNORECASE)
# A comma ends an address where a blank follows; else it is in it (HTML, 4.8.4.2.2).
_CANDIDATE = re.compile(r"[\s,]*(\S*[^\s,])(?:\s+[^,]*)?")
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SHEET = re.compile(
    r"""(?:(?:@import\s+)?url\(\s*|@import\s+)(?:"([^"]*)"|'([^']*)'|([^"'()\s;]+))""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a page: where it leads, what element it is, and where in the page it stands.

    *url* is absolute and has no fragment; where *fault* says why it cannot be, it is as written.
    """

    url: str
    fragment: str
    kind: str
    line: int
    text: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of a page, or of a style sheet (which has no title and no anchors)."""

    title: str
    links: list[Link]
    anchors: frozenset[str]

    def has(self, fragment: str) -> bool:
        """Whether a browser would find that place in it."""
        name = fragment.partition(":~:")[0]  # a text to be found is no name
        # Of a program in the page, which finds its own places; or the top, which needs none.
        if not name or name[0] in "!/" or name.lower() == "top":
            return True
        return name in self.anchors or unquote(name) in self.anchors


def read_page(url: str, text: str) -> Page:
    """Read the HTML that was found at *url*."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    base = _joined(URI.fromText(url), reader.base) or URI.fromText(url)
    links = [_link(base, *found, reader.texts.get(n, "")) for n, found in enumerate(reader.found)]
    title = " ".join("".join(reader.title).split())
    return Page(title, [link for link in links if link is not None], frozenset(reader.anchors))


def read_sheet(url: str, text: str) -> Page:
    """Read the style sheet that was found at *url*."""
    bare = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    base = URI.fromText(url)
    links = []
    for found in _SHEET.finditer(bare):
        address = next(filter(None, found.groups()), "")
        kind = "stylesheet" if found[0][0] == "@" else "image"
        links.append(_link(base, address, kind, bare.count("\n", 0, found.start()) + 1, ""))
    return Page("", [link for link in links if link is not None], frozenset())


class _Reader(HTMLParser):
    """Goes through a page and keeps what it names: addresses with element and line, and anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.title: list[str] = []
        self.found: list[tuple[str, str, int]] = []
        self.texts: dict[int, str] = {}  # of those that have one, by their place in `found`
        self.anchors: set[str] = set()
        self._open: int | None = None  # the `a` that text belongs to
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.anchors.update(filter(None, [named.get("id"), tag == "a" and named.get("name")]))
        if tag == "a":
            self._open = len(self.found) if "href" in named else None
        elif tag == "img" and self._open is not None:
            self._say(named.get("alt", ""))
        elif tag == "title":
            self._in_title = not self.title
        elif tag == "base":
            self.base = self.base or named.get("href", "")
        for address, kind in _addresses(tag, named):
            self.found.append((address, kind, self.getpos()[0]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open = None
        elif tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif self._open is not None:
            self._say(data)

    def parse_html_declaration(self, i: int) -> int:
        # A marked section is for SGML alone; the standard library raises AssertionError for one
        # that it does not know, and a browser takes it for a comment (HTML, 13.2.5.42).
        if self.rawdata.startswith("<![", i):
            return self.parse_bogus_comment(i)
        return super().parse_html_declaration(i)

    def _say(self, text: str) -> None:
        place = self._open or 0
        self.texts[place] = " ".join(f"{self.texts.get(place, '')} {text}".split())[:80]


def _addresses(tag: str, named: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each address of an element, and what it is for."""
    for name in ADDRESSES.get(tag, ()):
        if name in named:
            yield named[name], tag
    if tag in ("img", "source") and "srcset" in named:
        for one in _CANDIDATE.finditer(named["srcset"]):
            yield one[1], tag
    if tag == "link" and not NOT_ASKED & set(rel := named.get("rel", "").lower().split()):
        # A canonical or other page is not loaded; an icon, a sheet or a manifest is.
        is_page = {"alternate", "canonical", "next", "prev", "author", "license", "help"} & set(rel)
        kind = "stylesheet" if "stylesheet" in rel else "link"
        yield named.get("href", ""), "a" if is_page and kind == "link" else kind
    if tag == "meta" and named.get("http-equiv", "").lower() == "refresh":
        found = _REFRESH.match(named.get("content", ""))
        yield found[1] if found else "", "refresh"


def _link(base: URI, address: str, kind: str, line: int, text: str) -> Link | None:
    """A link, or None for what leads to nothing that can be asked for."""
    plain = re.sub(r"[\t\n\r]", "", address).strip(" \f")  # as browsers do
    if not plain:
        return None
    try:
        # What begins as if it were absolute is no reference, whatever is missing of it.
        found = URI.fromText(plain) if _ABSOLUTE.match(plain) else base.join(plain)
    except SchemeNotSupported:
        return None  # mail, a telephone, a script
    except ValueError as error:
        return Link(plain, "", kind, line, text, _fault(error))
    place, _, fragment = found.toText().partition("#")
    return Link(place, fragment, kind, line, text)


def _fault(error: ValueError) -> str:
    return str(error) if isinstance(error, InvalidURI) else "this is no address"


def _joined(base: URI, address: str) -> URI | None:
    try:
        return base.join(address.strip()) if address else None
    except ValueError:
        return None
