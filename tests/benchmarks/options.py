"""What the commands have in common: reading names and numbers, and telling how it goes."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tests.benchmarks.server import Server

__all__ = ["chosen", "installed", "listed", "positive", "save", "say"]


class Named(Protocol):
    """A row of a table, of which the command line names some."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...


Row = TypeVar("Row", bound=Named)


def chosen(rows: Sequence[Row]) -> Callable[[str], list[Row]]:
    """Reads names with commas between them as those *rows*, in the order of the rows."""

    def read(text: str) -> list[Row]:
        names = set(text.split(","))
        known = {row.name for row in rows}
        if unknown := names - known:
            raise argparse.ArgumentTypeError(
                f"no {', '.join(sorted(unknown))}; there is {', '.join(sorted(known))}"
            )
        return [row for row in rows if row.name in names]

    return read


def positive(text: str) -> int:
    """Reads a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)


def listed(rows: Sequence[Named]) -> str:
    """The rows with their titles, for `--help`."""
    return "\n".join(f"  {row.name:13} {row.title}" for row in rows)


def installed(servers: Sequence[Server]) -> list[Server]:
    """Those that are there; of the others is said how to install them."""
    for server in servers:
        if hint := server.missing():
            say(f"left out: {hint}")
    return [server for server in servers if not server.missing()]


# Any: whatever JSON can hold.
def save(path: Path, **document: Any) -> None:
    """Write what was measured for other programs."""
    path.write_text(json.dumps(document, indent=1) + "\n")


def say(line: str) -> None:
    """Tell who watches what is going on, beside the tables on standard output."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
