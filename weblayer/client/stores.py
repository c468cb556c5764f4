"""Where a CacheAgent keeps answers: the face of such a place, and one in memory."""

from collections import OrderedDict
from typing import Protocol as Face

from weblayer.wire.caching import Kept

__all__ = ["ICacheStore", "MemoryStore"]

# Answers to one URI, for who asks differently: languages, codings and formats together are fewer.
MOST_VARIANTS = 16

# What is held of an answer beside its body, roughly.
OVERHEAD = 1024


class ICacheStore(Face):
    """Keeps answers by their URI, at most one for each `chosen` of theirs.

    It may forget any of them at any time. What it gives is what it was given. It raises nothing
    for what has befallen it: a cache that has broken is one that has nothing.
    """

    def find(self, uri: str, /) -> list[Kept]: ...
    def read(self, uri: str, kept: Kept, /) -> bytes | None: ...
    def keep(self, uri: str, kept: Kept, body: bytes, /) -> object: ...
    def refresh(self, uri: str, before: Kept, after: Kept, /) -> object: ...
    def remove(self, uri: str, kept: Kept | None = None, /) -> object: ...


class MemoryStore:
    """Keeps answers in memory, *maxSize* bytes of them; first goes what was longest not asked for.

    One store may be shared by several agents of one user.
    """

    # A thousand pages: less than the libraries of a client take.
    def __init__(self, maxSize: int = 64 * 1024 * 1024) -> None:
        self._most, self._size = maxSize, 0
        self._answers: OrderedDict[str, dict[bytes, tuple[Kept, bytes]]] = OrderedDict()

    def find(self, uri: str) -> list[Kept]:
        """The answers that are kept of *uri*."""
        return [kept for kept, _ in self._answers.get(uri, {}).values()]

    def read(self, uri: str, kept: Kept) -> bytes | None:
        """The body of *kept*; None where it has gone, or is another one's by now."""
        found = self._answers.get(uri, {}).get(kept.chosen)
        if found is None or found[0] != kept:
            return None
        self._answers.move_to_end(uri)
        return found[1]

    def keep(self, uri: str, kept: Kept, body: bytes) -> None:
        """Keep *kept* in place of the answer that was for the same."""
        variants = self._answers.setdefault(uri, {})
        self._drop(variants, kept.chosen)
        if len(variants) == MOST_VARIANTS:
            self._drop(variants, next(iter(variants)))
        variants[kept.chosen] = kept, body
        self._size += _size(kept, body)
        self._answers.move_to_end(uri)
        while self._size > self._most:
            self.remove(next(iter(self._answers)))

    def refresh(self, uri: str, before: Kept, after: Kept) -> None:
        """Let the body of *before* be that of *after*."""
        body = self.read(uri, before)
        if body is not None:
            self._drop(self._answers[uri], before.chosen)
            self.keep(uri, after, body)

    def remove(self, uri: str, kept: Kept | None = None) -> None:
        """Forget *kept*, or all that is kept of *uri*."""
        variants = self._answers.get(uri, {})
        for chosen in list(variants) if kept is None else [kept.chosen]:
            self._drop(variants, chosen)
        if not variants:
            self._answers.pop(uri, None)

    def _drop(self, variants: dict[bytes, tuple[Kept, bytes]], chosen: bytes) -> None:
        found = variants.pop(chosen, None)
        if found is not None:
            self._size -= _size(*found)


def _size(kept: Kept, body: bytes) -> int:
    return len(body) + len(kept.raw) + OVERHEAD
