"""What a server takes besides its time for each request: memory, and time to start.

    python -m tests.benchmarks.footprint --help
    python -m tests.benchmarks.footprint --servers weblayer,aiohttp --json out.json

* *import ms*: what the server's program imports, beyond the start of a bare Python.
* *first answer ms*: from the start of its process to the end of its first answer, all included.
* *resident MB*: its processes after that answer; pages that they share count twice.
* *idle connection kB*: what each of some thousand connections adds to that, when it has had an
  answer and is kept. Its request has no field but Host: who keeps the last one takes more where
  browsers ask. The kernel's memory for it is not counted, and is the same for all. nginx is left
  out: it has room for all of its connections from the start.

Each server is started once in a round, and rounds are taken in turn, as those of the other
measurements are. What is compiled is compiled before the first. The figures are medians, followed
by the lowest and the highest; idle connections are measured once, after a few that fill caches.
In the file are the same, the medians as `value`.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.crowd import crowd, ensure_kept, room
from tests.benchmarks.load import LoadFailed
from tests.benchmarks.machine import facts, told
from tests.benchmarks.meter import usage
from tests.benchmarks.options import chosen, installed, listed, positive, save, say
from tests.benchmarks.server import PACKAGES, ROOT, SERVERS, Running, Server, ServerFailed
from tests.benchmarks.table import Grid, markdown, spread

UNITS = {
    "start": "ms", "import": "ms", "first answer": "ms", "resident": "MB", "idle connection": "kB",
}  # fmt: skip
COLUMNS = list(UNITS)[1:]  # a bare Python alone has a figure for its start

# Connections that are there before those that are counted.
FIRST = 500

# Seconds, in which a server may do what it does once a second.
SETTLE = 1.5

FAILURES = (ServerFailed, LoadFailed, subprocess.CalledProcessError)

# The name of a server, and the figure.
Key = tuple[str, str]


@dataclass(frozen=True)
class Figure:
    """The median of what was measured, the lowest and the highest, in *unit*."""

    name: str
    figure: str
    unit: str
    value: float
    low: float
    high: float


def main() -> int:
    """Measure what the command line asks for; 1 when a server that is there failed."""
    # An exit runs what stops the servers; the signal alone would leave them at work.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = _parser().parse_args()
    # What pip installs is compiled once; what stands in this folder must be, too.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    servers, connections = installed(options.servers), room(FIRST + options.connections) - FIRST
    about = facts(PACKAGES)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    failed: set[str] = set()
    starts = _starts(servers, options.rounds, cores[-1], failed)
    figures = summed([*starts, *_idle(servers, connections, cores[-1], failed)])
    on = told(about)
    print(f"{options.rounds} starts of each, and {connections:,} idle connections; {on}.\n")
    print(table(figures))
    if options.json:
        save(options.json, about=about, samples=[asdict(figure) for figure in figures])
    return 1 if failed else 0


def summed(taken: Iterable[tuple[Key, float]]) -> list[Figure]:
    """The figures of all rounds together."""
    values: dict[Key, list[float]] = defaultdict(list)
    for key, value in taken:
        values[key].append(value)
    return [Figure(*key, UNITS[key[1]], *spread(values[key])) for key in values]


def table(figures: Sequence[Figure]) -> str:
    """Servers down, in the order of their rows, and figures across, in Markdown."""
    shown = {(one.name, one.figure): _shown(one) for one in figures}
    rows = [
        [server.title, *(shown.get((server.name, figure), "-") for figure in COLUMNS)]
        for server in SERVERS
        if any(one.name == server.name for one in figures)
    ]
    headings = ["server", *(f"{figure} {UNITS[figure]}" for figure in COLUMNS)]
    start = shown.get(("python", "start"), "-")
    return markdown(Grid(headings, rows)) + f"\n\nA bare Python starts in {start} ms."


def _shown(figure: Figure) -> str:
    if figure.low == figure.high:
        return f"{figure.value:.1f}"
    return f"{figure.value:.1f} ({figure.low:.1f}-{figure.high:.1f})"


def _starts(
    servers: Sequence[Server], rounds: int, core: int, failed: set[str]
) -> Iterator[tuple[Key, float]]:
    """What each start of each server took; who fails is added to *failed*, and told."""
    list(_round(servers, core, failed))  # compiles, and fills the caches of the disk
    for number in range(rounds):
        yield from _round(servers, core, failed)
        say(f"starts: round {number + 1} of {rounds}")


def _round(servers: Sequence[Server], core: int, failed: set[str]) -> Iterator[tuple[Key, float]]:
    bare = _import("tests.benchmarks.servers", core)
    yield ("python", "start"), bare
    for server in servers:
        try:
            if not server.is_program:
                took = _import(f"tests.benchmarks.servers.{server.name}", core)
                yield (server.name, "import"), took - bare
            answer, resident = _start(server, core)
            yield (server.name, "first answer"), answer
            yield (server.name, "resident"), resident
        except FAILURES as error:
            _fail(server, error, failed)


def _import(module: str, core: int) -> float:
    """Milliseconds that a Python takes which imports *module* and ends."""
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        cwd=ROOT,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    return (time.perf_counter() - begin) * 1e3


def _start(server: Server, core: int) -> tuple[float, float]:
    """Milliseconds to the first answer, and the megabytes then."""
    begin = time.perf_counter()
    with Running(server, core) as running, crowd(running.port, 1):
        took = time.perf_counter() - begin
        return took * 1e3, usage(running.session).resident / 1e6


def _idle(
    servers: Sequence[Server], count: int, core: int, failed: set[str]
) -> Iterator[tuple[Key, float]]:
    """The kilobytes of a connection of each server."""
    for server in servers:
        if server.is_program or server.name in failed:
            continue
        try:
            yield (server.name, "idle connection"), _each(server, count, core)
        except FAILURES as error:
            _fail(server, error, failed)


def _each(server: Server, count: int, core: int) -> float:
    """Kilobytes that each of *count* idle connections adds."""
    with Running(server, core) as running, crowd(running.port, FIRST):
        before = usage(running.session).resident
        with crowd(running.port, count) as connections:
            time.sleep(SETTLE)
            after = usage(running.session).resident
            ensure_kept(connections)
    each = (after - before) / count / 1e3
    say(f"idle connections: {server.name} {each:.1f} kB")
    return each


def _fail(server: Server, error: Exception, failed: set[str]) -> None:
    failed.add(server.name)
    say(f"{server.name} is left out. {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.footprint",
        description="Measure the memory of servers and how long they take to start.",
        epilog="servers:\n" + listed(SERVERS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--servers", type=chosen(SERVERS), default=SERVERS, metavar="NAME,...",
        help="these servers (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=positive, default=9, metavar="N",
        help="starts of each server (default: 9)",
    )  # fmt: skip
    parser.add_argument(
        "--connections", type=positive, default=5000, metavar="N",
        help="that are idle; fewer where `ulimit -Hn` is less (default: 5000)",
    )  # fmt: skip
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write every figure to this file"
    )
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
