"""Sessions in signed cookies: whole, ours, of the right age, and not too large."""

import pytest

from tests.web.trees import Page
from tests.web.visits import Visitor, cookies_of, visit
from weblayer.loop.timers import Clock
from weblayer.web.signedsessions import SignedSessions
from weblayer.web.site import Site

OLD, NEW = "the old key has more than 16 bytes", "the new key has more than 16 bytes"


def counted(session):
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


def moved(visitor, store):
    """The same visitor, of another process."""
    visitor.site = Site(Page(lambda request: counted(request.getSession())), sessions=store)
    return visitor


def test_nothing_is_kept_here():
    """Any process with the key knows the visitor."""
    visitor = visit(counted, SignedSessions(OLD))
    visitor.ask()
    assert moved(visitor, SignedSessions(OLD)).text() == "2"


def test_keys_are_changed_without_losing_a_visitor():
    """What was signed with the old one is read, and signed with the new one when it changes."""
    visitor = visit(counted, SignedSessions(OLD))
    visitor.ask()
    assert moved(visitor, SignedSessions([NEW, OLD])).text() == "2"
    assert moved(visitor, SignedSessions(NEW)).text() == "3"


@pytest.mark.parametrize("store", [SignedSessions(NEW), SignedSessions(OLD, cookieName="other")])
def test_what_another_has_signed_is_nothing(store):
    """With another key, or for another cookie."""
    visitor = visit(counted, SignedSessions(OLD))
    visitor.ask()
    visitor.cookies = {store.cookieName: visitor.cookies["session"]}
    assert moved(visitor, store).text() == "1"


@pytest.mark.parametrize("place", [0, 10, 40, -40, -1])
def test_what_was_changed_is_nothing(place):
    """In the data, the time or the signature."""
    visitor = visit(counted, SignedSessions(OLD))
    visitor.ask()
    letters = list(visitor.cookies["session"])
    letters[place] = "A" if letters[place] != "A" else "B"
    visitor.cookies["session"] = "".join(letters)
    assert visitor.text() == "1"


def test_what_a_browser_would_drop_is_an_error(caplog):
    """Which says how large it is, and what else there is."""

    def fill(session):
        session["a"] = "".join(chr(33 + n * 7 % 90) for n in range(6000))  # does not compress well
        session["b"] = list(range(2000))
        return b""

    answer = visit(fill, SignedSessions(OLD)).ask()
    assert (answer.code, cookies_of(answer)) == (500, [])
    assert "4,096" in caplog.text
    assert "SQLiteSessions" in caplog.text


def test_a_use_is_written_down_when_a_tenth_of_the_time_is_over():
    """Not with every answer: each is a cookie."""
    clock = Clock()
    store = SignedSessions(OLD, seconds=clock.seconds, sessionTimeout=1000)

    def render(request):
        request.getSession().setdefault("a", 1)
        return b""

    visitor = Visitor(Site(Page(render), sessions=store))
    told = []
    for _ in range(6):
        told.append(len(cookies_of(visitor.ask())))
        clock.advance(50)
    assert told == [1, 0, 1, 0, 1, 0]
