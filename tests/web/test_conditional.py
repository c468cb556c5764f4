"""Conditions: a client that holds a copy is told so, and none changes what it has not seen."""

import pytest

from tests.web.trees import Page, tree
from weblayer.web.errors import NotFound
from weblayer.web.request import CACHED
from weblayer.web.static import File
from weblayer.web.testing import ask

CHANGED = 1_000_000_000
DATE = "Sun, 09 Sep 2001 01:46:40 GMT"
EARLIER = "Sun, 09 Sep 2001 01:46:39 GMT"
LATER = "Sun, 09 Sep 2001 01:46:41 GMT"


def careless(request):
    """Says what state the page is in, and leaves the rest to the framework."""
    request.setETag("v1")
    request.setLastModified(CHANGED)
    return b"page"


def careful(request):
    """Spares itself the work where the client has the page."""
    if request.setETag(b'"v1"') is CACHED or request.setLastModified(CHANGED) is CACHED:
        return b""
    return b"page"


def by_hand(request):
    """Sets the fields, as a program does that knows them from elsewhere."""
    request.setHeader("ETag", '"v1"')
    request.setHeader("Last-Modified", DATE)
    return "page"


async def later(request):
    return careless(request)


PAGES = [careless, careful, by_hand, later]

# The rules of RFC 9110, 13.2.2, in its order: what is asked, and what is answered.
RULES = [
    ({}, 200),
    ({"If-Match": '"v1"'}, 200),
    ({"If-Match": '"v0", "v1"'}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": '"v0"'}, 412),
    ({"If-Match": 'W/"v1"'}, 412),
    ({"If-Match": '"v1"', "If-Unmodified-Since": EARLIER}, 200),
    ({"If-Unmodified-Since": DATE}, 200),
    ({"If-Unmodified-Since": LATER}, 200),
    ({"If-Unmodified-Since": EARLIER}, 412),
    ({"If-Unmodified-Since": "yesterday"}, 200),
    ({"If-None-Match": '"v1"'}, 304),
    ({"If-None-Match": 'W/"v1"'}, 304),
    ({"If-None-Match": '"v1", "v0"'}, 304),
    ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": '"v0"'}, 200),
    ({"If-None-Match": '"v0"', "If-Modified-Since": LATER}, 200),
    ({"If-None-Match": '"v1"', "If-Modified-Since": EARLIER}, 304),
    ({"If-Modified-Since": DATE}, 304),
    ({"If-Modified-Since": LATER}, 304),
    ({"If-Modified-Since": EARLIER}, 200),
    ({"If-Modified-Since": "0"}, 200),
    ({"If-Match": '"v0"', "If-None-Match": '"v1"'}, 412),
    ({"If-Match": '"v1"', "If-None-Match": '"v1"'}, 304),
    ({"If-None-Match": '"v1"', "Range": "bytes=0-0"}, 304),
    ({"If-Match": '"v0"', "Range": "bytes=0-0"}, 412),
    ({"If-None-Match": '"v0"', "Range": "bytes=0-0"}, 206),
    ({"If-Match": '"v1"', "Range": "bytes=0-0", "If-Range": '"v1"'}, 206),
    ({"If-Match": '"v1"', "Range": "bytes=0-0", "If-Range": '"v0"'}, 200),
    ({"If-Modified-Since": EARLIER, "Range": "bytes=9-"}, 416),
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("asked", "code"), RULES)
def test_conditions_are_judged_in_their_order(page, asked, code):
    """However a page says which state it is in, the answer is the standard's."""
    answer = ask(Page(page), "GET", "/", asked)
    assert (answer.code, answer.isWhole) == (code, True)
    if code in (200, 206):
        assert answer.body == {200: b"page", 206: b"p"}[code]


@pytest.mark.parametrize(("asked", "code"), RULES)
def test_head_is_judged_as_get_is(asked, code):
    """Only ranges mean nothing to it (RFC 9110, 14.2)."""
    answer = ask(Page(careless), "HEAD", "/", asked)
    assert answer.code == (200 if code in (206, 416) else code)
    if answer.code == 200:
        assert answer.getHeader("content-length") == "4"


@pytest.mark.parametrize(("asked", "code"), RULES)
def test_files_are_judged_as_pages_are(tmp_path, asked, code):
    """The tag of a file is its own; all else is the same."""
    (tmp_path / "page.txt").write_bytes(b"page")
    first = ask(File(tmp_path), "GET", "/page.txt")
    tag = first.getHeader("etag")
    modified = {DATE: first.getHeader("last-modified"), EARLIER: DATE}
    modified[LATER] = "Fri, 31 Dec 2066 23:59:59 GMT"
    asked = {name: modified.get(value, value).replace('"v1"', tag) for name, value in asked.items()}
    answer = ask(File(tmp_path), "GET", "/page.txt", asked)
    assert (answer.code, answer.isWhole) == (code, True)
    if code in (200, 206):
        assert answer.body == {200: b"page", 206: b"p"}[code]


@pytest.mark.parametrize("page", PAGES)
def test_a_304_says_what_a_cache_needs_and_no_more(page):
    """What describes the body stays away (RFC 9110, 15.4.5); all else is as in the 200."""

    def described(request):
        request.setHeader("Content-Type", "text/plain")
        request.setHeader("Content-Language", "en")
        request.setHeader("Content-Location", "/page.txt")
        request.setHeader("Cache-Control", "max-age=60")
        request.setHeader("Vary", "Cookie")
        request.addCookie("seen", "1")
        return page(request)

    answer = ask(Page(described), "GET", "/", {"If-None-Match": '"v1"'})
    named = {name.lower() for name, _ in answer.headers.getAllRawHeaders()} - {"server", "date"}
    assert answer.code == 304
    assert named == {"content-location", "cache-control", "vary", "set-cookie", "etag"}


def test_a_date_stays_where_there_is_no_tag():
    """It is what the next question will be asked with."""
    page = Page(lambda r: b"" if r.setLastModified(CHANGED) is CACHED else b"page")
    answer = ask(page, "GET", "/", {"If-Modified-Since": DATE})
    assert (answer.code, answer.getHeader("last-modified")) == (304, DATE)


def test_a_412_is_an_error_page():
    """It says what happened, and nothing of the page."""
    answer = ask(Page(careless), "GET", "/", {"If-Match": '"v0"', "Accept": "text/html"})
    assert (answer.code, answer.getHeader("content-type")) == (412, "text/html; charset=utf-8")
    assert "has changed since" in answer.text()
    assert answer.getHeader("etag") is None


@pytest.mark.parametrize("code", [404, 500, 302, 203])
def test_what_is_no_success_is_not_judged(code):
    """Conditions are for a page that would be sent (RFC 9110, 13.2.1)."""

    def page(request):
        request.setResponseCode(code)
        return by_hand(request)

    asked = {"If-None-Match": '"v1"', "Range": "bytes=0-0"}
    answer = ask(Page(page), "GET", "/", asked)
    assert (answer.code, answer.body) == (code, b"page")


def test_a_page_that_says_nothing_of_its_state_is_sent():
    """Without a tag or a date nothing matches and nothing is too old; `*` is any page at all."""
    page = Page(lambda request: b"page")
    assert ask(page, "GET", "/", {"If-None-Match": '"v1"'}).code == 200
    assert ask(page, "GET", "/", {"If-Modified-Since": DATE}).code == 200
    assert ask(page, "GET", "/", {"If-None-Match": "*"}).code == 304
    assert ask(page, "GET", "/", {"If-Match": '"v1"'}).code == 412


# Changes


class Store:
    """One page that can be written, its tag its content; None while there is none."""

    def __init__(self, text=None):
        self.text = text

    def render(self, request):
        if request.method == "GET":
            if self.text is None:
                raise NotFound
            request.setETag(self.text)
            return self.text
        request.setETag(self.text)
        self.text = request.content.read().decode()
        request.setETag(self.text)
        return b"written"


@pytest.mark.parametrize(
    ("text", "asked", "code"),
    [
        ("old", {}, 200),
        ("old", {"If-Match": '"old"'}, 200),
        ("old", {"If-Match": "*"}, 200),
        ("old", {"If-Match": '"older"'}, 412),
        ("old", {"If-Match": 'W/"old"'}, 412),
        ("old", {"If-None-Match": "*"}, 412),
        ("old", {"If-None-Match": '"old"'}, 412),
        ("old", {"If-None-Match": '"new"'}, 200),
        (None, {}, 200),
        (None, {"If-None-Match": "*"}, 200),
        (None, {"If-Match": "*"}, 412),
        (None, {"If-Match": '"old"'}, 412),
    ],
)
def test_a_change_is_made_to_what_the_client_has_seen(text, asked, code):
    """A PUT whose condition fails has changed nothing; one that went through has the new tag."""
    store = Store(text)
    answer = ask(Page(store.render), "PUT", "/", asked, b"new")
    assert (answer.code, store.text) == (code, "new" if code == 200 else text)
    assert answer.getHeader("etag") == ('"new"' if code == 200 else None)


def test_a_change_is_held_against_the_date_too():
    """Where there is no tag, If-Unmodified-Since keeps a newer page from being overwritten."""
    changes = []

    def page(request):
        request.setLastModified(CHANGED)
        changes.append(request.method)
        return b""

    for since, code in ((EARLIER, 412), (DATE, 200)):
        assert ask(Page(page), "PUT", "/", {"If-Unmodified-Since": since}, b"x").code == code
    assert changes == ["PUT"]


def test_what_has_been_done_is_never_denied():
    """A POST whose page is tagged afterwards keeps its answer: there is nothing left to judge."""
    answer = ask(Page(by_hand), "POST", "/", {"If-Match": '"v0"', "Range": "bytes=0-0"}, b"x")
    assert (answer.code, answer.body) == (200, b"page")


# Tags


@pytest.mark.parametrize(
    ("tag", "sent"),
    [
        ("v1", '"v1"'), (b"v1", '"v1"'), ('"v1"', '"v1"'), ('W/"v1"', 'W/"v1"'), ("", '""'),
        ("a,b", '"a,b"'),
    ],
)  # fmt: skip
def test_a_tag_is_sent_in_quotes(tag, sent):
    """With or without quotes of its own, strong unless it says that it is weak."""
    assert ask(Page(lambda r: r.setETag(tag) or b"")).getHeader("etag") == sent


@pytest.mark.parametrize("tag", ["a b", 'a"b', 'W/"a', "a\r\nb", "\x7f", "日"])
def test_what_can_be_no_tag_is_refused(tag, caplog):
    """No client could send it back."""
    assert ask(Page(lambda r: r.setETag(tag) or b"")).code == 500
    assert "ValueError" in caplog.text or "UnicodeEncodeError" in caplog.text


def test_a_file_has_another_tag_when_it_has_other_bytes(tmp_path):
    """Size and time together: written again in the same moment, or as long as before."""
    import os

    path = tmp_path / "a.txt"
    seen = set()
    for text, when in (("one", 1), ("two", 2), ("three", 2)):
        path.write_text(text)
        os.utime(path, ns=(when, when))
        seen.add(ask(tree(a=File(path)), "GET", "/a").getHeader("etag"))
    assert len(seen) == 3
