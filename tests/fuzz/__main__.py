"""The command: `python -m tests.fuzz`, from the root of the repository."""

import argparse
import importlib.util
import os
import secrets
import subprocess
import sys
import tempfile
import time
from random import Random

from tests.fuzz.laws import LAWS, holds
from tests.fuzz.mutate import mutated
from tests.fuzz.samples import SAMPLES, TOKENS


def main() -> int:
    """Search each target that the command line names; 1 when something was found."""
    parser = _parser()
    options = parser.parse_args()
    if unknown := set(options.targets) - set(LAWS):
        parser.error(f"there is no target {min(unknown)!r}; there is {', '.join(LAWS)}")
    targets = options.targets or list(LAWS)
    is_guided = not options.plain and importlib.util.find_spec("atheris") is not None
    seed = secrets.randbelow(2**31 - 1) + 1 if options.seed is None else options.seed
    share = max(1, options.seconds // len(targets))
    search = _guided if is_guided else _plain
    broken = [target for target in targets if not search(target, share, seed)]
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Search for bytes that break what reads them."
    )
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"of {', '.join(LAWS)} (default: all)"
    )
    parser.add_argument("--seconds", type=int, default=60, help="in all (default: 60)")
    parser.add_argument("--seed", type=int, help="of the random choices (default: another)")
    parser.add_argument("--plain", action="store_true", help="without atheris")
    return parser


def _plain(target: str, seconds: int, seed: int) -> bool:
    samples, chance = SAMPLES[target], Random(seed)
    stop, told, count = time.monotonic() + seconds, 0.0, 0
    while (now := time.monotonic()) < stop:
        data = samples[count] if count < len(samples) else mutated(chance, samples, TOKENS)
        if not holds(target, data, seed):
            return False
        count += 1
        if now - told >= 1 and sys.stderr.isatty():
            told = now
            _say(f"\r{target}: {count} inputs, {round(stop - now)} s to go  ")
    _say(f"\r{target}: {count} inputs, seed {seed}, nothing found\n")
    return True


def _guided(target: str, seconds: int, seed: int) -> bool:
    """In a process of its own, which libFuzzer ends as it likes, and leaves its files behind."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "tests.fuzz.guided",
            target,
            str(seconds),
            str(seed),
            folder,
        ]
        done = subprocess.run(command, env={**os.environ, "TMPDIR": folder})
    _say(f"{target}: seed {seed}, {'something' if done.returncode else 'nothing'} found\n")
    return not done.returncode


def _say(words: str) -> None:
    sys.stderr.write(words)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
