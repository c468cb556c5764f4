"""Sessions: what is kept of a visitor, in every store; when, for how long, and by which cookie."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, errors_of, raw
from tests.web.visits import Visitor, cookies_of, pages, visit
from weblayer.loop.deferred import Deferred
from weblayer.loop.timers import Clock
from weblayer.web.memorysessions import MemorySessions
from weblayer.web.policy import Policy
from weblayer.web.resource import Resource
from weblayer.web.signedsessions import SignedSessions
from weblayer.web.site import Site
from weblayer.web.sqlitesessions import SQLiteSessions
from weblayer.web.store import Change, dump, merged
from weblayer.web.testing import Conversation

KEY = "a key of more than sixteen bytes"


def in_memory(clock, folder, **options):
    return MemorySessions(reactor=clock, **options)


def in_sqlite(clock, folder, **options):
    return SQLiteSessions(folder / "sessions.db", seconds=clock.seconds, **options)


def in_cookies(clock, folder, **options):
    return SignedSessions(KEY, seconds=clock.seconds, **options)


# Those that keep the data, and those whose cookie holds it.
SERVER = [in_memory, in_sqlite]
STORES = [*SERVER, in_cookies]


def made(request, tmp_path):
    """Makes stores of a kind, on a clock, and closes them."""
    stores = []

    def make(clock=None, **options):
        stores.append(request.param(clock or Clock(), tmp_path, **options))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


make = pytest.fixture(made, params=STORES, ids=lambda kind: kind.__name__, name="make")
server = pytest.fixture(made, params=SERVER, ids=lambda kind: kind.__name__, name="server")


def counted(session):
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


def read(request):
    return json.dumps(dict(request.getSession()))


def write(request):
    request.getSession().update(json.loads(request.content.read()))
    return b""


def expire(request):
    request.getSession().expire()
    return b""


BOOK = pages(
    read=read,
    write=write,
    uid=lambda request: request.getSession().uid,
    expire=expire,
    renew=lambda request: request.getSession().renew() or b"",
    nothing=lambda request: b"",
    forget=lambda request: request.getSession().clear() or b"",
)


def book(store):
    return Visitor(Site(BOOK, sessions=store, trustedProxies=["192.0.2.0/24"]))


def put(visitor, **data):
    return visitor.ask("/write", "POST", body=json.dumps(data).encode())


# What is kept


def test_a_visitor_is_known_again(make):
    """And another visitor is another one."""
    store = make()
    ada, bob = visit(counted, store), visit(counted, store)
    assert [ada.text(), ada.text(), bob.text(), ada.text()] == ["1", "2", "1", "3"]


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "Zoë \udcff", [], {"a": [1, {"b": None}]}])
def test_what_json_can_say_is_kept(make, value):
    """As it was."""
    visitor = book(make())
    put(visitor, value=value)
    assert json.loads(visitor.text("/read")) == {"value": value}


def test_a_change_deep_in_a_value_is_kept(make):
    """Nobody has to say that a list has grown."""

    def grow(session):
        session.setdefault("list", []).append({"a": 1})
        session["list"][0]["a"] += 1
        return json.dumps(session["list"])

    visitor = visit(grow, make())
    visitor.ask()
    assert json.loads(visitor.text()) == [{"a": 3}, {"a": 1}]


@pytest.mark.parametrize(
    "found",
    [
        lambda session: session["deep"],
        lambda session: session.get("deep"),
        lambda session: next(iter(session.values())),
        lambda session: next(value for _, value in session.items()),
    ],
)
def test_a_change_is_kept_however_the_value_was_found(make, found):
    """Each way to a value is one to change it."""
    visitor = book(make())
    put(visitor, deep={"list": [1]})

    def change(request):
        found(request.getSession())["list"].append(2)
        return b""

    visitor.site.resource = Page(change)
    visitor.ask()
    visitor.site.resource = BOOK
    assert json.loads(visitor.text("/read")) == {"deep": {"list": [1, 2]}}


def test_a_key_that_was_deleted_is_gone(make):
    """The others are not."""
    visitor = book(make())
    put(visitor, a=1, b=2)
    visitor.site.resource = Page(lambda request: str(request.getSession().pop("a")))
    assert visitor.text() == "1"
    visitor.site.resource = BOOK
    assert visitor.text("/read") == '{"b": 2}'


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [("a", object(), TypeError), ("a", float("nan"), ValueError), (1, 1, TypeError)],
)
def test_what_json_cannot_say_is_an_error_where_it_is_set(make, key, value, error):
    """And not later, where nobody would know why."""

    def setting(session):
        with pytest.raises(error, match=r"JSON|key"):
            session[key] = value
        return b"refused"

    assert visit(setting, make()).text() == "refused"


def test_too_much_is_an_error(make, caplog):
    """A session is no place for what has no bound."""
    visitor = visit(lambda session: session.update(a="x" * 3000) or b"", make(maxBytes=2000))
    assert visitor.ask().code == 500
    assert "2,000" in caplog.text


def test_what_an_error_has_begun_is_not_kept(make, caplog):
    """A page that fails has changed nothing."""

    def fail(session):
        session["a"] = 1
        raise ValueError("a fault")

    visitor = visit(fail, make())
    assert visitor.ask().code == 500
    assert visitor.cookies == {}


# The cookie


def test_who_has_nothing_kept_has_no_cookie(make):
    """To look is not to touch."""
    answer = book(make()).ask("/read")
    assert cookies_of(answer) == []


def test_the_cookie_is_set_only_when_something_changes(make):
    """Once for a new session, and not with every answer."""
    visitor = visit(lambda session: session.setdefault("a", 1) and b"", make())
    assert [len(cookies_of(visitor.ask())) for _ in range(3)] == [1, 0, 0]


def test_the_cookie_is_out_of_reach(make):
    """Of scripts, and of other sites; it ends with the browser."""
    [line] = cookies_of(visit(counted, make()).ask())
    assert line.split("; ")[1:] == ["Path=/", "SameSite=Lax", "HttpOnly"]


def test_under_tls_the_cookie_is_bound_to_the_host(make):
    """Secure, and with a name that cannot have been planted in the clear."""
    visitor = book(make())
    visitor.secure = True
    [line] = cookies_of(put(visitor, a=1))
    assert line.startswith("__Host-session=")
    assert "Secure" in line.split("; ")
    assert visitor.text("/read") == '{"a": 1}'
    visitor.cookies = {"session": visitor.cookies["__Host-session"]}
    assert visitor.text("/read") == "{}"


def test_a_store_can_keep_to_a_path(make):
    """Its cookie has another prefix then under TLS."""
    visitor = book(make(cookiePath="/shop", cookieName="cart"))
    visitor.secure = True
    [line] = cookies_of(put(visitor, a=1))
    assert line.startswith("__Secure-cart=")
    assert "Path=/shop" in line.split("; ")


def test_an_answer_of_a_visitor_is_for_nobody_else(make):
    """Caches are told that it depends on the cookie, and to keep none."""
    visitor = book(make())
    assert visitor.ask("/read").getHeader("vary") == "Cookie"
    assert put(visitor, a=1).getHeader("cache-control") == "private"
    assert visitor.ask("/nothing").getHeader("vary") is None


# Who it is


@pytest.mark.parametrize("cookie", ["", "x", "a" * 32, "a" * 5000, "\xff", "é.é.é"])
def test_a_cookie_that_is_not_ours_is_nobodys(make, cookie):
    """And never becomes somebody's: the name of a session is ours to choose."""
    visitor = book(make())
    visitor.cookies = {"session": cookie.encode().decode("latin-1")}
    assert visitor.text("/read") == "{}"
    put(visitor, a=1)
    assert visitor.cookies["session"] not in ("", cookie)


