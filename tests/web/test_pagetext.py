"""Error pages in three forms, and which of them the peer wants."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.web.pagetext import CONTENT_TYPES, default_detail, error_body, error_form

FORMS = sorted(CONTENT_TYPES)
HOSTILE = "</p><script>alert(1)</script>&\"'"
STATUSES = [
    400, 401, 403, 404, 405, 408, 409, 410, 411, 413, 414, 415, 417, 421, 422, 426, 429, 431,
]  # fmt: skip
FAULTS = [500, 501, 502, 503, 504, 505]


class Page(HTMLParser):
    """The tags and the text of a page, read as a browser does."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(body.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "text"),
        (b"*/*", "text"),
        (b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "html"),
        (b"application/json", "json"),
        (b"application/problem+json", "json"),
        (b"application/json, text/plain, */*", "json"),
        (b"application/json;q=0.5, text/html", "html"),
        (b"text/html;q=0, application/json;q=0, */*", "text"),
        (b"image/png", "text"),
        (b"text/html, " + b"x/y, " * 20 + b"*/*", "html"),
        (b"text/html, " + b"x/y, " * 2000 + b"*/*", "html"),
    ],
)
def test_the_peer_chooses_the_form(accept, form):
    """Browsers get HTML, programs that name JSON get problem details, everybody else text."""
    assert error_form(accept) == form


def test_the_page_says_what_happened():
    """Code, brief and detail are on the page."""
    page = Page(error_body("html", 404, "Not Found", "There is no such tree."))
    for words in ("404", "Not Found", "There is no such tree."):
        assert words in page.text


def test_the_json_form_is_problem_details():
    """The members of RFC 9457, 3.1, and no other."""
    assert json.loads(error_body("json", 404, "Not Found", "No such tree.")) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No such tree.",
    }


def test_the_text_form_reads_well_in_a_terminal():
    """A line that names the error, a blank one, the detail, and an end of line."""
    assert error_body("text", 404, "Not Found", "No such tree.") == (
        b"404 Not Found\n\nNo such tree.\n"
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_page_names_the_request(form):
    """In every form, when it is given, and only then, though pages are kept."""
    without = error_body(form, 500, "Fault", "Sorry.")
    assert b"4711" in error_body(form, 500, "Fault", "Sorry.", id="4711")
    assert error_body(form, 500, "Fault", "Sorry.") == without
    assert b"equest" not in without


@given(brief=st.text(), detail=st.text(), extra=st.none() | st.text())
def test_nothing_said_becomes_markup(brief, detail, extra):
    """Whatever brief, detail and extra hold, the page has the tags it has with plain words."""
    plain = error_body("html", 500, "Fault", "Sorry.", None if extra is None else "trace")
    body = error_body("html", 500, brief + HOSTILE, detail + HOSTILE, extra and extra + HOSTILE)
    assert Page(body).tags == Page(plain).tags


@pytest.mark.parametrize("form", FORMS)
def test_the_extra_is_shown_to_the_developer(form):
    """A traceback stands in every form when it is given, and only then, though pages are kept."""
    trace = "Traceback: <module> & more"
    without = error_body(form, 500, "Fault", "Sorry.")
    shown = error_body(form, 500, "Fault", "Sorry.", trace)
    told = Page(shown).text if form == "html" else shown.decode()
    assert trace in told
    assert error_body(form, 500, "Fault", "Sorry.") == without
    assert b"Traceback" not in without


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("detail", ["\udce9 is no UTF-8", "long " * 200])
def test_any_text_makes_a_page(form, detail):
    """A file name that is not UTF-8 or a very long detail still makes a page in UTF-8."""
    assert b"404" in error_body(form, 404, "Not Found", detail)
    error_body(form, 404, "Not Found", detail).decode()


def test_different_errors_have_different_pages():
    """Pages that are kept are told apart by everything they say."""
    said = [
        (404, "Not Found", "No such tree."),
        (410, "Not Found", "No such tree."),
        (404, "Gone", "No such tree."),
        (404, "Not Found", "No such branch."),
    ]
    bodies = {error_body(form, *words) for form in FORMS for words in said}
    assert len(bodies) == len(FORMS) * len(said)


def test_a_page_that_repeats_is_rendered_once():
    """A flood of the same error gets the very same bytes."""
    first = error_body("html", 404, "Not Found", "Nothing here.")
    assert error_body("html", 404, "Not Found", "Nothing here.") is first


@pytest.mark.parametrize("code", STATUSES + FAULTS)
def test_every_usual_error_has_its_own_sentence(code):
    """Short, one that no other error has, and a sentence."""
    detail = default_detail(code)
    assert len(detail) <= 100
    assert detail.endswith(".")
    assert [default_detail(other) for other in STATUSES + FAULTS].count(detail) == 1


def test_an_unusual_error_blames_the_right_side():
    """A status without its own sentence has that of its class."""
    assert default_detail(418) == default_detail(499) != default_detail(599)
