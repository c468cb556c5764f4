"""Sessions in the memory of this process: the fastest, for one process, until it ends."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

from weblayer.loop.reactor import reactorHere
from weblayer.loop.timers import DelayedCall, IReactorTime
from weblayer.web.store import Change, Record, SessionStore, keyOf, merged

__all__ = ["MemorySessions"]

log = logging.getLogger("weblayer")

C = TypeVar("C")

# 100,000 small sessions take 64 MB. Who has more visitors in a quarter of an hour has more
# than one process, too.
MOST = 100_000

# Places in the line of ends that nobody stands in any more, before it is made anew.
SLACK = 1000

# Sessions that are ended in one turn of the loop: about a millisecond.
CHUNK = 500

# Sessions that are looked at for one to give way, each in 10 us, where all of them have been used
# since they were looked at last: to look at 100,000 took more than a second.
LOOKS = 20

# Seconds. Sessions that end within one are ended together.
GRAIN = 1.0


class MemorySessions(SessionStore):
    """Sessions that this process alone knows, at most *most* of them, and which end with it.

    When there are too many, those go first whose cookie never came back, so that who asks without
    end for new ones drives out no visitor, and then those that have not been used for the longest
    time, among a few that are looked at. They alone may hold objects; see `Session.setComponent`.
    One timer ends all of them, within a second. *reactor* tells the time and has that timer. The
    other *options* are those of SessionStore.
    """

    def __init__(
        self, *, most: int = MOST, reactor: IReactorTime | None = None, **options: Any
    ) -> None:
        if most < 1:
            raise ValueError(f"most must be a number of sessions, 1 or more, not {most!r}")
        super().__init__(seconds=self._now, **options)
        self.most = most
        self._reactor = reactor
        self._held: dict[str, _Held] = {}
        # Each session once, by a time before which it cannot end: it is looked at again then. A
        # touch moves nothing here, and there are many more of them than ends.
        self._ends: list[tuple[float, str]] = []
        # Those whose cookie has not come back yet, the oldest first. Not a dict, which seeks its
        # first key from where one was.
        self._unseen: OrderedDict[str, None] = OrderedDict()
        self._timer: DelayedCall | None = None
        self._factories: dict[Any, Callable[[Any], Any]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __bool__(self) -> bool:
        """It is a store, though nothing is in it."""
        return True

    def registerComponent(self, interface: type[C], factory: Callable[[Any], C]) -> None:
        """Have *factory* make what `getSession(interface)` gives; it is called with the session."""
        self._factories[interface] = factory

    def find(self, cookie: str) -> Record | None:
        """What is kept of a session; it counts as used."""
        key = keyOf(cookie)
        held = self._held.get(key)
        if held is None or self.isOver(held.touched, held.sessionTimeout):
            return None
        self._unseen.pop(key, None)
        touched, held.touched = held.touched, self.seconds()
        return Record(cookie, held.text, touched, held.sessionTimeout, held.isPersistent)

    def save(self, change: Change) -> None:
        """Keep it."""
        record, replaces = change.record, change.replaces
        if replaces:
            self._rename(keyOf(replaces), keyOf(record.uid))
        held = self._held.get(keyOf(record.uid))
        if replaces is not None:
            held = held or self._hold(record.uid)
            held.text = record.text
        elif held is None:
            return  # it has ended meanwhile
        else:
            held.text = merged(held.text, change)
        held.touched, held.isPersistent = record.touched, record.isPersistent
        if record.sessionTimeout != held.sessionTimeout:
            held.sessionTimeout = record.sessionTimeout
            self._watch(keyOf(record.uid), held)

    def remove(self, uid: str) -> None:
        """End it, and tell who wanted to be told."""
        self._end(keyOf(uid))

    def close(self) -> None:
        """Time nothing any more, until another session begins; what is here stays."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def components(self, uid: str, isNew: bool) -> dict[Any, Any]:
        """The objects of a session."""
        return self._holding(uid, isNew).components

    def makeComponent(self, interface: Any, session: Any) -> Any:
        """What the factory for it makes."""
        factory = self._factories.get(interface)
        return None if factory is None else factory(session)

    def notifyOnExpire(self, uid: str, isNew: bool, call: Callable[[], object]) -> None:
        """Call *call* when the session ends."""
        self._holding(uid, isNew).calls.append(call)

    def _now(self) -> float:
        """What is asked for the time first; from then on the clock is."""
        self.seconds = self._clock().seconds
        return self.seconds()

    def _clock(self) -> IReactorTime:
        if self._reactor is None:
            self._reactor = reactorHere()
        return self._reactor

    def _holding(self, uid: str, isNew: bool) -> "_Held":
        """What is held of a session; of one that has ended meanwhile, what nobody will see."""
        held = self._held.get(keyOf(uid))
        if held is not None:
            return held
        return self._hold(uid) if isNew else _Held(0, self.sessionTimeout)

    def _hold(self, uid: str) -> "_Held":
        while len(self._held) >= self.most:
            self._drop()
        held = self._held[keyOf(uid)] = _Held(self.seconds(), self.sessionTimeout)
        self._unseen[keyOf(uid)] = None
        self._watch(keyOf(uid), held)
        return held

    def _rename(self, old: str, new: str) -> None:
        held = self._held.pop(old, None)
        if held is not None:
            self._held[new] = held
            self._watch(new, held)

    def _watch(self, key: str, held: "_Held") -> None:
        """Have it looked at when it may end."""
        self._queue(key, held)
        if self._timer is None or not self._timer.active():
            self._arm()
        elif held.ends < self._timer.getTime() - GRAIN:
            self._timer.cancel()
            self._arm()

    def _queue(self, key: str, held: "_Held") -> None:
        held.ends = held.touched + held.sessionTimeout
        heappush(self._ends, (held.ends, key))
        if len(self._ends) > 2 * len(self._held) + SLACK:
            # Sessions that were ended or renamed leave their places behind.
            self._ends = [(held.ends, key) for key, held in self._held.items()]
            heapify(self._ends)

    def _arm(self) -> None:
        if self._ends:
            delay = max(0.0, self._ends[0][0] - self.seconds()) + GRAIN
            self._timer = self._clock().callLater(delay, self._sweep)

    def _sweep(self) -> None:
        """End what is over; look later at what has been used meanwhile."""
        now = self.seconds()
        for _ in range(CHUNK):
            if not self._ends or self._ends[0][0] > now:
                self._arm()
                return
            self._next()
        self._timer = self._clock().callLater(0, self._sweep)  # after whoever waits meanwhile

    def _drop(self) -> None:
        """End one session: one that nobody came back for, or was not used for the longest time."""
        if self._unseen:
            self._end(next(iter(self._unseen)))
            return
        before = len(self._held)
        looked: list[tuple[float, str]] = []
        while len(self._held) == before:
            ends = self._ends[0][0]
            if (place := self._next()) is not None:
                looked.append(place)
                # One that has not been used is the first of all.
                if place[0] == ends or len(looked) == LOOKS:
                    self._end(min(looked)[1])

    def _next(self) -> tuple[float, str] | None:
        """Look at the one whose time comes first: end it if it is over, else give its new place."""
        ends, key = heappop(self._ends)
        held = self._held.get(key)
        if held is None or held.ends != ends:
            return None  # renamed or removed, or here a second time
        if self.isOver(held.touched, held.sessionTimeout):
            self._end(key)
            return None
        self._queue(key, held)
        return held.ends, key

    def _end(self, key: str) -> None:
        held = self._held.pop(key, None)
        self._unseen.pop(key, None)
        for call in held.calls if held else ():
            try:
                call()
            except Exception:
                log.exception("who wanted to know of a session's end failed")


class _Held:
    """What is kept of a session here."""

    __slots__ = (
        "calls", "components", "ends", "isPersistent", "sessionTimeout", "text", "touched",
    )  # fmt: skip

    def __init__(self, touched: float, sessionTimeout: float) -> None:
        self.text = "{}"
        self.touched, self.sessionTimeout = touched, sessionTimeout
        self.isPersistent = False
        self.ends = 0.0
        self.components: dict[Any, Any] = {}
        self.calls: list[Callable[[], object]] = []
