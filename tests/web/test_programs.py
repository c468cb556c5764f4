"""Real programs behind real sockets, on both event loops: git, PHP, Perl, and a hundred at once."""

import asyncio
import http.client
import os
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.web.scripts import is_running, no_children
from tests.web.trees import tree
from weblayer.loop.loops import new_loop
from weblayer.loop.reactor import Reactor
from weblayer.web.policy import Policy
from weblayer.web.process import Process
from weblayer.web.site import Site
from weblayer.web.turnstile import Turnstile
from weblayer.web.twcgi import CGIScript, FilteredScript

pytestmark = pytest.mark.usefixtures("nothing_left")

LIMIT = 30  # seconds after which a test is taken to hang

HEAD = "echo Content-Type: text/plain; echo; "


@pytest.fixture(params=["asyncio", "uvloop"])
def serve(request):
    """A function that serves a tree as long as another, given the port, asks it in a thread."""
    loop = new_loop(request.param)
    reactor = Reactor(loop, shutdownTimeout=1)

    async def scenario(ask, where):
        async with asyncio.timeout(LIMIT):
            try:
                return await asyncio.to_thread(ask, where)
            finally:
                await reactor.fireSystemEvent("shutdown")
                await asyncio.to_thread(until, no_children)

    def serve(root, ask, path=None):
        if path is None:
            where = reactor.listenTCP(0, Site(root), interface="127.0.0.1").getHost().port
        else:
            where = reactor.listenUNIX(path, Site(root)) and path
        return loop.run_until_complete(scenario(ask, where))

    yield serve
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def until(condition):
    """Wait for what other processes do."""
    while not condition():
        time.sleep(0.01)


