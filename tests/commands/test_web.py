"""`weblayer web` in a process of its own: served, asked over real sockets, and stopped."""

# ruff: noqa: F811 - a fixture that is imported is a parameter all the same

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

import weblayer.commands.serve  # noqa: F401  loaded now, for a test that loses its rights
from tests.certificates import certificates  # noqa: F401  a fixture
from tests.programs import LIMIT, ROOT, Program, ask
from weblayer.commands.main import main
from weblayer.loop.reactor import SHUTDOWN


def serving(*options, **variables):
    """The program, serving a folder."""
    return Program("-m", "weblayer", "web", *options, **variables)


def failing(*options):
    """The exit code of the program, what it said and what it complained of."""
    with serving(*options) as program:
        return program.end()


@pytest.fixture
def folder(tmp_path):
    """A folder with a page, and another without one."""
    (tmp_path / "page.html").write_text("<p>Here I am.\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/first.txt").write_text("First.\n")
    return tmp_path


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_folder_is_served_until_a_signal(folder, loop, number):
    """It says where, answers, prints a line for each request, and ends with a friendly word."""
    with serving("--path", folder, "--port", 0, WEBLAYER_LOOP=loop) as program:
        port = program.port()
        assert ask(port, "/page.html")[1] == b"<p>Here I am.\n"
        assert ask(port, "/other")[0].status == 404
        lines = program.lines("/other")
        assert any("200 GET  /page.html 14 bytes to 127.0.0.1" in line for line in lines)
        assert "404 GET  /other" in lines[-1]
        code, said, complained = program.stop(number)
        assert (code, complained) == (0, "")
        assert said.endswith("Goodbye!\n")


def test_it_says_what_it_serves(folder):
    """The first lines name the folder, the URL, and the way to stop it."""
    with serving("--path", folder, "--port", 0) as program:
        lines = program.lines("Ctrl-C")
        assert str(folder) in lines[0]
        assert "http://localhost:" in lines[1]


def test_the_folder_you_are_in_is_the_default(folder):
    """Without --path it serves the current folder."""
    with serving("--port", 0, cwd=folder) as program:
        assert ask(program.port(), "/sub/first.txt")[1] == b"First.\n"


def test_a_signal_does_not_wait_for_idle_connections(folder):
    """A browser that keeps its connection open does not hold the program up."""
    with serving("--path", folder, "--port", 0) as program:
        connection = http.client.HTTPConnection("127.0.0.1", program.port(), timeout=LIMIT)
        connection.request("GET", "/page.html")
        connection.getresponse().read()
        began = time.monotonic()
        assert program.stop()[0] == 0
        assert time.monotonic() - began < SHUTDOWN
        connection.close()


def test_localhost_is_both_kinds_of_address(folder):
    """A browser that tries ::1 first finds us, and nobody from elsewhere does."""
    with serving("--path", folder, "--port", 0) as program:
        port = program.port()
        assert ask(port, "/page.html", host="127.0.0.1")[0].status == 200
        if has_ipv6():
            assert ask(port, "/page.html", host="::1")[0].status == 200
        with pytest.raises(OSError):
            ask(port, "/page.html", host="127.0.0.2")


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_listings_are_shown_unless_refused(folder):
    """A folder without an index is listed, or not there."""
    with serving("--path", folder, "--port", 0) as program:
        assert b"first.txt" in ask(program.port(), "/sub/")[1]
    with serving("--path", folder, "--port", 0, "--no-listing") as program:
        assert ask(program.port(), "/sub/")[0].status == 404


def test_the_index_may_have_another_name(folder):
    """--index names the files that answer for their folder, in the order of preference."""
    with serving(
        "--path", folder, "--port", 0, "--index", "page.html", "--index", "first.txt"
    ) as program:
        port = program.port()
        assert ask(port, "/")[1] == b"<p>Here I am.\n"
        assert ask(port, "/sub/")[1] == b"First.\n"


def test_quiet_prints_no_requests(folder):
    """With --quiet it says where it is, and nothing of who came."""
    with serving("--path", folder, "--port", 0, "--quiet") as program:
        ask(program.port(), "/page.html")
        assert "page.html" not in program.stop()[1]


def test_several_places(folder, tmp_path):
    """--listen takes TCP and UNIX descriptions, several of them, and all are named."""
    path = str(tmp_path / "web.sock")
    with serving(
        "--path", folder, "--listen", "tcp:0:interface=127.0.0.1", "--listen", f"unix:{path}"
    ) as program:
        lines = program.lines("Ctrl-C")
        assert "http://127.0.0.1:" in lines[1]
        assert f"unix:{path}" in lines[2]
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"GET /page.html HTTP/1.0\r\n\r\n")
            assert client.makefile("rb").read().endswith(b"\r\n\r\n<p>Here I am.\n")
        assert "to unix" in program.lines("page.html")[-1]
        assert program.stop()[0] == 0
        assert not os.path.lexists(path)


