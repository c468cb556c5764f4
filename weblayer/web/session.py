"""The session of a visitor, as one request has it: data that is there again with the next one.

session = request.getSession()
session["visits"] = session.get("visits", 0) + 1
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Generator, Iterator, MutableMapping
from typing import Any, Self, TypeVar, cast

from weblayer.loop.deferred import succeed
from weblayer.loop.loops import current_loop
from weblayer.web.headed import Headed
from weblayer.web.store import Change, Record, SessionStore, dump

__all__ = ["Session"]

log = logging.getLogger("weblayer")

C = TypeVar("C")

EMPTY = "{}"

# Who has been given one may change the session without our being told.
_CHANGEABLE = (dict, list)


class Session(MutableMapping[str, Any]):
    """What is kept of a visitor between requests: JSON values by name.

    It is kept, and its cookie set, when the head of the answer goes out, and only if something has
    changed, be it deep in a value; what an answer of 500 or above has changed is not. What changes
    later is kept at once, or, deep in a value, by `save`. A visitor for whom nothing is kept has no
    session, and no cookie. See `weblayer.web.store` for two requests at a time.

    A store that is not at hand has to be waited for, `session = await request.getSession()`, and
    until then reading raises RuntimeError. Any other may be, too.
    """

    __slots__ = (
        "_data", "_is_due", "_is_new", "_is_sealed", "_may_differ", "_old", "_record", "_sent",
        "_store", "_tells",
    )  # fmt: skip

    def __init__(self, store: SessionStore, request: Headed, began: bool) -> None:
        self._store = store
        self._sent = store.read(request)
        self._record: Record | None = None
        self._data: dict[str, Any] = {}
        self._may_differ = False  # the data from what the record says
        self._is_new = self._is_due = False
        self._is_sealed = began  # the head is out
        self._old: str | None = None  # the uid before this one
        self._tells: Callable[[Headed], None] | None = None  # what the answer does to the cookie
        if not self._sent:
            self._arrive(None)
        elif not store.isRemote:
            self._arrive(cast("Record | None", store.find(self._sent)))
        request.beforeAnswer(self._dress)

    # The data

    def __getitem__(self, key: str) -> Any:
        self._loaded()
        value = self._data[key]
        if isinstance(value, _CHANGEABLE):
            self._may_differ = True
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        """Keep *value*. Raises TypeError or ValueError for what JSON cannot say."""
        if not isinstance(key, str):
            raise TypeError(f"key must be str, not {key!r}")
        self._loaded()
        try:
            dump(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"session[{key!r}] must be JSON: {error}") from error
        self._data[key], self._may_differ = value, True
        self._settle()

    def __delitem__(self, key: str) -> None:
        self._loaded()
        del self._data[key]
        self._may_differ = True
        self._settle()

    def __iter__(self) -> Iterator[str]:
        self._loaded()
        return iter(self._data)

    def __len__(self) -> int:
        self._loaded()
        return len(self._data)

    def __bool__(self) -> bool:
        """A session is one, though it holds nothing."""
        return True

    def __repr__(self) -> str:
        return f"<Session of {type(self._store).__name__}>"  # who has its uid has the session

    def __await__(self) -> Generator[Any, None, Self]:
        """This session, when what is kept of it is there."""
        if self._record is None:
            assert self._sent is not None
            found = cast("Awaitable[Record | None]", self._store.find(self._sent))
            record = yield from found.__await__()
            if self._record is None:  # asked for by two at a time
                self._arrive(record)
        return self

    # Who it is, and how long

    @property
    def uid(self) -> str:
        """A name that nobody can guess, and which `renew` changes; who asks for it has it kept."""
        record = self._loaded()
        if not record.uid:
            record.uid = self._store.newUid()
            self._touch()
        return record.uid

    @property
    def isLoaded(self) -> bool:
        """Whether it is there; else it has to be awaited."""
        return self._record is not None

    @property
    def isNew(self) -> bool:
        """Whether nothing has been kept of this visitor before."""
        self._loaded()
        return self._is_new

    @property
    def sessionTimeout(self) -> float:
        """How many seconds without use end it; a number that is set is kept."""
        return self._loaded().sessionTimeout

    @sessionTimeout.setter
    def sessionTimeout(self, seconds: float) -> None:
        if not seconds > 0:
            raise ValueError(f"sessionTimeout must be seconds, more than 0, not {seconds!r}")
        self._loaded().sessionTimeout = seconds
        self._touch()

    def remember(self, seconds: float) -> None:
        """Let it outlive the browser, and *seconds* without use. Raises ValueError for none."""
        self._loaded().isPersistent = True
        self.sessionTimeout = seconds

    def touch(self) -> None:
        """It is used now. Asking a request for it does so, too."""
        self._loaded().touched = self._store.seconds()
        self._touch()

    def renew(self) -> None:
        """Change its uid and keep its data: the old cookie is worth nothing from the answer on.

        Do so where somebody becomes more than they were, as in a login: who has planted a cookie,
        or seen one, has nothing then.
        """
        record = self._loaded()
        if record.uid:
            if not self._is_new and self._old is None:
                self._old = record.uid
            record.uid = self._store.newUid()
            self._touch()

    def expire(self) -> Awaitable[None]:
        """End it, at once: nothing of it is kept, and the client is told to forget its cookie.

        Then it is a new one, without data. What is given is as that of `save`. A cookie of
        SignedSessions is forgotten by the client alone: a copy of it is good until its time ends.
        """
        record = self._loaded()
        uid = self._old or record.uid
        ending = None
        if uid and not self._is_new:
            ending = self._run(self._store.remove(uid))
        if self._sent:
            self._tells = self._store.untell
        self._arrive(None)
        return ending or succeed(None)

    def save(self) -> Awaitable[None]:
        """Keep now what has changed, and not with the head of the answer.

        What is given may be awaited, and is done already where the store is at hand.
        Raises RuntimeError for a new session once the head is out: it could have no cookie.
        """
        return self._run(self._keep()) or succeed(None)

    # Live objects, in memory

    def getComponent(self, interface: type[C], default: Any = None) -> Any:
        """The object of this visitor that was set for *interface*, else *default*.

        Where the store has a factory for it (see MemorySessions.registerComponent) one is made.
        """
        found = self._store.components(self._key, self._is_new)
        if interface not in found:
            made = self._store.makeComponent(interface, self)
            if made is None:
                return default
            found[interface] = made
        return found[interface]

    def setComponent(self, interface: type[C], component: C) -> None:
        """Keep an object as it is, for *interface*: a class or a Protocol. Only in memory.

        It may outlive this request, and should keep nothing of it.
        """
        self._store.components(self._key, self._is_new)[interface] = component

    def notifyOnExpire(self, callback: Callable[[], object]) -> None:
        """Call *callback* when the session ends, of age or by `expire`. Only in memory."""
        self._store.notifyOnExpire(self._key, self._is_new, callback)

    # Inside

    @property
    def _key(self) -> str:
        """What the store has it under until it is kept."""
        return self._old or self.uid

    def _loaded(self) -> Record:
        if self._record is None:
            raise RuntimeError(
                f"{type(self._store).__name__} is not at hand: write"
                " `session = await request.getSession()`"
            )
        return self._record

    def _arrive(self, record: Record | None) -> None:
        store = self._store
        self._is_new = record is None
        self._old = None
        if record is None:
            self._is_due = False
            record = Record("", EMPTY, store.seconds(), store.sessionTimeout)
        elif store.isStale(record):
            record.touched, self._is_due = store.seconds(), True
        self._record = record
        self._data, self._may_differ = json.loads(record.text), False

    def _touch(self) -> None:
        self._is_due = True
        self._settle()

    def _settle(self) -> None:
        """Something has changed: keep it, if the head is out and nobody else will."""
        if self._is_sealed:
            self.save()

    def _dress(self, request: Headed) -> None:
        """The head of the answer is about to go out."""
        if request.code < 500 and self._record is not None:
            self._run(self._keep())
        self._is_sealed = True
        request.responseHeaders.addRawHeader(b"Vary", b"Cookie")
        if self._tells is not None:
            self._tells(request)
            if not request.hasResponseHeader(b"cache-control"):
                request.setCacheControl(private=True)  # nobody else may be given the cookie

    def _keep(self) -> Awaitable[None] | None:
        """Give the store what has changed, and remember what to do with the cookie."""
        record = self._loaded()
        if not (self._may_differ or self._is_due):
            return None  # most pages only read, and a look at all of it costs more than that
        text = dump(self._data)
        if text == record.text and not self._is_due:
            return None
        store, is_new = self._store, self._is_new
        if len(text) > store.maxBytes:
            raise ValueError(f"the session has {len(text):,} bytes of {store.maxBytes:,}")
        if is_new and self._is_sealed:
            raise RuntimeError("the head is out: a new session can have no cookie any more")
        record.uid, record.touched = record.uid or store.newUid(), store.seconds()
        change = self._change(record, text)
        record.text, self._is_due, self._is_new, self._old = text, False, False, None
        kept = store.save(change)
        cookie = store.cookieOf(record)
        if cookie != self._sent or record.isPersistent:
            self._tells = lambda request: store.tell(request, record, cookie)
        return kept

    def _change(self, record: Record, text: str) -> Change:
        before = json.loads(record.text)
        now = self._data
        changed = {k: v for k, v in now.items() if k not in before or dump(before[k]) != dump(v)}
        whole = Record(record.uid, text, record.touched, record.sessionTimeout, record.isPersistent)
        return Change(whole, changed, before.keys() - now.keys(), "" if self._is_new else self._old)

    def _run(self, kept: Awaitable[None] | None) -> "asyncio.Task[None] | None":
        """Let what has to be waited for go its way; its failure is logged, if nobody waits."""
        if kept is None:
            return None
        task = current_loop().create_task(_awaited(kept))
        _RUNNING.add(task)
        task.add_done_callback(_done)
        return task


# The loop itself holds tasks weakly.
_RUNNING: set[asyncio.Task[None]] = set()


def _done(task: asyncio.Task[None]) -> None:
    _RUNNING.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a session could not be kept", exc_info=error)


async def _awaited(kept: Awaitable[None]) -> None:
    await kept
