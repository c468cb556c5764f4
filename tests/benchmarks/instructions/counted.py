"""The program that is counted: `python -m tests.benchmarks.instructions.counted 100 400 hello`.

For each scenario it forks a child that asks so often, and one that asks so much more often. What
each of them, with its past, has cost is written down by callgrind; here is told which child did
what, a line each: the scenario, how often it asked, and the process.
"""

import gc
import os
import sys

from tests.benchmarks.instructions.scenarios import Scenario, chosen
from weblayer.loop.loops import new_loop

__all__ = ["run"]


def run(scenario: Scenario, times: int) -> None:
    """Ask as often as that, on a loop of its own."""
    loop = new_loop()
    try:
        loop.run_until_complete(ask(scenario, times))
    finally:
        loop.close()


async def ask(scenario: Scenario, times: int) -> None:
    async with scenario.make() as once:
        for _ in range(times):
            await once()


def forked(scenario: Scenario, times: int) -> int:
    """The process that asked. Raises RuntimeError where it failed, and has said why."""
    process = os.fork()
    if not process:
        status = 1
        try:
            run(scenario, times)
            gc.collect()
            status = 0
        except Exception:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(status)
    if os.waitpid(process, 0)[1]:
        raise RuntimeError(f"{scenario.name} failed")
    return process


if __name__ == "__main__":
    # Garbage is charged whole, at the end, and not by the chance of when it is collected.
    gc.collect()
    gc.freeze()
    gc.disable()
    for scenario in chosen(sys.argv[3:]):
        for times in map(int, sys.argv[1:3]):
            print(scenario.name, times, forked(scenario, times), flush=True)
