"""Templates, a program's and ours: lazy, strict, escaped; no hostile folder bends its listing."""

import os
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from weblayer.web.template import OURS, Templates

HOSTILE = ["<img src=x onerror=alert(1)>", '"onmouseover="alert(1)', "</table><script>", "&amp;"]


def entry(name: str, is_directory: bool = False) -> dict[str, object]:
    """One line of a listing."""
    return {
        "name": name,
        "href": "x",
        "size_text": "" if is_directory else "1.2 kB",
        "date_text": "4 March 2026, 12:30",
        "iso_date": "2026-03-04T12:30:00Z",
        "kind": "Folder" if is_directory else "Plain text",
        "is_directory": is_directory,
    }


def listing(entries: list[dict[str, object]], title: str = "Index of /", sorts: bool = True) -> str:
    """The page of a folder that is sorted by size, largest first."""
    return OURS.page(
        "listing.html",
        title=title,
        crumbs=[("home", "/"), (title, "/x/")],
        entries=entries,
        summary="1 folder, 1 file",
        columns=[
            ("Name", "?sort=name", None),
            ("Size", "?sort=size", "descending"),
            ("Last changed", "?sort=date", None),
            ("Kind", "?sort=kind", None),
        ],
        sorts=sorts,
    )


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def every(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element with this tag."""
        return [attributes for name, attributes in self.elements if name == tag]


def test_jinja_is_loaded_with_the_first_page():
    """A program that renders none of our pages does not pay for jinja2."""
    program = (
        "import sys, weblayer.web.pagetext as p; early = 'jinja2' in sys.modules;"
        "p.error_body('text', 404, 'b', 'd'); early |= 'jinja2' in sys.modules;"
        "p.error_body('html', 404, 'b', 'd'); print(early, 'jinja2' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout.split() == [b"False", b"True"]


def test_a_fact_that_is_missing_is_an_error():
    """A template never prints nothing for what it was not given."""
    with pytest.raises(UndefinedError, match="brief"):
        OURS.page("error.html", code=404)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_name_is_never_markup(name):
    """A hostile name is shown letter by letter; the page has the elements of a harmless one."""
    page, harmless = Page(listing([entry(name)], name)), Page(listing([entry("a")], "a"))
    assert page.elements == harmless.elements
    assert name in page.text


def test_a_link_cannot_leave_its_attribute():
    """An href is escaped too, whatever the caller made of the name."""
    href = '"><script>alert(1)</script>'
    page = Page(listing([entry("a") | {"href": href}]))
    assert page.every("a")[-1] == {"href": href, "dir": "auto"}
    assert not page.every("script")


def test_an_empty_folder_says_so():
    """No table without rows."""
    page = Page(listing([]))
    assert "This folder is empty." in page.text
    assert not page.every("table")


def test_the_listing_shows_what_is_there():
    """Every entry has a row, folders a slash, and above them stands how much there is."""
    page = Page(listing([entry("letters", is_directory=True), entry("notes.txt")]))
    assert len(page.every("tr")) == 3
    for words in ("letters/", "notes.txt", "1.2 kB", "4 March 2026, 12:30", "1 folder, 1 file"):
        assert words in page.text


def test_the_sorted_column_is_marked_for_every_reader():
    """aria-sort stands on the one column; there are links for those who are to have them."""
    for sorts in (True, False):
        page = Page(listing([entry("notes.txt")], sorts=sorts))
        assert [th.get("aria-sort") for th in page.every("th")] == [None, "descending", None, None]
        links = [a["href"] for a in page.every("a") if "sort" in str(a["href"])]
        every = ["?sort=name", "?sort=size", "?sort=date", "?sort=kind"]
        assert links == (every if sorts else [])


def test_the_last_crumb_is_the_page_itself():
    """A screen reader hears where it stands."""
    crumbs = [a for a in Page(listing([])).every("a") if a["href"] in ("/", "/x/")]
    assert [a.get("aria-current") for a in crumbs] == [None, "page"]


def test_five_thousand_entries_stay_light():
    """A row costs under 250 bytes, its name and dates included."""
    page = listing([entry(f"file-{n:04}.txt") for n in range(5000)])
    assert len(page) < 5000 * 250


@pytest.mark.parametrize("extra", [None, "trace"])
def test_the_pages_need_nothing_else(extra):
    """No script and nothing loaded from elsewhere, so that the strictest CSP can hold."""
    error = OURS.page("error.html", code=500, brief="b", detail="d", extra=extra, id="7")
    for page in (Page(listing([entry("a")])), Page(error)):
        assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.elements}
        assert not any(key.startswith("on") for _, facts in page.elements for key in facts)


# A program's own


def folder(path, **templates):
    """A folder with these templates in it, by the first part of their names."""
    for name, text in templates.items():
        (path / f"{name}.html").write_text(text)
    return path


def test_a_program_has_pages_of_its_own(tmp_path):
    """A template by its name, in a frame that others share; `name` is a value like any other."""
    templates = Templates(
        folder(
            tmp_path,
            frame="<title>{% block title %}{% endblock %}</title>",
            front='{% extends "frame.html" %}{% block title %}{{ loud(name) }}{% endblock %}',
        ),
        loud=str.upper,
    )
    assert templates.page("front.html", name="ada") == "<title>ADA</title>"


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_filled_in_is_escaped(tmp_path, name):
    """In HTML; plain text has no markup to escape from."""
    (tmp_path / "mail.txt").write_text("{{ name }}")
    templates = Templates(str(folder(tmp_path, page="<p>{{ name }}</p>")))
    page = Page(templates.page("page.html", name=name))
    assert (page.elements, page.text) == ([("p", {})], name)
    assert templates.page("mail.txt", name=name) == name


def test_what_no_answer_can_hold_is_a_question_mark(tmp_path):
    """An argument or a file name that is not UTF-8 breaks no page."""
    templates = Templates(folder(tmp_path, page="é {{ name }}"))
    assert templates.page("page.html", name="caf\udce9") == "é caf?"


def test_a_value_that_is_missing_is_an_error(tmp_path):
    """And so are a template that is not there, and one outside of the folder."""
    inner = tmp_path / "inner"
    inner.mkdir()
    folder(tmp_path, outer="secret")
    templates = Templates(folder(inner, page="{{ name }}"))
    with pytest.raises(UndefinedError, match="name"):
        templates.page("page.html")
    for name in ("none.html", "../outer.html", str(tmp_path / "outer.html")):
        with pytest.raises(TemplateNotFound):
            templates.page(name)


def test_a_template_that_was_changed_is_read_again(tmp_path):
    """A page can be worked on while its program runs."""
    templates = Templates(folder(tmp_path, page="before"))
    assert templates.page("page.html") == "before"
    folder(tmp_path, page="behind")
    os.utime(tmp_path / "page.html", (0, 0))  # whatever the file system's clock can tell
    assert templates.page("page.html") == "behind"
