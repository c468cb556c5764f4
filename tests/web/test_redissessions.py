"""Sessions in Redis, with a server of our own; skipped where there is none."""

import asyncio
import json
import shutil
import subprocess
import time

import pytest

from tests.web.trees import Page
from weblayer.loop.timers import Clock
from weblayer.web.site import Site
from weblayer.web.store import Change, Record
from weblayer.web.testing import Conversation

pytest.importorskip("redis", reason="needs weblayer[redis]")

from weblayer.web.redissessions import RedisSessions  # where there is a redis


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Where a server of ours listens: a socket, which takes no port of the machine's."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server")
    path = tmp_path_factory.mktemp("redis") / "socket"
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    with subprocess.Popen(
        [program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(500):
                if path.exists():
                    break
                time.sleep(0.01)
            yield f"unix://{path}"
        finally:
            server.kill()


def together(url, talk, **options):
    """Run *talk* with a store, in a loop of its own, and close what is open."""

    async def run():
        store = RedisSessions(url, **options)
        try:
            return await talk(store)
        finally:
            await store.aclose()

    return asyncio.run(run())


def new(store, **data):
    uid = store.newUid()
    return Change(
        Record(uid, json.dumps(data), store.seconds(), store.sessionTimeout), data, (), ""
    )


def changed(record, *removed, **data):
    return Change(record, data, removed, None)


def test_what_is_kept_is_found(url):
    """Whatever JSON can say, and by nobody else's name."""
    data = {"a": [1, {"b": None}], "ä": "Zoë \udcff", "": 1.5, "d:a": "x"}

    async def talk(store):
        change = new(store, **data)
        await store.save(change)
        assert json.loads((await store.find(change.record.uid)).text) == data
        assert await store.find(store.newUid()) is None

    together(url, talk)


def test_what_two_have_changed_is_kept_key_by_key(url):
    """Redis lays one over the other."""

    async def talk(store):
        change = new(store, a=0, b=0, c=0)
        await store.save(change)
        first, second = [await store.find(change.record.uid) for _ in range(2)]
        await asyncio.gather(store.save(changed(first, "c", a=1)), store.save(changed(second, b=2)))
        assert json.loads((await store.find(change.record.uid)).text) == {"a": 1, "b": 2}

    together(url, talk)


def test_what_has_ended_does_not_come_back(url):
    """By what another request still wanted to keep."""

    async def talk(store):
        change = new(store, a=0)
        await store.save(change)
        record = await store.find(change.record.uid)
        await store.remove(change.record.uid)
        await store.save(changed(record, a=1))
        assert await store.find(change.record.uid) is None

    together(url, talk)


def test_a_new_name_takes_the_place_of_the_old_one(url):
    """With all of it."""

    async def talk(store):
        change = new(store, a=1)
        await store.save(change)
        record = await store.find(change.record.uid)
        old, record.uid = record.uid, store.newUid()
        await store.save(Change(record, {}, (), old))
        assert await store.find(old) is None
        assert json.loads((await store.find(record.uid)).text) == {"a": 1}

    together(url, talk)


def test_what_is_not_used_ends_by_itself(url):
    """Redis knows when; and the clock of the store counts."""
    clock = Clock()

    async def talk(store):
        change = new(store)
        await store.save(change)
        [key] = [key async for key in store._redis.scan_iter("ends:*")]
        assert 890 < await store._redis.ttl(key) <= 900
        clock.advance(901)
        assert await store.find(change.record.uid) is None

    together(url, talk, seconds=clock.seconds, prefix="ends:")


def test_a_visitor_is_known_again(url):
    """Through a site: the page waits for its session, and the next one finds what it has kept."""
    store = RedisSessions(url)

    async def render(request):
        session = await request.getSession()
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    conversation = Conversation(Site(Page(render), sessions=store))
    cookies = {}
    for visits in "123":
        conversation.ask("GET", "/", cookies)
        conversation.waitFor(lambda: conversation.isWhole)
        assert conversation.text() == visits
        line = conversation.getHeader("set-cookie")
        assert bool(line) is (visits == "1")
        cookies = cookies or {"Cookie": line.partition(";")[0]}
    conversation.do(store.close)
    conversation.close()


def test_a_server_that_is_away_fails_the_page(tmp_path, caplog):
    """And the log says why."""
    store = RedisSessions(f"unix://{tmp_path}/none")

    async def render(request):
        return dict(await request.getSession())

    conversation = Conversation(Site(Page(render), sessions=store))
    conversation.ask("GET", "/", {"Cookie": "session=" + "a" * 32})
    conversation.waitFor(lambda: conversation.isWhole)
    assert conversation.code == 500
    assert "redis" in caplog.text
    conversation.close()
