"""Errors as answers: pages in the form that the client asked for, which tell it little."""

import json
import re

import pytest

from tests.web.trees import Page, errors_of, tree
from weblayer.web.errors import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    Error,
    Forbidden,
    Gone,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnprocessableContent,
    UnsupportedMediaType,
    UnsupportedMethod,
)
from weblayer.web.pages import errorPage, forbidden, notFound
from weblayer.web.policy import Policy
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
        (Unauthorized(['Basic realm="shop"', "Bearer"], "Sign in."), 401),
        (Forbidden("Not yours."), 403),
        (NotFound(), 404),
        (UnsupportedMethod(["GET"]), 405),
        (Conflict("Somebody was faster."), 409),
        (Gone(), 410),
        (ContentTooLarge(), 413),
        (UnsupportedMediaType("Send JSON."), 415),
        (UnprocessableContent("The end is before the beginning."), 422),
        (TooManyRequests("Slowly.", retryAfter=1.2), 429),
        (ServiceUnavailable(), 503),
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


def test_what_goes_with_an_error_is_sent():
    """A 401 says how to sign in, and who shall wait is told how long, in whole seconds."""
    answer = ask(raising(Unauthorized(['Basic realm="shop"', "Bearer"])))
    assert answer.getHeader("www-authenticate") == 'Basic realm="shop", Bearer'
    assert ask(raising(TooManyRequests(retryAfter=1.2))).getHeader("retry-after") == "2"
    assert ask(raising(ServiceUnavailable(retryAfter=-1))).getHeader("retry-after") == "0"
    assert ask(raising(ServiceUnavailable())).getHeader("retry-after") is None


@pytest.mark.parametrize("none", [[], "Basic"])
def test_a_401_needs_a_way_to_sign_in(none):
    """Without one the standard has no 401."""
    with pytest.raises(ValueError, match="challenges"):
        Unauthorized(none)


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
    assert answer.getHeader("x-content-type-options") == "nosniff"  # it is nothing else


def test_problem_details_tell_what_happened():
    """The JSON form is that of RFC 9457."""
    answer = ask(raising(NotFound("No such book.")), "GET", "/a?b", {"Accept": "application/json"})
    problem = json.loads(answer.body)
    assert len(problem.pop("requestId")) == 20
    assert problem == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No such book.",
        "instance": "/a",
    }


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
    told = re.fullmatch(r"GET /here failed \(request ([0-9a-f]{20})\)", record.getMessage())
    assert told[1] in answer.text()


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


def cookie_in_hand(request):
    given = request.getHeader("authorization"), request.getHeader("cookie")
    raise RuntimeError(f"{given} is wrong, as is {request.getCookie('session')}")


@pytest.mark.parametrize("accept", ["*/*", BROWSER, "application/json"])
def test_a_traceback_shows_no_secret_of_the_client(accept):
    """A screenshot of it is sent around: who reads it cannot sign in as somebody else."""
    site = Site(Page(cookie_in_hand))
    site.displayTracebacks = True
    fields = {"Authorization": "Bearer s3cret-token", "Cookie": "a=1; session=0123456789"}
    text = ask(site, "GET", "/", {"Accept": accept, **fields}).text()
    assert "RuntimeError" in text
    assert "[hidden]" in text
    assert not any(secret in text for secret in ("s3cret", "0123456789"))


def test_a_404_names_no_request():
    """A mistyped address is nobody's to ask about; a program's own log may know, so JSON has it."""
    assert "equest" not in ask(tree(), "GET", "/x").text()


# Pages of the tree's own


def friendly(request, code, detail):
    return f"<h1>{code}</h1><p>{detail}<p>{request.path}"


def with_pages(page, **children):
    """A tree with pages of its own under /shop, which has these children, and none elsewhere."""
    shop = tree(**children)
    shop.policy = Policy(errorPage=page)
    return tree(shop=shop)


