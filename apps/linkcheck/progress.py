"""A line on the terminal while a crawl goes on."""

import os
import time
from types import TracebackType
from typing import Self, TextIO

from crawler import Crawler, Visit

# Seconds between two pictures: nobody sees more.
PAUSE = 0.1

WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress:
    """Tells on *channel* how far a crawl is, where that is a terminal, and wipes it off again."""

    def __init__(self, channel: TextIO) -> None:
        self._channel = channel
        self._is_seen = channel.isatty() and os.environ.get("TERM") != "dumb"
        self._done = self._bad = self._turn = 0
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._is_seen:
            self._channel.write("\r\x1b[K")
            self._channel.flush()

    def tell(self, crawler: Crawler, visit: Visit) -> None:
        """One more address was looked at."""
        self._done += 1
        self._bad += visit.is_bad
        if self._is_seen and (now := time.monotonic()) >= self._next:
            self._next = now + PAUSE
            self._draw(crawler, visit.url)

    def _draw(self, crawler: Crawler, url: str) -> None:
        self._turn = (self._turn + 1) % len(WHEEL)
        known = crawler.begun
        full = self._done * 20 // known
        bar = "━" * full + "╌" * (20 - full)
        line = f"{WHEEL[self._turn]} {bar} {self._done} of {known}, {self._bad} bad  {url}"
        plain = "".join(one if one.isprintable() else "?" for one in line)
        self._channel.write(f"\r{plain[: self._columns() - 1]}\x1b[K")
        self._channel.flush()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._channel.fileno()).columns or 80
        except OSError:
            return 80
