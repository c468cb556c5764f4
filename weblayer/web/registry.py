"""What the files of a tree share: components by their class, and resources by their path."""

import os
from typing import Any, TypeVar

__all__ = ["Registry"]

T = TypeVar("T")

# Scripts that stay loaded. A site has dozens; a path that a stranger makes up is never cached.
MOST_CACHED = 1024


class Registry:
    """Given to each processor of a File, and to the pages that it makes.

    A program puts in what its pages need: `registry.setComponent(Database, database)`.
    """

    def __init__(self) -> None:
        self._components: dict[type, Any] = {}  # Any: whatever a program puts in
        self._cached: dict[str, Any] = {}  # Any: whatever a processor makes

    def getComponent(self, kind: type[T], default: T | None = None) -> T | None:
        """What was set for the class *kind*, else *default*."""
        found: T | None = self._components.get(kind, default)
        return found

    def setComponent(self, kind: type[T], component: T) -> None:
        """Have *component* stand for the class *kind*."""
        self._components[kind] = component

    # Any: what was kept is whatever it was.

    def cachePath(self, path: str | os.PathLike[str], made: Any) -> None:
        """Keep what was made from the file *path*; of too many, the oldest is forgotten."""
        name = os.fspath(path)
        self._cached.pop(name, None)
        if len(self._cached) >= MOST_CACHED:
            self._cached.pop(next(iter(self._cached)))
        self._cached[name] = made

    def getCachedPath(self, path: str | os.PathLike[str]) -> Any:
        """What was made from the file *path*; None where nothing is kept."""
        return self._cached.get(os.fspath(path))
