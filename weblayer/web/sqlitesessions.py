"""Sessions in a file of SQLite: they survive a restart, and several processes share them."""

import logging
import os
import sqlite3
from asyncio import Future
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any

from weblayer.loop.loops import current_loop
from weblayer.loop.reactor import reactorHere
from weblayer.loop.threads import inThread
from weblayer.loop.timers import DelayedCall
from weblayer.web.store import Change, Record, SessionStore, keyOf, merged

__all__ = ["SQLiteSessions"]

log = logging.getLogger("weblayer")

# On the event loop, since a thread costs more (45 us) than it would spare. Measured, with WAL and
# synchronous=NORMAL, on a virtual disk: to find a session 7 us, to keep a new one 26 us, and to lay
# a change over one 37 us. What takes long is to move the log into the database, 25 ms and more for
# each 4 MB: `purge` does that, in a thread.
_SETUP = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 0;
CREATE TABLE IF NOT EXISTS session (
    key TEXT PRIMARY KEY, text TEXT NOT NULL, touched REAL NOT NULL, timeout REAL NOT NULL,
    persistent INTEGER NOT NULL, ends REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_ends ON session (ends);
"""

_PURGE = """
DELETE FROM session WHERE key IN (SELECT key FROM session WHERE ends <= ? LIMIT ?)
"""

_SHORTEN = """
DELETE FROM session WHERE key IN (SELECT key FROM session ORDER BY ends LIMIT
    max(0, min(?2, (SELECT count(*) FROM session) - ?1)))
"""

# Half a gigabyte of small ones. Strangers begin sessions, and must not fill the disk.
MOST = 1_000_000

# Seconds. Another process writes for less than a millisecond; who waits longer has a sick disk, or
# somebody's shell in the middle of a transaction, and the page fails.
BUSY = 1.0

# Seconds between two purges. What has ended is found no more, whether it is there or not.
PURGE = 60.0

# Sessions that are deleted at once, in about a millisecond: others wait meanwhile to write.
CHUNK = 500


class SQLiteSessions(SessionStore):
    """Sessions in the file *path*, which is made, for its owner alone, where there is none.

    Give each process one of its own, with the same path. Of more than *most*, those that would end
    first are deleted within a minute. The *options* are those of SessionStore.
    What has been kept survives the end of the program; the last of it may be lost with the machine.
    Every method may raise sqlite3.Error.
    """

    def __init__(self, path: str | os.PathLike[str], *, most: int = MOST, **options: Any) -> None:
        super().__init__(**options)
        self.path, self.most = os.fspath(path), most
        self._open: tuple[int, sqlite3.Connection] | None = None
        self._timer: DelayedCall | None = None
        self._purging: Future[bool] | None = None

    def find(self, cookie: str) -> Record | None:
        """What is kept of a session."""
        row = self._db.execute(
            "SELECT text, touched, timeout, persistent FROM session WHERE key = ?", (keyOf(cookie),)
        ).fetchone()
        if row is None or self.isOver(row[1], row[2]):
            return None
        return Record(cookie, row[0], row[1], row[2], bool(row[3]))

    def save(self, change: Change) -> None:
        """Keep it."""
        record = change.record
        key, text = keyOf(record.uid), record.text
        with self._transaction() as db:
            if change.replaces is None:
                row = db.execute("SELECT text FROM session WHERE key = ?", (key,)).fetchone()
                if row is None:
                    return  # it has ended meanwhile
                text = merged(row[0], change)
            elif change.replaces:
                db.execute("DELETE FROM session WHERE key = ?", (keyOf(change.replaces),))
            ends = record.touched + record.sessionTimeout
            kept = (text, record.touched, record.sessionTimeout, record.isPersistent, ends)
            db.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?)", (key, *kept))
        self._purge_later()

    def remove(self, uid: str) -> None:
        """End it."""
        self._db.execute("DELETE FROM session WHERE key = ?", (keyOf(uid),))

    def close(self) -> None:
        """Close the file, where it is open; it is opened again when it is needed."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def purge(self) -> bool:
        """Delete what has ended, and tidy the file up; gives whether anything is left.

        It happens by itself, a minute after something was kept, in a thread.
        """
        with closing(self._connect()) as db:
            while db.execute(_PURGE, (self.seconds(), CHUNK)).rowcount == CHUNK:
                pass
            [(many,)] = db.execute("SELECT count(*) FROM session")
            for _ in range(0, many - self.most, CHUNK):
                db.execute(_SHORTEN, (self.most, CHUNK))
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            return bool(many)

    @property
    def _db(self) -> sqlite3.Connection:
        """The connection of this process: it must not be carried over a fork."""
        pid = os.getpid()
        if self._open is None or self._open[0] != pid:
            self._open = pid, self._connect()
        return self._open[1]

    def _connect(self) -> sqlite3.Connection:
        # Nobody else may read it; the files beside it are made with its rights.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None)
        db.executescript(_SETUP)
        return db

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """What is read in it stays so until it is written."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _purge_later(self) -> None:
        if self._timer is None or not self._timer.active():
            self._timer = reactorHere().callLater(PURGE, self._purge)

    def _purge(self) -> None:
        self._purging = inThread(current_loop(), self.purge)
        self._purging.add_done_callback(self._purged)

    def _purged(self, purging: "Future[bool]") -> None:
        if purging.cancelled():
            return
        if (error := purging.exception()) is not None:
            log.error("the sessions in %s could not be purged", self.path, exc_info=error)
        elif purging.result():
            self._purge_later()
