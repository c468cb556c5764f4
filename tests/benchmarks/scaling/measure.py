"""A series on weblayer: a server for each of its points, and the rounds taken in turn."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from operator import sub
from typing import NamedTuple

from tests.benchmarks.case import CONNECTIONS
from tests.benchmarks.check import check
from tests.benchmarks.crowd import crowd
from tests.benchmarks.load import Load, LoadFailed, drive
from tests.benchmarks.measure import WARM_UP, Plan
from tests.benchmarks.meter import usage
from tests.benchmarks.scaling.series import Point, Series
from tests.benchmarks.scaling.tally import tally
from tests.benchmarks.server import Running

__all__ = ["Sample", "measure"]

# Seconds in which the server before is done with 10,000 connections that were closed: they would
# take time from this one's core, and so from its latency.
SETTLING = 0.5

# Seconds in which wrk connects 10,000 times, SYNs that are sent again included; and for the
# server, at its busiest, to answer each of them, and to tell twice what it has done.
CONNECTING = 3
TELLING = 3


@dataclass(frozen=True)
class Sample:
    """One figure of a series: *cpu* is microseconds per request, *p99* milliseconds.

    *rate* is requests per second; *wrong* counts answers that are no 200, *broken* connections
    that failed and time-outs.
    """

    series: str
    x: int
    round: int
    cpu: float
    rate: float
    p99: float
    wrong: int
    broken: int


class Used(NamedTuple):
    """What so many *requests* cost: *cpu* seconds of the server, in so many *seconds*."""

    requests: float
    cpu: float
    seconds: float


def measure(series: Series, plan: Plan, say: Callable[[str], None]) -> list[Sample]:
    """Measure each point *plan.rounds* times, another one first in each round.

    Raises ServerFailed, WrongAnswer and LoadFailed.
    """
    samples: list[Sample] = []
    with ExitStack() as stack:
        say(f"{series.name}: {series.title}: starting")
        pairs = [(point, _started(point, plan, stack)) for point in series.points]
        for number in range(plan.rounds):
            shift = number % len(pairs)
            for point, running in pairs[shift:] + pairs[:shift]:
                samples.append(_sample(series, point, running, number, plan))
            say(f"{series.name}: round {number + 1} of {plan.rounds}: {_figures(samples, number)}")
    return samples


def _started(point: Point, plan: Plan, stack: ExitStack) -> Running:
    running = stack.enter_context(Running(point.server, plan.server_core))
    check(point.case, running.port)
    drive(replace(point.case, connections=CONNECTIONS), running.port, WARM_UP, plan.load_core)
    return running


def _sample(series: Series, point: Point, running: Running, number: int, plan: Plan) -> Sample:
    time.sleep(SETTLING)
    with crowd(running.port, point.idle):
        used, load = (_settled if point.settled else _whole)(point, running, plan)
    running.ensure_alive()
    return Sample(
        series=series.name,
        x=point.x,
        round=number,
        cpu=used.cpu / used.requests * 1e6,
        rate=used.requests / used.seconds,
        p99=load.p99,
        wrong=load.refused,
        broken=load.broken,
    )


def _whole(point: Point, running: Running, plan: Plan) -> tuple[Used, Load]:
    """A load, and what it cost as the kernel and wrk count it."""
    before = usage(running.session).cpu
    load = drive(point.case, running.port, plan.seconds, plan.load_core)
    return Used(load.requests, usage(running.session).cpu - before, load.seconds), load


def _settled(point: Point, running: Running, plan: Plan) -> tuple[Used, Load]:
    """A load, and what it cost after its beginning, as the server itself counts it."""
    seconds = CONNECTING + plan.seconds + TELLING
    with ThreadPoolExecutor(1) as pool:
        driving = pool.submit(drive, point.case, running.port, seconds, plan.load_core)
        time.sleep(CONNECTING)
        after = before = tally(running.port)
        # Until each has been answered once: wrk may be given little time on a busy machine.
        while after[0] < before[0] + point.case.connections and not driving.done():
            time.sleep(plan.seconds)
            after = tally(running.port)
        used, load = Used(*map(sub, after, before)), driving.result()
    if not used.requests:
        raise LoadFailed(f"no answer in {used.seconds:.1f} s, after {CONNECTING} to connect")
    return used, load


def _figures(samples: Sequence[Sample], number: int) -> str:
    """What a round gave, for who watches."""
    taken = sorted((one.x, one.cpu) for one in samples if one.round == number)
    return ", ".join(f"{x:,}: {cpu:.1f}" for x, cpu in taken)
