"""The parts of the benchmark that can be wrong without anybody noticing."""

import os
import socket
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.case import CASES, MESSAGE, Case
from tests.benchmarks.check import WrongAnswer, check, entered
from tests.benchmarks.echo import Tally, drive
from tests.benchmarks.load import Load, LoadFailed, parse_report, script
from tests.benchmarks.measure import Sample
from tests.benchmarks.meter import Stat, family, parse_stat, usage
from tests.benchmarks.server import SERVERS, Running, Server, ServerFailed
from tests.benchmarks.table import Spread, case_table, ratios, report, spread
from tests.certificates import needs_openssl

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

HELLO, BARE = CASES[0], SERVERS[0]
OURS = next(server for server in SERVERS if server.name == "weblayer")
BY_NAME = {case.name: case for case in CASES}

WRK = """\
Running 2s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
Requests/sec: 119764.93

report requests=240012 microseconds=2004021 p50=498 p99=1234 refused=5 broken=2
"""

# Processor figures: 30 + 12 of its own, 5 + 3 of children; 250 pages.
STAT = "77 ({}) S 1 77 76 0 -1 4194304 900 0 0 0 30 12 5 3 20 0 1 0 500 9000000 250 18446744"


def sample(server: str, cpu: float, number: int = 0, **changes: Any) -> Sample:
    plain = Sample("hello", server, number, rate=1000, cpu=cpu, p50=1, p99=2, resident=30,
                   wrong=0, broken=0)  # fmt: skip
    return replace(plain, **changes)


def test_the_report_line_of_wrk_is_read():
    """Every figure comes from our own line, in seconds and milliseconds."""
    assert parse_report(WRK) == Load(
        240012, seconds=2.004021, p50=0.498, p99=1.234, refused=5, broken=2
    )


@pytest.mark.parametrize("output", ["unable to connect", WRK.replace("240012", "0")])
def test_no_answers_are_no_measurement(output):
    """A run without a report or without an answer is an error that shows what wrk said."""
    with pytest.raises(LoadFailed, match=r"unable to connect|Running 2s"):
        parse_report(output)


def test_the_script_sends_the_case():
    """Method, headers and body arrive in Lua as they are, quotes and backslashes included."""
    case = Case("odd", "odd", method="PUT", headers={"X-Odd": 'a "b" \\c'}, body=b"text=1")
    lines = script(case).splitlines()
    assert lines[:3] == [
        'wrk.method = "PUT"',
        r'wrk.headers["X-Odd"] = "a \"b\" \\c"',
        'wrk.body = "text=1"',
    ]


def test_the_script_asks_in_turn():
    """Each turn has its path, and its headers beside those of all."""
    case = Case("odd", "odd", headers={"X-A": "1"}, turns=(("/a", {"X-B": "2"}), ("/b", {})))
    text = script(case)
    assert '{"/a", {["X-A"] = "1", ["X-B"] = "2"}},\n{"/b", {["X-A"] = "1"}}' in text
    assert "function request()" in text
    assert "function request()" not in script(Case("odd", "odd"))


def test_a_script_refuses_what_it_cannot_quote():
    """A line break in a header would be another line of Lua."""
    with pytest.raises(ValueError, match="printable ASCII"):
        script(Case("odd", "odd", headers={"X-Odd": "a\nb"}))


@given(name=st.text(st.characters(codec="ascii"), max_size=15))
def test_a_process_may_have_any_name(name):
    """Spaces and parentheses in a program's name do not shift the fields after it."""
    assert parse_stat(STAT.format(name)) == Stat(77, parent=1, session=76, ticks=50, pages=250)


def test_workers_in_sessions_of_their_own_are_their_servers():
    """What a server has started counts as its own, and nothing else does."""
    server, worker = Stat(7, 1, 7, 1, 1), Stat(8, 7, 8, 1, 1)
    other = Stat(9, 1, 9, 1, 1)
    assert family([server, other, worker], 7) == [server, worker]


@linux
def test_usage_sees_this_process():
    """The processes of a session are found, and hold memory."""
    assert usage(os.getsid(0)).resident > 1_000_000


@given(figures=st.lists(st.floats(0, 1e6), min_size=1))
def test_the_median_lies_between_the_lowest_and_the_highest(figures):
    """The order in which rounds came does not matter."""
    low, middle, high = sorted([spread(figures).low, spread(figures).middle, spread(figures).high])
    assert spread(figures[::-1]) == Spread(middle, low, high)


def test_ratios_are_of_one_round():
    """A slow round slows both, and a round without the bare server has no ratio."""
    samples = [sample("bare", 4, 0), sample("bare", 8, 1)]
    samples += [sample("aiohttp", cpu, number) for number, cpu in enumerate([20, 40, 60])]
    assert ratios(samples, "aiohttp") == [5, 5]


def test_a_table_lists_the_cheapest_first():
    """Medians with their spread, and a dash where there is nothing to compare with."""
    samples = [sample("twisted", 70), sample("aiohttp", 20), sample("aiohttp", 30, 1)]
    assert case_table(HELLO, samples).splitlines()[2:] == [
        "| server | requests/s | CPU µs/request | x bare | p50 ms | p99 ms | resident MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        (
            "| aiohttp | 1,000 (1,000-1,000) | 25.00 (20.00-30.00) | - | 1.00 (1.00-1.00) "
            "| 2.00 (2.00-2.00) | 30.0 |"
        ),
        "| Twisted Web | 1,000 | 70.00 | - | 1.00 | 2.00 | 30.0 |",
    ]


