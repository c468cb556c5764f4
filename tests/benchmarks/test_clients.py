"""The parts of the clients' benchmark that can be wrong without anybody noticing."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.benchmarks.clients.__main__ import CASES, CLIENTS, ROOT, table
from tests.benchmarks.clients.work import Report, check
from tests.client.echo import Echo
from tests.client.test_sockets import standard_server

BY_NAME = {client.name: client for client in CLIENTS}


class Fixed(Echo):
    """Answers each GET with five bytes, or refuses it."""

    def answer(self):
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    do_GET = answer


def run(client, url, size=5, at_once=3):
    program = [sys.executable, "-m", f"tests.benchmarks.clients.{client.name}"]
    return subprocess.run(
        [*program, url, str(at_once), str(size), "0.01"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS, ids=list(BY_NAME))
def test_a_client_reports_what_it_cost(client):
    """One line of JSON, about answers that it has held against what they must be."""
    if not find_spec(client.needs):
        pytest.skip(f"pip install {client.needs}")
    with standard_server(Fixed) as url:
        ended = run(client, url + "/")
    report = Report(**json.loads(ended.stdout))
    assert report.cpu > 0
    assert report.rate > 0


@pytest.mark.parametrize("name", ["bare", "weblayer"])
@pytest.mark.parametrize(("path", "size"), [("/missing", 5), ("/", 6)])
def test_a_wrong_answer_is_no_measurement(name, path, size):
    """It fails, and does not hang."""
    with standard_server(Fixed) as url:
        ended = run(BY_NAME[name], url + path, size)
    assert ended.returncode != 0
    assert "answered with" in ended.stderr


def test_right_answers_are_let_through():
    """By code and length."""
    check(200, b"hello", 5)
    for code, size in ((201, 5), (200, 4)):
        with pytest.raises(AssertionError):
            check(code, b"hello", size)


def test_the_table_names_the_cheapest_first():
    """Each figure with its spread, and the ratio to the bare one."""
    taken = {
        ("hello-1", "weblayer"): [Report(30.0, 10.0), Report(20.0, 30.0), Report(25.0, 20.0)],
        ("hello-1", "bare"): [Report(10.0, 40.0)],
    }
    lines = table(CASES[0], [BY_NAME["weblayer"], BY_NAME["bare"]], taken).splitlines()
    assert lines[-2] == "| bare uvloop + httptools | 10.0 (10.0-10.0) | 1.00 | 40 |"
    assert lines[-1] == "| weblayer Agent | 25.0 (20.0-30.0) | 2.50 | 20 |"
