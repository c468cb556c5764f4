"""Messages for the next page."""

from tests.web.visits import Visitor, cookies_of, pages
from weblayer.loop.timers import Clock
from weblayer.web.flash import Flash, flash, flashes
from weblayer.web.memorysessions import MemorySessions
from weblayer.web.site import Site

SAVE = pages(
    save=lambda request: (
        flash(request, "Saved <it>.") or flash(request, "Almost full.", "warn") or b""
    ),
    show=lambda request: repr(flashes(request)),
    many=lambda request: [flash(request, str(n)) for n in range(100)] and b"",
)
SAVED = [Flash("Saved <it>.", "info"), Flash("Almost full.", "warn")]


def visitor():
    return Visitor(Site(SAVE, sessions=MemorySessions(reactor=Clock())))


def test_a_message_is_shown_once():
    """By the next page, in the order in which it was told."""
    ada = visitor()
    ada.ask("/save")
    assert ada.text("/show") == repr(SAVED)
    assert ada.text("/show") == "[]"


def test_who_is_told_nothing_has_no_session():
    """To look for messages is not to touch."""
    assert cookies_of(visitor().ask("/show")) == []


def test_messages_that_nobody_looks_at_do_not_pile_up():
    """The last ones are kept."""
    ada = visitor()
    ada.ask("/many")
    assert ada.text("/show").count("Flash(") == 16