def test_a_name_is_kept_for_who_asks_for_it(make):
    """A program may know its visitors by it."""
    visitor = book(make())
    first = visitor.text("/uid")
    assert first == visitor.text("/uid")
    assert len(first) >= 22  # letters of 6 bits each: 128 bits and more


def test_a_login_changes_the_name_and_keeps_the_rest(make):
    """Who has planted a cookie before has nothing (session fixation)."""
    store = make()
    attacker = book(store)
    put(attacker, cart=[1])
    planted = dict(attacker.cookies)
    victim = book(store)
    victim.cookies = dict(planted)
    before = victim.text("/uid")
    victim.ask("/renew")
    assert victim.cookies != planted
    assert victim.text("/uid") != before
    assert victim.text("/read") == '{"cart": [1]}'
    put(victim, user="victim")
    assert "victim" not in attacker.text("/read")


def test_a_session_that_is_ended_is_forgotten(make):
    """By us, and by the browser, which is told so."""
    visitor = book(make())
    put(visitor, a=1)
    visitor.ask("/expire")
    assert visitor.cookies == {}
    assert visitor.text("/read") == "{}"


def test_after_the_end_another_can_begin(make):
    """In the same request, as for a message that somebody has left."""

    def leave(session):
        session.expire()
        session["told"] = "bye"
        return b""

    visitor = book(make())
    put(visitor, a=1)
    before = dict(visitor.cookies)
    visitor.site.resource = Page(lambda request: leave(request.getSession()))
    visitor.ask()
    visitor.site.resource = BOOK
    assert visitor.cookies["session"] != before["session"]
    assert visitor.text("/read") == '{"told": "bye"}'


