"""Login for people: the page, the session behind it, guesses, and who is sent there."""

import json
import re
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest

from tests.web.trees import Page, tree
from tests.web.visits import Far, Visitor, cookies_of
from weblayer.cred.error import LoginBusy, LoginDenied
from weblayer.cred.memory import InMemoryUsernamePasswordDatabaseDontUse
from weblayer.cred.portal import Portal
from weblayer.loop.deferred import fail, succeed
from weblayer.loop.timers import Clock
from weblayer.web.csrf import CSRFProtection
from weblayer.web.flash import flash
from weblayer.web.login import Login, Logout, loggedIn
from weblayer.web.loginrequired import LoginRequired
from weblayer.web.memorysessions import MemorySessions
from weblayer.web.rate import Rate
from weblayer.web.resource import IResource
from weblayer.web.site import Site
from weblayer.web.template import Templates

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
VISIT = {"Sec-Fetch-Mode": "navigate"}


class People:
    """A realm in which each has a page, which says whose it is."""

    def __init__(self):
        self.left = []

    def requestAvatar(self, avatarId, mind, *interfaces):
        assert interfaces == (IResource,)
        page = Page(lambda request: f"{avatarId}'s {request.postpath}")
        return IResource, page, lambda: self.left.append(avatarId)


def portal(realm=None):
    checker = InMemoryUsernamePasswordDatabaseDontUse(ada="lovelace", bob="builder")
    return Portal(realm or People(), [checker])


class Person(Visitor):
    """A visitor of a site with a login, and a clock."""

    def __init__(self, login=None, kind=MemorySessions, **children):
        self.clock = Clock()
        self.login = login or Login(portal())
        root = tree(
            login=self.login,
            logout=Logout(),
            who=Page(lambda request: repr(loggedIn(request))),
            read=Page(lambda request: json.dumps(dict(request.getSession()))),
            put=Page(lambda request: request.getSession().update(cart=1) or b""),
            **children,
        )
        store = kind(reactor=self.clock)
        super().__init__(Site(root, sessions=store, reactor=self.clock))

    def ask(self, *args, **options):
        """Leave after each answer: the site's clock goes on when the conversation does not."""
        conversation = super().ask(*args, **options)
        conversation.lose()
        return conversation

    def form(self, target, **fields):
        """Load a form, and send it."""
        page = self.text(target)
        fields["csrf"] = re.search('name="csrf" value="(.+?)"', page)[1]
        return self.ask(target, "POST", FORM, urlencode(fields).encode())

    def enter(self, username="ada", password="lovelace", target="/login", **fields):
        return self.form(target, username=username, password=password, **fields)


def lead(answer, target):
    """The path to which an answer of *target* leads."""
    found = urlsplit(urljoin(f"http://weblayer.test{target}", answer.getHeader("location")))
    return f"{found.path}?{found.query}" if found.query else found.path


# In and out


def test_who_has_the_password_is_let_in():
    """And goes on, by a redirect that is not sent again by a reload."""
    ada = Person()
    assert ada.text("/who") == "None"
    answer = ada.enter()
    assert (answer.code, lead(answer, "/login")) == (303, "/")
    assert ada.text("/who") == "'ada'"


@pytest.mark.parametrize(
    ("username", "password"),
    [("ada", "builder"), ("ada", ""), ("", ""), ("eve", "lovelace"), ("Ada", "lovelace")],
)
def test_who_has_not_is_told_so(username, password):
    """Not which of the two was wrong; the name need not be typed again."""
    ada = Person()
    answer = ada.enter(username, password)
    assert answer.code == 403
    assert "do not belong together" in answer.text()
    assert f'value="{username}"' in answer.text()
    assert "lovelace" not in answer.text()
    assert ada.text("/who") == "None"


