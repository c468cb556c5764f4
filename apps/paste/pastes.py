"""Pastes: plain files in a folder, each under a name that nobody can guess."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

# Letters and digits that are not mistaken for each other, and on every file system: 32 of
# them, so that sixteen are 80 bits.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
NAME = re.compile(f"[{ALPHABET}]{{16}}")


@dataclass(frozen=True)
class Paste:
    """One paste, where it lies."""

    path: Path

    @property
    def name(self) -> str:
        """What it is called in its address."""
        return self.path.name

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.path.stat().st_size

    @property
    def when(self) -> datetime:
        """When it came."""
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    @property
    def title(self) -> str:
        """Its first line that says something, cut short."""
        lines = (line.strip() for line in self.read(1000).splitlines())
        title = next(filter(None, lines), "(blank)")
        return title if len(title) <= 80 else f"{title[:79]}…"

    def read(self, most: int) -> str:
        """The text of its first bytes, *most* of them; what is no UTF-8 is marked."""
        with self.path.open("rb") as file:
            return file.read(most).decode(errors="replace")


class Pastes:
    """The pastes in *folder*, at most *most* of them: the oldest go first.

    The folder `listed` holds those that everyone may know of, `hidden` those that only who was
    given the address does.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._most = most
        self._listed, self._hidden = folder / "listed", folder / "hidden"
        self._coming = folder / "coming"
        for place in (self._listed, self._hidden, self._coming):
            place.mkdir(parents=True, exist_ok=True)
        for left in self._coming.iterdir():  # by a crash
            left.unlink()

    def find(self, name: str) -> Paste | None:
        """The paste of that name, if there is one."""
        if not NAME.fullmatch(name):
            return None
        paths = (place / name for place in (self._listed, self._hidden))
        return next((Paste(path) for path in paths if path.exists()), None)

    def recent(self, count: int) -> list[Paste]:
        """The newest of the listed ones."""
        return list(reversed(_by_age(self._listed)))[:count]

    @contextmanager
    def new(self, listed: bool) -> Iterator[tuple[str, IO[bytes]]]:
        """A name, and a file to write to: a paste when the block has ended, none on an error."""
        name = "".join(secrets.choice(ALPHABET) for _ in range(16))
        path = self._coming / name
        try:
            with path.open("xb") as file:
                yield name, file
            path.rename((self._listed if listed else self._hidden) / name)
        finally:
            path.unlink(missing_ok=True)
        self._forget()

    def _forget(self) -> None:
        kept = sorted(_by_age(self._listed) + _by_age(self._hidden), key=lambda paste: paste.when)
        for paste in kept[: max(0, len(kept) - self._most)]:
            paste.path.unlink()


def _by_age(folder: Path) -> list[Paste]:
    """The pastes in *folder*, the oldest first."""
    return sorted(map(Paste, folder.iterdir()), key=lambda paste: paste.when)