def test_https(folder, certificates):
    """With a certificate and its key the site is served encrypted, and its URL says so."""
    both = certificates.server
    where = f"ssl:0:interface=127.0.0.1:privateKey={both.key}:certKey={both.certificate}"
    with serving("--path", folder, "--listen", where) as program:
        line = program.lines("https://")[-1]
        port = int(line.split(":")[-1].strip("/ \n"))
        context = ssl.create_default_context(cafile=certificates.trusted)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=LIMIT, context=context)
        connection.request("GET", "/page.html")
        assert connection.getresponse().read() == b"<p>Here I am.\n"
        connection.close()
        assert program.stop()[0] == 0


def test_an_inherited_socket(folder):
    """A socket that listens already is served on: nobody is refused while we restart."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        code = (
            f"import os; os.dup2({listening.fileno()}, 9); "
            f"os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'weblayer', 'web',"
            f" '--path', {str(folder)!r}, '--listen', 'fd:9'])"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code], pass_fds=[listening.fileno()], cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert ask(listening.getsockname()[1], "/page.html")[0].status == 200
        finally:
            process.terminate()
            process.wait(LIMIT)


def test_a_taken_port_is_told(folder):
    """Who listens there already is not disturbed; the person is told what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said, complained = failing("--path", folder, "--port", port)
    assert (code, said) == (1, "")
    assert complained == (
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Stop what listens there, or choose another port.\n"
    )


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_a_port_taken_on_either_address_is_told(folder):
    """A browser would find the other program at localhost, so that this is no place for us."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        code, _, complained = failing("--path", folder, "--port", taken.getsockname()[1])
    assert code == 1
    assert "::1" in complained


def test_a_place_that_fails_closes_the_others(folder, tmp_path):
    """It serves everywhere or nowhere, and leaves no socket file."""
    path = str(tmp_path / "web.sock")
    code, _, complained = failing(
        "--path", folder, "--listen", f"unix:{path}", "--listen", f"unix:{tmp_path}/no/such.sock"
    )
    assert (code, complained.count("\n")) == (1, 1)
    assert not os.path.lexists(path)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("missing", "No such file or directory. Give --path a folder that exists."),
        ("page.html", "Not a directory. Give --path the folder that it is in."),
        ("x" * 300, "File name too long. Give another --path."),
    ],
)
def test_a_wrong_folder_is_told(folder, monkeypatch, path, told):
    """One line that says what to do, and no traceback."""
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, ["web", "--path", path])
    assert (result.exit_code, result.output) == (1, f"Error: cannot serve {path!r}: {told}\n")


def test_a_folder_that_may_not_be_read_is_told(folder, unprivileged):
    """One line that says what to do, and no traceback."""
    (folder / "sub").chmod(0)
    with unprivileged:
        result = CliRunner().invoke(main, ["web", "--path", str(folder / "sub")])
    assert result.exit_code == 1
    assert result.output.endswith("Permission denied. Give --path a folder that you may read.\n")
    assert result.output.count("\n") == 1


def test_an_unknown_loop_is_told(folder):
    """What the environment asks for and cannot be had is told as any other mistake."""
    with serving("--path", folder, "--port", 0, WEBLAYER_LOOP="rope") as program:
        code, _, complained = program.end()
    assert code == 1
    assert complained == "Error: WEBLAYER_LOOP must be uvloop or asyncio, not 'rope'\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "http"], "--port"),
        (["--port", "65536"], "--port"),
        (["--listen", "tcp:http"], "port must be a number"),
        (["--listen", "ssl:0:privateKey=missing.pem"], "missing.pem"),
        (["--listen", "stdio:"], "another place"),
        (["--listen", "tcp:8080", "--port", "8080"], "leave out --port"),
        (["--colour"], "--colour"),
        (["extra"], "extra"),
    ],
)
def test_wrong_usage_is_told(options, told):
    """Exit code 2, and the option in question."""
    result = CliRunner().invoke(main, ["web", *options])
    assert result.exit_code == 2
    assert told in result.output


def test_a_reader_that_leaves_does_not_stop_the_server(folder):
    """`weblayer web | head` serves on when head has seen enough."""
    with serving("--path", folder, "--port", 0) as program:
        port = program.port()
        program.process.stdout.close()
        program.process.stdout = None
        assert [ask(port, "/page.html")[0].status for _ in range(3)] == [200] * 3
