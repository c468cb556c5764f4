"""The default site, which the first command of the README serves: what it shows is true."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.samples import answer, execute

SITE = Path(__file__).parent.parent / "static"


class Page(HTMLParser):
    """A page's links, anchors, tags, and code by its language."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: list[str] = []
        self.code: dict[str, list[str]] = {}
        self._language: str | None = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.tags.append(tag)
        self.links += [facts[key] for key in ("href", "src") if key in facts]
        self.anchors |= {facts["id"]} if "id" in facts else set()
        if tag == "code":
            self._language = facts.get("class")
            self.code.setdefault(self._language, []).append("")

    def handle_endtag(self, tag):
        if tag == "code":
            self._language = None

    def handle_data(self, data):
        if self._language:
            self.code[self._language][-1] += data


PAGES = {path.name: Page(path) for path in sorted(SITE.glob("*.html"))}
INDEX = PAGES["index.html"]

# Each page with each of its links.
LINKS = sorted({(name, link) for name, page in PAGES.items() for link in page.links})

HELLO, GREET, SOON, LATER, LETTER, FILES = INDEX.code["language-python"]


def test_the_hello_sample_says_hello(monkeypatch):
    """The first sample serves what the page says, at the address it says."""
    _, site = execute(HELLO, monkeypatch)
    assert answer(site, "GET", "/hello").text() == "Hello, web!"
    assert answer(site, "HEAD", "/hello").body == b""
    assert answer(site, "DELETE", "/hello").getHeader("allow") == "GET, HEAD, OPTIONS"


def test_the_greeting_sample_greets_whom_nobody_put_there(monkeypatch):
    """A child is found when it is asked for, by a name that is text."""
    names, _ = execute(GREET, monkeypatch)
    assert json.loads(answer(names["Greetings"](), "GET", "/Zo%C3%AB").text()) == {"hello": "Zoë"}


def test_the_samples_that_wait_answer_in_the_end(monkeypatch):
    """Coroutines, streams, Deferreds and writing by hand give what the page says."""
    names, _ = execute(SOON, monkeypatch)
    assert answer(names["Soon"](), "GET", "/").text() == "Here I am."
    assert answer(names["Countdown"](), "GET", "/").text() == "3\n2\n1\nLift-off!\n"
    names, _ = execute(LATER, monkeypatch)
    assert answer(names["Later"](), "GET", "/").text() == "At last!"
    assert answer(names["ByHand"](), "GET", "/").text() == "At last!"


def test_the_letter_sample_refuses_what_is_too_long(monkeypatch):
    """The policy's number is the number that holds."""
    names, _ = execute(LETTER, monkeypatch)
    thanks = answer(names["Letter"](), "POST", "/", body=b"x" * 65536)
    assert thanks.text() == "65536 bytes, thank you."
    assert answer(names["Letter"](), "POST", "/", body=b"x" * 65537).code == 413


def test_the_files_sample_serves_a_folder(monkeypatch):
    """With a folder that there is in place of its own, the sample serves the files in it."""
    _, site = execute(FILES.replace("/srv/files", str(SITE)), monkeypatch)
    assert answer(site, "GET", "/files/").body == (SITE / "index.html").read_bytes()


def test_the_first_command_is_shown():
    """The page names the command that serves it."""
    assert "weblayer web --path static --port 8080" in INDEX.code["language-shell"]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_every_link_resolves(page, link):
    """Links stay in the site, and lead to a file or to an anchor of the page."""
    name, _, anchor = link.partition("#")
    assert not name or (SITE / name).is_file()
    assert not anchor or anchor in PAGES[name or page].anchors


@pytest.mark.parametrize("page", PAGES)
def test_a_page_works_without_scripts(page):
    """Plain HTML and CSS."""
    tags = PAGES[page].tags
    assert not {"script", "iframe", "object"} & set(tags)
    assert tags.count("h1") == tags.count("main") == 1