def test_the_end_holds_though_the_page_fails(make, caplog):
    """Whoever has logged out is out."""

    def fail(session):
        session.expire()
        raise ValueError("a fault")

    visitor = book(make())
    put(visitor, a=1)
    visitor.site.resource = Page(lambda request: fail(request.getSession()))
    assert visitor.ask().code == 500
    assert visitor.cookies == {}


# How long


def test_a_session_ends_that_is_not_used(make):
    """After its timeout, counted from the last time."""
    clock = Clock()
    visitor = book(make(clock, sessionTimeout=100))
    put(visitor, a=1)
    for _ in range(5):
        clock.advance(80)
        assert visitor.text("/read") == '{"a": 1}'
    clock.advance(101)
    assert visitor.text("/read") == "{}"


def test_a_change_is_a_use(make):
    """Though the time has hardly begun to pass."""
    clock = Clock()
    visitor = book(make(clock, sessionTimeout=100))
    put(visitor, a=1)
    clock.advance(9)
    put(visitor, a=2)
    clock.advance(95)
    assert visitor.text("/read") == '{"a": 2}'


def test_a_session_may_be_given_more_time(make):
    """As much as it says, for itself."""
    clock = Clock()
    visitor = book(make(clock))
    put(visitor, a=1)

    def lengthen(request):
        request.getSession().sessionTimeout = 5000
        return b""

    visitor.site.resource = Page(lengthen)
    visitor.ask()
    visitor.site.resource = BOOK
    clock.advance(4000)
    assert visitor.text("/read") == '{"a": 1}'
    clock.advance(5001)
    assert visitor.text("/read") == "{}"


def test_who_is_to_be_remembered_has_a_cookie_that_stays(make):
    """Its time begins anew when it is used, though not with every answer."""
    clock = Clock()
    visitor = book(make(clock))
    visitor.site.resource = Page(lambda request: request.getSession().remember(1000) or b"")
    [line] = cookies_of(visitor.ask())
    assert "Max-Age=1000" in line.split("; ")
    visitor.site.resource = BOOK
    assert cookies_of(visitor.ask("/read")) == []
    clock.advance(500)
    [line] = cookies_of(visitor.ask("/read"))
    assert "Max-Age=1000" in line.split("; ")


# Two at a time


def test_two_requests_at_a_time_keep_what_each_has_changed(server):
    """Key by key; where both changed the same one, who answers later has it."""
    waiting = {}

    async def render(request):
        session = request.getSession()
        name = request.postpath[0]
        waiting[name] = Deferred()
        await waiting[name]
        session[name] = session["both"] = name
        return b""

    visitor = book(server())
    put(visitor, a=0, b=0, both=0, neither=0)
    cookie = "Cookie: session=" + visitor.cookies["session"]
    visitor.site.resource = Page(render)
    first, second = Conversation(visitor.site), Conversation(visitor.site)
    first.send(raw("GET /a HTTP/1.1", cookie))
    second.send(raw("GET /b HTTP/1.1", cookie))
    for conversation, name in ((second, "b"), (first, "a")):
        conversation.do(waiting[name].callback, None)
    visitor.site.resource = BOOK
    assert json.loads(visitor.text("/read")) == {"a": "a", "b": "b", "both": "a", "neither": 0}


