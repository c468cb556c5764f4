"""Where sessions are kept, and the cookie that tells which one is whose.

Theory. A store knows records: the data of a session as one JSON object, and when it was last used.
A request gets a `Session`, which is a copy of a record that belongs to it alone; when its answer
goes out, what the request has changed is laid over what the store has by then, key by key. So two
requests of one session at a time both keep what they changed, save where they changed the same
key: then the later one has it. What has expired meanwhile does not come back.
"""

import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, NamedTuple

from weblayer.web.headed import Headed

__all__ = ["Change", "Record", "SessionStore"]

# Bytes of randomness. 128 bits cannot be guessed; 24 bytes are 32 letters without padding.
UID_BYTES = 24

# Seconds of a pause after which somebody has left: the field's number.
SESSION_TIMEOUT = 900.0

# 64 KiB: a session is read with every request of its own; what is larger wants a table.
MAX_BYTES = 64 * 1024

# Of sessionTimeout. So often a use is written down where that costs something, so that not every
# request is a write; a session may end by so much earlier.
STALE = 0.1


@dataclass(slots=True)
class Record:
    """What a store keeps of a session: *text* is a JSON object, *touched* when it was last used.

    *isPersistent* says that its cookie outlives the browser.
    """

    uid: str
    text: str
    touched: float
    sessionTimeout: float
    isPersistent: bool = False


class Change(NamedTuple):
    """What a request has made of a session: *record* as it is to the request.

    *changed* and *removed* are of its keys. *replaces* is the uid that it had before, if it has
    another now, and "" for a session that is new.
    """

    record: Record
    changed: Mapping[str, Any]
    removed: Collection[str]
    replaces: str | None


class SessionStore:
    """The base of the places where sessions are kept, with what they have in common: the cookie.

    A session ends when it has not been used for *sessionTimeout* seconds. Its cookie is named
    *cookieName*, with `__Host-` before it under TLS, where *cookiePath* is "/", and `__Secure-`
    elsewhere; it is out of reach of scripts, and sent from other sites as *sameSite* says. A
    session of at most *maxBytes* bytes of JSON can be kept.

    A store of a program's own overrides `find`, `save` and `remove`; where they are awaitable, it
    says so with `isRemote`. *seconds* tells the time, which processes that share a store share.
    """

    isRemote = False

    def __init__(
        self,
        *,
        sessionTimeout: float = SESSION_TIMEOUT,
        cookieName: str = "session",
        cookiePath: str = "/",
        sameSite: str = "Lax",
        maxBytes: int = MAX_BYTES,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        if not sessionTimeout > 0:
            raise ValueError(f"sessionTimeout must be seconds, more than 0, not {sessionTimeout!r}")
        self.sessionTimeout = sessionTimeout
        self.cookieName, self.cookiePath, self.sameSite = cookieName, cookiePath, sameSite
        self.maxBytes, self.seconds = maxBytes, seconds

    # What a store of one's own overrides

    def find(self, cookie: str) -> Record | Awaitable[Record | None] | None:
        """What is kept of the session that *cookie* tells of, and has not ended; else None."""
        raise NotImplementedError

    def save(self, change: Change) -> Awaitable[None] | None:
        """Keep *change*: all of a new session, and of another only what it says, if it is there."""
        raise NotImplementedError

    def remove(self, uid: str) -> Awaitable[None] | None:
        """Keep nothing of the session *uid*, if there is one."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what is open; it is opened again when it is needed."""

    def cookieOf(self, record: Record) -> str:
        """What the client is to send back."""
        return record.uid

    # Live objects, which can only be kept in memory

    def components(self, uid: str, isNew: bool) -> dict[Any, Any]:  # Any: objects by any class
        """The objects of a session, which may not be kept yet, by their interface.

        Raises TypeError where there can be none.
        """
        raise TypeError(
            f"{type(self).__name__} keeps JSON: an object in a session needs MemorySessions"
        )

    def makeComponent(self, interface: Any, session: Any) -> Any:
        """A new object for *interface*, None where no factory is known; *session* is the asker."""
        return None

    def notifyOnExpire(self, uid: str, isNew: bool, call: Callable[[], object]) -> None:
        """Call *call* when the session ends. Raises TypeError where that cannot be known."""
        raise TypeError(
            f"{type(self).__name__} calls nobody when a session ends: that needs MemorySessions"
        )

    # The cookie

    def read(self, request: Headed) -> str | None:
        """What the client sent."""
        return request.getCookie(self._name(request))

    def tell(self, request: Headed, record: Record, cookie: str) -> None:
        """Have the client send *cookie*, which is that of *record*, from now on."""
        age = int(record.sessionTimeout) if record.isPersistent else None
        request.addCookie(
            self._name(request), cookie, path=self.cookiePath, maxAge=age,
            sameSite=self.sameSite,
        )  # fmt: skip

    def untell(self, request: Headed) -> None:
        """Have the client forget the cookie."""
        request.removeCookie(self._name(request), path=self.cookiePath)

    def _name(self, request: Headed) -> str:
        # A cookie with such a name can only have come encrypted: who may set cookies in the clear,
        # or for a whole domain, can plant no session (RFC 6265bis, 4.1.3).
        if not request.isSecure():
            return self.cookieName
        return ("__Host-" if self.cookiePath == "/" else "__Secure-") + self.cookieName

    # For those who make stores

    def newUid(self) -> str:
        """A name for a session that nobody can guess."""
        return token_urlsafe(UID_BYTES)

    def isOver(self, touched: float, sessionTimeout: float) -> bool:
        """Whether a session has ended that was last used at *touched*."""
        return self.seconds() - touched >= sessionTimeout

    def isStale(self, record: Record) -> bool:
        """Whether it is time to write down that a session is still used."""
        return self.seconds() - record.touched >= STALE * record.sessionTimeout


def keyOf(uid: str) -> str:
    """What a session is kept under: who reads the store, or a copy of it, cannot send its cookie.

    A plain hash will do: what is hashed is random, and no password.
    """
    return sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()


def merged(text: str, change: Change) -> str:
    """The JSON object *text* with what *change* says laid over it."""
    data = json.loads(text)
    for key in change.removed:
        data.pop(key, None)
    return dump({**data, **change.changed})


def dump(data: Any) -> str:  # Any: what JSON can say
    """JSON, the same for the same data. Raises TypeError and ValueError for what is none."""
    return _encoder.encode(data)


# Made once: `json.dumps` makes one at each call.
_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
