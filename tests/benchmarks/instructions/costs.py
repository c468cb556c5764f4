"""Which functions a scenario runs: what they execute of Python, and how often they call C."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.benchmarks.instructions.counted import run
from tests.benchmarks.instructions.scenarios import Scenario

__all__ = ["Cost", "costs", "listed"]

ROOT = Path(__file__).parents[3]

# As where instructions are counted: what has run often costs less, and starting falls out.
FEW, MANY = 50, 70


@dataclass(frozen=True)
class Cost:
    """What a function costs each time that the scenario asks, without what it calls."""

    function: str
    place: str
    opcodes: float
    calls: float
    c_calls: float


def costs(scenario: Scenario) -> list[Cost]:
    """The functions that *scenario* runs, the dearest first."""
    run(scenario, FEW)  # what is imported late is there by now
    few, many = _taken(scenario, FEW), _taken(scenario, MANY)
    for before, after in zip(few, many, strict=True):
        after.subtract(before)
    return [
        Cost(code.co_qualname, _place(code), *(counter[code] / (MANY - FEW) for counter in many))
        for code, count in many[0].most_common()
        if count
    ]


def listed(found: Sequence[Cost], most: int) -> str:
    """The first *most* as lines, below the sum of all."""
    lines = ["opcodes   calls  of C  function"]
    whole = Cost("all", "", *(sum(figures) for figures in zip(*map(_figures, found), strict=True)))
    for cost in (whole, *found[:most]):
        opcodes, calls, c_calls = _figures(cost)
        where = f"{cost.function}  {cost.place}".rstrip()
        lines.append(f"{opcodes:7.0f} {calls:7.1f} {c_calls:5.1f}  {where}")
    return "\n".join(lines)


def _taken(scenario: Scenario, times: int) -> tuple[Counter[CodeType], ...]:
    """Opcodes, calls, and calls of C, by the function."""
    opcodes, calls, c_calls = Counter[CodeType](), Counter[CodeType](), Counter[CodeType]()

    def trace(frame: FrameType, event: str, arg: object) -> Any:  # Any: itself
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        opcodes[frame.f_code] += event == "opcode"
        return trace

    def profile(frame: FrameType, event: str, arg: object) -> None:
        calls[frame.f_code] += event == "call"
        c_calls[frame.f_code] += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        run(scenario, times)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return opcodes, calls, c_calls


def _figures(cost: Cost) -> tuple[float, float, float]:
    return cost.opcodes, cost.calls, cost.c_calls


def _place(code: CodeType) -> str:
    return f"{os.path.relpath(code.co_filename, ROOT)}:{code.co_firstlineno}"