def test_what_has_ended_meanwhile_does_not_come_back(server):
    """Who logs out while another page of theirs is made stays logged out."""
    going = Deferred()

    async def render(request):
        session = request.getSession()
        await going
        session["b"] = 1
        return b""

    visitor = book(server())
    put(visitor, a=1)
    cookie = "Cookie: session=" + visitor.cookies["session"]
    conversation = Conversation(Site(Page(render), sessions=visitor.site.sessions))
    conversation.send(raw("GET / HTTP/1.1", cookie))
    old = dict(visitor.cookies)
    visitor.ask("/expire")
    conversation.do(going.callback, None)
    visitor.cookies = old
    assert visitor.text("/read") == "{}"


KEYS = st.sampled_from("abcde")
DATA = st.dictionaries(KEYS, st.integers(0, 3))


@given(kept=DATA, changed=DATA, removed=st.sets(KEYS))
def test_what_is_laid_over_a_session_changes_nothing_else(kept, changed, removed):
    """What was changed is as it is now, what was removed is gone, the rest is as it was."""
    change = Change(None, changed, removed - changed.keys(), None)
    now = json.loads(merged(dump(kept), change))
    for key in "abcde":
        expected = None if key in change.removed else kept.get(key)
        assert now.get(key) == changed.get(key, expected)


# When the head is out


def test_what_changes_behind_the_head_is_kept_at_once(server):
    """A long stream may keep what it has come to."""

    def stream(request):
        session = request.getSession()
        yield b"a"
        session["a"] = 2
        session["deep"].append(1)
        session.save()
        yield b"b"

    visitor = book(server())
    put(visitor, a=1, deep=[])
    visitor.site.resource = Page(stream)
    visitor.ask()
    visitor.site.resource = BOOK
    assert json.loads(visitor.text("/read")) == {"a": 2, "deep": [1]}


def test_a_session_cannot_begin_behind_the_head(make):
    """It could have no cookie: an error says so."""

    def stream(request):
        yield b"a"
        with pytest.raises(RuntimeError, match="head is out"):
            request.getSession()["a"] = 1
        yield b"refused"

    assert Visitor(Site(Page(stream), sessions=make())).text() == "arefused"


# Where


def test_a_part_of_the_tree_may_keep_its_own(make):
    """By its policy; the site's stay as they are."""
    root = Resource()
    root.putChild("in", Page(read, Policy(sessions=make(cookieName="inner"))))
    root.putChild("write", Page(write, Policy(sessions=root.children["in"].policy.sessions)))
    root.putChild("outer", Page(read))
    visitor = Visitor(Site(root, sessions=make()))
    put(visitor, a=1)
    assert list(visitor.cookies) == ["inner"]
    assert (visitor.text("/in"), visitor.text("/outer")) == ('{"a": 1}', "{}")


def test_a_site_has_sessions_without_a_word():
    """In memory."""
    visitor = Visitor(Site(Page(lambda request: counted(request.session))))
    assert isinstance(visitor.site.sessions, MemorySessions)
    conversation = Conversation(visitor.site)
    conversation.ask("GET", "/")
    visitor.heed(conversation)
    conversation.ask("GET", "/", {"Cookie": f"session={visitor.cookies['session']}"})
    assert conversation.text() == "2"


def test_a_session_may_be_awaited(make):
    """A page need not know where sessions are kept."""

    async def render(request):
        return counted(await request.getSession())

    visitor = Visitor(Site(Page(render), sessions=make()))
    assert [visitor.text(), visitor.text()] == ["1", "2"]


def test_a_session_does_not_show_its_name_in_a_log(make):
    """Who has it has the session."""

    def render(request):
        session = request.getSession()
        assert session.uid not in repr(session)
        return repr(session)

    assert "Session" in Visitor(Site(Page(render), sessions=make())).text()


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_time_is_a_positive_number(make, seconds):
    """Else a ValueError that names it."""
    with pytest.raises(ValueError, match="sessionTimeout"):
        make(sessionTimeout=seconds)


def test_errors_are_none_where_nothing_is_wrong(make, caplog):
    """Nothing is logged for a visit."""
    visitor = book(make())
    put(visitor, a=1)
    visitor.ask("/forget")
    assert visitor.text("/read") == "{}"
    assert errors_of(caplog) == []
