"""The load: wrk on a core of its own, told by a Lua script what to ask and what to report.

wrk speaks HTTP only; where there is none, a program of ours takes its place, see echo.py.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import NamedTuple

from tests.benchmarks.case import Case
from tests.benchmarks.servers import HOST

__all__ = ["Load", "LoadFailed", "drive", "missing_wrk", "parse_report", "script"]

# wrk's own report is rounded for people; this line has every digit. Without a function
# `request` in the script, wrk sends the same bytes each time and runs no Lua while it does.
REPORT = """
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        "\\nreport requests=%d microseconds=%d p50=%d p99=%d refused=%d broken=%d\\n",
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""

# Made before the first is sent, so that a turn costs wrk no more than to look it up.
TURNS = """
local asked, last = {}, 0
function init()
    for number, turn in ipairs(turns) do
        asked[number] = wrk.format(nil, turn[1], turn[2])
    end
end
function request()
    last = last % #asked + 1
    return asked[last]
end
"""


class LoadFailed(Exception):
    """Nothing was measured; the message is what it said."""


class Load(NamedTuple):
    """What the clients saw.

    *seconds* it ran, *p50* and *p99* in milliseconds, *refused* answers with a status of 400
    and more, *broken* connections and time-outs.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int
    broken: int


def missing_wrk() -> str | None:
    """How to install wrk, when it is not there."""
    return None if shutil.which("wrk") else "wrk is not installed: apt-get install wrk"


def drive(case: Case, port: int, seconds: int, core: int) -> Load:
    """Keep the server on *port* busy for *seconds* (whole ones: wrk knows no others) from *core*.

    Raises LoadFailed when the program fails or has no answer to report.
    """
    if case.kind == "echo":
        program = [sys.executable, "-m", "tests.benchmarks.echo"]
        return _run([*program, str(port), str(seconds)], core)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script(case))
        file.flush()
        command = ["wrk", "-t1", f"-c{case.connections}", f"-d{seconds}s",
                   "-s", file.name, f"{case.scheme}://{HOST}:{port}{case.path}"]  # fmt: skip
        return _run(command, core)


def _run(command: list[str], core: int) -> Load:
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    return parse_report(ended.stdout + ended.stderr)


def script(case: Case) -> str:
    """The Lua script that sends the case's request and reports on one line."""
    lines = [f"wrk.method = {_quoted(case.method)}"]
    lines += [
        f"wrk.headers[{_quoted(name)}] = {_quoted(value)}" for name, value in case.headers.items()
    ]
    if case.body:
        lines.append(f"wrk.body = {_quoted(case.body.decode('ascii'))}")
    return "\n".join(lines) + "\n" + _turns(case) + REPORT


def _turns(case: Case) -> str:
    """What has wrk ask for one thing after the other, where the case says so."""
    if not case.turns:
        return ""
    rows = [f"{{{_quoted(path)}, {_fields({**case.headers, **own})}}}" for path, own in case.turns]
    return "local turns = {\n" + ",\n".join(rows) + "\n}\n" + TURNS


def _fields(headers: Mapping[str, str]) -> str:
    """A Lua table; wrk adds Host to it."""
    pairs = [f"[{_quoted(name)}] = {_quoted(value)}" for name, value in headers.items()]
    return "{" + ", ".join(pairs) + "}"


def parse_report(output: str) -> Load:
    """Read what our script had wrk print, or echo.py.

    Raises LoadFailed when the line is not there, or says that nothing was answered.
    """
    line = re.search(r"^report (.*)$", output, re.MULTILINE)
    if not line:
        raise LoadFailed(f"no report: {output.strip()}")
    number = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line[1])}
    if not number["requests"]:
        raise LoadFailed(f"no answer: {output.strip()}")
    return Load(
        requests=number["requests"],
        seconds=number["microseconds"] / 1e6,
        p50=number["p50"] / 1e3,
        p99=number["p99"] / 1e3,
        refused=number["refused"],
        broken=number["broken"],
    )


def _quoted(text: str) -> str:
    """A Lua string literal: for printable ASCII, JSON's escapes are Lua's."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"text must be printable ASCII to go into wrk's script, not {text!r}")
    return json.dumps(text)
