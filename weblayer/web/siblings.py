"""Files that lie beside a file, and hold the same in a coding: "app.js.br" beside "app.js"."""

import os
from collections.abc import Mapping
from stat import S_ISREG

from weblayer.web.errors import Forbidden, NotFound
from weblayer.web.paths import Root
from weblayer.web.shelf import state_of

__all__ = ["siblings_of"]


def siblings_of(
    path: str, facts: os.stat_result, encodings: Mapping[str, str], root: Root
) -> dict[bytes, tuple[str, tuple[int, ...]]]:
    """The siblings of *path*, whose own *facts* are given, by coding, each with its state.

    One that is older than the file holds what the file was, and does not count.
    """
    found = {}
    for extension, encoding in encodings.items():
        sibling = path + extension
        try:
            os.lstat(sibling)  # most have none: to find that out by `find` costs twice as much
            state = root.find(sibling)
        except (OSError, ValueError, NotFound, Forbidden):
            continue
        if S_ISREG(state.st_mode) and state.st_mtime_ns >= facts.st_mtime_ns:
            found[encoding.encode("latin-1")] = (sibling, state_of(state))
    return found
