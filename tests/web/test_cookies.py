"""Cookies: what a browser sent, and what it is told to keep."""

from datetime import UTC, datetime
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, raw
from weblayer.web.testing import Conversation, ask


def received(*lines):
    """The cookies that a request with these Cookie lines has."""
    found = []
    page = Page(lambda request: found.append(request) or b"")
    Conversation(page).send(raw("GET / HTTP/1.1", *(f"Cookie: {line}" for line in lines)))
    return found[0]


def test_a_cookie_is_told_in_the_type_asked():
    """Text for a text name, bytes for bytes, None for what was not sent."""
    request = received("a=1; b=two")
    assert (request.getCookie("a"), request.getCookie(b"b")) == ("1", b"two")
    assert (request.getCookie("c"), request.getCookie(b"c")) == (None, None)
    assert request.receivedCookies == {"a": "1", "b": "two"}


@pytest.mark.parametrize(
    ("line", "cookies"),
    [
        ('q="quoted"', {"q": "quoted"}),
        ("  a = 1 ;b=2;", {"a": "1", "b": "2"}),
        ("alone; a=1; =nameless", {"a": "1"}),
        ("a=1=2", {"a": "1=2"}),
        ('json={"a": 1, "b": 2}', {"json": '{"a": 1, "b": 2}'}),
        ("a=first; a=second", {"a": "first"}),
        ("", {}),
    ],
)
def test_what_browsers_send_is_understood(line, cookies):
    """Odd cookies cost no other; of several with one name the first counts."""
    assert received(line).receivedCookies == cookies


def test_lines_of_cookies_are_one():
    """Cookies may come in several lines."""
    assert received("a=1", "b=2").receivedCookies == {"a": "1", "b": "2"}


def set_cookie(*args, **kwargs):
    """The Set-Cookie line of a page that adds one cookie."""
    page = Page(lambda request: request.addCookie(*args, **kwargs) or b"")
    return ask(page).getHeader("set-cookie")


def test_the_defaults_are_the_safe_ones():
    """Out of reach of scripts, not sent from other sites, for the whole site."""
    assert set_cookie("id", "abc") == "id=abc; Path=/; SameSite=Lax; HttpOnly"
    assert set_cookie(b"id", b"abc") == "id=abc; Path=/; SameSite=Lax; HttpOnly"


def test_every_attribute_can_be_set():
    """All that RFC 6265 and its successor know."""
    line = set_cookie(
        "id", "abc", expires=datetime(2030, 1, 2, tzinfo=UTC), domain="a.test", path="/x",
        maxAge=60, secure=True, httpOnly=False, sameSite="none",
    )  # fmt: skip
    cookie = SimpleCookie(line)["id"]
    assert (cookie.value, cookie["domain"], cookie["path"]) == ("abc", "a.test", "/x")
    assert (cookie["max-age"], cookie["expires"]) == ("60", "Wed, 02 Jan 2030 00:00:00 GMT")
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, "", "None")


def test_cookies_are_lines_of_their_own():
    """Two cookies are two fields, never joined."""

    def page(request):
        request.addCookie("a", "1")
        request.addCookie("b", "2")
        return b""

    assert len(ask(Page(page)).headers.getRawHeaders("set-cookie")) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": "a b"}, {"name": "a=b"}, {"value": "a;b"}, {"value": 'a"b'},
        {"value": "é"}, {"value": " a"}, {"path": "/;Domain=x"}, {"sameSite": "sometimes"},
        {"sameSite": "None"}, {"expires": datetime(2030, 1, 2)},  # noqa: DTZ001
    ],
)  # fmt: skip
def test_what_would_not_come_back_is_refused(wrong, caplog):
    """A cookie that browsers would drop, cut or read as two is the program's error."""
    arguments = {"name": "n", "value": "v", **wrong}
    assert ask(Page(lambda r: r.addCookie(**arguments) or b"")).code == 500
    assert "ValueError" in caplog.text


@given(st.text(st.characters(codec="ascii")))
def test_a_cookie_comes_back_as_it_was_set_or_is_refused(value):
    """What a browser keeps of it and sends again is the value that was set."""

    def page(request):
        try:
            request.addCookie("c", value)
        except ValueError:
            return b"refused"
        return b"set"

    answer = ask(Page(page))
    if answer.body == b"set":
        kept = answer.getHeader("set-cookie").partition(";")[0]
        assert received(kept).getCookie("c") == value


def test_a_cookie_can_be_kept_apart_for_each_site_that_shows_us():
    """Partitioned, which browsers take of a secure cookie only."""
    line = set_cookie("id", "abc", secure=True, sameSite="None", partitioned=True)
    assert line == "id=abc; Path=/; SameSite=None; Secure; HttpOnly; Partitioned"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "__Host-id"},
        {"name": "__host-id"},
        {"name": "__Secure-id"},
        {"name": "id", "partitioned": True},
        {"name": "__Host-id", "secure": True, "path": "/x"},
        {"name": "__Host-id", "secure": True, "domain": "a.test"},
        {"name": "id", "domain": "a.test\r\nX: y"},
        {"name": "id", "path": "/\0"},
        {"name": "id", "expires": "never\r\n"},
    ],
)
def test_a_promise_that_is_not_kept_is_refused(wrong, caplog):
    """What browsers would drop silently is told to the program."""
    assert ask(Page(lambda r: r.addCookie(value="v", **wrong) or b"")).code == 500
    assert "ValueError" in caplog.text


def test_a_promise_that_is_kept_is_sent():
    """The strictest of cookies: this host's, encrypted, for all of it."""
    line = set_cookie("__Host-id", "abc", secure=True)
    assert line == "__Host-id=abc; Path=/; SameSite=Lax; Secure; HttpOnly"


def test_a_cookie_is_removed_by_one_that_is_over():
    """For browsers with and without Max-Age; it is that of the same path and domain."""

    def page(request):
        request.removeCookie("id")
        request.removeCookie("id", domain="a.test", path="/x", secure=True)
        return b""

    plain, other = ask(Page(page)).headers.getRawHeaders("set-cookie")
    cookie = SimpleCookie(plain)["id"]
    assert (cookie.value, cookie["path"], cookie["max-age"]) == ("", "/", "0")
    assert cookie["expires"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert {"Domain=a.test", "Path=/x", "Secure"} <= set(other.split("; "))
