"""What a server has used, as the kernel counts it: CPU time and resident memory.

A server starts in a session of its own, so its processes are those of that session, and those
that they have started, which may be in sessions of their own, as workers are. The time of
children that have ended is in their parent's account once it has waited for them.
Source: proc_pid_stat(5).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["Stat", "Usage", "family", "parse_stat", "usage"]


class Stat(NamedTuple):
    """The fields of interest: *ticks* of user and system time, *pages* of memory."""

    process: int
    parent: int
    session: int
    ticks: int
    pages: int


@dataclass(frozen=True)
class Usage:
    """CPU seconds since the start, and resident bytes now, of all the processes together."""

    cpu: float
    resident: int


def parse_stat(line: str) -> Stat:
    """Read /proc/PID/stat; the name in parentheses may hold spaces and parentheses itself."""
    # The first field here is the third of the manual's list, which counts from one.
    fields = line.rpartition(")")[2].split()
    user, system, children_user, children_system = map(int, fields[11:15])
    return Stat(
        process=int(line.partition(" ")[0]),
        parent=int(fields[1]),
        session=int(fields[3]),
        ticks=user + system + children_user + children_system,
        pages=int(fields[21]),
    )


def usage(session: int) -> Usage:
    """Add up what the processes of a session have used, and their children."""
    stats = family(_every_stat(), session)
    return Usage(
        cpu=sum(stat.ticks for stat in stats) / os.sysconf("SC_CLK_TCK"),
        resident=sum(stat.pages for stat in stats) * os.sysconf("SC_PAGE_SIZE"),
    )


def family(stats: Iterable[Stat], session: int) -> list[Stat]:
    """Those of a session, and of the processes that they have started."""
    every = list(stats)
    own = {stat.process for stat in every if stat.session == session}
    return [stat for stat in every if stat.process in own or stat.parent in own]


def _every_stat() -> list[Stat]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            found.append(parse_stat(path.read_text()))
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended between the listing and the reading.
    return found
