"""The parts of the measurement: which command takes each, and how it is run."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.options import say
from tests.benchmarks.results.record import Part, samples_of
from tests.benchmarks.server import ROOT

__all__ = ["COMMANDS", "Command", "take"]

# Seconds for a child that was told to stop, which has servers of its own to stop first.
STOP_DEADLINE = 30.0


class Command(NamedTuple):
    """A row: a part of the record, the module that measures it, and how: all, or for a try."""

    name: str
    title: str
    module: str
    whole: Sequence[str]
    quick: Sequence[str]


COMMANDS = (
    # Many short rounds say more than a few long ones where a machine is ever busy.
    Command("servers", "what a request costs a server", "tests.benchmarks",
            ["--seconds", "1", "--rounds", "5"],
            ["--seconds", "1", "--rounds", "1",
             "--only", "hello,logged,deep,browser,async,small,medium,large"]),
    Command("clients", "what a request costs who asks", "tests.benchmarks.clients", [],
            ["--only", "hello-32", "--seconds", "0.5", "--rounds", "1"]),
    Command("footprint", "memory, and time to start", "tests.benchmarks.footprint", [],
            ["--rounds", "1", "--connections", "1000",
             "--servers", "bare,weblayer,starlette,aiohttp,twisted"]),
    Command("scaling", "how the cost grows", "tests.benchmarks.scaling", [],
            ["--rounds", "1", "--only", "depth,headers,children"]),
)  # fmt: skip


def take(command: Command, quick: bool, today: str) -> Part:
    """Run the *command*, and give what it measured; a Part with a fault where it did not."""
    arguments = command.quick if quick else command.whole
    if find_spec(command.module) is None:
        return Part(today, fault="There is no such measurement here.")
    shown = " ".join(["python -m", command.module, *arguments])
    say(f"{command.name}: {shown}")
    with tempfile.TemporaryDirectory(prefix="bench-results-") as folder:
        file = Path(folder, "samples.json")
        code = _run([sys.executable, "-m", command.module, *arguments, "--json", str(file)])
        fault = f"`{shown}` ended with code {code}: something in it failed." if code else ""
        return _taken(command.name, file, today, fault)


def _run(command: Sequence[str]) -> int:
    """Run to the end; what it tells of its progress goes where ours goes.

    It is ended kindly when we are: it has servers at work that only it knows of.
    """
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as child:
        try:
            return child.wait()
        except BaseException:
            child.terminate()
            child.wait(STOP_DEADLINE)
            raise


def _taken(part: str, file: Path, today: str, fault: str) -> Part:
    """What the command wrote into *file*."""
    try:
        told = json.loads(file.read_text())
        samples = samples_of(part, told["samples"])
    except (OSError, ValueError, KeyError) as error:
        return Part(today, fault=fault or f"It left no samples: {error!r}")
    return Part(today, told["about"], told.get("plan", {}), fault, samples)
