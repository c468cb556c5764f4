"""Sessions in memory: one timer for all, a bounded number, live objects, and their ends."""

import tracemalloc
from typing import Protocol

import pytest

from tests.web.trees import Page
from tests.web.visits import Far, Visitor, pages, visit
from weblayer.loop.timers import Clock
from weblayer.web.memorysessions import MemorySessions
from weblayer.web.site import Site
from weblayer.web.store import Change, Record


class Counting(Protocol):
    """An interface, as a component is asked for by it."""

    def up(self) -> int: ...


class Counter:
    """A live object."""

    def __init__(self, session=None):
        self.value, self.isNew = 0, session is not None and session.isNew

    def up(self):
        self.value += 1
        return self.value


def put_one(store):
    """Keep a session, as a request does, and give its name."""
    uid = store.newUid()
    store.save(Change(Record(uid, "{}", store.seconds(), store.sessionTimeout), {}, (), ""))
    return uid


def test_ten_thousand_sessions_cost_one_timer():
    """However many there are and however often they are used; without any there is none."""
    clock = Clock()
    store = MemorySessions(reactor=clock)
    for _ in range(10_000):
        put_one(store)
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(901)
    clock.pump([0] * 20)  # not all in one turn
    assert len(store) == 0
    assert clock.getDelayedCalls() == []


def test_to_look_again_at_thousands_costs_one_timer():
    """Those that have been used meanwhile, in whatever turn they are looked at."""
    clock = Clock()
    store = MemorySessions(reactor=clock)
    names = [put_one(store) for _ in range(2000)]
    clock.advance(600)
    assert all(map(store.find, names))
    clock.advance(302)
    assert len(store) == 2000
    assert len(clock.getDelayedCalls()) == 1


def test_an_end_is_within_a_second():
    """Though nobody asks; what is used meanwhile goes on."""
    clock = Clock()
    store = MemorySessions(reactor=clock, sessionTimeout=100)
    kept, left = put_one(store), put_one(store)
    clock.advance(60)
    assert store.find(kept)
    clock.advance(41)
    assert len(store) == 1
    assert store.find(left) is None
    clock.advance(60)
    assert len(store) == 0


def test_the_shortest_is_not_forgotten_behind_the_longest():
    """Each has its own time."""
    clock = Clock()
    store = MemorySessions(reactor=clock)
    put_one(store)
    store.sessionTimeout = 10
    put_one(store)
    clock.advance(11)
    assert len(store) == 1


def test_there_are_never_too_many():
    """Who was here last is kept, and who was not seen for long gives way."""
    clock = Clock()
    store = MemorySessions(reactor=clock, most=3)
    names = []
    for _ in range(3):
        names.append(put_one(store))
        assert store.find(names[-1])
        clock.advance(1)
    assert store.find(names[0])
    clock.advance(1)
    names.append(put_one(store))
    assert [bool(store.find(name)) for name in names] == [True, False, True, True]


class Watched(Clock):
    """A clock that counts how often it is looked at."""

    looks = 0

    def seconds(self):
        self.looks += 1
        return super().seconds()


def test_to_make_room_takes_as_long_however_many_there_are():
    """Where all have been used since, the first few are looked at, and one of those gives way."""
    clock = Watched()
    store = MemorySessions(reactor=clock, most=2000)
    names = [put_one(store) for _ in range(2000)]
    clock.advance(1)
    assert all(map(store.find, names))
    clock.looks = 0
    put_one(store)
    assert clock.looks < 100
    assert len(store) == 2000


def test_who_only_begins_sessions_drives_nobody_out():
    """Those that nobody came back for give way first, the oldest of them."""
    store = MemorySessions(reactor=Clock(), most=3)
    visitor = put_one(store)
    assert store.find(visitor)
    names = [put_one(store) for _ in range(10)]
    assert store.find(visitor)
    assert [bool(store.find(name)) for name in names] == [False] * 8 + [True] * 2


def test_who_ends_sessions_as_fast_as_they_begin_fills_no_memory():
    """What was ended before its time leaves nothing behind for long."""
    store = MemorySessions(reactor=Clock())
    tracemalloc.start()
    try:
        for _ in range(5000):
            store.remove(put_one(store))
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(store) == 0
    assert left < 400_000  # 5000 places are 900,000 bytes