def test_who_leaves_is_nobody():
    """By a button, and not by a link that a browser might follow by itself."""
    ada = Person()
    ada.enter()
    assert "ada" in ada.text("/who")
    ada.ask("/logout")
    assert "ada" in ada.text("/who")
    answer = ada.form("/logout")
    assert (answer.code, lead(answer, "/logout"), ada.cookies) == (303, "/", {})
    assert ada.text("/who") == "None"


def test_who_left_already_can_leave_again():
    """A page that was open for long is no error."""
    assert Person().ask("/logout", "POST", FORM, b"").code == 303


def test_nobody_is_logged_out_by_another_site():
    """It takes the token."""
    ada = Person()
    ada.enter()
    assert ada.ask("/logout", "POST", FORM, b"").code == 403
    assert ada.text("/who") == "'ada'"


def test_nobody_is_logged_in_by_another_site():
    """As somebody else, whose they would think is theirs: it takes the token."""
    ada = Person()
    body = urlencode({"username": "bob", "password": "builder"}).encode()
    answer = ada.ask("/login", "POST", FORM, body)
    assert answer.code == 403
    assert "Try once more" in answer.text()
    assert ada.text("/who") == "None"


def test_what_was_planted_is_worth_nothing_after_a_login():
    """The session has another name, and no token from before is good (session fixation)."""
    eve = Person()
    eve.ask("/put")
    planted = dict(eve.cookies)
    ada = Person()
    ada.site = eve.site
    ada.cookies = dict(planted)
    ada.enter()
    assert ada.cookies != planted
    assert json.loads(ada.text("/read"))["cart"] == 1
    assert eve.text("/who") == "None"


def test_a_token_from_before_a_login_is_worth_nothing():
    """Who has planted a session knows its token."""
    ada = Person()
    page = ada.text("/login")
    token = re.search('name="csrf" value="(.+?)"', page)[1]
    ada.enter()
    assert ada.ask("/logout", "POST", FORM, f"csrf={token}".encode()).code == 403


def test_what_another_left_is_not_taken_over():
    """Who logs in over somebody else begins anew."""
    ada = Person()
    ada.enter()
    ada.ask("/put")
    ada.enter("bob", "builder")
    assert ada.text("/who") == "'bob'"
    assert "cart" not in ada.text("/read")


@pytest.mark.parametrize(
    ("asked", "there"),
    [("/account?a=b", "/account?a=b"), ("//evil.test", "/"), ("http://evil.test/", "/"), ("", "/")],
)
def test_who_came_from_somewhere_goes_back(asked, there):
    """Below the root of this site, and nowhere else."""
    target = "/login?" + urlencode({"next": asked})
    assert lead(Person().enter(target=target), target) == there


def test_who_wants_to_be_remembered_is():
    """Though the browser was closed; others are not."""
    ada = Person()
    assert not any("Max-Age" in line for line in cookies_of(ada.enter()))
    ada = Person()
    [line] = cookies_of(ada.enter(remember="1"))
    assert "Max-Age=2592000" in line
    ada.clock.advance(20 * 24 * 3600)
    assert ada.text("/who") == "'ada'"


def test_a_site_may_remember_nobody():
    """Then the page does not offer it, and a form that asks for it is not heeded."""
    ada = Person(Login(portal(), rememberFor=None))
    assert "remember" not in ada.text("/login")
    assert not any("Max-Age" in line for line in cookies_of(ada.enter(remember="1")))


@pytest.mark.parametrize(("error", "code"), [(LoginDenied("closed"), 403), (LoginBusy(), 503)])
def test_what_keeps_people_out_is_said(error, code):
    """An account that is closed, or too many at once."""

    class Closed(People):
        def requestAvatar(self, avatarId, mind, *interfaces):
            raise error

    assert Person(Login(portal(Closed()))).enter().code == code


# The page


def test_the_page_is_for_nobody_else():
    """No site shows it within theirs, and no cache keeps it; the site's own policy may hold."""
    answer = Person().ask("/login")
    assert answer.getHeader("x-frame-options") == "DENY"
    assert not answer.headers.hasHeader("content-security-policy")
    assert answer.getHeader("cache-control") == "no-store"


