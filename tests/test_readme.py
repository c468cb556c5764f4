"""The README is true: its samples run, and its commands print what it says."""

import re
import subprocess
import sys
from pkgutil import resolve_name

import pytest

from tests.programs import ROOT
from tests.samples import curl, execute

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

# What stands between fences, in order: pairs of (language, text).
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

SAMPLES = [
    (text, answers if language == "console" else "")
    for (kind, text), (language, answers) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True)
    if kind == "python"
]

# Samples that are files for pytest.
TESTS = [text for text, _ in SAMPLES if "def test_" in text]

COMMANDS = [text for language, text in BLOCKS if language == "shell"]


@pytest.mark.parametrize(("sample", "console"), SAMPLES)
def test_every_sample_runs_and_answers_as_shown(sample, console, monkeypatch):
    """A sample is executed, and asked what the block behind it asks."""
    monkeypatch.chdir(ROOT)
    _, site = execute(sample, monkeypatch)
    shown = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.MULTILINE)
    assert bool(shown) == bool(console)
    for command, output in shown:
        # curl does not end what it prints with a line, where the answer does not.
        assert curl(site, command).removesuffix("\n") == output.removesuffix("\n"), command


@pytest.mark.parametrize("sample", TESTS)
def test_every_sample_of_tests_passes(sample, pytester):
    """A file of tests is run by pytest, on either loop, with nothing but our plugin."""
    pytester.makepyfile(sample)
    result = pytester.runpytest(
        "-p", "weblayer.loop.plugin", "-p", "no:randomly", "-Werror", "-o", "weblayer_loop=both"
    )
    # What is no coroutine, and takes no reactor, is run once.
    counts = result.parseoutcomes()
    assert counts == {"passed": sample.count("\ndef test_") + 2 * sample.count("\nasync def test_")}


# The rows of the table of what there is, and where: pairs of (names, place).
OFFERED = re.findall(r"^\|[^|]+\|([^|]+)\| `(weblayer\.[\w.]+)` \|$", TEXT, re.MULTILINE)


def test_what_is_offered_is_there():
    """Every name that the page offers is found where it says."""
    assert len(OFFERED) > 10
    for names, place in OFFERED:
        for name in re.findall(r"`(\w+)`", names):
            assert hasattr(resolve_name(place), name), (name, place)


def test_every_block_of_output_belongs_to_a_sample():
    """No output is shown that is not compared."""
    shown = [answers for _, answers in SAMPLES if answers]
    assert shown == [text for language, text in BLOCKS if language == "console"]


def test_the_commands_of_weblayer_are_understood():
    """Each `weblayer` command that is shown has options that exist."""
    told = subprocess.run(
        [sys.executable, "-m", "weblayer", "web", "--help"],
        capture_output=True, text=True, cwd=ROOT, check=True,
    ).stdout  # fmt: skip
    options = [word for line in COMMANDS for word in re.findall(r"weblayer web (.*)", line)]
    assert len(options) >= 2
    for option in re.findall(r"--[\w-]+", " ".join(options)):
        assert option in told


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:[\w.]+/)+[\w.]*|[A-Z]+\.md)`", TEXT)))
)
def test_every_path_exists(path):
    """What the page points to is there."""
    assert (ROOT / path).exists()