def test_a_part_of_the_tree_has_pages_of_its_own():
    """For whatever is raised there, in finding a child, in a render, and for a put page."""
    root = with_pages(
        friendly,
        rich=raising(Forbidden("Members only.")),
        broken=Page(lambda request: 1 / 0),
        gone=errorPage(410, detail="Sold."),
    )
    for path, code, said in [
        ("/shop/none", 404, "There is nothing at this address"),
        ("/shop/rich", 403, "Members only."),
        ("/shop/broken", 500, "Something went wrong"),
        ("/shop/gone", 410, "Sold."),
    ]:
        answer = ask(root, "GET", path)
        assert (answer.code, answer.getHeader("content-type")) == (code, "text/html; charset=utf-8")
        assert answer.text().startswith(f"<h1>{code}</h1><p>{said}")
        assert answer.text().endswith(path)
    assert ask(root, "GET", "/elsewhere").getHeader("content-type").startswith("text/plain")


@pytest.mark.parametrize(
    ("page", "kind", "body"),
    [
        ("é\udcff", "text/html; charset=utf-8", "é?".encode()),
        (b"plain", "text/html", b"plain"),
        ({"error": 404}, "application/problem+json", b'{"error": 404}'),
    ],
)
def test_a_page_is_text_bytes_or_json(page, kind, body):
    """Its type follows from that, unless the page sets one."""
    answer = ask(with_pages(lambda request, code, detail: page), "GET", "/shop/x")
    assert (answer.getHeader("content-type"), answer.body) == (kind, body)

    def typed(request, code, detail):
        request.setHeader("Content-Type", "text/vnd.mine")
        return page

    answer = ask(with_pages(typed), "GET", "/shop/x")
    assert (answer.code, answer.getHeader("content-type")) == (404, "text/vnd.mine")


def test_none_is_the_usual_page():
    """So that a page may be for one error only, or for browsers alone."""
    root = with_pages(lambda request, code, detail: "Lost?" if code == 404 else None)
    assert ask(root, "GET", "/shop/x").text() == "Lost?"
    root.children["shop"].putChild("a", raising(Gone()))
    assert ask(root, "GET", "/shop/a").text().startswith("410 Gone\n")


def broken_page(request, code, detail):
    request.setHeader("X-Half", "done")
    request.setResponseCode(200)
    raise RuntimeError("the page is broken, too")


@pytest.mark.parametrize("page", [broken_page, lambda request, code, detail: 7])
def test_a_page_that_fails_is_the_usual_one(page, caplog):
    """The client gets the error it would have got, and the log says what is wrong with the page."""
    answer = ask(with_pages(page), "GET", "/shop/x")
    assert (answer.code, answer.text()) == (404, ask(tree(), "GET", "/x").text())
    assert answer.getHeader("x-half") is None
    assert answer.getHeader("content-type") == "text/plain; charset=utf-8"
    [record] = errors_of(caplog)
    assert "GET /shop/x: errorPage failed" in record.getMessage()


def test_a_developer_sees_the_traceback_and_not_the_page():
    """displayTracebacks goes before pages of the tree's own."""
    site = Site(with_pages(friendly, broken=Page(lambda request: 1 / 0)))
    site.displayTracebacks = True
    assert "ZeroDivisionError" in ask(site, "GET", "/shop/broken").text()


@pytest.mark.parametrize("path", ["/a", "/none", "/broken"])
def test_answers_name_the_request_where_the_policy_says_so(path):
    """With the name that the program and the logs know, on errors as well."""
    found = []
    page = Page(lambda request: found.append(request.id) or b"", Policy(sendsID=True))
    root = tree(a=page, broken=Page(lambda request: 1 / 0), silent=Page(lambda request: b""))
    root.policy = Policy(sendsID=True)
    root.children["silent"].policy = Policy(sendsID=False)
    answer = ask(root, "GET", path)
    assert len(answer.getHeader("x-request-id")) == 20
    assert not found or found == [answer.getHeader("x-request-id")]
    assert ask(root, "GET", "/silent").getHeader("x-request-id") is None


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
