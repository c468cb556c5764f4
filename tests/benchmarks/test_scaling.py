"""The parts of the measurement of growth that can be wrong without anybody noticing."""

import os
import sys
from dataclasses import replace

import pytest

from tests.benchmarks.check import WrongAnswer, check
from tests.benchmarks.crowd import crowd
from tests.benchmarks.scaling.measure import Sample
from tests.benchmarks.scaling.series import SERIES
from tests.benchmarks.scaling.table import series_table
from tests.benchmarks.scaling.tally import tally
from tests.benchmarks.server import Running

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pins processes to cores")

BY_NAME = {series.name: series for series in SERIES}


@linux
@pytest.mark.parametrize("name", BY_NAME)
def test_each_turn_is_answered(name):
    """What is asked for is there, where there is least of it: the page, and not a 404."""
    point = BY_NAME[name].points[0]
    with Running(point.server, min(os.sched_getaffinity(0))) as running:
        for path, headers in point.case.turns or [(point.case.path, point.case.headers)]:
            check(replace(point.case, path=path, headers=headers), running.port)


@linux
@pytest.mark.parametrize("name", ["children", "sessions", "depth"])
def test_more_than_there_is_is_no_page(name):
    """The last turn of the next point: so the number of each is what it says."""
    point, more = BY_NAME[name].points[:2]
    path, headers = (more.case.turns or [(more.case.path, more.case.headers)])[-1]
    core = min(os.sched_getaffinity(0))
    with Running(point.server, core) as running, pytest.raises(WrongAnswer, match="status"):
        check(replace(point.case, path=path, headers=headers), running.port)


@linux
def test_the_server_counts_what_it_answers():
    """Those who ask once and stay, and nothing else."""
    with Running(BY_NAME["idle"].points[0].server, min(os.sched_getaffinity(0))) as running:
        before = tally(running.port)
        with crowd(running.port, 5):
            after = tally(running.port)
        assert after[0] - before[0] == 5
        assert all(late > early for late, early in zip(after, before, strict=True))


@pytest.mark.parametrize("series", SERIES, ids=list(BY_NAME))
def test_a_series_grows(series):
    """Its points stand in order, and there is a curve to see, or two cores."""
    xs = [point.x for point in series.points]
    assert len(xs) >= 2
    assert xs == sorted(set(xs))


def test_a_table_shows_how_a_figure_grows():
    """Medians and what they are multiplied by, and what went wrong below."""
    samples = [
        Sample("depth", x, number, cpu=x + number, rate=1000, p99=2, wrong=0, broken=x - 1)
        for x in (1, 3)
        for number in range(3)
    ]
    lines = series_table(BY_NAME["depth"], samples).splitlines()
    assert lines[2:] == [
        "| segments of the path | CPU µs/request | x first | requests/s | p99 ms |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| 1 | 2.0 (1.0-3.0) | 1.00 | 1,000 (1,000-1,000) | 2.0 (2.0-2.0) |",
        "| 3 | 4.0 (3.0-5.0) | 2.00 | 1,000 (1,000-1,000) | 2.0 (2.0-2.0) |",
        "",
        "0 answers that are no 200, 6 broken connections or time-outs.",
    ]
