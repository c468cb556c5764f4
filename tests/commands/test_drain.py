"""`weblayer web` is replaced by another under load: it is stopped, and no request is lost."""

import shutil
import signal
import socket
import subprocess

import pytest

from tests.programs import LIMIT, Program

REQUESTS = 6000


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("keep", [["-k"], []], ids=["kept connections", "one for each"])
def test_a_server_that_is_stopped_loses_no_request(tmp_path, loop, keep):
    """ApacheBench asks two that share a socket; one is told to stop in the midst of it."""
    if shutil.which("ab") is None:
        pytest.skip("ab is not installed")
    (tmp_path / "page.html").write_text("<p>Here I am.\n")
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listening:
        options = ["-m", "weblayer", "web", "--path", tmp_path]
        options += ["--listen", f"fd:{listening.fileno()}"]
        shared = {"WEBLAYER_LOOP": loop, "pass_fds": [listening.fileno()]}
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/page.html"
        with Program(*options, **shared) as old, Program(*options, "--quiet", **shared) as new:
            new.lines("Ctrl-C")
            old.lines("Ctrl-C")
            new.process.send_signal(signal.SIGSTOP)  # or it might take all connections
            command = ["ab", "-q", *keep, "-n", str(REQUESTS), "-c", "8", url]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
                old.lines("page.html")  # it has answered some
                new.process.send_signal(signal.SIGCONT)
                code, _, complained = old.stop(signal.SIGTERM)
                report = load.communicate(timeout=LIMIT)[0]
    assert (code, complained) == (0, "")
    assert f"Complete requests:      {REQUESTS}\n" in report
    assert "Failed requests:        0\n" in report
