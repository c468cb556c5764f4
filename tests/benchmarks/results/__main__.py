"""The command: `python -m tests.benchmarks.results`, from the root of the repository."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.results.budgets import judge
from tests.benchmarks.results.pages import DATA, pages
from tests.benchmarks.results.parts import COMMANDS, take
from tests.benchmarks.results.record import Part, Record, read
from tests.benchmarks.server import ROOT

UNMEASURED = Part(fault="It was never measured.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the pages; 1 when some of it failed."""
    options = _parser().parse_args(arguments)
    old = options.start
    record = read(old.read_text()) if old else Record(*[UNMEASURED] * len(COMMANDS))
    chosen = options.only or ([] if old else [command.part for command in COMMANDS])
    for command in COMMANDS:
        if command.part in chosen:
            part = take(command, options.quick, time.strftime("%Y-%m-%d", time.gmtime()), _say)
            _say(f"{command.part}: {len(part.samples)} samples. {part.fault}")
            record = replace(record, **{command.part: part})
    _write(record, options.to)
    return 1 if any(getattr(record, name).fault for name in chosen) else 0


def _write(record: Record, root: Path) -> None:
    """Write every page, take away pictures that are no more, and print the verdicts."""
    files = pages(record)
    for old in (root / "static").glob("performance-*.svg"):
        old.unlink()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    for verdict in judge(record):
        figure = "-" if verdict.figure is None else f"{verdict.figure:.2f}"
        print(f"{verdict.word:12} {figure:>8} of {verdict.budget.bound:<4g} "
              f"{verdict.budget.unit:2} {verdict.budget.work}")  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    names = [command.part for command in COMMANDS]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.results",
        description="Measure everything, in about 35 minutes, and write the pages that show it.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="for a try: fewer cases, one round, about 5 minutes"
    )
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="FILE",
        help=f"begin with the samples in FILE, such as {DATA}, and measure only what --only names",
    )  # fmt: skip
    parser.add_argument(
        "--only", type=_parts, metavar="PART,...", help=f"these parts, of {', '.join(names)}"
    )
    parser.add_argument(
        "--to", type=Path, default=ROOT, metavar="FOLDER",
        help="write below this folder (default: the repository)",
    )  # fmt: skip
    return parser


def _parts(text: str) -> list[str]:
    names, known = text.split(","), [command.part for command in COMMANDS]
    if unknown := set(names).difference(known):
        raise argparse.ArgumentTypeError(
            f"no {', '.join(sorted(unknown))}; there is {', '.join(known)}"
        )
    return names


def _say(line: str) -> None:
    """Tell who watches what is going on."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # An exit runs what stops the parts; the signal alone would leave them at work.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
