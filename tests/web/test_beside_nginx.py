"""The same raw bytes sent to nginx: where it refuses what we take, the fault is ours."""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.web.trees import Page
from tests.wire.rules import REFUSED, TAKEN, head
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.site import Site

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
LIMIT = 10  # seconds after which a test is taken to hang

# The first server reads a request to its end, as one does that has a use for it, and hands it to
# the second. A body that is not whole is given up soon.
CONFIG = """
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log /dev/null crit;
events {{ worker_connections 100; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    client_header_timeout 1; client_body_timeout 1; lingering_timeout 1; lingering_time 1;
    server {{ listen unix:{folder}/front; location / {{ proxy_pass http://unix:{folder}/back; }} }}
    server {{ listen unix:{folder}/back; location / {{ return 200 ok; }} }}
}}
"""

# What is sent behind: a request whose answer is the last.
LAST = head(b"Connection: close", line=b"GET /last HTTP/1.1")

# What nginx 1.22 takes and we do not, with the section that has us refuse it.
STRICTER = {
    rule: REFUSED[rule][2]
    for rule in (
        "HTTP/1.2", "two digits", "two spaces", "a space at the end", "a line feed before",
        "an unknown method", "a method of RTSP", "a method of ICE", "a fragment",
        "bytes beyond ASCII in the target", "a Host with a user", "a malformed port", "no colon",
        "an at sign in a name", "a quote in a name", "bytes beyond ASCII in a name",
        "a line feed alone ends a field", "line feeds alone", "two carriage returns",
        "a control in a value", "DEL in a value", "a length of 20 digits",
        "a length in the trailers", "a coding in the trailers", "a folded trailer",
        "a trailer without a colon", "a line feed alone ends a trailer",
        "an unknown expectation", "one unknown among them",
    )
}  # fmt: skip

# What nginx refuses and we take, with the section that has us take it.
LAXER = {
    "the server as a whole": "9110, 9.3.7",
    # There is no tunnel to be had from either; nginx closes upon it, and we take what comes next.
    "an authority": "9112, 9.3",
    "CONNECT with a body": "9112, 9.3",
    # A tab is white space too.
    "spaces around a length": "9110, 5.5",
    # An option is a token, and no beginning of one: nginx takes `closed` for `close`.
    "what only sounds like close": "9112, 9.3",
}


@pytest.fixture(scope="module")
def nginx():
    """A function that gives the codes of nginx's answers to raw bytes."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    with tempfile.TemporaryDirectory() as folder:  # the path of a socket must be short
        config = Path(folder) / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder))
        command = [NGINX, "-p", folder, "-c", str(config)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(f"{folder}/front", process)
                yield lambda raw: asked(f"{folder}/front", raw)
            finally:
                process.terminate()


def wait_for(path, process):
    """Until it listens, which a program that is not ours does not tell."""
    end = time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(path) == 0:
                return
        time.sleep(0.01)
    pytest.fail("nginx does not listen")


def asked(path, raw):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LIMIT)
        client.connect(path)
        received = b""
        client.sendall(raw)
        try:
            while piece := client.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
    return codes_of(received)


def codes_of(received):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 ([2-5]\d\d) ", received)]


def ours(raw):
    """The codes of our answers."""
    clock = Clock()
    peer = MemoryPeer(Site(Page(lambda request: b"ok"), reactor=clock))
    peer.send(raw)
    clock.pump([1] * 40)
    peer.pump()
    return codes_of(bytes(peer.received))


def taken(codes):
    return sum(code < 300 for code in codes)


@pytest.mark.parametrize("rule", [*REFUSED, *TAKEN])
def test_we_take_nothing_that_nginx_refuses(nginx, rule):
    """What is wrong to it is wrong to us; where we are stricter, the rule names its source."""
    raw = (REFUSED.get(rule) or TAKEN[rule])[0] + LAST
    mine, theirs = taken(ours(raw)), taken(nginx(raw))
    assert mine <= theirs or rule in LAXER
    assert mine >= theirs or rule in STRICTER