def test_a_table_shows_what_went_wrong():
    """Errors that wrk counted stand below the figures they make doubtful."""
    table = case_table(HELLO, [sample("bare", 4, wrong=3, broken=1)])
    assert "3 answers with an unexpected status, 1 broken" in table.splitlines()[-1]


def test_the_summary_puts_cases_side_by_side():
    """A server that cannot do a case has a dash there."""
    samples = [sample("bare", 4), sample("nginx", 6), sample("bare", 5, case="form")]
    lines = report(samples).splitlines()
    assert lines[2] == "| server | hello | form |"
    assert lines[5] == "| nginx `return 200` | 6.0 (1.50 x) | - |"


@pytest.mark.parametrize("server", SERVERS, ids=[server.name for server in SERVERS])
def test_every_row_has_its_program(server):
    """A row names a file in servers/, and only cases that exist."""
    assert find_spec(f"tests.benchmarks.servers.{server.name}")
    assert not server.echo or find_spec(f"tests.benchmarks.servers.echo.{server.name}")
    assert not server.files or find_spec(f"tests.benchmarks.servers.files.{server.name}")
    assert server.cannot <= BY_NAME.keys()


def test_a_missing_peer_says_how_to_install_it():
    """The hint names the server and the command."""
    server = Server("peer", "A peer", "no_such_module", "pip install peer")
    assert server.missing() == "peer: no_such_module is not installed: pip install peer"


@linux
@pytest.mark.parametrize("kind", ["http", "log", "echo"])
@pytest.mark.parametrize("server", [BARE, OURS], ids=lambda server: server.name)
def test_we_and_what_all_are_compared_with_answer_every_case(server, kind):
    """Right answers are measured; the one that the bare server cannot give is excused."""
    with Running(server, min(os.sched_getaffinity(0)), kind) as running:
        for case in CASES:
            if case.kind == kind:
                check(entered(server.expected(case), running.port), running.port)


@linux
def test_who_has_not_entered_has_no_session():
    """The case of the session is answered by what the cookie finds, and not without."""
    with Running(OURS, min(os.sched_getaffinity(0))) as running:
        with pytest.raises(WrongAnswer, match="status 500"):
            check(BY_NAME["session"], running.port)
        case = entered(BY_NAME["session"], running.port)
        assert "=" in case.headers["Cookie"]
        assert ";" not in case.headers["Cookie"]  # the attributes are not sent back


@linux
@pytest.mark.parametrize("kind", ["files", pytest.param("tls", marks=needs_openssl)])
def test_we_answer_with_files_in_every_case(kind):
    """Their bytes, whole, over HTTP and HTTPS."""
    with Running(OURS, min(os.sched_getaffinity(0)), kind) as running:
        for case in CASES:
            if case.kind == kind:
                check(case, running.port)


@linux
def test_a_wrong_answer_is_told():
    """The check says what came, and what should have."""
    with Running(BARE, min(os.sched_getaffinity(0))) as running:
        with pytest.raises(WrongAnswer, match="status 200 and not 404"):
            check(BY_NAME["missing"], running.port)
        with pytest.raises(WrongAnswer, match="and not b'mmm"):
            check(BY_NAME["echo"], running.port)


def test_the_title_is_that_of_the_program():
    """In the echo case a server is named by what it is there."""
    lines = case_table(BY_NAME["echo"], [sample("twisted", 13, case="echo")]).splitlines()
    assert lines[4].startswith("| Twisted's reactor |")


def test_files_are_compared_with_nginx():
    """No ratio is to a server that sends none."""
    samples = [sample("nginx", 10, case="small"), sample("weblayer", 15, case="small")]
    assert ratios(samples, "weblayer") == [1.5]
    assert "x nginx" in case_table(BY_NAME["small"], samples)


def test_a_server_without_an_echo_cannot_do_that_case():
    """No row is measured on a program that it does not have."""
    able = {server.name for server in SERVERS if server.can(BY_NAME["echo"])}
    assert able == {"bare", "weblayer", "twisted"}


@pytest.fixture
def answering():
    """A function that gives a socket, whose other end gives its messages these answers and ends."""
    with ExitStack() as stack:

        def serve(far, answers):
            for answer in answers:
                far.recv(len(MESSAGE))
                far.sendall(answer)
            far.shutdown(socket.SHUT_WR)

        def answering(answers):
            near, far = map(stack.enter_context, socket.socketpair())
            thread = threading.Thread(target=serve, args=(far, answers))
            thread.start()
            stack.callback(thread.join)
            return near

        yield answering


@linux
def test_the_echo_load_counts_what_comes_back(answering):
    """Each message that came back has its latency; a wrong one or none is a broken connection."""
    tally = drive([answering(a) for a in ([MESSAGE, MESSAGE], [MESSAGE, MESSAGE[1:]], [])], 20)
    assert (len(tally.latencies), tally.broken) == (3, 3)
    assert all(0 < latency < tally.microseconds for latency in tally.latencies)


def test_the_echo_load_reports_as_wrk_does():
    """One reader reads both."""
    tally = Tally([float(latency) for latency in range(200)], microseconds=1e6, broken=1)
    assert parse_report(str(tally)) == Load(200, seconds=1, p50=0.1, p99=0.198, refused=0, broken=1)


@linux
def test_a_server_that_does_not_start_shows_what_it_wrote():
    """The error carries the server's own words."""
    core = min(os.sched_getaffinity(0))
    absent = Server("absent", "Absent", "sys", "pip install absent")
    with pytest.raises(ServerFailed, match="No module named"), Running(absent, core):
        pass
