"""A short piece of the search with every run, and all that longer ones have found."""

import subprocess
import sys
from random import Random

import pytest

from tests.fuzz.laws import LAWS
from tests.fuzz.mutate import LONGEST, mutated
from tests.fuzz.samples import SAMPLES, TOKENS
from tests.programs import ROOT

# How many inputs, a second or two of each.
COUNTS = {"parser": 5000, "forms": 5000, "answer": 5000, "site": 700}

# What has broken a law once: pairs of (target, bytes).
FOUND: list[tuple[str, bytes]] = [
    ("site", b"GET /go?to=//evil.test/%A0 HTTP/1.1\r\nHost: a\r\n\r\n"),  # a page of the tree's own
]


@pytest.mark.parametrize("target", LAWS)
def test_the_samples_hold(target):
    """What the search begins with breaks nothing as it is."""
    for sample in SAMPLES[target]:
        LAWS[target](sample)


@pytest.mark.parametrize("target", LAWS)
def test_nothing_is_found_in_a_short_search(target):
    """Samples changed at random, the same in each run, break no law."""
    chance = Random(target)
    for _ in range(COUNTS[target]):
        data = mutated(chance, SAMPLES[target], TOKENS)
        try:
            LAWS[target](data)
        except Exception as error:
            error.add_note(f'to be kept in FOUND: ("{target}", {data!r}),')
            raise


@pytest.mark.parametrize(("target", "data"), FOUND)
def test_what_was_found_stays_mended(target, data):
    """The bytes that once broke a law."""
    LAWS[target](data)


def test_a_seed_gives_the_same_inputs():
    """A search can be repeated; and it does change what it begins with."""
    samples = SAMPLES["site"]
    first, second = (
        [mutated(chance, samples, TOKENS) for _ in range(200)] for chance in (Random(1), Random(1))
    )
    assert first == second
    assert len(set(first) - set(samples)) > 100
    assert max(map(len, first)) <= LONGEST


def test_the_command_searches():
    """`python -m tests.fuzz` ends with what it did, and with 0 when nothing was found."""
    command = [sys.executable, "-m", "tests.fuzz", "answer", "--plain", "--seconds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "answer: " in done.stderr
    assert "nothing found" in done.stderr
