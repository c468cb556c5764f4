"""Where a CacheAgent keeps answers on disk: a file of SQLite's.

One file and no folder of many: what is kept of an answer is there as a whole or not at all, however
a program ends, and several programs may use it at once. It is written without waiting for the disk
(a lost power supply costs the last answers, no more), in the thread of the loop: an answer of
64 KiB takes 0.1 ms to keep and a tenth of that to read.
"""

import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weblayer.wire.caching import Kept

__all__ = ["DiskStore"]

log = logging.getLogger("weblayer")

# Says that a file is ours ("WLca"), and which tables are in it.
APPLICATION = 0x574C6361
VERSION = 1

# Seconds to wait for another program that writes: longer than it takes, and no page is worth more.
PATIENCE = 0.1

# Bytes, rows and pages beside the body, roughly.
OVERHEAD = 512

TABLE = """
CREATE TABLE IF NOT EXISTS answer (
    uri TEXT, chosen BLOB, code INTEGER, asked REAL, answered REAL, size INTEGER, raw BLOB,
    body BLOB, PRIMARY KEY (uri, chosen)
);
CREATE INDEX IF NOT EXISTS by_age ON answer (answered, size);
"""


class DiskStore:
    """Keeps answers in the file *path*, *maxSize* bytes of them; first goes what came first.

    What was found to be still good counts as new. The file is made where there is none, for its
    owner only, since answers may be private. Raises ValueError for a file that is something else,
    and OSError for one that cannot be opened. What goes wrong later is logged, and costs the
    answers that it concerns.
    """

    def __init__(self, path: Path | str, maxSize: int = 256 * 1024 * 1024) -> None:
        self._most = maxSize
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._base = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise ValueError(f"path must be a cache of ours, or new: {path} ({error})") from error

    def find(self, uri: str) -> list[Kept]:
        """The answers that are kept of *uri*."""
        rows = self._do("SELECT code, raw, asked, answered, chosen FROM answer WHERE uri = ?", uri)
        return [Kept(*row) for row in rows]

    def read(self, uri: str, kept: Kept) -> bytes | None:
        """The body of *kept*; None where it has gone, or is another one's by now."""
        rows = self._do(
            "SELECT body FROM answer WHERE uri = ? AND chosen = ? AND answered = ?",
            uri, kept.chosen, kept.answered,
        )  # fmt: skip
        return rows[0][0] if rows else None

    def keep(self, uri: str, kept: Kept, body: bytes) -> None:
        """Keep *kept* in place of the answer that was for the same."""
        size = len(uri) + len(kept.raw) + len(body) + OVERHEAD
        self._do(
            "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            uri, kept.chosen, kept.code, kept.asked, kept.answered, size, kept.raw, body,
        )  # fmt: skip
        self._size += size
        if self._size > self._most:
            self._make_room()

    def refresh(self, uri: str, before: Kept, after: Kept) -> None:
        """Let the body of *before* be that of *after*."""
        self._do(
            "UPDATE OR REPLACE answer SET raw = ?, asked = ?, answered = ?, chosen = ?"
            " WHERE uri = ? AND chosen = ? AND answered = ?",
            after.raw, after.asked, after.answered, after.chosen,
            uri, before.chosen, before.answered,
        )  # fmt: skip

    def remove(self, uri: str, kept: Kept | None = None) -> None:
        """Forget *kept*, or all that is kept of *uri*."""
        if kept is None:
            self._do("DELETE FROM answer WHERE uri = ?", uri)
        else:
            self._do("DELETE FROM answer WHERE uri = ? AND chosen = ?", uri, kept.chosen)

    def close(self) -> None:
        """Close the file. Nothing is found any more."""
        self._base.close()

    # Inside.

    def _prepare(self) -> None:
        base = self._base
        (owner,) = base.execute("PRAGMA application_id").fetchone()
        (version,) = base.execute("PRAGMA user_version").fetchone()
        (tables,) = base.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if owner != APPLICATION and tables:
            raise sqlite3.DatabaseError("another program's database")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = NORMAL")
        if version != VERSION:
            base.execute("DROP TABLE IF EXISTS answer")
        base.executescript(TABLE)
        base.execute(f"PRAGMA application_id = {APPLICATION}")
        base.execute(f"PRAGMA user_version = {VERSION}")
        self._size = self._measured()

    def _measured(self) -> int:
        rows = self._do("SELECT sum(size) FROM answer")
        return (rows[0][0] or 0) if rows else 0

    def _make_room(self) -> None:
        """Forget the oldest, and some more, so that not each answer costs a look at all."""
        self._size = self._measured()  # others keep and remove, too
        if self._size > self._most:
            too_much = self._size - self._most * 7 // 8
            self._do(
                "DELETE FROM answer WHERE rowid IN (SELECT rowid FROM (SELECT rowid, sum(size) OVER"
                " (ORDER BY answered, rowid) - size AS before FROM answer) WHERE before < ?)",
                too_much,
            )
            self._size = self._measured()

    def _do(self, statement: str, *values: object) -> Sequence[Any]:
        try:
            return self._base.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            log.warning("the cache on disk: %s", error)
            return []
