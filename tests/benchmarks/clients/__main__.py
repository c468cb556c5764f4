"""The command: `python -m tests.benchmarks.clients`, from the root of the repository."""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.clients.work import Report
from tests.benchmarks.machine import facts, told
from tests.benchmarks.options import save
from tests.benchmarks.server import ROOT, Running, Server
from tests.benchmarks.servers import HELLO, HOST
from tests.benchmarks.servers.downloads import LARGE
from tests.benchmarks.table import Grid, markdown

BASE = "bare"

NGINX = Server("downloads", "nginx", "nginx", "apt-get install nginx")

PACKAGES = ("uvloop", "httptools", "aiohttp", "httpx", "pycurl", "requests", "treq", "twisted",
            "urllib3")  # fmt: skip


class Client(NamedTuple):
    """A row: the program `clients/NAME.py`, and the module that it needs."""

    name: str
    title: str
    needs: str


class Case(NamedTuple):
    """What is asked for, and how many at once."""

    name: str
    path: str
    size: int
    at_once: int


CLIENTS = (
    Client("bare", "bare uvloop + httptools", "httptools"),
    Client("weblayer", "weblayer Agent", "weblayer"),
    Client("session", "weblayer Session", "weblayer"),
    Client("pycurl", "pycurl", "pycurl"),
    Client("aiohttp", "aiohttp", "aiohttp"),
    Client("urllib3", "urllib3, threads", "urllib3"),
    Client("requests", "requests, threads", "requests"),
    Client("twisted", "Twisted's Agent", "twisted"),
    Client("treq", "treq", "treq"),
    Client("httpx", "httpx", "httpx"),
)

CASES = (
    *(Case(f"hello-{count}", "/", len(HELLO), count) for count in (1, 32, 256)),
    *(Case(f"large-{count}", "/large", LARGE, count) for count in (1, 32)),
)

Taken = dict[tuple[str, str], list[Report]]


def main() -> int:
    """Measure what the command line asks for; 1 when a client that is there failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = _parser().parse_args()
    if hint := NGINX.missing():
        sys.exit(hint)
    cases = [case for case in CASES if case.name in options.only]
    clients = [client for client in CLIENTS if client.name in options.clients and _is_here(client)]
    cores = sorted(os.sched_getaffinity(0))
    taken: Taken = {}
    failed: set[str] = set()
    with Running(NGINX, cores[-1]) as running:
        for case in cases:
            for number in range(options.rounds):
                for client in clients:
                    if client.name not in failed:
                        report = _run(client, case, running.port, options.seconds, cores[0])
                        taken.setdefault((case.name, client.name), []).extend(report)
                        failed |= set() if report else {client.name}
                _say(f"{case.name}: round {number + 1} of {options.rounds}")
    about = facts(PACKAGES)
    listed = told(about)
    print(f"Medians of {options.rounds} rounds of {options.seconds} s (lowest-highest); {listed}.")
    for case in cases:
        print("\n" + table(case, clients, taken))
    if options.json:
        plan = {"rounds": options.rounds, "seconds": options.seconds}
        save(options.json, about=about, plan=plan, samples=_samples(taken))
    return 1 if failed else 0


def _samples(taken: Taken) -> list[dict[str, str | float]]:
    return [
        {"case": case, "client": client, "round": number, **report._asdict()}
        for (case, client), reports in taken.items()
        for number, report in enumerate(reports)
    ]


def table(case: Case, clients: Sequence[Client], taken: Taken) -> str:
    """The table of one case as Markdown, the cheapest client first."""
    base = _cpus(case, BASE, taken)
    rows = []
    for client in clients:
        if cpus := _cpus(case, client.name, taken):
            rate = median(one.rate for one in taken[case.name, client.name])
            ratio = f"{median(cpus) / median(base):.2f}" if base else "-"
            rows.append((median(cpus), client.title, _spread(cpus), ratio, f"{rate:.0f}"))
    grid = Grid(
        ["client", "CPU µs/request", f"x {BASE}", "requests/s"], [row[1:] for row in sorted(rows)]
    )
    return f"### {case.name}: {case.size} bytes, {case.at_once} at once\n\n{markdown(grid)}"


def _run(client: Client, case: Case, port: int, seconds: float, core: int) -> list[Report]:
    """What one run has told; nothing when it failed."""
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.clients.{client.name}",
         f"http://{HOST}:{port}{case.path}", str(case.at_once), str(case.size), str(seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + 20 * seconds,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    if ended.returncode:
        _say(f"{case.name}: {client.name} is left out. {ended.stderr}")
        return []
    return [Report(**json.loads(ended.stdout))]


def _cpus(case: Case, client: str, taken: Taken) -> list[float]:
    return [one.cpu for one in taken.get((case.name, client), ())]


def _spread(figures: Sequence[float]) -> str:
    return f"{median(figures):.1f} ({min(figures):.1f}-{max(figures):.1f})"


def _is_here(client: Client) -> bool:
    if find_spec(client.needs):
        return True
    _say(f"left out: {client.name}: pip install {client.needs}")
    return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.clients",
        description="Measure what a request costs weblayer's client and its peers.",
    )
    parser.add_argument(
        "--only", type=_names([one.name for one in CASES]), default=[one.name for one in CASES],
        metavar="CASE,...", help=", ".join(one.name for one in CASES),
    )  # fmt: skip
    parser.add_argument(
        "--clients", type=_names([one.name for one in CLIENTS]), metavar="NAME,...",
        default=[one.name for one in CLIENTS], help=", ".join(one.name for one in CLIENTS),
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, default=1.0, help="of each run (default: 1)")
    parser.add_argument("--rounds", type=int, default=5, help="of each case (default: 5)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write every sample to this file"
    )
    return parser


def _names(known: Sequence[str]):
    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(
                f"no {', '.join(unknown)}; there is {', '.join(known)}"
            )
        return names

    return read


def _say(line: str) -> None:
    """Tell who watches what is going on, beside the tables on standard output."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
