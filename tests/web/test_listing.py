"""The listing of a folder: what it shows, in which order, and where its links lead."""

import json
import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.web.filetext import formatDate, formatFileSize, formatISODate, formatType
from weblayer.web.listing import DirectoryLister
from weblayer.web.resource import Resource
from weblayer.web.static import File
from weblayer.web.testing import ask

BASE = "http://weblayer.test"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
PIP = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1,"
    " text/html; q=0.01"
)


class Listing(HTMLParser):
    """What stands in a listing: rows of texts, and links as pairs of (text, href)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[tuple[str, str]] = []
        self.elements: set[str] = set()
        self.crumbs = 0
        self.sorted: dict[str, str] = {}
        self._text = ""
        self.feed(page)

    @property
    def names(self) -> list[str]:
        return [row[0] for row in self.rows if row]

    @property
    def entries(self) -> dict[str, str]:
        """The links of the rows, by name."""
        return {text: href for text, href in self.links if text in self.names}

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        facts = dict(attrs)
        if tag == "tr":
            self.rows.append([])
        elif tag == "a":
            self._href = facts["href"]
        elif tag == "th" and "aria-sort" in facts:
            self._sorted = facts["aria-sort"]
        if tag in ("td", "a", "th"):
            self._text = ""

    def handle_data(self, data):
        self._text += data

    def handle_endtag(self, tag):
        if tag == "td":
            self.rows[-1].append(self._text)
        elif tag == "a":
            self.links.append((self._text, self._href))
        elif tag == "nav":
            self.crumbs = len(self.links)
        elif tag == "th" and hasattr(self, "_sorted"):
            self.sorted[self._text] = self.__dict__.pop("_sorted")


def listing(tree: Resource, target: str = "/") -> Listing:
    answer = ask(tree, "GET", target, {"Accept": BROWSER})
    answer.waitFor(lambda: answer.isWhole)
    assert answer.code == 200
    assert answer.getHeader("content-type") == "text/html; charset=utf-8"
    return Listing(answer.text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of different sizes, dates and kinds, and two folders."""
    for name, size, date in (("b.txt", 20, 300), ("a.png", 3000, 200), ("C.zip", 1, 100)):
        (tmp_path / name).write_bytes(bytes(size))
        os.utime(tmp_path / name, (0, date))
    for name in ("zoo", "ark"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 400 + len(name)))
    return tmp_path


@pytest.mark.parametrize(
    ("query", "files"),
    [
        ("", ["a.png", "b.txt", "C.zip"]),
        ("?sort=name&order=desc", ["C.zip", "b.txt", "a.png"]),
        ("?sort=size", ["a.png", "b.txt", "C.zip"]),
        ("?sort=size&order=asc", ["C.zip", "b.txt", "a.png"]),
        ("?sort=date", ["b.txt", "a.png", "C.zip"]),
        ("?sort=date&order=asc", ["C.zip", "a.png", "b.txt"]),
        ("?sort=kind", ["C.zip", "a.png", "b.txt"]),
        ("?sort=kind&order=desc", ["b.txt", "a.png", "C.zip"]),
        ("?sort=colour&order=desc", ["a.png", "b.txt", "C.zip"]),
        ("?sort=size&order=sideways", ["a.png", "b.txt", "C.zip"]),
        ("?sort=&sort=size&order", ["a.png", "b.txt", "C.zip"]),
    ],
)
def test_a_listing_is_sorted_as_asked(folder, query, files):
    """By each column in both orders, by name for anything else; folders always stand first."""
    names = listing(File(folder, listing=True), f"/{query}").names
    assert names[2:] == files
    assert sorted(names[:2]) == ["ark/", "zoo/"]


def test_each_column_has_a_link_that_sorts_by_it(folder):
    """A click on the sorted column turns it round; the newest and the largest come first."""
    shown = listing(File(folder, listing=True), "/?sort=size")
    assert shown.sorted == {"Size": "descending"}
    assert dict(shown.links)["Size"] == "?sort=size&order=asc"
    assert dict(shown.links)["Name"] == "?sort=name&order=asc"
    assert dict(shown.links)["Last changed (UTC)"] == "?sort=date&order=desc"
    assert listing(File(folder, listing=True), "/?sort=size&order=asc").sorted == {
        "Size": "ascending"
    }


@pytest.mark.parametrize(("accept", "links"), [(BROWSER, 8), (PIP, 8), ("*/*", 4), (None, 4)])
def test_who_follows_every_link_is_given_none_that_sorts(folder, accept, links):
    """`wget -m` takes anything, and finds each folder once; what names HTML is a browser."""
    (folder / "ark").rmdir()
    answer = ask(File(folder, listing=True), "GET", "/", {"Accept": accept} if accept else {})
    rows = Listing(answer.text()).links[1:]  # behind the way back
    assert len(rows) == links


