"""Large files over real sockets, on both event loops: by the kernel, and where it cannot."""

import http.client
import os
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from tests.certificates import Authority, needs_openssl
from weblayer.loop.ssl import CertificateOptions
from weblayer.loop.timers import Clock
from weblayer.web.site import Site
from weblayer.web.static import File

LIMIT = 20  # seconds after which a test is taken to hang

# More than a turn's piece and than the buffers of a socket hold, and no whole number of pieces.
LARGE = bytes(range(251)) * 64_001
HOST = "127.0.0.1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a large file and a small one."""
    (tmp_path / "large.bin").write_bytes(LARGE)
    (tmp_path / "small.txt").write_text("small")
    return tmp_path


def get(port, target="/large.bin", **headers):
    """The status and the body of an answer, as the standard library reads it."""
    asking = http.client.HTTPConnection(HOST, port.port, timeout=LIMIT)
    try:
        asking.request("GET", target, headers=headers)
        answer = asking.getresponse()
        return answer.status, answer.read()
    finally:
        asking.close()


def begin(port, target="/large.bin", ranges=None):
    """A connection on which a file was asked for, and the head of the answer has come.

    Of *ranges* nothing has come yet.
    """
    asking = socket.socket()
    asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    asking.settimeout(LIMIT)
    asking.connect((HOST, port.port))
    field = f"Range: {ranges}\r\n" if ranges else ""
    asking.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n{field}\r\n".encode())
    if not ranges:
        assert asking.recv(16, socket.MSG_PEEK).startswith(b"HTTP/1.1 200")
    return asking


def rest(asking, size):
    """What still comes on a connection, *size* bytes at most."""
    came = bytearray()
    try:
        while len(came) < size and (piece := asking.recv(min(size - len(came), 1 << 20))):
            came += piece
    except ConnectionResetError:
        pass
    return bytes(came)


def head_and(asking, size):
    """The head of an answer, and *size* bytes of its body or as many as came."""
    file = asking.makefile("rb")
    head = b"".join(iter(file.readline, b"\r\n"))
    try:
        return head, file.read(size)
    except ConnectionResetError:
        return head, b""


def is_open(path):
    """Whether this process has *path* open."""
    return path in [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.exists()]


def until(condition):
    """Wait for what another thread does."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_large_file_is_sent_whole(serve, root):
    """And any part of it, one or several, to a client that reads as fast as it can."""

    def ask(port):
        assert get(port) == (200, LARGE)
        for start, stop in ((0, 1), (5, 3_000_000), (9_999_999, len(LARGE))):
            part = LARGE[start:stop]
            assert get(port, Range=f"bytes={start}-{stop - 1}") == (206, part)
        assert LARGE[:2_000_000] in get(port, Range="bytes=0-1999999,3000000-3000009")[1]

    serve(File(root), ask, interface=HOST)


def test_a_slow_reader_gets_all_of_it(serve, root):
    """However small the pieces that it reads; then nothing is left open, and the rest is answered.

    The second request was sent before the first was answered.
    """

    def ask(port):
        with begin(port) as asking:
            asking.sendall(b"GET /small.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            came = rest(asking, len(LARGE) * 2)
        assert LARGE in came
        assert came.endswith(b"\r\n\r\nsmall")
        assert not is_open(root / "large.bin")

    serve(File(root), ask, interface=HOST)


def test_a_client_that_leaves_takes_nothing_with_it(serve, root):
    """The file and all that was opened for it are closed; the server serves on."""

    def ask(port):
        for linger in (False, True):
            before = len(list(Path("/proc/self/fd").iterdir()))
            asking = begin(port)
            assert is_open(root / "large.bin")
            if linger:  # resets the connection instead of ending it
                asking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            asking.close()
            until(lambda: not is_open(root / "large.bin"))
            until(lambda before=before: len(list(Path("/proc/self/fd").iterdir())) <= before)
        assert get(port, "/small.txt") == (200, b"small")

    serve(File(root), ask, interface=HOST)


@pytest.mark.parametrize("kept", [0, 6_000_000])
def test_a_file_that_shrinks_breaks_off(serve, root, kept, caplog):
    """Fewer bytes than were announced, then the end of the connection."""

    def ask(port):
        with begin(port) as asking:
            os.truncate(root / "large.bin", kept)
            _, body = head_and(asking, len(LARGE))
        assert len(body) < len(LARGE)
        until(lambda: not is_open(root / "large.bin"))

    serve(File(root), ask, interface=HOST)
    assert "shorter" in caplog.text


def test_a_file_that_is_replaced_is_sent_as_it_was(serve, root):
    """The next visitor gets the new one."""

    def ask(port):
        with begin(port) as asking:
            (root / "new").write_bytes(b"new" * 100_000)
            os.replace(root / "new", root / "large.bin")
            assert head_and(asking, len(LARGE))[1] == LARGE
        until(lambda: get(port)[1] == b"new" * 100_000)

    serve(File(root), ask, interface=HOST)


def test_a_failing_disk_breaks_off(serve, root, monkeypatch, caplog):
    """It is logged, and nothing is left open."""
    send, calls = os.sendfile, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        return send(*arguments)

    monkeypatch.setattr(os, "sendfile", failing)

    def ask(port):
        with begin(port) as asking:
            assert len(head_and(asking, len(LARGE))[1]) < len(LARGE)
        until(lambda: not is_open(root / "large.bin"))
        assert get(port) == (200, LARGE)

    serve(File(root), ask, interface=HOST)
    assert "Input/output error" in caplog.text


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="the system does not tell")
@pytest.mark.parametrize("target", ["/large.bin", "/small.txt"])
def test_a_cold_file_is_read_by_a_thread(serve, root, monkeypatch, target):
    """Where the kernel would have to wait for a disk, the loop does not."""
    threads, read = set(), os.pread

    def blocked(*arguments):
        raise BlockingIOError

    def noted(*arguments):
        threads.add(threading.current_thread())
        return read(*arguments)

    monkeypatch.setattr(os, "preadv", blocked)
    monkeypatch.setattr(os, "pread", noted)

    def ask(port):
        body = (root / target[1:]).read_bytes()
        assert get(port, target) == (200, body)
        with begin(port) as asking:
            asking.close()
        until(lambda: not is_open(root / "large.bin"))

    serve(File(root), ask, interface=HOST)
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="the system does not tell")
@pytest.mark.parametrize("ranges", ["bytes=0-", "bytes=0-9999999,10000001-"])
def test_a_file_is_not_closed_while_a_thread_reads_it(serve, root, monkeypatch, ranges):
    """The number would be another file's: a client that has left takes it with it later."""
    going, read = threading.Event(), os.pread

    def blocked(*arguments):
        raise BlockingIOError

    def slow(*arguments):
        assert going.wait(LIMIT)
        return read(*arguments)

    monkeypatch.setattr(os, "preadv", blocked)
    monkeypatch.setattr(os, "pread", slow)
    left = threading.Event()

    class Telling(File):
        def render_GET(self, request):
            request.notifyFinish().addErrback(lambda _: left.set())
            return super().render_GET(request)

    def ask(port):
        with begin(port, ranges=ranges):
            until(lambda: is_open(root / "large.bin"))
        assert left.wait(LIMIT)
        assert is_open(root / "large.bin")
        going.set()
        until(lambda: not is_open(root / "large.bin"))

    serve(Telling(root), ask, interface=HOST)


