"""The command: `python -m tests.benchmarks.scaling`, from the root of the repository."""

import argparse
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tests.benchmarks.check import WrongAnswer
from tests.benchmarks.load import LoadFailed, missing_wrk
from tests.benchmarks.machine import facts
from tests.benchmarks.measure import Plan
from tests.benchmarks.scaling.measure import Sample, measure
from tests.benchmarks.scaling.series import SERIES, Series
from tests.benchmarks.scaling.table import report
from tests.benchmarks.server import ServerFailed

PACKAGES = ("uvloop", "httptools", "weblayer")

# Descriptors that a server or a load has beside its connections, with room.
OTHERS = 100


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
    asked = [_possible(series) for series in SERIES if series.name in options.only]
    samples, failed = _measured(asked, plan)
    if samples:
        listed = ", ".join(f"{name} {value}" for name, value in about.items())
        print(f"Medians of {plan.rounds} rounds of {plan.seconds} s (lowest-highest); {listed}.\n")
        print(report(samples))
    if options.json:
        document = {"about": about, "plan": asdict(plan), "samples": [*map(asdict, samples)]}
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 1 if failed else 0


def _measured(asked: Sequence[Series], plan: Plan) -> tuple[list[Sample], bool]:
    """Every sample, and whether a series failed."""
    samples: list[Sample] = []
    failed = False
    for series in asked:
        try:
            samples += measure(series, plan, _say)
        except (ServerFailed, WrongAnswer, LoadFailed) as error:
            failed = True
            _say(f"{series.name} is left out. {error}")
    return samples, failed


def _possible(series: Series) -> Series:
    """The series without what the system gives us, and so our children, no descriptors for."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    few = [p for p in series.points if p.connections + OTHERS <= most or most < 0]
    if len(few) < len(series.points):
        _say(f"{series.name}: only up to {few[-1].x:,}: `ulimit -Hn` is {most:,}")
    return replace(series, points=few)


def _parser() -> argparse.ArgumentParser:
    names = [series.name for series in SERIES]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scaling",
        description="Measure how the cost of a request to weblayer grows; print Markdown.",
        epilog="series:\n" + "\n".join(f"  {one.name:13} {one.title}" for one in SERIES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", type=_names, default=names, metavar="NAME,...", help="these (default: all)"
    )
    parser.add_argument(
        "--seconds", type=int, default=1, metavar="N",
        help="of each measurement, a whole number (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N",
        help="measurements of each point (default: 3)",
    )  # fmt: skip
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write every sample to this file"
    )
    return parser


def _names(text: str) -> list[str]:
    names, known = text.split(","), [series.name for series in SERIES]
    if unknown := set(names).difference(known):
        raise argparse.ArgumentTypeError(
            f"no {', '.join(sorted(unknown))}; there is {', '.join(known)}"
        )
    return names


def _say(line: str) -> None:
    """Tell who watches what is going on, beside the tables on standard output."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
