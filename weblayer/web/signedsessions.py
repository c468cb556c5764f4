"""Sessions in signed cookies: nothing is kept here, and the browser brings all of it each time."""

import json
from collections.abc import Sequence
from typing import Any

from weblayer.web.signing import BadSignature, Key, Signer
from weblayer.web.store import Change, Record, SessionStore, dump

__all__ = ["SignedSessions"]

# What browsers take of a cookie, its name included (RFC 6265bis, 5.6).
MAX_COOKIE = 4096


class SignedSessions(SessionStore):
    """Sessions that the visitors hold themselves, signed with *keys*; see `Signer`.

    They need no store, and any process that has the keys reads them. For that, a visitor can read
    what is in theirs, there is room for about 3 kB, of two requests at a time the later answer has
    all, and one that was ended or renewed can be sent again by who has kept a copy, until its time
    is over. Where any of this matters use SQLiteSessions. The *options* are those of SessionStore.
    """

    def __init__(self, keys: Key | Sequence[Key], **options: Any) -> None:
        super().__init__(**options)
        self._signer = Signer(keys, f"session {self.cookieName}", seconds=self.seconds)

    def find(self, cookie: str) -> Record | None:
        """What the cookie holds, if it is of ours and not too old."""
        try:
            uid, data, touched, timeout, isPersistent = self._signer.unsign(cookie)
        except BadSignature:
            return None
        if self.isOver(touched, timeout):
            return None
        return Record(uid, dump(data), touched, timeout, isPersistent)

    def save(self, change: Change) -> None:
        """The cookie is all that is kept."""

    def remove(self, uid: str) -> None:
        """The cookie is forgotten by the client alone."""

    def cookieOf(self, record: Record) -> str:
        """All of it. Raises ValueError for more than a browser keeps."""
        kept = record.touched, record.sessionTimeout, record.isPersistent
        cookie = self._signer.sign([record.uid, json.loads(record.text), *kept])
        size = len("__Secure-") + len(self.cookieName) + len(cookie)
        if size > MAX_COOKIE:
            raise ValueError(
                f"the session needs a cookie of {size:,} bytes, and browsers keep {MAX_COOKIE:,}:"
                " keep less in it, or use SQLiteSessions"
            )
        return cookie
