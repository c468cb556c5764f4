"""The site over real sockets, on both event loops, asked by programs that are not ours."""

import asyncio
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
from hashlib import sha256

import pytest

from tests.web.trees import Page, raw, tree
from weblayer.web.policy import Policy
from weblayer.web.request import NOT_DONE_YET

LIMIT = 20  # seconds after which a test is taken to hang


def curl(*arguments):
    """What curl prints."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = ["curl", "-sS", "--noproxy", "*", "--max-time", str(LIMIT), *arguments]
    done = subprocess.run(command, capture_output=True, timeout=2 * LIMIT, check=False)
    if b"doesn't support" in done.stderr:
        pytest.skip("this curl lacks what the test asks for")
    return done.stdout


def connected(port):
    return socket.create_connection((port.host, port.port), timeout=LIMIT)


hello = Page(lambda request: request.uri)
echo = Page(lambda request: request.content.read(), Policy(maxBody=10**6))


def test_curl_keeps_its_connection(serve):
    """Three addresses are one connection, whatever kind of answer each gives."""
    root = tree(a=hello, b=Page(lambda request: iter("xy")), c=tree())

    def ask(port):
        urls = [f"http://127.0.0.1:{port.port}/{name}" for name in "abc"]
        return curl("-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null",
                    "-w", "%{http_code} %{num_connects}\n", *urls)  # fmt: skip

    assert serve(root, ask, interface="127.0.0.1") == b"200 1\n200 0\n404 0\n"


def test_curl_that_offers_http_2_loses_no_body(serve):
    """An upgrade that is declined leaves the body what it is."""

    def ask(port):
        return curl("--http2", "-d", "abc", f"http://127.0.0.1:{port.port}/")

    assert serve(echo, ask, interface="127.0.0.1") == b"abc"


@pytest.mark.parametrize("expect", ["Expect: 100-continue", "Expect:"])
def test_curl_is_told_that_its_upload_is_too_large(serve, tmp_path, expect):
    """Whether it asks first or not, it reads the 413, and no reset loses that."""
    large = tmp_path / "large"
    large.write_bytes(b"x" * 2_000_000)

    def ask(port):
        url = f"http://127.0.0.1:{port.port}/"
        return curl("-o", "/dev/null", "-w", "%{http_code}", "-H", expect, "-T", str(large), url)

    assert serve(echo, ask, interface="127.0.0.1") == b"413"


def test_a_unix_socket_serves_the_same(serve, tmp_path):
    """A path instead of a port, and a client without an address."""
    path = os.path.relpath(tmp_path / "s")
    page = Page(lambda request: type(request.getClientAddress()).__name__)

    def ask(port):
        return curl("--unix-socket", path, "http://a.test/")

    assert serve(page, ask, serve.reactor.listenUNIX, (path,)) == b"UNIXAddress"


def test_http_1_0_keeps_its_connection(serve):
    """As `ab -k` asks: three requests, one connection."""
    request = b"GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: a.test\r\n\r\n"

    def ask(port):
        heads = []
        with connected(port) as sock, sock.makefile("rb") as file:
            for _ in range(3):
                sock.sendall(request)
                heads.append(b"".join(iter(file.readline, b"\r\n")).lower())
                assert file.read(2) == b"/x"
        return heads

    heads = serve(hello, ask, interface="127.0.0.1")
    assert all(b"connection: keep-alive\r\n" in head for head in heads)


def test_ab_keeps_its_connections(serve):
    """200 requests of ApacheBench are 200 keep-alive requests."""
    if shutil.which("ab") is None:
        pytest.skip("ab is not installed")

    def ask(port):
        command = ["ab", "-q", "-k", "-n", "200", "-c", "4", f"http://127.0.0.1:{port.port}/x"]
        return subprocess.run(command, capture_output=True, timeout=LIMIT, check=True).stdout

    report = serve(hello, ask, interface="127.0.0.1").decode()
    assert "Keep-Alive requests:    200" in report
    assert "Failed requests:        0" in report


def test_a_client_that_resets_ends_the_stream(serve, caplog):
    """A reset in the middle of an endless answer closes what gave it, without a word."""
    closed = threading.Event()

    def endless(request):
        try:
            while True:
                yield b"x" * 10_000
        finally:
            closed.set()

    def ask(port):
        with connected(port) as sock:
            sock.sendall(raw("GET / HTTP/1.1"))
            sock.recv(100_000)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return closed.wait(LIMIT)

    assert serve(Page(endless), ask, interface="127.0.0.1")
    assert not caplog.records


def waits(event):
    """A page that answers when *event* is set, by another thread."""

    async def page(request):
        await asyncio.to_thread(event.wait, LIMIT)
        return request.uri

    return Page(page)


def test_a_client_that_ends_its_side_is_answered(serve):
    """Also where the answer is yet to come; then the connection is closed."""
    ended = threading.Event()

    def ask(port):
        with connected(port) as sock, sock.makefile("rb") as file:
            sock.sendall(raw("GET /a HTTP/1.1") + raw("GET /b HTTP/1.1"))
            sock.shutdown(socket.SHUT_WR)
            ended.set()
            return file.read()

    received = serve(waits(ended), ask, interface="127.0.0.1")
    assert (received.count(b"HTTP/1.1 200 OK"), received[-2:]) == (2, b"/b")


def test_netcat_is_answered(serve):
    """It ends its side behind what it was piped."""
    if shutil.which("nc") is None or "-N" not in subprocess.getoutput("nc -h"):
        pytest.skip("nc is not installed, or does not end its side")
    ended = threading.Event()

    def ask(port):
        command = ["nc", "-N", "127.0.0.1", str(port.port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as nc:
            nc.stdin.write(raw("GET /a HTTP/1.1"))
            nc.stdin.close()
            ended.set()
            return nc.stdout.read()

    assert serve(waits(ended), ask, interface="127.0.0.1").endswith(b"/a")


class Pull:
    """Writes three pieces, one each time it is asked."""

    def __init__(self, request):
        self.request, self.left = request, 3
        request.registerProducer(self, False)

    def resumeProducing(self):
        self.request.write(b"piece")
        self.left -= 1
        if not self.left:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self):
        pass


@pytest.mark.parametrize(("method", "body"), [("GET", b"piece" * 3), ("HEAD", b"")])
def test_a_pull_producer_is_asked_until_it_is_done(serve, method, body):
    """Also where nobody is sent what it writes."""
    page = Page(lambda request: Pull(request) and NOT_DONE_YET)

    def ask(port):
        with connected(port) as sock, sock.makefile("rb") as file:
            sock.sendall(raw(f"{method} / HTTP/1.0"))
            return file.read().partition(b"\r\n\r\n")[2]

    assert serve(page, ask, interface="127.0.0.1") == body


def test_a_thousand_requests_in_one_packet(serve):
    """Come back as a thousand answers, in order."""

    def ask(port):
        with connected(port) as sock, sock.makefile("rb") as file:
            sock.sendall(b"".join(raw(f"GET /{n:04} HTTP/1.1") for n in range(1000)))
            return [file.read(5) for _ in range(1000) if b"".join(iter(file.readline, b"\r\n"))]

    assert serve(hello, ask, interface="127.0.0.1") == [b"/%04d" % n for n in range(1000)]


def uploaded(request):
    """The names of a form's files, and the hashes of their contents."""
    return {
        upload.filename: sha256(upload.file.read()).hexdigest() for upload in request.files["f"]
    }