def test_what_is_typed_is_escaped():
    """In the page that comes back."""
    assert "<script>" not in Person().enter("<script>", "a").text()


def test_the_page_may_be_ones_own(tmp_path):
    """A template, with what it needs."""
    (tmp_path / "login.html").write_text(
        "<form method=post>{{ csrf }}<i>{{ problem or 'Welcome' }}</i>{{ username }}"
    )
    ada = Person(Login(portal(), pages=Templates(tmp_path)))
    assert "<i>Welcome</i>" in ada.text("/login")
    assert "<i>That name" in ada.enter("ada", "wrong").text()
    assert ada.enter().code == 303


def test_messages_are_shown():
    """As that a session has ended."""
    ada = Person(say=Page(lambda request: flash(request, "You <were> away.") or b""))
    ada.ask("/say")
    assert "You &lt;were&gt; away." in ada.text("/login")


# Guesses


def test_guesses_at_an_account_are_slowed():
    """However it is written; the right password has to wait too, and is let in then."""
    ada = Person(Login(portal(), accounts=Rate(1, per=60, burst=3)))
    codes = [ada.enter(name, "guess").code for name in ("ada", "ADA", "Ada", "ada")]
    assert codes == [403, 403, 403, 429]
    answer = ada.enter()
    assert (answer.code, answer.getHeader("retry-after")) == (429, "60")
    assert "in 60 seconds" in answer.text()
    ada.clock.advance(60)
    assert ada.enter().code == 303


def test_an_account_that_is_not_there_is_slowed_as_well():
    """Whether it is there cannot be told by that."""
    ada = Person(Login(portal(), accounts=Rate(1, per=60, burst=3)))
    assert [ada.enter("eve", "guess").code for _ in range(4)] == [403, 403, 403, 429]


def test_guesses_from_an_address_are_slowed():
    """Whichever account they are at."""
    ada = Person(Login(portal(), addresses=Rate(1, per=60, burst=3)))
    assert [ada.enter(f"user{n}", "guess").code for n in range(4)] == [403, 403, 403, 429]


def test_logins_that_succeed_do_not_count():
    """A person may come as often as they like, and others from their office too."""
    ada = Person(Login(portal(), accounts=Rate(1, burst=2), addresses=Rate(1, burst=2)))
    assert {ada.enter().code for _ in range(10)} == {303}


def test_a_guess_at_one_account_does_not_use_up_the_address():
    """While it has to wait, another from there may log in."""
    ada = Person(
        Login(portal(), accounts=Rate(1, per=60, burst=1), addresses=Rate(1, per=60, burst=3))
    )
    assert [ada.enter("ada", "guess").code for _ in range(6)] == [403] + [429] * 5
    assert ada.enter("bob", "builder").code == 303


def test_guesses_are_logged_without_the_password(caplog):
    """Whose account, and from where."""
    Person().enter("ada", "a-wrong-guess")
    assert "'ada'" in caplog.text
    assert "192.0.2.1" in caplog.text
    assert "a-wrong-guess" not in caplog.text


# Who is sent there


def guarded(**options):
    inner = Page(lambda request: f"{request.avatarId} {request.postpath}")
    return Person(account=LoginRequired(inner, **options))


@pytest.mark.parametrize("target", ["/account", "/account/a/b?c=d&e=%2F"])
@pytest.mark.parametrize("headers", [VISIT, {"Accept": "text/html,*/*;q=0.8"}])
def test_who_has_not_logged_in_is_sent_there_and_comes_back(target, headers):
    """To the very page that was asked for."""
    ada = guarded()
    answer = ada.ask(target, headers=headers)
    there = lead(answer, target)
    assert answer.code == 303
    assert there.startswith("/login?")
    assert parse_qs(urlsplit(there).query)["next"] == [target]
    assert lead(ada.enter(target=there), there) == target
    assert ada.text(target).startswith("ada ")


