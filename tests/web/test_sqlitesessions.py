"""Sessions in a file: shared by processes, surviving them, unreadable for others, and tidied up."""

import re
import sqlite3
import subprocess
import sys

import pytest

from tests.web.trees import Page
from tests.web.visits import Visitor, visit
from weblayer.loop.timers import Clock
from weblayer.web.site import Site
from weblayer.web.sqlitesessions import SQLiteSessions
from weblayer.web.store import Change, Record

OTHER = """
import sys
from weblayer.web.sqlitesessions import SQLiteSessions
from weblayer.web.store import Change
path, uid, many, name = sys.argv[1:]
store = SQLiteSessions(path)
for turn in range(int(many)):
    record = store.find(uid)
    key = f"{name}{turn}"
    store.save(Change(record, {key: turn}, (), None))
print(store.find(uid).text)
"""

# In a process of its own: one with threads had better not fork.
FORK = """
import os, sys
from weblayer.web.sqlitesessions import SQLiteSessions
from weblayer.web.store import Change, Record
store = SQLiteSessions(sys.argv[1])
record = Record(store.newUid(), "{}", store.seconds(), 900.0)
store.save(Change(record, {}, (), ""))
before = store._db
child = os.fork()
if child == 0:
    store.save(Change(store.find(record.uid), {"a": 1}, (), None))
    os._exit(0 if store._db is not before else 1)
assert os.waitpid(child, 0)[1] == 0
print(store.find(record.uid).text, end="")
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.db"


def put(store, **options):
    """Keep a session, and give its name."""
    uid = store.newUid()
    record = Record(uid, "{}", store.seconds(), options.get("timeout", store.sessionTimeout))
    store.save(Change(record, {}, (), ""))
    return uid


def counted(session):
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


def test_two_processes_share_the_file(path):
    """Each of them writes into one session, and nothing of it is lost."""
    store = SQLiteSessions(path)
    uid = put(store)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OTHER, str(path), uid, "100", name], stdout=subprocess.PIPE
        )
        for name in "ab"
    ]
    for process in started:
        process.communicate(timeout=60)
        assert process.returncode == 0
    text = store.find(uid).text
    assert len(re.findall(r'"a\d+"', text)) == len(re.findall(r'"b\d+"', text)) == 100
    store.close()


def test_a_visitor_is_known_after_a_restart(path):
    """By another store on the same file."""
    store = SQLiteSessions(path)
    visitor = visit(counted, store)
    visitor.ask()
    store.close()
    again = SQLiteSessions(path)
    visitor.site = Site(Page(lambda request: counted(request.getSession())), sessions=again)
    assert visitor.text() == "2"
    again.close()


def test_who_reads_the_file_cannot_be_somebody(path):
    """What is in it is not what the cookie says; and only its owner can read it."""
    store = SQLiteSessions(path)
    visitor = visit(counted, store)
    visitor.ask()
    files = [path, *path.parent.glob("sessions.db-*")]
    assert not any(visitor.cookies["session"].encode() in file.read_bytes() for file in files)
    assert {file.stat().st_mode & 0o077 for file in files} == {0}
    store.close()


def test_a_site_that_stops_lets_go_of_the_file(path):
    """Which is then one file again, and opened anew when it is needed."""
    store = SQLiteSessions(path)
    visitor = visit(counted, store)
    conversation = visitor.ask()
    assert len(list(path.parent.iterdir())) == 3
    conversation.close()
    assert [file.name for file in path.parent.iterdir()] == ["sessions.db"]
    assert visitor.text() == "2"
    store.close()


def test_a_child_opens_the_file_for_itself(path):
    """A connection of SQLite is not carried over a fork: it would corrupt the file."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == '{"a":1}'


def test_what_has_ended_is_deleted(path):
    """However much it is, and nothing else."""
    clock = Clock()
    store = SQLiteSessions(path, seconds=clock.seconds)
    for _ in range(1200):
        put(store)
    kept = put(store, timeout=5000)
    clock.advance(901)
    assert store.purge()
    assert store.find(kept)
    with sqlite3.connect(path) as db:
        assert list(db.execute("SELECT count(*) FROM session")) == [(1,)]
    db.close()
    clock.advance(5000)
    assert not store.purge()
    store.close()


def test_there_are_never_too_many_for_long(path):
    """Those that would end first give way."""
    clock = Clock()
    store = SQLiteSessions(path, seconds=clock.seconds, most=700)
    names = []
    for _ in range(1300):
        names.append(put(store))
        clock.advance(0.001)
    store.purge()
    assert [bool(store.find(name)) for name in names] == [False] * 600 + [True] * 700
    store.close()


def test_it_is_tidied_by_itself(path):
    """A minute after something was kept, in a thread."""
    clock = Clock()
    store = SQLiteSessions(path, seconds=clock.seconds)
    visitor = Visitor(Site(Page(lambda request: counted(request.getSession())), sessions=store))
    conversation = visitor.ask()
    clock.advance(901)
    conversation.advance(60)

    def count():
        with sqlite3.connect(path) as db:
            [(many,)] = db.execute("SELECT count(*) FROM session")
        db.close()
        return many

    conversation.waitFor(lambda: count() == 0)
    store.close()


def test_a_store_that_cannot_be_written_fails_the_page(path, caplog):
    """The visitor is told that something went wrong, and the log what."""
    store = SQLiteSessions(path.parent / "no" / "folder")
    assert visit(counted, store).ask().code == 500
    assert "FileNotFoundError" in caplog.text