def test_answers_stay_in_order_however_they_are_sent(serve, root):
    """The kernel sends nothing before what still waits to be sent."""
    (root / "medium.bin").write_bytes(LARGE[:60_000])

    def ask(port):
        with begin(port, "/medium.bin") as asking:
            asking.sendall(b"".join(
                b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % name
                for name in [b"large.bin", b"medium.bin"] * 5
            ))  # fmt: skip
            file = asking.makefile("rb")
            for size in [60_000, *[len(LARGE), 60_000] * 5]:
                head = b"".join(iter(file.readline, b"\r\n"))
                assert b"Content-Length: %d" % size in head
                assert file.read(size) == LARGE[:size]

    serve(File(root), ask, interface=HOST)


def test_a_client_that_does_not_read_is_given_up(serve, root):
    """As for any other answer; one that reads a little, now and then, is waited for."""
    clock = Clock()
    site = Site(File(root), timeout=10, reactor=clock)

    def passing(seconds):
        for _ in range(seconds):
            done = threading.Event()
            serve.reactor.callFromThread(lambda done=done: (clock.advance(1), done.set()))
            assert done.wait(LIMIT)

    def ask(port):
        with begin(port) as asking:
            for _ in range(5):
                passing(8)
                assert rest(asking, 1_000_000)
                assert is_open(root / "large.bin")
            passing(13)
            until(lambda: not is_open(root / "large.bin"))

    serve(site, ask, interface=HOST)


def test_a_unix_socket_is_a_socket(serve, root, tmp_path):
    """The kernel sends on it as well."""
    where = os.path.relpath(tmp_path / "s")

    def ask(port):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(LIMIT)
            asking.connect(where)
            asking.sendall(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            assert head_and(asking, len(LARGE))[1] == LARGE

    serve(File(root), ask, serve.reactor.listenUNIX, (where,))


@needs_openssl
def test_what_is_encrypted_is_read(serve, root, tmp_path):
    """The kernel knows no key: the bytes come by here, and the same arrive."""
    authority = Authority(tmp_path / "ca")
    pair = authority.sign("here")
    options = CertificateOptions(str(pair.key), str(pair.certificate))
    trust = ssl.create_default_context(cafile=str(authority.certificate))

    def ask(port):
        with (
            socket.create_connection((HOST, port.port), LIMIT) as plain,
            trust.wrap_socket(plain, server_hostname="localhost") as asking,
        ):
            asking.sendall(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            assert head_and(asking, len(LARGE))[1] == LARGE

    def listen(port, site, **rest):
        return serve.reactor.listenSSL(port, site, options, **rest)

    serve(File(root), ask, listen, interface=HOST)
    assert not is_open(root / "large.bin")
