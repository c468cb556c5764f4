"""A gate between a task that writes and a consumer that has enough."""

import asyncio

from weblayer.loop.loops import current_loop

__all__ = ["Gate"]


class Gate:
    """A push producer that a task can wait for: shut while its consumer has enough."""

    def __init__(self) -> None:
        self._opening: asyncio.Future[None] | None = None

    def pauseProducing(self) -> None:
        if self._opening is None:
            self._opening = current_loop().create_future()

    def resumeProducing(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None and not opening.done():
            opening.set_result(None)

    stopProducing = resumeProducing  # who waits is told elsewhere that it is over; it must not hang

    async def opened(self) -> None:
        """Wait until it is open."""
        if self._opening is not None:
            await self._opening
