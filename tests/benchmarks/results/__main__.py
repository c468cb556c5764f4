"""The command: `python -m tests.benchmarks.results`, from the root of the repository."""

import argparse
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.options import chosen, listed, say
from tests.benchmarks.results.budgets import Verdict, judge
from tests.benchmarks.results.pages import pages
from tests.benchmarks.results.parts import COMMANDS, take
from tests.benchmarks.results.record import Part, Record, read, written
from tests.benchmarks.server import ROOT

DATA = "tests/benchmarks/results.json"

UNMEASURED = Part(fault="It was never measured.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the pages; 1 when some of it failed."""
    options = _parser().parse_args(arguments)
    old = options.start
    record = read(old.read_text(encoding="utf-8")) if old else Record(*[UNMEASURED] * len(COMMANDS))
    failed = False
    for command in options.only or ([] if old else COMMANDS):
        part = take(command, options.quick, time.strftime("%Y-%m-%d", time.gmtime()))
        say(f"{command.name}: {len(part.samples)} samples. {part.fault}")
        record = replace(record, **{command.name: part})
        _write(options.to, {DATA: written(record)})  # each took minutes: none is to be lost
        failed = failed or bool(part.fault)
    for picture in (options.to / "static").glob("performance-*.svg"):
        picture.unlink()  # there may be fewer now
    _write(options.to, {DATA: written(record)} | pages(record))
    _tell(judge(record))
    return 1 if failed else 0


def _write(root: Path, files: Mapping[str, str]) -> None:
    """Write *files*, by their paths below *root*."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def _tell(verdicts: Iterable[Verdict]) -> None:
    for verdict in verdicts:
        figure = "-" if verdict.figure is None else f"{verdict.figure:.2f}"
        print(f"{verdict.word:12} {figure:>8} of {verdict.budget.bound:<4g} "
              f"{verdict.budget.unit:2} {verdict.budget.work}")  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.results",
        description="Measure everything, in about 40 minutes, and write the pages that show it.",
        epilog="parts:\n" + listed(COMMANDS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="for a try: fewer cases, one round, about 5 minutes"
    )
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="FILE",
        help=f"begin with the samples in FILE, such as {DATA}, and measure only what --only names",
    )  # fmt: skip
    parser.add_argument("--only", type=chosen(COMMANDS), metavar="PART,...", help="these parts")
    parser.add_argument(
        "--to", type=Path, default=ROOT, metavar="FOLDER",
        help="write below this folder (default: the repository)",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    # An exit runs what stops the parts; the signal alone would leave them at work.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
