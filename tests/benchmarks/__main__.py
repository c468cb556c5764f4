"""The command: `python -m tests.benchmarks`, from the root of the repository."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.case import CASES, Case
from tests.benchmarks.load import missing_wrk
from tests.benchmarks.machine import facts, told
from tests.benchmarks.measure import Plan, Sample, measure
from tests.benchmarks.options import chosen, installed, listed, positive, save, say
from tests.benchmarks.server import PACKAGES, SERVERS, Server, ServerFailed
from tests.benchmarks.table import report


def main() -> int:
    """Measure what the command line asks for; 1 when a server that is there failed."""
    # An exit runs what stops the servers; the signal alone would leave them at work.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = _parser().parse_args()
    if problem := _impossible(options.only):
        sys.exit(problem)
    plan = _plan(options)
    servers = installed(options.servers)
    _announce(options.only, servers, plan)
    about = facts(PACKAGES)
    samples, failed = _measure_all(options.only, servers, plan)
    if samples:
        print(_title(about, plan) + "\n\n" + report(samples))
    if options.json:
        save(options.json, about=about, plan=asdict(plan), samples=[*map(asdict, samples)])
    return 1 if failed or not samples else 0


def _measure_all(
    cases: Sequence[Case], servers: Sequence[Server], plan: Plan
) -> tuple[list[Sample], set[str]]:
    """Every sample, and the names of the servers that failed in some case."""
    samples: list[Sample] = []
    failed: set[str] = set()
    dead: set[str] = set()
    for case in cases:
        # A wrong answer concerns one case; a server that does not run is not tried again.
        taken, errors = measure(case, [s for s in servers if s.name not in dead], plan, say)
        samples += taken
        failed |= errors.keys()
        dead |= {name for name, error in errors.items() if isinstance(error, ServerFailed)}
    return samples, failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure what a request costs on weblayer and on its peers; print Markdown.",
        epilog="cases:\n" + listed(CASES) + "\n\nservers:\n" + listed(SERVERS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        type=chosen(CASES),
        default=CASES,
        metavar="CASE,...",
        help="these cases (default: all)",
    )
    parser.add_argument(
        "--servers",
        type=chosen(SERVERS),
        default=SERVERS,
        metavar="NAME,...",
        help="these servers (default: all); ratios need bare among them, nginx for files",
    )
    parser.add_argument(
        "--seconds",
        type=positive,
        default=2,
        metavar="N",
        help="of each measurement, a whole number (default: 2)",
    )
    parser.add_argument(
        "--rounds",
        type=positive,
        default=5,
        metavar="N",
        help="measurements of each server and case (default: 5)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write every sample to this file"
    )
    return parser  # fmt: skip


def _impossible(cases: Sequence[Case]) -> str | None:
    """Why this machine cannot measure at all."""
    if not sys.platform.startswith("linux"):
        return "The benchmark reads /proc and pins processes to cores: it needs Linux."
    return missing_wrk() if any(case.kind != "echo" for case in cases) else None


def _plan(options: argparse.Namespace) -> Plan:
    """The server gets the last core, since the first one serves most interrupts."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        say("only one core: the server shares it with the load, so only CPU µs/request means much")
    return Plan(options.rounds, options.seconds, server_core=cores[-1], load_core=cores[0])


def _announce(cases: Sequence[Case], servers: Sequence[Server], plan: Plan) -> None:
    """Say how long it takes: starting, checking and warming up cost some 2 seconds a server."""
    contests = sum(server.can(case) for case in cases for server in servers)
    minutes = contests * (plan.rounds * plan.seconds + 2) / 60
    say(f"{len(cases)} cases, {len(servers)} servers, {plan.rounds} rounds of {plan.seconds} s: "
         f"about {minutes:.1f} minutes. Figures below are CPU µs/request.")  # fmt: skip


def _title(about: dict[str, str], plan: Plan) -> str:
    on = told(about)
    return f"Medians of {plan.rounds} rounds of {plan.seconds} s (lowest-highest); {on}."


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