def answered(where, path="/", method="GET", body=None, headers=None):
    """The code and the body of one answer."""
    if isinstance(where, int):
        connection = http.client.HTTPConnection("127.0.0.1", where)
    else:
        connection = http.client.HTTPConnection("weblayer.test")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(where)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def needs(name):
    """The path of a program, without which the test is skipped."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


class Git:
    """git, with no settings but these; *home* is a folder of its own."""

    def __init__(self, home):
        self.path, self.home = needs("git"), home
        self.backend = Path(self("--exec-path").stdout.strip()) / "git-http-backend"
        if not self.backend.exists():
            pytest.skip("git-http-backend is not installed")

    def __call__(self, *args):
        who = {f"GIT_{w}_{n}": "a@b" for w in ("AUTHOR", "COMMITTER") for n in ("NAME", "EMAIL")}
        env = {"PATH": os.defpath, "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", **who}
        env |= {"GIT_TRACE_CURL": "1", "GIT_TRACE_CURL_NO_DATA": "1", "GIT_TERMINAL_PROMPT": "0"}
        return subprocess.run(
            [self.path, *map(str, args)], cwd=self.home, env=env, capture_output=True, text=True,
            timeout=LIMIT, check=True,
        )  # fmt: skip


def test_git_clones_and_pushes(serve, tmp_path):
    """A push of 3 MB, in chunks, and a clone that has the same."""
    git = Git(tmp_path)
    git("init", "-q", "--bare", "repositories/a.git")
    git("-C", "repositories/a.git", "config", "http.receivepack", "true")
    git("init", "-q", "work")
    (tmp_path / "work/large").write_bytes(os.urandom(3_000_000))
    git("-C", "work", "add", ".")
    git("-C", "work", "commit", "-q", "-m", "one")
    env = {"GIT_PROJECT_ROOT": str(tmp_path / "repositories"), "GIT_HTTP_EXPORT_ALL": "1"}
    root = tree(git=CGIScript(git.backend, env=env))
    root.policy = Policy(maxBody=10_000_000)

    def ask(port):
        url = f"http://127.0.0.1:{port}/git/a.git"
        pushed = git("-C", "work", "push", url, "HEAD:refs/heads/main")
        assert "Transfer-Encoding: chunked" in pushed.stderr
        git("clone", "-q", "-b", "main", url, "copy")

    serve(root, ask)
    copied = (tmp_path / "copy/large").read_bytes()
    assert copied == (tmp_path / "work/large").read_bytes()


def test_php(serve, tmp_path):
    """The page on which PHP tells of itself, and a form."""

    class PHP(FilteredScript):
        filter = needs("php-cgi")

    (tmp_path / "info.php").write_text("<?php phpinfo();")
    (tmp_path / "form.php").write_text("<?php echo ($_POST['a'] ?? '').($_GET['b'] ?? '');")
    root = tree(info=PHP(tmp_path / "info.php"), form=PHP(tmp_path / "form.php"))

    def ask(port):
        code, body = answered(port, "/info")
        assert code == 200
        assert b"<title>PHP" in body
        assert b"weblayer" in body
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert answered(port, "/form?b=2", "POST", "a=1", form) == (200, b"12")
        assert b"<?php" not in answered(port, "/form?-s")[1]  # CVE-2012-1823

    serve(root, ask)


def test_perl(serve, tmp_path):
    """A script of its own, and one that is read by it."""
    path = tmp_path / "script.pl"
    path.write_text(
        f"#!{needs('perl')}\n"
        'print "Content-Type: text/plain\\r\\n\\r\\n"; '
        'print uc while <STDIN>; print "$ENV{PATH_INFO}\\n";'
    )

    class Perl(FilteredScript):
        filter = needs("perl")

    path.chmod(0o755)
    root = tree(script=CGIScript(path), filtered=Perl(path))

    def ask(port):
        assert answered(port, "/script/a/b", "POST", "abc") == (200, b"ABC/a/b\n")
        assert answered(port, "/filtered/", "POST", "abc") == (200, b"ABC/\n")

    serve(root, ask)


def test_over_a_unix_socket(serve, program, tmp_path):
    """A client without an address has none, and all else is as over TCP."""
    root = CGIScript(program(HEAD + 'echo "[$REMOTE_ADDR] $SERVER_NAME $SERVER_PORT"; exec cat'))

    def ask(path):
        assert answered(path, "/", "POST", b"abc") == (200, b"[] weblayer.test 80\nabc")

    serve(root, ask, str(tmp_path / "socket"))


@pytest.mark.parametrize("number", [9, 15])
def test_the_child_ends_with_its_client(serve, program, number):
    """The client is killed; what worked for it is, too."""
    curl = needs("curl")
    path = program(HEAD + "echo $$; exec sleep 1000")

    def ask(port):
        command = [curl, "-sN", "--noproxy", "*", f"http://127.0.0.1:{port}/"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
            pid = int(client.stdout.readline())
            assert is_running(pid)
            client.send_signal(number)
        until(lambda: not is_running(pid))

    serve(CGIScript(path), ask)


def test_a_hundred_at_once_share_their_places(serve, program, tmp_path):
    """All are answered, and never do more run than there is room for."""
    (tmp_path / "running").mkdir()
    path = program(HEAD + "cd running; >$$; ls | wc -l; sleep 0.02; rm $$")
    script = CGIScript(path, turnstile=Turnstile(8, 100))

    def ask(port):
        with ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(lambda _: answered(port), range(100)))
        assert {code for code, _ in answers} == {200}
        assert max(int(body) for _, body in answers) <= 8

    serve(script, ask)


def test_events_end_when_the_server_does(serve):
    """A stream that has no end of its own does not hold up the shutdown."""
    root = Process(["sh", "-c", "echo $$; exec sleep 1000"], asEvents=True)
    peer = socket.socket()
    peer.settimeout(LIMIT)

    def ask(port):
        peer.connect(("127.0.0.1", port))
        peer.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while b"data: " not in peer.recv(1000):
            pass

    with peer, peer.makefile("rb") as stream:
        serve(root, ask)
        assert stream.read().endswith(b"0\r\n\r\n")