async def streamed(request):
    digests = {}
    async for part in request.parts():
        digests[part.filename] = digest = sha256()
        async for piece in part:
            digest.update(piece)
    return {name: digest.hexdigest() for name, digest in digests.items()}


@pytest.mark.parametrize("how", ["spool", "stream"])
def test_files_of_any_name_arrive_as_curl_sent_them(serve, how, tmp_path):
    """Not ASCII, quotes, backslashes, semicolons; a few bytes and some megabytes."""
    names = ["plain.txt", "naïve ☃.txt", 'qu"ote.txt', "back\\slash.txt", "semi;colon, comma.txt"]
    contents = {name: os.urandom(1 + 1_000_000 * n) for n, name in enumerate(names)}
    options = []
    for name, content in contents.items():
        path = tmp_path / str(len(options))
        path.write_bytes(content)
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        options += ["-F", f'f=@{path};filename="{quoted}"']
    page = Page(uploaded if how == "spool" else streamed, Policy(takesBody=how, maxBody=20_000_000))
    answer = serve(page, lambda port: curl(*options, f"http://127.0.0.1:{port.port}/"))
    assert json.loads(answer) == {
        name: sha256(content).hexdigest() for name, content in contents.items()
    }


async def counted(request):
    return str(sum([len(piece) async for piece in request.stream()]))


@pytest.mark.parametrize(
    ("answer", "takes", "kind", "code"),
    [
        (streamed, "stream", "text/plain", b"415"),
        (streamed, "stream", "multipart/form-data; boundary=b", b"400"),
        (counted, "stream", "text/plain", b"413"),
        (counted, "spool", "text/plain", b"413"),
    ],
)
def test_a_refusal_in_the_midst_of_an_upload_is_read(serve, answer, takes, kind, code, tmp_path):
    """A client that is still sending gets the answer, and no reset in place of it."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    options = ["-o", os.devnull, "-w", "%{http_code}", "-H", "Expect:", "-T", str(path)]

    def ask(port):
        url = f"http://127.0.0.1:{port.port}/"
        fields = ["-H", f"Content-Type: {kind}"]
        chunked = [*fields, "-H", "Transfer-Encoding: chunked"]
        return [curl(*options, *given, url) for given in (fields, chunked)]

    most = 10**6 if code == b"413" else 10**9
    page = Page(answer, Policy(takesBody=takes, maxBody=most))
    assert serve(page, ask) == [code, code]
