"""How often links were used that are good for a number of times."""

from collections.abc import Awaitable
from heapq import heappop, heappush

from weblayer.web.errors import ServiceUnavailable

__all__ = ["LinkUses"]

# Links in use at once that are good for a number of times: 20 MB, and more than people are sent.
MAX_LINKS = 100_000


class LinkUses:
    """How often links were used, in memory: of this process, and until it ends.

    A program of several processes, or one that must remember, gives SignedLinks one of its own with
    the same `use`, which may give an awaitable.
    """

    def __init__(self, maxLinks: int = MAX_LINKS) -> None:
        self._max_links = maxLinks
        self._used: dict[str, int] = {}
        self._until: list[tuple[float, str]] = []  # a heap

    def use(self, link: str, until: float, now: float) -> int | Awaitable[int]:
        """Note one more use of *link*, and give how many that makes; forget it after *until*.

        Both are seconds since 1970. Raises ServiceUnavailable when there are too many of them:
        to forget one that is still good would let it be used again.
        """
        while self._until and self._until[0][0] < now:
            del self._used[heappop(self._until)[1]]
        if link not in self._used:
            if len(self._used) >= self._max_links:
                raise ServiceUnavailable("Too many links are in use. Try again later.", 60)
            heappush(self._until, (until, link))
        self._used[link] = self._used.get(link, 0) + 1
        return self._used[link]
