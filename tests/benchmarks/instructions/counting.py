"""Having callgrind count, and reading what it wrote down."""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.instructions.comparison import Counts

__all__ = ["CannotCount", "count", "missing_valgrind"]

ROOT = Path(__file__).parents[3]

# Python specializes code that has run some dozen times, and what is kept is kept by then.
FEW, MANY = 100, 400

# Seconds: ten times what all of it takes on a machine that has other things to do.
TIMEOUT = 1200

# What a scenario runs through that is not ours.
LIBRARIES = ("httptools", "jinja2", "multipart", "uvloop")


class CannotCount(Exception):
    """There are no counts; the message says why."""


def missing_valgrind() -> str | None:
    """Why nothing can be counted here, and what to do about it."""
    if shutil.which("valgrind") is None:
        return "valgrind is not installed: apt-get install valgrind"
    return None


def count(names: Sequence[str], few: int = FEW, many: int = MANY) -> Counts:
    """Count those scenarios: instructions for each time that they ask. Raises CannotCount."""
    if why := missing_valgrind():
        raise CannotCount(why)
    with TemporaryDirectory(prefix="bench-counts-") as folder:
        # Once without: it finds what does not work, and compiles what has never been imported,
        # which would leave another heap behind.
        _run([], 1, 1, names)
        beneath = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={folder}/%p"]
        costs: dict[str, list[int]] = {name: [] for name in names}
        for line in _run(beneath, few, many, names).splitlines():
            name, _, process = line.split()
            costs[name].append(_total(Path(folder, process)))
    return Counts(_facts(), {n: round((b - a) / (many - few)) for n, (a, b) in costs.items()})


def _run(beneath: Sequence[str], few: int, many: int, names: Sequence[str]) -> str:
    """What the program that is counted says."""
    program = [sys.executable, "-m", "tests.benchmarks.instructions.counted", str(few), str(many)]
    try:
        ended = subprocess.run(
            [*map(_found, beneath), *program, *names],
            cwd=ROOT, env={"PYTHONHASHSEED": "0"}, stdout=subprocess.PIPE, text=True,
            timeout=TIMEOUT, check=True,
        )  # fmt: skip
    except subprocess.SubprocessError as error:
        raise CannotCount(str(error)) from error
    return ended.stdout


def _found(word: str) -> str:
    return shutil.which(word) or word


def _total(file: Path) -> int:
    found = re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE)
    if found is None:
        raise CannotCount(f"callgrind has written down no total: {file.read_text()[:200]!r}")
    return int(found[1])


def _facts() -> dict[str, str]:
    """What figures are of, beside our own code."""
    libraries = {name: version(name) for name in LIBRARIES}
    return {"python": sys.version, "machine": platform.machine(), **libraries}
