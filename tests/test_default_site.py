"""The default site, which the first command of the README serves: what it shows is true."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

SITE = Path(__file__).parent.parent / "static"


class Page(HTMLParser):
    """A page's links, anchors, tags, and code by its language."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = {""}
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


INDEX = Page(SITE / "index.html")


@pytest.mark.parametrize("sample", INDEX.code["language-python"])
def test_every_sample_is_python(sample):
    """What a newcomer copies from the page compiles."""
    compile(sample, "<sample>", "exec", dont_inherit=True)


def test_the_first_command_is_shown():
    """The page names the command that serves it."""
    assert "weblayer web --path static --port 8080" in INDEX.code["language-shell"]


@pytest.mark.parametrize("link", sorted(set(INDEX.links)))
def test_every_link_resolves(link):
    """Links stay in the site, and lead to a file or to an anchor of the page."""
    name, _, anchor = link.partition("#")
    assert not name or (SITE / name).is_file()
    assert anchor in INDEX.anchors


def test_the_page_works_without_scripts():
    """Plain HTML and CSS."""
    assert not {"script", "iframe", "object"} & set(INDEX.tags)
    assert INDEX.tags.count("h1") == INDEX.tags.count("main") == 1
