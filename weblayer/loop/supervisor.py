"""A supervisor: keeps workers at work, and puts new ones in their places.

Each of *count* places has a worker. One that ends is followed by another, the later the oftener
it ended as soon as it served. To reload, a new worker is started for each place, and when all
of them serve they take over: the old ones are released, and finish what they have begun. One that
does not come to serve is killed after a while, which is to end as any other does.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from weblayer.loop.timers import IReactorTime

__all__ = ["IWorker", "Patience", "Supervisor"]

# Seconds. Who has served for so long has not ended at once: a start takes a fifth of that.
AT_ONCE = 1.0

# Seconds to wait before a worker is followed by another, by how often in a row it ended at once.
# The connections that would be its own wait as long; a first time, which may be chance, costs none.
DELAYS = (0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)

# Seconds in which a worker must come to serve. A start takes a fifth of one here, on a machine that
# is busy some; what a site's own programs load may take many, and systemd gives a service 90. One
# that hangs has connections wait for it, and with it a reload.
BEGINNING = 60.0

# Ends at once in a row, after which there is no hope where nobody else serves.
MOST = 5


class Patience(NamedTuple):
    """How often in a row a worker has ended at once, and what that calls for."""

    ends: int = 0

    def after(self, served: float | None) -> "Patience":
        """When another has ended that *served* so many seconds; None for one that never did."""
        return Patience(self.ends + 1 if served is None or served < AT_ONCE else 0)

    @property
    def delay(self) -> float:
        """Seconds to wait before the next is started."""
        return DELAYS[min(self.ends, len(DELAYS) - 1)]

    @property
    def is_over(self) -> bool:
        """Whether there is no use in another."""
        return self.ends >= MOST


class IWorker(Protocol):
    """What a supervisor asks of a worker. *since* is when it began to serve, None before."""

    place: int
    pid: int
    since: float | None

    def release(self) -> None: ...
    def drop(self) -> None: ...
    def kill(self) -> None: ...
    def bury(self) -> None: ...
    @property
    def end(self) -> str: ...


class Supervisor:
    """Keeps *count* workers at work, until `end`.

    *start* gives the worker of a place, from 0, and has `served` and `ended` called with it.
    *tell* is called with a line for a person, *give_up* with the reason when no worker can serve.
    """

    def __init__(
        self, reactor: IReactorTime, count: int, start: Callable[["Supervisor", int], IWorker],
        tell: Callable[[str], object], give_up: Callable[[str], object],
    ) -> None:  # fmt: skip
        self._reactor, self._start, self._tell, self._give_up = reactor, start, tell, give_up
        self._places = range(count)
        self._patience = dict.fromkeys(self._places, Patience())
        self._running: set[IWorker] = set()
        self._current: dict[int, IWorker] = {}
        self._fresh: dict[int, IWorker] = {}  # those of a reload, until all serve
        self._again = False  # whether to reload once more after that
        self._ending = False
        self._ended = asyncio.Event()

    def begin(self) -> None:
        """Start the workers, or give up."""
        try:
            self._current = self._started()
        except OSError as error:
            self._give_up(f"No workers can be started: {error.strerror}.")

    def reload(self) -> None:
        """Have new workers take over, when all of them serve; else the old ones go on."""
        if self._fresh:
            self._again = True
        elif not self._ending:
            self._tell("Reloading.")
            try:
                self._fresh = self._started()
            except OSError as error:
                self._tell(f"No new workers: {error}; the old ones go on.")

    async def end(self) -> None:
        """Have all workers finish; cancelled, stop them at once."""
        self._ending = True
        try:
            for worker in self._running:
                worker.release()
            while self._running:
                self._ended.clear()
                await self._ended.wait()
        finally:
            self._drop()

    def served(self, worker: IWorker) -> None:
        """One serves."""
        self._tell(f"Worker {worker.place + 1} is process {worker.pid}.")
        if self._fresh and all(fresh.since is not None for fresh in self._fresh.values()):
            old, self._current = self._current, self._fresh
            self._settle(old)

    def ended(self, worker: IWorker) -> None:
        """One has ended."""
        self._running.discard(worker)
        self._ended.set()
        if self._ending:
            return
        if worker is self._current.get(worker.place):
            since = worker.since
            served = None if since is None else self._reactor.seconds() - since
            self._follow(worker, served, worker.end)
        elif worker is self._fresh.get(worker.place):
            self._tell(f"A new worker {worker.end}; the old ones go on.")
            self._settle(self._fresh)

    # Inside.

    def _started(self) -> dict[int, IWorker]:
        made: dict[int, IWorker] = {}
        try:
            for place in self._places:
                made[place] = self._hire(place)
        except OSError:
            for worker in made.values():
                worker.release()
            raise
        return made

    def _hire(self, place: int) -> IWorker:
        worker = self._start(self, place)
        self._running.add(worker)
        self._reactor.callLater(BEGINNING, self._look, worker)
        return worker

    def _look(self, worker: IWorker) -> None:
        """It has had its time to come to serve."""
        if worker.since is None and worker in self._running and not self._ending:
            number, after = worker.place + 1, f"{BEGINNING:g} seconds"
            self._tell(f"Worker {number}, process {worker.pid}, does not serve after {after}.")
            worker.kill()

    def _settle(self, left: dict[int, IWorker]) -> None:
        """A reload is over, and these are not needed."""
        self._fresh = {}
        for worker in left.values():
            worker.release()
        if self._again:
            self._again = False
            self.reload()

    def _follow(self, worker: IWorker, served: float | None, end: str) -> None:
        """Have another take the place of *worker*, or give up."""
        place = worker.place
        patience = self._patience[place] = self._patience[place].after(served)
        if patience.is_over and not self._is_served():
            self._give_up(f"The workers end as soon as they start: the last {end}.")
            return
        wait = f" in {patience.delay:g} seconds" if patience.delay else ""
        self._tell(f"Worker {place + 1} {end}; another follows{wait}.")
        self._reactor.callLater(patience.delay, self._replace, worker)

    def _is_served(self) -> bool:
        return any(worker.since is not None for worker in self._running)

    def _replace(self, worker: IWorker) -> None:
        # Else a reload has, meanwhile.
        if worker is self._current[worker.place] and not self._ending:
            try:
                self._current[worker.place] = self._hire(worker.place)
            except OSError as error:  # no memory, too many processes: it may pass
                self._follow(worker, None, f"cannot be started ({error.strerror})")

    def _drop(self) -> None:
        for worker in self._running:
            worker.drop()
        for worker in self._running:
            worker.bury()
        self._running.clear()
