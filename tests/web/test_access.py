"""Who may do what: rules by method, and the difference between nobody and the wrong one."""

import pytest

from tests.web.logins import ADA, asked_by, basic, guarded
from tests.web.trees import Page, raw
from weblayer.cred.checkers import AllowAnonymousAccess, InMemoryUsernamePasswordDatabaseDontUse
from weblayer.loop.deferred import succeed
from weblayer.web.access import EVERYBODY, SOMEBODY, Restricted
from weblayer.web.guard import CommonRealm
from weblayer.web.testing import Conversation, ask

BOB = InMemoryUsernamePasswordDatabaseDontUse(bob="builder")
FIELDS = {"nobody": {}, "ada": basic("ada", "lovelace"), "bob": basic("bob", "builder")}

page = Page(lambda request: b"in")


def codes(rules, method):
    """What nobody, ada and bob are told."""
    realm = CommonRealm(Restricted(page, rules))
    guard = guarded(ADA, BOB, AllowAnonymousAccess(), realm=realm)
    return [ask(guard, method, "/", fields).code for fields in FIELDS.values()]


async def later(request):
    return request.avatarId == "ada"


@pytest.mark.parametrize(
    ("rules", "method", "told"),
    [
        (EVERYBODY, "GET", [200, 200, 200]),
        (SOMEBODY, "GET", [401, 200, 200]),
        ({"ada"}, "GET", [401, 200, 403]),
        ((), "GET", [401, 403, 403]),
        (lambda request: request.method == "GET", "GET", [200, 200, 200]),
        (lambda request: request.method == "GET", "PUT", [401, 403, 403]),
        (later, "GET", [401, 200, 403]),
        (lambda request: succeed(request.avatarId == "bob"), "GET", [401, 403, 200]),
        ({"GET": EVERYBODY, "PUT": {"ada"}}, "GET", [200, 200, 200]),
        ({"GET": EVERYBODY, "PUT": {"ada"}}, "HEAD", [200, 200, 200]),
        ({"GET": EVERYBODY, "PUT": {"ada"}}, "OPTIONS", [200, 200, 200]),
        ({"GET": EVERYBODY, "PUT": {"ada"}}, "PUT", [401, 200, 403]),
        ({"GET": EVERYBODY, "PUT": {"ada"}}, "DELETE", [401, 403, 403]),
        ({"GET": EVERYBODY, "*": {"bob"}}, "DELETE", [401, 403, 200]),
        ({"GET": {"ada"}, "HEAD": {"bob"}, "*": EVERYBODY}, "HEAD", [401, 403, 200]),
        ({"PUT": {"ada"}, "*": EVERYBODY}, "OPTIONS", [200, 200, 200]),
        ({"DELETE": set(), "*": EVERYBODY}, "DELETE", [401, 403, 403]),
    ],
)
def test_who_may(rules, method, told):
    """Nobody in particular, ada, and bob."""
    assert codes(rules, method) == told


def test_nobody_is_asked_by_the_guard_above():
    """The 401 is one of the guard's."""
    guard = guarded(AllowAnonymousAccess(), realm=CommonRealm(Restricted(page, SOMEBODY)))
    assert asked_by(ask(guard, "GET", "/")) == ['Basic realm="home", charset="UTF-8"']


def test_without_a_guard_nobody_can_be_asked():
    """A 401 without a question is none."""
    assert ask(Restricted(page, SOMEBODY), "GET", "/").code == 403


def test_who_may_not_uploads_nothing():
    """It is decided on the head."""
    conversation = Conversation(Restricted(page, {"GET": EVERYBODY}))
    conversation.send(raw("PUT / HTTP/1.1", "Content-Length: 5", "Expect: 100-continue"))
    assert conversation.received.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("rules", ["ada", {"GET": "ada"}, b"ada", True])
def test_a_name_is_no_set_of_names(rules):
    """It would let in `ad`, too."""
    with pytest.raises(TypeError, match="rules"):
        Restricted(page, rules)


def test_a_rule_for_a_method_that_nobody_sends_is_refused():
    """Names of methods know capitals (RFC 9110, 9.1): the rule for "*" would hold in its place."""
    with pytest.raises(ValueError, match="'delete'"):
        Restricted(page, {"*": SOMEBODY, "delete": {"ada"}})
