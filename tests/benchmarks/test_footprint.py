"""The parts of the footprint that can be wrong without anybody noticing."""

import json
import os
import subprocess
import sys

import pytest

from tests.benchmarks.crowd import crowd, ensure_kept
from tests.benchmarks.footprint import Figure, summed, table
from tests.benchmarks.load import LoadFailed
from tests.benchmarks.server import ROOT, SERVERS, Running
from tests.benchmarks.servers import HELLO
from tests.client.echo import Echo
from tests.client.test_sockets import standard_server

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

OURS = next(server for server in SERVERS if server.name == "weblayer")


class Closing(Echo):
    """Answers, and closes the connection."""

    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(HELLO)


def test_the_rounds_are_summed_up():
    """Each figure of each server is its median, with what it is counted in."""
    taken = [(("bare", "import"), 30.0), (("python", "start"), 9.0), (("bare", "import"), 20.0)]
    assert summed(taken) == [
        Figure("bare", "import", "ms", 25.0, 20.0, 30.0),
        Figure("python", "start", "ms", 9.0, 9.0, 9.0),
    ]


def test_a_figure_that_is_not_there_is_a_dash():
    """A server that was measured in part has its row."""
    figures = [Figure("python", "start", "ms", 9, 9, 9), Figure("nginx", "resident", "MB", 3, 2, 4)]
    lines = table(figures).splitlines()
    assert lines[2] == "| nginx `return 200` | - | - | 3.0 (2.0-4.0) | - |"
    assert lines[-1] == "A bare Python starts in 9.0 ms."


@linux
def test_connections_are_kept_until_the_end():
    """All of them are answered, and stay open."""
    with Running(OURS, min(os.sched_getaffinity(0))) as running:
        with crowd(running.port, 20) as connections:
            ensure_kept(connections)
            assert len(connections) == 20
        assert all(connection.fileno() == -1 for connection in connections)


@linux
def test_a_connection_that_is_not_kept_is_no_measurement():
    """A server that closes what it has answered has nothing to hold."""
    with standard_server(Closing) as url, crowd(int(url.rsplit(":")[-1].strip("/")), 2) as both:
        assert [connection.recv(1) for connection in both] == [b"", b""]
        with pytest.raises(LoadFailed, match="2 of 2 connections"):
            ensure_kept(both)


@linux
def test_the_command_writes_every_figure(tmp_path):
    """Once each, with its unit; what it tells of its progress is not among the tables."""
    file = tmp_path / "out.json"
    command = [sys.executable, "-m", "tests.benchmarks.footprint", "--servers", "bare",
               "--rounds", "1", "--connections", "20", "--json", str(file)]  # fmt: skip
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    figures = {(row["name"], row["figure"]): row for row in json.loads(file.read_text())["samples"]}
    assert figures.keys() == {("python", "start")} | {
        ("bare", figure) for figure in ("import", "first answer", "resident", "idle connection")
    }
    assert figures["bare", "resident"]["unit"] == "MB"
    assert "round 1 of 1" in ended.stderr
    assert "round 1 of 1" not in ended.stdout
