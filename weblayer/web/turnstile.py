"""How many programs may run for requests at once, and how many requests may wait for one."""

import asyncio

from weblayer.loop.locks import DeferredSemaphore
from weblayer.web.errors import ServiceUnavailable

__all__ = ["Turnstile"]

# Seconds after which a request that found no room may come again: some programs are done by then.
RETRY = 5.0


class Turnstile:
    """Lets *most* through at once; *waiting* more stand in line, for so many *seconds* at most.

    All others are told to come later. One may stand before as many resources as you like.
    """

    def __init__(self, most: int, waiting: int, seconds: float = 60.0) -> None:
        if waiting < 0:
            raise ValueError(f"waiting must be a number, and none below 0, not {waiting!r}")
        self._inside = DeferredSemaphore(most)
        self._most_waiting, self._seconds = waiting, seconds

    async def enter(self) -> None:
        """Wait for a place; give it back with `leave`.

        Raises ServiceUnavailable when the line is too long, or does not move.
        """
        inside = self._inside
        if not inside.tokens and len(inside.waiting) >= self._most_waiting:
            raise ServiceUnavailable(retryAfter=RETRY)
        try:
            async with asyncio.timeout(self._seconds):
                await inside.__aenter__()
        except TimeoutError:
            raise ServiceUnavailable(retryAfter=RETRY) from None

    def leave(self) -> None:
        """Give a place back."""
        self._inside.release()
