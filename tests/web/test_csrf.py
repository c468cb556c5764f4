"""Forged requests: what browsers say, and the token for those that say nothing."""

import re
from urllib.parse import urlencode

import pytest

from tests.web.trees import Page, tree
from tests.web.visits import Visitor
from weblayer.loop.timers import Clock
from weblayer.web.csrf import CSRFProtection, checkCSRF, csrfField, csrfToken, isFromHere
from weblayer.web.memorysessions import MemorySessions
from weblayer.web.policy import Policy
from weblayer.web.site import Site

HOST = "weblayer.test"

# Sec-Fetch-Site, Origin, and whether it is from here: what browsers send, by the standards.
TABLE = [
    ("same-origin", "http://weblayer.test", True),
    ("same-origin", "null", True),  # with Referrer-Policy: no-referrer
    ("same-origin", None, True),
    ("none", None, True),
    ("same-site", "http://sub.weblayer.test", False),
    ("cross-site", "http://evil.test", False),
    ("cross-site", "null", False),
    ("cross-site", "http://weblayer.test", False),
    ("cross-site", "https://shop.example", True),
    ("what comes next", None, False),
    (None, "http://weblayer.test", True),
    (None, "https://weblayer.test", True),
    (None, "http://WEBLAYER.test", True),
    (None, "http://weblayer.test:8080", False),
    (None, "http://sub.weblayer.test", False),
    (None, "http://weblayer.test.evil.test", False),
    (None, "http://evil.test", False),
    (None, "https://shop.example", True),
    (None, "shop.example", False),
    (None, "", False),
    (None, "null", None),
    (None, None, None),
]


@pytest.mark.parametrize(("site", "origin", "expected"), TABLE)
def test_what_a_browser_says_decides(site, origin, expected):
    """A page of ours, of another site, or not said."""
    assert isFromHere(site, origin, HOST, ["https://shop.example"]) is expected


def fields(site=None, origin=None):
    pairs = {"Sec-Fetch-Site": site, "Origin": origin}
    return {name: value for name, value in pairs.items() if value is not None}


@pytest.mark.parametrize(("site", "origin", "expected"), TABLE)
def test_what_is_forged_is_refused_on_its_head(site, origin, expected):
    """A 403; what nothing is said of goes through without cookies, as curl does."""
    changed = []
    page = Page(lambda request: changed.append(1) or b"")
    visitor = Visitor(Site(CSRFProtection(page, ["https://shop.example"])))
    code = visitor.ask("/", "POST", fields(site, origin)).code
    assert (code, changed) == ((403, []) if expected is False else (200, [1]))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_goes_through(method):
    """A link from another site is a good thing."""
    visitor = Visitor(Site(CSRFProtection(Page(lambda request: b"here"))))
    assert visitor.ask("/", method, fields("cross-site", "http://evil.test")).code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_what_changes_something_does_not(method):
    """Whatever the method."""
    visitor = Visitor(Site(CSRFProtection(Page(lambda request: b"here"))))
    assert visitor.ask("/", method, fields("cross-site")).code == 403


# The token


def form(request):
    if request.method == "GET":
        return csrfField(request)
    return "changed " + request.args["name"][0]


def visitor_of(node):
    return Visitor(Site(node, sessions=MemorySessions(reactor=Clock())))


def token_in(page):
    return re.search('name="csrf" value="([A-Za-z0-9_-]{43})"', page)[1]


def send(visitor, *, token=None, header=None, target="/form"):
    sent = {"name": "Ada"} | ({"csrf": token} if token is not None else {})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    if header is not None:
        kind["X-CSRF-Token"] = header
    return visitor.ask(target, "POST", kind, urlencode(sent).encode())


@pytest.fixture
def visitor():
    return visitor_of(tree(form=CSRFProtection(Page(form))))


def test_an_old_browser_needs_a_token(visitor):
    """In the form, or in a field of the head; of an older page, too."""
    tokens = [token_in(visitor.text("/form")) for _ in range(3)]
    for token in tokens:
        assert send(visitor, token=token).text() == "changed Ada"
        assert send(visitor, header=token).text() == "changed Ada"


def test_each_page_has_another_token():
    """Nothing in two pages is alike, so its length when compressed tells nothing."""
    visitor = visitor_of(Page(csrfToken))
    tokens = [visitor.text() for _ in range(20)]
    assert len(set(tokens)) == 20
    assert all(len({token[place] for token in tokens}) > 1 for place in range(42))


@pytest.mark.parametrize("token", [None, "", "a", "A" * 43, "A" * 44, "é", "=", "a" * 1000])
def test_who_has_none_is_refused(visitor, token):
    """And is told what to do."""
    visitor.ask("/form")
    answer = send(visitor, token=token)
    assert answer.code == 403
    assert "load it again" in answer.text()


def test_a_token_of_another_visitor_is_none(visitor):
    """It stands in the session."""
    other = Visitor(visitor.site)
    token = token_in(other.text("/form"))
    visitor.ask("/form")
    assert send(visitor, token=token).code == 403
    assert send(other, token=token).code == 200


@pytest.mark.parametrize("place", range(0, 42, 7))
def test_a_token_that_was_changed_is_none(visitor, place):
    """In its mask or behind it."""
    letters = list(token_in(visitor.text("/form")))
    letters[place] = "A" if letters[place] != "A" else "B"
    assert send(visitor, token="".join(letters)).code == 403


def test_behind_the_check_the_walk_goes_on(visitor):
    """To what is found there, though it comes later, or is wrapped."""

    async def later():
        return Page(lambda request: f"{request.prepath} {request.postpath}")

    inner = tree(deep=CSRFProtection(Page(form)))
    inner.getChild = lambda name, request: later()
    visitor.site.resource.putChild("in", CSRFProtection(inner))
    token = token_in(visitor.text("/form"))
    assert send(visitor, token=token, target="/in/deep").text() == "changed Ada"
    assert send(visitor, token=token, target="/in/a/b").text() == "['in', 'a'] ['b']"
    assert send(visitor, target="/in/deep").code == 403


def test_a_page_may_insist_on_the_token():
    """By itself, whatever the browser says."""

    def render(request):
        checkCSRF(request)
        return b"changed"

    visitor = visitor_of(tree(form=Page(form), insist=Page(render)))
    assert visitor.ask("/insist", "POST", fields("same-origin")).code == 403
    token = token_in(visitor.text("/form"))
    assert send(visitor, token=token, target="/insist").code == 200


def test_a_stream_brings_its_token_in_the_head():
    """Its body is not read for it."""
    page = Page(lambda request: checkCSRF(request) or b"changed", Policy(takesBody="stream"))
    visitor = visitor_of(tree(form=Page(form), stream=page))
    token = token_in(visitor.text("/form"))
    assert send(visitor, token=token, target="/stream").code == 403
    assert send(visitor, header=token, target="/stream").code == 200


def test_origins_are_a_list():
    """A string would be one of letters: a TypeError."""
    with pytest.raises(TypeError, match="origins"):
        CSRFProtection(Page(form), "https://shop.example")
