"""The command; see `python -m tests.benchmarks.instructions --help`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.instructions.comparison import Counts, dearer, others, read, table, write
from tests.benchmarks.instructions.costs import costs, listed
from tests.benchmarks.instructions.counting import CannotCount, count
from tests.benchmarks.instructions.scenarios import SCENARIOS, Scenario, chosen

STORED = Path(__file__).with_name("counts.json")

# What `git bisect run` takes for a commit of which nothing can be said.
UNKNOWN = 125

# The functions that are shown; those below cost a hundredth each, or less.
MOST_SHOWN = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Gives its exit status."""
    options = _parser().parse_args(arguments)
    for scenario in options.profile:
        print(f"{scenario.name}, each time:\n\n{listed(costs(scenario), MOST_SHOWN)}\n")
    if options.profile:
        return 0
    stored = read(options.stored)
    try:
        now = count([scenario.name for scenario in options.only])
    except CannotCount as error:
        print(error, file=sys.stderr)
        return UNKNOWN
    print(table(stored, now))
    differences = others(stored, now)
    for difference in differences:
        print(f"\nNot to be compared: {difference}.")
    if options.save:
        return _save(options.stored, stored, now, differences)
    return 1 if dearer(stored, now) else 0


def _save(file: Path, stored: Counts, now: Counts, differences: Sequence[str]) -> int:
    """Store what was counted, and keep what was not, unless it was counted elsewhere."""
    if differences and not stored.instructions.keys() <= now.instructions.keys():
        print("Not stored: save all of it, since the rest was counted elsewhere.", file=sys.stderr)
        return UNKNOWN
    counted = {**stored.instructions, **now.instructions}
    known = {s.name: counted[s.name] for s in SCENARIOS if s.name in counted}
    write(file, replace(now, instructions=known))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.instructions",
        description="Count the machine instructions of a request; compare them with those stored.",
        epilog="scenarios:\n" + "\n".join(f"  {s.name:10} {s.title}" for s in SCENARIOS)
        + "\n\nexit status: 1 where something is dearer, 125 where nothing could be counted",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--only",
        type=_read,
        default=SCENARIOS,
        metavar="NAME,...",
        help="these scenarios (default: all)",
    )
    parser.add_argument("--save", action="store_true", help="store what is counted now")
    parser.add_argument(
        "--stored",
        type=Path,
        default=STORED,
        metavar="FILE",
        help="where it is stored (default: counts.json beside this program)",
    )
    parser.add_argument(
        "--profile",
        type=_read,
        default=(),
        metavar="NAME,...",
        help="count nothing; show which functions cost",
    )
    return parser


def _read(text: str) -> Sequence[Scenario]:
    try:
        return chosen(text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
