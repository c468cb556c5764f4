"""Errors as answers: pages in the form that the client asked for, which tell it little."""

import json

import pytest

from tests.web.trees import Page, errors_of, tree
from weblayer.web.errors import (
    BadRequest,
    ContentTooLarge,
    Error,
    Forbidden,
    NotFound,
    UnsupportedMethod,
)
from weblayer.web.pages import errorPage, forbidden, notFound
from weblayer.web.resource import Resource
from weblayer.web.site import Site
from weblayer.web.testing import ask

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def raising(error):
    def page(request):
        raise error

    return Page(page)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadRequest(), 400),
        (Forbidden("Not yours."), 403),
        (NotFound(), 404),
        (UnsupportedMethod(["GET"]), 405),
        (ContentTooLarge(), 413),
        (Error(418, "Short and stout."), 418),
        (Error(503, headers=[("Retry-After", "7")]), 503),
    ],
)
def test_an_error_is_its_answer(error, code):
    """Raised in a render, it is answered with its code, its detail and its fields."""
    answer = ask(raising(error))
    assert (answer.code, answer.isWhole) == (code, True)
    assert error.detail in answer.text()
    assert all(answer.getHeader(name) == value for name, value in error.headers)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "text/plain; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        (BROWSER, "text/html; charset=utf-8"),
        ("application/json", "application/problem+json"),
        ("image/png", "text/plain; charset=utf-8"),
    ],
)
def test_an_error_page_has_the_form_that_is_accepted(accept, kind):
    """HTML for browsers, problem details for programs, text for a terminal; caches are told."""
    answer = ask(tree(), "GET", "/", {"Accept": accept} if accept else {})
    assert (answer.getHeader("content-type"), answer.getHeader("vary")) == (kind, "Accept")


def test_problem_details_tell_what_happened():
    """The JSON form is that of RFC 9457."""
    answer = ask(raising(NotFound("No such book.")), "GET", "/", {"Accept": "application/json"})
    problem = json.loads(answer.body)
    assert (problem["status"], problem["title"]) == (404, "Not Found")
    assert problem["detail"] == "No such book."


def test_what_an_error_says_is_escaped():
    """A detail that holds what a client sent is no way to put a script into the page."""
    answer = ask(raising(NotFound("<script>alert(1)</script>")), "GET", "/", {"Accept": BROWSER})
    assert "<script>alert" not in answer.text()
    assert "&lt;script&gt;" in answer.text()


def secret(request):
    password = "<b>hunter2</b>"
    raise RuntimeError(f"no such password: {password}")


@pytest.mark.parametrize("accept", ["*/*", BROWSER, "application/json"])
def test_a_failure_tells_the_client_nothing_and_the_log_all(accept, caplog):
    """A 500 says that something went wrong; the log has the request and the traceback."""
    answer = ask(Page(secret), "GET", "/here?q=1", {"Accept": accept})
    assert answer.code == 500
    assert "hunter2" not in answer.text()
    assert "RuntimeError" not in answer.text()
    [record] = errors_of(caplog)
    assert "GET /here failed" in record.getMessage()


@pytest.mark.parametrize("accept", ["*/*", BROWSER, "application/json"])
def test_tracebacks_are_shown_to_developers_only(accept):
    """displayTracebacks puts them on the page, escaped; an error that is an answer has none."""
    site = Site(Page(secret))
    site.displayTracebacks = True
    text = ask(site, "GET", "/", {"Accept": accept}).text()
    assert "RuntimeError" in text
    assert "def secret" in text or "in secret" in text
    if accept == BROWSER:
        assert "<b>hunter2" not in text
    site.resource = raising(NotFound())
    assert "Traceback" not in ask(site).text()


def test_pages_for_errors_can_be_put():
    """They answer every method and everything below them."""
    root = tree(gone=errorPage(410, "It is gone", "<i>really</i>"), no=forbidden(), none=notFound())
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        assert ask(root, method, "/gone").code == 410
        assert ask(root, method, "/gone/deep/down").code == 410
    assert (ask(root, "GET", "/no").code, ask(root, "GET", "/none").code) == (403, 404)
    page = ask(root, "GET", "/gone", {"Accept": BROWSER}).text()
    assert "It is gone" in page
    assert "<i>really" not in page


def test_an_error_page_may_be_a_child():
    """getChild may give one, at once."""

    class Guarded(Resource):
        def getChild(self, name, request):
            return forbidden("Keep out", "This is private.")

    answer = ask(Guarded(), "GET", "/x")
    assert (answer.code, "This is private." in answer.text()) == (403, True)


def test_head_of_an_error_has_no_body():
    """The length is that of the page that GET would get."""
    get, head = (ask(tree(), method, "/x") for method in ("GET", "HEAD"))
    assert (head.code, head.body, head.isWhole) == (404, b"", True)
    assert head.getHeader("content-length") == get.getHeader("content-length")


def test_an_error_said_on_purpose_is_logged_without_its_place(caplog):
    """A 503 that a render raises is one line: nothing has broken."""

    class Closed(Resource):
        isLeaf = True

        def render_GET(self, request):
            raise Error(503, "Closed for the night.")

    assert ask(Closed()).code == 503
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert "GET /: 503 Closed for the night." in record.getMessage()
