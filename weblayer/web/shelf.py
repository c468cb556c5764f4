"""What is kept of the files that are asked for: that they are there, and small ones ready to send.

Theory. To look at a file costs more than to send a small one. So each is looked at once a tick,
which is a second of the site: what changes on disk is seen within that. As long as a look finds
the file as it was, down to its inode and the moment that was last touched, what was made of it
still holds. Nothing else is remembered. What is not there is looked for each time, and so are
folders: one that was turned into a link out of the tree must not lead there for a second.

A file that changed within two seconds of its being read may have been read in the midst of it, and
may change again without its times telling, which are as coarse as that on some disks: it is read
again at the next tick. (Version control systems know the same as the racy index.)
"""

import os
import time
from stat import S_ISREG
from typing import NamedTuple

from weblayer.web.errors import Forbidden, NotFound
from weblayer.web.paths import Root

__all__ = ["MOST_KEPT", "Found", "Ready", "Shelf", "state_of"]

# 256 KiB: what is larger is sent from the kernel's own memory. One of 100 kB cost 38 us of CPU from
# ours and 78 from there, for all that has to be opened and watched.
MOST_KEPT = 256 * 1024

# 32 MiB: the pages, styles and scripts of a large site, in all the codings that are asked for.
MOST_HELD = 32 * 1024 * 1024

# Files that are known to be there; each costs half a kilobyte.
MOST_KNOWN = 8192

# Seconds. The coarsest time of a change that disks keep is that of FAT.
RACY = 2


class Ready(NamedTuple):
    """An answer that is ready: its fields, as they go out, and its body."""

    fields: list[tuple[bytes, bytes]]
    body: bytes


class Found:
    """A file or folder that was there at *tick*.

    *ready* holds its answers by their coding, made under *policy*. *offers* are the codings to
    choose from, None while they have not been looked for in this tick, and *siblings* the files
    that some of them lie in, with the state that those were in.
    """

    __slots__ = (
        "facts", "is_file", "is_racy", "offers", "policy", "ready", "siblings", "tick", "weight",
    )  # fmt: skip

    def __init__(self, facts: os.stat_result, tick: object) -> None:
        self.facts, self.tick = facts, tick
        self.is_file = S_ISREG(facts.st_mode)
        self.ready: dict[bytes, Ready] = {}
        self.weight = 0  # bytes
        self.is_racy = False
        self.offers: tuple[bytes, ...] | None = None
        self.siblings: dict[bytes, tuple[str, tuple[int, ...]]] = {}
        self.policy: object = None


class Shelf:
    """What is known of the files of one tree; bounded, and what was not asked for lately goes."""

    __slots__ = ("_found", "_weight")

    def __init__(self) -> None:
        self._found: dict[str, Found] = {}  # the one that was looked at last comes last
        self._weight = 0

    def known(self, path: str, tick: object) -> Found | None:
        """What is known of *path* in this *tick*."""
        found = self._found.get(path)
        return found if found is not None and found.tick is tick else None

    def look(self, path: str, root: Root, tick: object) -> Found:
        """What is known of *path*, a file looked at once a *tick*.

        Its parent was found, or is the root. Raises NotFound, Forbidden as `Root.find` does.
        """
        found = self._found.get(path)
        if found is not None and found.tick is tick:
            return found
        try:
            facts = root.find(path)
        except (NotFound, Forbidden):
            self.forget(path)
            raise
        if not S_ISREG(facts.st_mode):
            self.forget(path)
            return Found(facts, tick)
        if found is None or state_of(found.facts) != state_of(facts):
            self.forget(path)
            found = Found(facts, tick)
        else:
            found.tick, found.offers = tick, None
            if found.is_racy:
                self.drop_ready(found)
            del self._found[path]
        self._found[path] = found
        self._shrink()
        return found

    def keep(self, path: str, coding: bytes, ready: Ready, changed: float) -> None:
        """Keep an answer with *path*, if it is still known; what it was made of *changed* then."""
        found = self._found.get(path)
        if found is not None:
            found.ready[coding] = ready
            found.is_racy = found.is_racy or time.time() - changed < RACY
            found.weight += len(ready.body)
            self._weight += len(ready.body)
            self._shrink()

    def drop_ready(self, found: Found) -> None:
        """Forget the answers of a file that is still there."""
        self._weight -= found.weight
        found.ready, found.weight, found.is_racy = {}, 0, False

    def forget(self, path: str) -> None:
        """Forget all about *path*."""
        found = self._found.pop(path, None)
        if found is not None:
            self.drop_ready(found)

    def _shrink(self) -> None:
        while self._weight > MOST_HELD or len(self._found) > MOST_KNOWN:
            self.forget(next(iter(self._found)))


def state_of(facts: os.stat_result) -> tuple[int, ...]:
    """What is another where the file is, or what it holds."""
    return (
        facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns,
    )  # fmt: skip
