"""The line that tells how far a download is: what it says, and that it fits."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weblayer.commands.progress import Progress, human, told
from weblayer.loop.timers import Clock

MB = 1_000_000


def width(text):
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


@given(
    name=st.text(st.characters(categories=["L", "N", "P"]), max_size=60),
    done=st.integers(0, 10**12), total=st.none() | st.integers(0, 10**12),
    rate=st.floats(0, 1e9), columns=st.integers(1, 250),
)  # fmt: skip
@example("a", 1, 10**12, 5e-324, 200)
def test_it_fits(name, done, total, rate, columns):
    """Whatever it is told of, and however narrow the terminal is."""
    assert width(told(name, done, total, rate, 5.0, columns)) <= columns


@pytest.mark.parametrize(
    ("done", "total", "columns", "line"),
    [
        (
            5 * MB,
            10 * MB,
            80,
            "a.iso  " + "━" * 17 + "╌" * 17 + "   50%    5.0 MB  0:05 left    1.0 MB/s",
        ),
        (5 * MB, 10 * MB, 40, "a.iso  ━━━━━━━━╌╌╌╌╌╌╌╌╌   50%    5.0 MB"),
        (10 * MB, 10 * MB, 60, "a.iso  ━━━━━━━━━━━━━━  100%   10.0 MB    in 0:05    1.0 MB/s"),
        (5 * MB, None, 80, "a.iso    5.0 MB    1.0 MB/s"),
        (0, 0, 30, "a.iso  ━━━━━━━━━━━━━━━━━  100%"),
    ],
)
def test_what_it_says(done, total, columns, line):
    """How much, how fast and how long; what matters least is left out first."""
    assert told("a.iso", done, total, 1e6, 5.0, columns) == line


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (999_949, "999.9 kB"),
     (999_950, "1.0 MB"), (5e12, "5000.0 GB")],
)  # fmt: skip
def test_sizes_are_said_for_people(size, told):
    """In units of a thousand, as disks and networks have them."""
    assert human(size) == told


def test_it_is_drawn_ten_times_a_second(capsys):
    """And at the beginning and the end; not for each piece."""
    clock = Clock()
    with Progress("a", 0, 100 * MB, clock.seconds) as advance:
        for _ in range(100):
            advance(MB)
            clock.advance(0.01)
    assert 10 <= capsys.readouterr().err.count("\r") <= 13
