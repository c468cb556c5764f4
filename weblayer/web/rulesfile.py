"""A file of rules beside the files it is about: read when it is needed, and when it changes."""

import logging
import os
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["RulesFile"]

log = logging.getLogger("weblayer")

# 256 KiB: the largest hosts take 2,000 lines of 100 characters or so.
MAX_BYTES = 256 * 1024

Rules = TypeVar("Rules")


class RulesFile(Generic[Rules]):
    """The rules in the file at *path*, read by *parse*; of a file that is not there, those of "".

    *parse* gives the rules, and sentences on what is wrong with the file, which are logged once.
    """

    def __init__(self, path: str, parse: Callable[[str], tuple[Rules, list[str]]]) -> None:
        self._path, self._parse = path, parse
        self._looked: float | None = None
        self._state: tuple[int, int, int] | None = None
        self._rules = parse("")[0]

    def at(self, now: float) -> Rules:
        """The rules, as they are at the second *now*: the file is looked at once in each."""
        if now != self._looked:
            self._looked = now
            self._look()
        return self._rules

    def _look(self) -> None:
        try:
            facts = os.stat(self._path)
            state = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        except OSError:
            state = None
        if state != self._state:
            self._state = state
            self._rules, wrong = self._parse(self._read() if state else "")
            for sentence in wrong:
                log.warning("%s, %s", self._path, sentence)

    def _read(self) -> str:
        """The file, as far as rules may go; nothing where it cannot be had."""
        try:
            # Without waiting, should it be a FIFO.
            with open(self._path, "rb", opener=lambda p, f: os.open(p, f | os.O_NONBLOCK)) as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            log.warning("%s cannot be read: %s", self._path, error.strerror)
            return ""
        if len(data) > MAX_BYTES:
            log.warning("%s is larger than %d bytes, and is not read", self._path, MAX_BYTES)
            return ""
        return data.decode("utf-8-sig", "replace")
