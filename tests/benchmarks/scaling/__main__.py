"""The command: `python -m tests.benchmarks.scaling`, from the root of the repository."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tests.benchmarks.check import WrongAnswer
from tests.benchmarks.crowd import room
from tests.benchmarks.load import LoadFailed, missing_wrk
from tests.benchmarks.machine import facts, told
from tests.benchmarks.measure import Plan
from tests.benchmarks.options import chosen, listed, positive, save, say
from tests.benchmarks.scaling.measure import Sample, measure
from tests.benchmarks.scaling.series import SERIES, Series
from tests.benchmarks.scaling.table import report
from tests.benchmarks.server import ServerFailed

PACKAGES = ("uvloop", "httptools", "weblayer")


def main() -> int:
    """Measure what the command line asks for; 1 when some of it failed."""
    # An exit runs what stops the servers; the signal alone would leave them at work.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = _parser().parse_args()
    if problem := missing_wrk():
        sys.exit(problem)
    cores = sorted(os.sched_getaffinity(0))
    plan = Plan(options.rounds, options.seconds, server_core=cores[-1], load_core=cores[0])
    about = facts(PACKAGES)
    asked = [_possible(series) for series in options.only]
    samples, failed = _measured(asked, plan)
    if samples:
        on = told(about)
        print(f"Medians of {plan.rounds} rounds of {plan.seconds} s (lowest-highest); {on}.\n")
        print(report(samples))
    if options.json:
        save(options.json, about=about, plan=asdict(plan), samples=[*map(asdict, samples)])
    return 1 if failed else 0


def _measured(asked: Sequence[Series], plan: Plan) -> tuple[list[Sample], bool]:
    """Every sample, and whether a series failed."""
    samples: list[Sample] = []
    failed = False
    for series in asked:
        try:
            samples += measure(series, plan, say)
        except (ServerFailed, WrongAnswer, LoadFailed) as error:
            failed = True
            say(f"{series.name} is left out. {error}")
    return samples, failed


def _possible(series: Series) -> Series:
    """The series without what the system gives us, and so our children, no descriptors for."""
    most = room(max(point.connections for point in series.points))
    few = [point for point in series.points if point.connections <= most]
    if len(few) < len(series.points):
        say(f"{series.name}: only up to {few[-1].x:,}: `ulimit -Hn` lets us have {most:,}")
    return replace(series, points=few)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scaling",
        description="Measure how the cost of a request to weblayer grows; print Markdown.",
        epilog="series:\n" + listed(SERIES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", type=chosen(SERIES), default=SERIES, metavar="NAME,...",
        help="these (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=positive, default=1, metavar="N",
        help="of each measurement, a whole number (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=positive, default=3, metavar="N",
        help="measurements of each point (default: 3)",
    )  # fmt: skip
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write every sample to this file"
    )
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
