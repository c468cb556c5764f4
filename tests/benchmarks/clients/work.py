"""What all clients share: what they are told, how they are kept busy, and what they report."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import uvloop

__all__ = ["Job", "Report", "ask_by_turns", "ask_from_threads", "ask_in_loop", "check", "crowd",
           "job", "measured"]  # fmt: skip

# Requests of which the first figure is made: how many there can be in the time given.
WARM_UP = 200


class Job(NamedTuple):
    """What is asked, how many at a time, the bytes that must come, and for how long."""

    url: str
    at_once: int
    size: int
    seconds: float


class Report(NamedTuple):
    """*cpu* microseconds a request, and requests a second."""

    cpu: float
    rate: float


Ask = Callable[[], Awaitable[object]]


def job() -> Job:
    """The one on the command line."""
    url, at_once, size, seconds = sys.argv[1:]
    return Job(url, int(at_once), int(size), float(seconds))


def check(code: int, body: bytes, size: int) -> None:
    """Count a wrong answer as none: it may be given fast."""
    if (code, len(body)) != (200, size):
        raise AssertionError(f"answered with {code} and {len(body)} bytes")


async def measured(work: Callable[[int], Awaitable[object]], job: Job) -> None:
    """Have *work* make so many requests, and print what they cost."""
    first = await _measure(work, max(WARM_UP, job.at_once * 4))
    report = await _measure(work, max(int(first.rate * job.seconds), job.at_once * 4))
    print(json.dumps(report._asdict()))


async def _measure(work: Callable[[int], Awaitable[object]], count: int) -> Report:
    wall, cpu = time.perf_counter(), time.process_time()
    await work(count)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Report(cpu / count * 1e6, count / wall)


async def crowd(
    ask: Ask, count: int, at_once: int, gather: Callable[[Iterable[Any]], Awaitable[object]]
) -> None:
    """Make *count* requests, so many at once, each as soon as one before it is done."""
    left = count

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await ask()

    await gather(work() for _ in range(at_once))


def ask_in_loop(client: Callable[[Job], AbstractAsyncContextManager[Ask]]) -> None:
    """Measure what *client* gives to ask with, in a loop of uvloop's."""

    async def main() -> None:
        asked = job()
        async with client(asked) as ask:
            await measured(lambda count: crowd(ask, count, asked.at_once, gathered), asked)

    async def gathered(works: Iterable[Any]) -> None:
        await asyncio.gather(*works)

    uvloop.run(main())


def ask_from_threads(asked: Job, ask: Callable[[], object]) -> None:
    """Measure a client that waits for each answer: in this thread, or in as many as are busy."""
    if asked.at_once == 1:
        ask_by_turns(asked, lambda count: [ask() for _ in range(count)])
        return
    with ThreadPoolExecutor(asked.at_once) as threads:
        ask_by_turns(asked, lambda count: list(threads.map(lambda _: ask(), range(count))))


def ask_by_turns(asked: Job, work: Callable[[int], object]) -> None:
    """Measure what makes so many requests, and comes back when they are done."""

    async def main() -> None:
        async def working(count: int) -> None:
            work(count)

        await measured(working, asked)

    asyncio.run(main())