def test_a_line_says_what_a_person_wants_to_know(folder):
    """Name, size, date and kind; the size of a folder is nobody's question."""
    rows = listing(File(folder, listing=True)).rows
    assert ["a.png", "3.0 kB", "1 January 1970, 00:03", "Image"] in rows
    assert ["ark/", "", "1 January 1970, 00:06", "Folder"] in rows


def test_every_link_leads_to_what_it_names(tmp_path):
    """Names of every kind are shown as text and linked as addresses, and the file answers there."""
    names = [
        "a b",
        "a:b",
        "<img src=x onerror=alert(1)>",
        "ü",
        '"q"',
        "50%",
        "?x#y",
        "//"[:0] + "~",
    ]
    for name in names:
        (tmp_path / name).write_text(f"I am {name}")
    site = File(tmp_path, listing=True)
    shown = listing(site)
    assert sorted(shown.names) == sorted(names)
    assert "img" not in shown.elements
    for name, href in shown.entries.items():
        target = urljoin(BASE + "/", href).removeprefix(BASE)
        assert ask(site, "GET", target).text() == f"I am {name}"


def test_a_name_that_is_not_utf8_is_listed(tmp_path):
    """It shows with a question mark, and its link still finds it."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("found")
    site = File(tmp_path, listing=True)
    assert listing(site).entries == {"?.txt": "./%FF.txt"}
    assert ask(site, "GET", "/%FF.txt").text() == "found"


def test_what_is_not_served_is_not_listed(tmp_path):
    """Hidden files, links that lead out or nowhere, FIFOs, and names that cannot be asked for."""
    root = tmp_path / "site"
    root.mkdir()
    (tmp_path / "secret").touch()
    for name in (".htaccess", "a\\b", "shown"):
        (root / name).touch()
    (root / ".git").mkdir()
    (root / ".well-known").mkdir()
    os.mkfifo(root / "fifo")
    for name, target in (("out", "../secret"), ("broken", "nowhere"), ("inside", "shown")):
        (root / name).symlink_to(target)
    assert listing(File(root, listing=True)).names == [".well-known/", "inside", "shown"]
    followed = listing(File(root, listing=True, followSymlinks=True))
    assert followed.names == [".well-known/", "inside", "out", "shown"]


def test_the_way_back_leads_to_each_folder_above(tmp_path):
    """Crumbs begin where the files do, and each finds its folder's listing."""
    (tmp_path / "a b" / "c").mkdir(parents=True)
    tree = Resource()
    tree.putChild("files", File(tmp_path, listing=True))
    shown = listing(tree, "/files/a%20b/c/")
    crumbs = shown.links[: shown.crumbs]
    assert [name for name, _ in crumbs] == ["files", "a b", "c"]
    places = [urljoin(f"{BASE}/files/a%20b/c/", href) for _, href in crumbs]
    assert places == [f"{BASE}{path}" for path in ("/files/", "/files/a%20b/", "/files/a%20b/c/")]
    top = listing(File(tmp_path, listing=True))
    assert top.links[: top.crumbs] == [("home", "./")]


def test_an_empty_folder_has_a_listing_too(tmp_path):
    """A page without rows."""
    assert listing(File(tmp_path, listing=True)).rows == []


def test_a_listing_stands_alone(tmp_path):
    """A DirectoryLister can be put by hand, and takes GET and HEAD."""
    (tmp_path / "a.txt").touch()
    tree = Resource()
    tree.putChild("", DirectoryLister(tmp_path))
    assert listing(tree).names == ["a.txt"]
    assert ask(tree, "HEAD", "/").body == b""
    assert ask(tree, "POST", "/").code == 405


def test_a_listing_may_be_of_some_names(folder):
    """Those that are there, and can be asked for."""
    tree = Resource()
    tree.putChild("", DirectoryLister(folder, ["b.txt", "ark", "none", "../b.txt", ".hidden"]))
    assert listing(tree).names == ["ark/", "b.txt"]


def test_a_name_cannot_turn_the_line_round(tmp_path):
    """A mark that writes from right to left ends with the name: "gpj.exe" is no picture."""
    (tmp_path / "\u202egpj.exe").touch()
    assert ' dir="auto">\u202egpj.exe</a></td>' in ask(File(tmp_path, listing=True)).text()


def test_a_folder_that_is_gone_is_not_found(tmp_path):
    """Whatever happened since it was found."""
    tree = Resource()
    tree.putChild("", DirectoryLister(tmp_path / "gone"))
    assert ask(tree, "GET", "/").code == 404


