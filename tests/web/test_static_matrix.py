"""What a file server owes its clients, row by row, and a corpus of addresses that are none.

Each row was asked of nine servers; none but nginx answers all of them as it should.
Source: RFC 9110, 8.8, 9, 13 and 14; RFC 8615 for `.well-known`.
"""

import gzip
import os
import re
import socket
from pathlib import Path

import pytest

from weblayer.web.static import File
from weblayer.web.testing import ask

LIMIT = 20  # seconds after which a test is taken to hang

BODY = bytes(range(100))
SECRET = b"the secret beside the root"
CHANGED = 1_000_000_000  # Sun, 09 Sep 2001 01:46:40 GMT
DATE, BEFORE, AFTER = (f"Sun, 09 Sep 2001 01:46:{second} GMT" for second in (40, 39, 41))


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A file of 100 bytes, and what stands around it."""
    outside = tmp_path_factory.mktemp("matrix")
    (outside / "secret.txt").write_bytes(SECRET)
    root = outside / "site"
    for folder in ("folder", ".git", ".well-known"):
        (root / folder).mkdir(parents=True)
    (root / "f.bin").write_bytes(BODY)
    os.utime(root / "f.bin", (CHANGED, CHANGED))
    (root / "noextension").write_text("<html><script>alert(1)</script>")
    (root / "folder" / "index.html").write_text("index")
    (root / "page.html").write_text("page" * 10)
    (root / "page.html.gz").write_bytes(gzip.compress(b"page" * 10))
    (root / "empty").touch()
    (root / ".git" / "config").write_bytes(SECRET)
    (root / ".env").write_bytes(SECRET)
    (root / ".well-known" / "known").write_text("known")
    (root / "out").symlink_to(outside / "secret.txt")
    (root / "up").symlink_to(outside)
    return root


def first(root, **headers):
    return ask(File(root), "GET", "/f.bin", headers)


MATRIX = {
    # name: (method, target, headers, code, what the answer must be besides)
    "a file": ("GET", "/f.bin", {}, 200, lambda a: a.body == BODY),
    "its length": ("GET", "/f.bin", {}, 200, lambda a: a.getHeader("content-length") == "100"),
    "its head": ("HEAD", "/f.bin", {}, 200, lambda a: a.getHeader("content-length") == "100"),
    "its tag": ("GET", "/f.bin", {}, 200, lambda a: a.getHeader("etag").startswith('"')),
    "its date": ("GET", "/f.bin", {}, 200, lambda a: a.getHeader("last-modified") == DATE),
    "POST": ("POST", "/f.bin", {}, 405, lambda a: a.getHeader("allow") == "GET, HEAD, OPTIONS"),
    "DELETE": ("DELETE", "/f.bin", {}, 405, lambda a: "GET" in a.getHeader("allow")),
    "OPTIONS": ("OPTIONS", "/f.bin", {}, 204, lambda a: "GET" in a.getHeader("allow")),
    "nothing": ("GET", "/nothing", {}, 404, None),
    "a folder without its slash": (
        "GET", "/folder?a=b", {}, 302, lambda a: a.getHeader("location") == "./folder/?a=b"),
    "an index": ("GET", "/folder/", {}, 200, lambda a: a.body == b"index"),
    "the tag": ("GET", "/f.bin", {"If-None-Match": "TAG"}, 304, lambda a: a.body == b""),
    "the tag among others": ("GET", "/f.bin", {"If-None-Match": '"a", TAG'}, 304, None),
    "the tag, weak": ("GET", "/f.bin", {"If-None-Match": "W/TAG"}, 304, None),
    "any tag": ("GET", "/f.bin", {"If-None-Match": "*"}, 304, None),
    "another tag": ("GET", "/f.bin", {"If-None-Match": '"a"'}, 200, None),
    "the date": ("GET", "/f.bin", {"If-Modified-Since": DATE}, 304, None),
    "a date before": ("GET", "/f.bin", {"If-Modified-Since": BEFORE}, 200, None),
    "a date after": ("GET", "/f.bin", {"If-Modified-Since": AFTER}, 304, None),
    "no date": ("GET", "/f.bin", {"If-Modified-Since": "yesterday"}, 200, None),
    "another tag and the date": (
        "GET", "/f.bin", {"If-None-Match": '"a"', "If-Modified-Since": DATE}, 200, None),
    "the head, for who has it": ("HEAD", "/f.bin", {"If-None-Match": "TAG"}, 304, None),
    "only the tag": ("GET", "/f.bin", {"If-Match": "TAG"}, 200, None),
    "only another": ("GET", "/f.bin", {"If-Match": '"a"'}, 412, None),
    "only the tag, weak": ("GET", "/f.bin", {"If-Match": "W/TAG"}, 412, None),
    "only if not changed since": ("GET", "/f.bin", {"If-Unmodified-Since": BEFORE}, 412, None),
    "it has not": ("GET", "/f.bin", {"If-Unmodified-Since": DATE}, 200, None),
    "ten bytes": ("GET", "/f.bin", {"Range": "bytes=0-9"}, 206, lambda a: a.body == BODY[:10]),
    "where they are": (
        "GET", "/f.bin", {"Range": "bytes=5-9"}, 206,
        lambda a: a.getHeader("content-range") == "bytes 5-9/100"),
    "from ninety": ("GET", "/f.bin", {"Range": "bytes=90-"}, 206, lambda a: a.body == BODY[90:]),
    "the last ten": ("GET", "/f.bin", {"Range": "bytes=-10"}, 206, lambda a: a.body == BODY[90:]),
    "the last 500": ("GET", "/f.bin", {"Range": "bytes=-500"}, 206, lambda a: a.body == BODY),
    "the last none": ("GET", "/f.bin", {"Range": "bytes=-0"}, 416, None),
    "past the end": (
        "GET", "/f.bin", {"Range": "bytes=100-"}, 416,
        lambda a: a.getHeader("content-range") == "bytes */100"),
    "over the end": (
        "GET", "/f.bin", {"Range": "bytes=50-200"}, 206, lambda a: a.body == BODY[50:]),
    "two parts": (
        "GET", "/f.bin", {"Range": "bytes=0-9,20-29"}, 206,
        lambda a: BODY[:10] in a.body and BODY[20:30] in a.body),
    "one of two": (
        "GET", "/f.bin", {"Range": "bytes=0-9,200-300"}, 206, lambda a: a.body == BODY[:10]),
    "none of two": ("GET", "/f.bin", {"Range": "bytes=200-300,400-500"}, 416, None),
    "another unit": ("GET", "/f.bin", {"Range": "lines=0-9"}, 200, lambda a: a.body == BODY),
    "no range": ("GET", "/f.bin", {"Range": "bytes=abc"}, 200, lambda a: a.body == BODY),
    "a range backward": ("GET", "/f.bin", {"Range": "bytes=9-0"}, 200, lambda a: a.body == BODY),
    "400 ranges": (
        "GET", "/f.bin", {"Range": "bytes=" + ",".join(["0-0", "2-2"] * 200)}, 200,
        lambda a: len(a.body) < 1000),
    "40 numbers": ("GET", "/f.bin", {"Range": "bytes=" + "9" * 40 + "-"}, 416, None),
    "a part of what I have": (
        "GET", "/f.bin", {"Range": "bytes=0-9", "If-Range": "TAG"}, 206, None),
    "a part of another": ("GET", "/f.bin", {"Range": "bytes=0-9", "If-Range": '"a"'}, 200, None),
    "a part since then": ("GET", "/f.bin", {"Range": "bytes=0-9", "If-Range": DATE}, 206, None),
    "a part since before": (
        "GET", "/f.bin", {"Range": "bytes=0-9", "If-Range": BEFORE}, 200, None),
    "a part of the head": ("HEAD", "/f.bin", {"Range": "bytes=0-9"}, 200, None),
    "a part of nothing": ("GET", "/empty", {"Range": "bytes=0-9"}, 200, lambda a: a.body == b""),
    "an empty file": ("GET", "/empty", {}, 200, lambda a: a.getHeader("content-length") == "0"),
    "an unknown type": (
        "GET", "/noextension", {}, 200, lambda a: "html" not in a.getHeader("content-type")),
    "no guesses": (
        "GET", "/noextension", {}, 200,
        lambda a: a.getHeader("x-content-type-options") == "nosniff"),
    "a charset": ("GET", "/page.html", {}, 200, lambda a: "utf-8" in a.getHeader("content-type")),
    "packed": (
        "GET", "/page.html", {"Accept-Encoding": "gzip"}, 200,
        lambda a: gzip.decompress(a.body) == b"page" * 10 and "gzip" in str(a.headers)),
    "not packed": (
        "GET", "/page.html", {"Accept-Encoding": "gzip;q=0"}, 200,
        lambda a: a.body == b"page" * 10),
    "it depends": (
        "GET", "/page.html", {}, 200, lambda a: a.getHeader("vary") == "Accept-Encoding"),
    "a hidden folder": ("GET", "/.git/config", {}, 404, None),
    "a hidden file": ("GET", "/.env", {}, 404, None),
    "what is well known": ("GET", "/.well-known/known", {}, 200, None),
    "a link out": ("GET", "/out", {}, 404, None),
    "a folder out": ("GET", "/up/secret.txt", {}, 404, None),
    "a long name": ("GET", "/" + "a" * 500, {}, 404, None),
    "a NUL": ("GET", "/f.bin%00.html", {}, 404, None),
    "upward": ("GET", "/folder/%2e%2e/%2e%2e/secret.txt", {}, 404, None),
    "here": ("GET", "/./folder/./index.html", {}, 200, lambda a: a.body == b"index"),
    "only here": ("GET", "/.", {}, 404, None),
    "an encoded slash": ("GET", "/folder%2findex.html", {}, 404, None),
    "a backslash": ("GET", "/..%5csecret.txt", {}, 404, None),
}  # fmt: skip


@pytest.mark.parametrize("row", MATRIX)
def test_the_matrix(root, row):
    """Each row has one right answer, or one that does no harm."""
    method, target, headers, code, holds = MATRIX[row]
    tag = ask(File(root), "GET", "/f.bin").getHeader("etag")
    sent = {name: value.replace("TAG", tag) for name, value in headers.items()}
    answer = ask(File(root), method, target, sent)
    assert (answer.code, answer.isWhole) == (code, True)
    assert holds is None or holds(answer)
    if method == "HEAD":
        assert answer.received.endswith(b"\r\n\r\n")


# What no browser sends, as bytes: the path of a request line.
HOSTILE = [
    b"/..", b"/../", b"/../secret.txt", b"/../../../../../../etc/passwd", b"//etc/passwd",
    b"/%2e%2e/secret.txt", b"/%2E%2E/secret.txt", b"/.%2e/secret.txt", b"/%2e%2e%2fsecret.txt",
    b"/..%2fsecret.txt", b"/..%2Fsecret.txt", b"/..%5csecret.txt", b"/..\\secret.txt",
    b"/%252e%252e/secret.txt", b"/%c0%ae%c0%ae/secret.txt", b"/%c0%ae%c0%ae%c0%afsecret.txt",
    b"/%e0%80%ae%e0%80%ae/secret.txt", b"/%uff0e%uff0e/secret.txt", b"/....//secret.txt",
    b"/..;/secret.txt", b"/folder/..;/f.bin", b"/folder/../secret.txt",
    b"/folder//index.html", b"//f.bin", b"/f.bin/", b"/f.bin/x",
    b"/f.bin%00", b"/f.bin%00.png", b"/%00", b"/%0a", b"/%0d%0aSet-Cookie:%20a=b", b"/f.bin%20",
    b"/f.bin.", b"/F.BIN", b"/f.bin::$DATA", b"/C:/f.bin", b"/C:%5cf.bin", b"/CON", b"/%", b"/%g0",
    b"/%2", b"/~root", b"/~", b"/.", b"/.git", b"/.git/", b"/.git/config", b"/%2egit/config",
    b"/.env", b"/%2Eenv", b"/.htaccess", b"/.well-known/../.env", b"/.well-known/.env", b"/out",
    b"/up", b"/up/", b"/up/secret.txt", b"/up/site/f.bin", b"/" + b"a" * 255, b"/" + b"a" * 4096,
    b"/" + b"a/" * 2000, b"/" + b"../" * 1000 + b"etc/passwd", b"/" + b"%2e%2e%2f" * 300,
    b"/" + b"%C3%A4" * 300, b"/\xff\xfe", b"/\x01", b"/f.bin\x00", b"/f bin", b"f.bin", b"../f.bin",
    b"http:///f.bin", b"http://a/../secret.txt", b"file:///etc/passwd", b"/f.bin#x",
    b"/proc/self/fd/0",
    b"/%2fetc%2fpasswd", b"/%2f%2fetc/passwd", b"/%5c%5chost%5cshare", b"/folder/%2e%2e%2f%2e%2e",
]  # fmt: skip


def test_no_hostile_address_is_answered_with_a_file(serve, root):
    """By raw bytes over a socket: each is refused, none is a fault of ours, and none hangs."""

    def ask(port):
        return {path: answer_to(port, path) for path in HOSTILE}

    for path, came in serve(File(root), ask, interface="127.0.0.1").items():
        assert re.match(rb"HTTP/1\.1 4\d\d ", came), (path, came[:80])
        assert SECRET not in came
        assert b"root:" not in came


def answer_to(port, path):
    """All that a server sends until it closes."""
    with socket.create_connection((port.host, port.port), timeout=LIMIT) as asking:
        asking.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % path)
        came = b""
        try:
            while piece := asking.recv(65536):
                came += piece
        except ConnectionResetError:
            pass
        return came


@pytest.mark.parametrize("call", ["open", "fstat", "stat", "lstat", "pread"])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), OSError(24, "Too many files")])
def test_a_call_that_fails_once_leaves_nothing_open(root, monkeypatch, call, error, caplog):
    """The answer is an error of ours, the next one is right, and no descriptor stays."""
    working, left = getattr(os, call), [error]

    def failing(path, *arguments, **options):
        # Only what is about our file: the event loop and the logging open others.
        if left and (path == str(root / "f.bin") or isinstance(path, int)):
            raise left.pop()
        return working(path, *arguments, **options)

    before = set(os.listdir("/proc/self/fd"))
    site = File(root)
    monkeypatch.setattr(os, call, failing)
    with ask(site, "GET", "/f.bin") as answer:
        monkeypatch.setattr(os, call, working)
        assert answer.code == (200 if left else 500)
    with ask(site, "GET", "/f.bin") as answer:
        assert (answer.code, answer.body) == (200, BODY)
    assert set(os.listdir("/proc/self/fd")) <= before