@pytest.mark.parametrize(
    "headers", [{}, {"Accept": "*/*"}, {"Sec-Fetch-Mode": "cors", "Accept": "text/html"}]
)
def test_what_is_no_visit_of_a_page_is_a_401(headers):
    """A script would take the form for its data."""
    answer = guarded().ask("/account", headers=headers)
    assert answer.code == 401
    assert answer.getHeader("www-authenticate").startswith("Cookie ")


def test_who_is_not_let_in_uploads_nothing():
    """It is decided on the head."""
    ada = guarded()
    expecting = {"Expect": "100-continue", "Content-Length": "5", **VISIT}
    answer = ada.ask("/account", "POST", expecting)
    assert answer.received.startswith(b"HTTP/1.1 303 ")


def test_the_page_to_log_in_may_be_elsewhere():
    """Below the root, however deep."""
    ada = guarded(loginPath="/people/enter")
    answer = ada.ask("/account/", headers=VISIT)
    assert lead(answer, "/account/") == "/people/enter?next=%2Faccount%2F"


def test_what_one_may_see_is_kept_by_no_cache_of_others():
    """A cookie tells them nothing."""
    ada = guarded()
    ada.enter()
    assert ada.ask("/account").getHeader("cache-control") == "private"


def test_each_may_have_their_own():
    """The avatar of the portal's realm, which is logged out when the answer is finished."""
    realm = People()
    ada = Person(Login(portal(realm)), account=LoginRequired(portal(realm)))
    ada.enter()
    realm.left.clear()
    assert ada.text("/account/a") == "ada's ['a']"
    assert realm.left == ["ada"]


def test_who_has_no_avatar_any_more_is_asked_again():
    """As one whose account was closed meanwhile."""
    realm = People()
    ada = Person(Login(portal(realm)), account=LoginRequired(portal(realm)))
    ada.enter()
    realm.requestAvatar = lambda *asked: fail(LoginDenied("closed"))
    assert ada.ask("/account", headers=VISIT).code == 303


@pytest.mark.parametrize("later", [succeed, lambda since: since])
def test_logins_may_end_all_at_once(later):
    """Those from before a moment, as when the password was changed; later ones hold."""
    changed = {"ada": 0.0}
    clock = Clock(100)
    inner = LoginRequired(Page(lambda request: b"in"), since=lambda name: later(changed[name]))
    ada = Person(Login(portal(), seconds=clock.seconds), account=inner)
    ada.enter()
    assert ada.text("/account") == "in"
    clock.advance(50)
    changed["ada"] = clock.seconds()
    assert ada.ask("/account", headers=VISIT).code == 303
    ada.enter()
    assert ada.text("/account") == "in"


def test_a_session_that_has_ended_is_nobodys():
    """Who was away for long logs in again."""
    ada = guarded()
    ada.enter()
    ada.clock.advance(901)
    assert ada.ask("/account", headers=VISIT).code == 303


def test_sessions_may_be_kept_elsewhere():
    """Then all that has to do with a login waits for them."""
    inner = CSRFProtection(LoginRequired(portal()))
    ada = Person(kind=Far, account=inner)
    assert ada.ask("/account", headers=VISIT).code == 303
    assert ada.enter().code == 303
    assert ada.text("/account/a") == "ada's ['a']"
    assert ada.ask("/account", "POST", FORM, b"").code == 403
    token = re.search('name="csrf" value="(.+?)"', ada.text("/logout"))[1]
    assert ada.ask("/account", "POST", FORM, f"csrf={token}".encode()).text() == "ada's []"
    assert ada.form("/logout").code == 303
    assert ada.ask("/account", headers=VISIT).code == 303


def test_what_is_no_portal_is_told():
    """Where it is given, and not by who logs in first."""
    with pytest.raises(TypeError, match="portal must be"):
        Login(Page(None))