def test_five_thousand_entries_are_one_page(tmp_path):
    """A large folder is listed whole, numbers by their value."""
    for number in range(5000):
        (tmp_path / f"page {number}.txt").touch()
    names = listing(File(tmp_path, listing=True)).names
    assert names == [f"page {number}.txt" for number in range(5000)]


@pytest.mark.parametrize("accept", ["application/json", "application/json, text/html;q=0.5"])
def test_a_program_gets_json(folder, accept):
    """Its entries, in the order that was asked for, with types and exact sizes."""
    answer = ask(File(folder, listing=True), "GET", "/?sort=size", {"Accept": accept})
    assert (answer.getHeader("content-type"), answer.getHeader("vary")) == (
        "application/json",
        "Accept",
    )
    entries = json.loads(answer.body)["entries"]
    assert [entry["name"] for entry in entries] == ["ark", "zoo", "a.png", "b.txt", "C.zip"]
    assert entries[0] == {
        "name": "ark",
        "href": "./ark/",
        "isDirectory": True,
        "size": None,
        "modified": "1970-01-01T00:06:43Z",
        "type": None,
    }
    assert entries[2] == {
        "name": "a.png",
        "href": "./a.png",
        "isDirectory": False,
        "size": 3000,
        "modified": "1970-01-01T00:03:20Z",
        "type": "image/png",
    }


def test_a_listing_depends_on_what_was_said_before_too(folder):
    """What stands above a listing may choose it by other fields; a cache is told of all of them."""

    class Dressed(File):
        def getChild(self, name, request):
            request.setHeader("Vary", "Cookie")
            return super().getChild(name, request)

    assert ask(Dressed(folder, listing=True), "GET", "/").getHeader("vary") == "Cookie, Accept"


def test_a_terminal_gets_lines(folder):
    """Aligned, folders with a slash, and no name can give the terminal orders."""
    (folder / "evil\x1b[2J\nname\x9b").touch()
    os.utime(folder / "evil\x1b[2J\nname\x9b", (0, 0))
    answer = ask(File(folder, listing=True), "GET", "/", {"Accept": "text/plain"})
    assert answer.getHeader("content-type") == "text/plain; charset=utf-8"
    assert answer.text().splitlines() == [
        "1970-01-01 00:06            ark/",
        "1970-01-01 00:06            zoo/",
        "1970-01-01 00:03    3.0 kB  a.png",
        "1970-01-01 00:05      20 B  b.txt",
        "1970-01-01 00:01       1 B  C.zip",
        "1970-01-01 00:00       0 B  evil?[2J?name?",
    ]


@pytest.mark.parametrize("accept", ["*/*", "text/html", "image/png", PIP, BROWSER])
def test_who_follows_links_gets_the_page(folder, accept):
    """Browsers, wget and pip among them."""
    answer = ask(File(folder, listing=True), "GET", "/", {"Accept": accept})
    assert answer.getHeader("content-type") == "text/html; charset=utf-8"


def test_a_page_says_how_much_there_is(folder):
    """In words; an empty folder says so."""
    assert "2 folders, 3 files, 3.0 kB" in ask(File(folder, listing=True)).text()
    (folder / "ark/one").touch()
    assert '<p class="count">1 file</p>' in ask(File(folder, listing=True), "GET", "/ark/").text()
    assert "This folder is empty" in ask(File(folder, listing=True), "GET", "/zoo/").text()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1349, "1.3 kB"),
        (9949, "9.9 kB"),
        (9950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (48_000_000, "48 MB"),
        (2**63, "9.2 EB"),
    ],
)
def test_a_size_reads_well(size, words):
    """Two figures and a unit are what people compare."""
    assert formatFileSize(size) == words


@given(st.integers(0, 2**63))
def test_no_size_has_more_than_three_figures(size):
    """Rounding never gives "1000 kB"."""
    figures = formatFileSize(size).split()[0].replace(".", "")
    assert len(figures) <= 3


def test_a_date_is_in_english_and_utc():
    """The page is the same wherever the server stands, whatever the disk says."""
    assert formatDate(1_772_627_400) == "4 March 2026, 12:30"
    assert formatISODate(1_772_627_400) == "2026-03-04T12:30:00Z"
    assert formatISODate(-1) == "1970-01-01T00:00:00Z"
    assert formatISODate(2**62) == "9999-12-31T23:59:59Z"


def test_a_type_has_a_word():
    """The type's own, else that of its first half."""
    types = ("text/html; charset=utf-8", "image/webp", "application/x-odd", "strange")
    assert [formatType(t) for t in types] == ["Web page", "Image", "Document", "File"]
