"""A line on the terminal that tells how far a body has come.

click's bar wraps where a name is long or a terminal narrow, and then fills it with copies of
itself; and it must know how long the body is.
"""

import os
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import Any

import click

__all__ = ["Progress", "human", "told"]

# Seconds between two pictures: a person sees no more, and each costs what a megabyte does.
PAUSE = 0.1

# Columns: what is left of a name, and of a bar, before something else is left out; a bar that is
# longer tells no more.
LEAST_NAME, LEAST_BAR, MOST_BAR = 12, 8, 40


class Progress:
    """Shows how much of *total* bytes is there, or just how much where that is None.

    A context manager, which gives what is to be told of each further number of bytes; *start* of
    them were there before.
    """

    def __init__(
        self,
        name: str,
        start: int,
        total: int | None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._start, self._total, self._seconds = name, start, total, seconds
        self._done = start
        self._began = self._next = seconds()

    def __enter__(self) -> Callable[[int], object]:
        self._draw()
        return self._advance

    def __exit__(self, *error: object) -> None:
        self._draw()
        click.echo(err=True)

    def _advance(self, size: int) -> None:
        self._done += size
        if self._seconds() >= self._next:
            self._draw()

    def _draw(self) -> None:
        now = self._seconds()
        self._next = now + PAUSE
        passed = now - self._began
        line = told(self._name, self._done, self._total, self._rate(passed), passed, _columns() - 1)
        # What stood there is longer at times; an escape sequence to end it says so in 3 bytes.
        click.echo(f"\r{_sendable(line)}\x1b[K", nl=False, err=True)

    def _rate(self, passed: float) -> float:
        return (self._done - self._start) / passed if passed > 0 else 0.0


def told(
    name: str, done: int, total: int | None, rate: float, passed: float, columns: int
) -> str:  # fmt: skip
    """The line, in at most so many *columns*: what matters least is left out first.

    *done* and *total* are bytes, *rate* is bytes a second, *passed* seconds.
    """
    facts = [f"{human(done):>8}"]
    share = None if total is None else done / total if total else 1.0
    if share is not None:
        facts = [f"{int(share * 100):3}%", *facts, _when(share, rate, done, passed)]
    facts.append(f"{human(rate):>8}/s")
    name = _cut(name, max(LEAST_NAME, columns // 3))
    least = _width(name) + 2 + (LEAST_BAR + 2 if share is not None else 0)
    while len(facts) > 1 and least + len("  ".join(facts)) > columns:
        facts.pop()
    room = min(columns - _width(name) - len("  ".join(facts)) - 4, MOST_BAR)
    bar = [_bar(share, room)] if share is not None and room >= LEAST_BAR else []
    return _cut("  ".join([name, *bar, *facts]), columns)


def human(size: float) -> str:
    """A number of bytes, in three or four digits."""
    for unit in ("bytes", "kB", "MB"):
        if size < 999.95:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _when(share: float, rate: float, done: int, passed: float) -> str:
    """How long it took, or will take, in a column as wide for each."""
    if share >= 1:
        return f"in {_clock(passed)}".rjust(9)
    left = done / share - done if share else 0.0
    return f"{_clock(left / rate)} left".rjust(9) if rate and left else " " * 9


def _bar(share: float, columns: int) -> str:
    full = int(min(share, 1.0) * columns)
    return "━" * full + "╌" * (columns - full)


def _clock(seconds: float) -> str:
    if seconds >= 100 * 3600:  # at the rate of nothing it is infinite
        return "days"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _cut(text: str, columns: int) -> str:
    """*text*, of which at most so many columns are left."""
    if _width(text) <= columns:
        return text
    while text and _width(text) >= columns:
        text = text[:-1]
    return f"{text}…" if columns > 0 else ""


def _width(text: str) -> int:
    """The columns that *text* takes: Chinese and most emoji take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _columns() -> int:
    """How wide the terminal is now: people make it wider while they wait."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _sendable(line: str) -> str:
    """*line* as the terminal can show it: one for ASCII alone gets other lines."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    plain: dict[int, Any] = str.maketrans("━╌…", "#-~")
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        line = line.translate(plain).encode(encoding, "replace").decode(encoding)
    return "".join(one if one.isprintable() else "?" for one in line)