@pytest.mark.parametrize("most", [0, -1])
def test_there_is_room_for_one_at_least(most):
    """None is a ValueError."""
    with pytest.raises(ValueError, match="most"):
        MemorySessions(most=most)


def test_a_site_that_stops_leaves_no_timer_behind():
    """Its sessions are there when it goes on, and end in time."""
    clock = Clock()
    store = MemorySessions(reactor=clock)
    kept = put_one(store)
    store.close()
    assert clock.getDelayedCalls() == []
    clock.advance(500)
    assert store.find(kept)
    put_one(store)
    clock.advance(902)
    assert len(store) == 0


# Live objects


def test_a_component_is_kept_as_it_is():
    """By a class or a Protocol, for one visitor."""
    store = MemorySessions(reactor=Clock())

    def answer(session):
        counter = session.getComponent(Counting)
        if counter is None:
            counter = Counter()
            session.setComponent(Counting, counter)
        return str(counter.up())

    ada, bob = visit(answer, store), visit(answer, store)
    assert [ada.text(), ada.text(), bob.text()] == ["1", "2", "1"]


def test_a_component_that_has_a_factory_is_made():
    """With the session, when it is first asked for."""
    store = MemorySessions(reactor=Clock())
    store.registerComponent(Counting, Counter)
    visitor = Visitor(
        Site(Page(lambda request: str(request.getSession(Counting).up())), sessions=store)
    )
    assert [visitor.text(), visitor.text()] == ["1", "2"]


def test_a_component_survives_a_new_name():
    """As the data does."""
    store = MemorySessions(reactor=Clock())
    store.registerComponent(Counter, Counter)

    def answer(session):
        session.renew()
        return str(session.getComponent(Counter).up())

    visitor = visit(answer, store)
    assert [visitor.text(), visitor.text(), visitor.text()] == ["1", "2", "3"]
    assert len(store) == 1


def test_an_object_does_not_bring_back_what_has_ended():
    """As by a page of who has logged out in another window."""
    store = MemorySessions(reactor=Clock())

    def answer(session):
        store.remove(session.uid)
        session.setComponent(Counter, Counter())
        session["a"] = 1
        return b""

    visitor = visit(lambda session: session.setdefault("b", 1) and b"", store)
    visitor.ask()
    visitor.site = visit(answer, store).site
    visitor.ask()
    assert len(store) == 0


@pytest.mark.parametrize("how", ["age", "expire"])
def test_who_wants_to_know_of_the_end_is_told_once(how):
    """Of age, or by a word."""
    clock, told = Clock(), []
    store = MemorySessions(reactor=clock)

    def begin(request):
        session = request.getSession()
        session.notifyOnExpire(lambda: told.append(1))
        session.renew()
        return b""

    def end(request):
        request.getSession().expire()
        return b""

    visitor = Visitor(
        Site(
            pages(begin=begin, end=end),
            sessions=store,
        )
    )
    visitor.ask("/begin")
    if how == "expire":
        visitor.ask("/end")
    clock.advance(2000)
    assert told == [1]


def test_one_that_fails_does_not_keep_the_others_from_being_told(caplog):
    """It is logged."""
    clock, told = Clock(), []
    store = MemorySessions(reactor=clock)
    name = put_one(store)
    for call in (lambda: 1 / 0, lambda: told.append(1)):
        store.notifyOnExpire(name, False, call)
    clock.advance(901)
    assert told == [1]
    assert "ZeroDivisionError" in caplog.text


# A store that has to be waited for


def test_what_is_not_at_hand_has_to_be_awaited():
    """Then it is as any other."""

    async def render(request):
        session = await request.getSession()
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    visitor = Visitor(Site(Page(render), sessions=Far(reactor=Clock())))
    assert [visitor.text(), visitor.text(), visitor.text()] == ["1", "2", "3"]


def test_who_does_not_wait_is_told_to():
    """The error says what to write."""

    def render(request):
        with pytest.raises(RuntimeError, match=r"await request\.getSession"):
            request.getSession()["a"]
        return b"refused"

    visitor = Visitor(Site(Page(render), sessions=Far(reactor=Clock())))
    visitor.cookies = {"session": "a" * 32}
    assert visitor.text() == "refused"
