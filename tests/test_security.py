"""What is known to break servers, by the name of its class: the bytes, and what becomes of them.

Each class of the README's table "Safe by default" is a test here. The rules behind them are
held, one by one, by the tests of their rooms.
"""

import asyncio
import io
import json
import os
import re
import tracemalloc
from urllib.parse import quote, urljoin, urlsplit

import pytest

from tests.programs import ROOT
from tests.web import bodies
from tests.web.logins import basic, guarded
from tests.web.trees import Page, errors_of, raw, tree
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.accesslog import combinedLogFormatter, jsonLogFormatter, shortLogFormatter
from weblayer.web.digest import DigestCredentialFactory
from weblayer.web.errors import BadRequest
from weblayer.web.policy import Policy
from weblayer.web.site import Site
from weblayer.web.static import Data, File
from weblayer.web.testing import Conversation, ask
from weblayer.web.util import redirectTo
from weblayer.wire.challenge import parse_challenges
from weblayer.wire.digest import Login, answer_digest

# What an attacker hides in another request.
HIDDEN = b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"


def post(*fields, body=b"", target="/page"):
    return raw(f"POST {target} HTTP/1.1", *fields, body=body)


def asked(page, data):
    """The conversation in which *data* was sent."""
    conversation = Conversation(page)
    conversation.send(data)
    return conversation


def codes(conversation):
    return [answer.code for answer in conversation.answers]


# Request smuggling: CWE-444


def visited(data):
    """The paths of the requests that were read, and the codes of the answers."""
    seen = []

    def page(request):
        seen.append(request.path)
        return b"ok"

    conversation = asked(tree(page=Page(page), admin=Page(page)), data)
    return seen, codes(conversation), conversation.isClosed


LENGTH = f"Content-Length: {len(HIDDEN)}"
UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
CHUNKS_OF_HIDDEN = b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
AS_ONE_CHUNK = b"0\r\n\r\n" + HIDDEN

# Two readers would differ about where these end: the status, and the source of the rule.
TWO_READINGS = {
    "CL.TE": (post("Content-Length: 5", CHUNKED, body=AS_ONE_CHUNK), "9112, 6.3; CVE-2020-10109"),
    "TE.CL": (post(CHUNKED, LENGTH, body=CHUNKS_OF_HIDDEN), "9112, 6.3; CVE-2020-10109"),
    "CL.CL": (post("Content-Length: 0", LENGTH, body=HIDDEN), "9110, 8.6; CVE-2020-10108"),
    "CL, CL": (post(f"{LENGTH}, 0", body=HIDDEN), "9110, 8.6"),
    "a signed length": (
        post(f"Content-Length: +{len(HIDDEN)}", body=HIDDEN),
        "9110, 8.6; CVE-2022-24801",
    ),
    "a length of 2**64": (post("Content-Length: 18446744073709551616", body=HIDDEN), "9110, 8.6"),
    "TE.TE, xchunked": (post("Transfer-Encoding: xchunked", body=AS_ONE_CHUNK), "9112, 6.1"),
    "TE.TE, a list": (
        post("Transfer-Encoding: chunked, identity", body=AS_ONE_CHUNK),
        "9112, 6.3; CVE-2022-32213",
    ),
    "TE.TE, two lines": (
        post(CHUNKED, "Transfer-Encoding: identity", body=AS_ONE_CHUNK),
        "9112, 6.1",
    ),
    "TE.TE, a space": (
        post("Transfer-Encoding : chunked", body=AS_ONE_CHUNK),
        "9112, 5.1; CVE-2019-16869",
    ),
    "TE.TE, a control": (post("Transfer-Encoding: \x0bchunked", body=AS_ONE_CHUNK), "9110, 5.5"),
    "TE.TE, folded": (
        post("Transfer-Encoding:", " chunked", body=AS_ONE_CHUNK),
        "9112, 5.2; CVE-2022-32215",
    ),
    "TE.TE, a bare LF": (post(f"X: a\n{CHUNKED}", body=AS_ONE_CHUNK), "9112, 2.2; CVE-2022-32214"),
    "TE.TE, a bare CR": (post(f"X: a\r{CHUNKED}", body=AS_ONE_CHUNK), "9112, 2.2; CVE-2023-30589"),
    "TE.TE, a NUL": (post(f"X: a\0{CHUNKED}", body=AS_ONE_CHUNK), "9110, 5.5"),
    "TE in HTTP/1.0": (
        post(CHUNKED, body=AS_ONE_CHUNK).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        "9112, 6.1",
    ),
    "a chunk's size, 0x": (
        post(CHUNKED, body=b"0x0\r\n\r\n" + HIDDEN),
        "9112, 7.1; CVE-2022-24801",
    ),
    "a chunk's size, a sign": (
        post(CHUNKED, body=b"-0\r\n\r\n" + HIDDEN),
        "9112, 7.1; CVE-2022-24801",
    ),
    "a chunk's size, 2**64": (
        post(CHUNKED, body=b"1%016x\r\n" % 0 + b"\r\n" + HIDDEN),
        "9112, 7.1; CVE-2013-2028",
    ),
    "a chunk's size, a bare LF": (post(CHUNKED, body=b"0\n\r\n" + HIDDEN), "9112, 7.1"),
    "a chunk's end": (post(CHUNKED, body=b"1\r\na0\r\n\r\n" + HIDDEN), "9112, 7.1"),
    "a chunk extension": (
        post(CHUNKED, body=b"0;a\n\r\n\r\n" + HIDDEN),
        "9112, 7.1.1; CVE-2025-55315",
    ),
    "a quoted chunk extension": (
        post(CHUNKED, body=b'0;a="\n"\r\n\r\n' + HIDDEN),
        "9112, 7.1.1; CVE-2025-55315",
    ),
    "a trailer": (post(CHUNKED, body=b"0\r\nContent-Length: 5\r\n\r\n" + HIDDEN), "9110, 6.5.1"),
    "bare LFs": (post(LENGTH).replace(b"\r\n", b"\n") + HIDDEN, "9112, 2.2"),
    "two Hosts": (raw("GET /page HTTP/1.1", "Host: b") + HIDDEN, "9112, 3.2"),
    "a space before a field": (
        post(f" {LENGTH}", body=HIDDEN),
        "9112, 2.2; CVE-2024-27982",
    ),
}


@pytest.mark.parametrize("name", TWO_READINGS)
def test_request_smuggling_where_two_would_read_two_things(name):
    """What could end in two places is refused, and nothing behind it is read."""
    data, _ = TWO_READINGS[name]
    seen, told, closed = visited(data)
    assert "/admin" not in seen
    assert len(told) == 1
    assert 400 <= told[0] <= 501
    assert closed


# The body is where a request hides; whoever asks for the page may not even look at it.
ONE_READING = {
    "CL.0": (post(LENGTH, body=HIDDEN), "9112, 6.3; CVE-2022-22720"),
    "CL.0 of GET": (raw("GET /page HTTP/1.1", LENGTH, body=HIDDEN), "9110, 9.3.1"),
    "TE.0": (post(CHUNKED, body=CHUNKS_OF_HIDDEN), "9112, 7.1"),
    "an upgrade": (post(LENGTH, *UPGRADE, body=HIDDEN), "9110, 7.8; llhttp skips the body"),
    "an upgrade in chunks": (post(CHUNKED, *UPGRADE, body=CHUNKS_OF_HIDDEN), "9110, 7.8"),
    "a websocket": (
        raw("GET /page HTTP/1.1", LENGTH, "Connection: upgrade", "Upgrade: websocket", body=HIDDEN),
        "9110, 7.8",
    ),
    "CONNECT": (raw("CONNECT a:80 HTTP/1.1", LENGTH, body=HIDDEN), "9112, 6.3"),
    "a 404": (post(LENGTH, body=HIDDEN, target="/none"), "9112, 9.3; CL.0"),
    "an expectation": (post(LENGTH, "Expect: 100-continue", body=HIDDEN), "9110, 10.1.1; 0.CL"),
    "a chunk extension": (
        post(CHUNKED, body=b'%x;a="b;c"\r\n%b\r\n0\r\n\r\n' % (len(HIDDEN), HIDDEN)),
        "9112, 7.1.1",
    ),
    "a close": (raw("GET /page HTTP/1.1", "Connection: close") + HIDDEN, "9112, 9.6"),
}


@pytest.mark.parametrize("takes", ["spool", "stream", "ignore"])
@pytest.mark.parametrize("name", ONE_READING)
def test_request_smuggling_where_a_body_is_not_read(name, takes):
    """A body is no request, though the page ignores it, is not there, or declines an upgrade."""
    seen = []

    def page(request):
        seen.append(request.path)
        return b"ok"

    root = tree(page=Page(page, Policy(takesBody=takes)), admin=Page(page))
    with asked(root, ONE_READING[name][0]) as conversation:
        assert "/admin" not in seen
        assert len([code for code in codes(conversation) if code >= 200]) == 1


# Response splitting: CWE-113

BREAKS = ["\r\n", "\n", "\r", "\0", "\u560d\u560a", "\u010d\u010a"]

SPLIT = {
    "a field": lambda request, text: request.setHeader("X-A", text),
    "a field's name": lambda request, text: request.setHeader(text, "a"),
    "one more field": lambda request, text: request.responseHeaders.addRawHeader("X-A", text),
    "a cookie": lambda request, text: request.addCookie("a", text),
    "a cookie's path": lambda request, text: request.addCookie("a", "b", path=text),
    "a redirect": lambda request, text: request.redirect(text),
    "a redirect's page": lambda request, text: redirectTo(text, request),
    "a reason phrase": lambda request, text: request.setResponseCode(200, text),
    "a file's name": lambda request, text: request.setDisposition("attachment", text),
    "a link": lambda request, text: request.addLink(text, "next"),
    "a link's relation": lambda request, text: request.addLink("/", text),
    "a type": lambda request, text: request.setHeader("Content-Type", text),
    "the usual type": lambda request, text: setattr(request, "defaultContentType", text),
}


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("place", SPLIT)
def test_response_splitting(place, line_break):
    """What a visitor says cannot end a line of the head, wherever a program puts it.

    It is refused or encoded. Source: RFC 9110, 5.5; CVE-2020-5247; and CVE-2016-2216 for
    characters whose low bytes are CR and LF.
    """

    def page(request):
        try:
            SPLIT[place](request, f"/a{line_break}X-Injected: b")
        except ValueError:
            return b"refused"
        return b"taken"

    answer = ask(Page(page))
    head = answer.received.partition(b"\r\n\r\n")[0]
    assert answer.body in (b"refused", b"taken") or answer.code == 500
    assert answer.getHeader("x-injected") is None
    assert head.count(b"\n") == head.count(b"\r\n")
    assert head.count(b"\r") == head.count(b"\r\n")
    assert b"\0" not in head


def test_response_splitting_behind_the_body():
    """A trailer is a field too."""

    async def page(request):
        request.write(b"a")
        with pytest.raises(ValueError, match="X-A"):
            request.setTrailer("X-A", "a\r\nX-Injected: b")
        return b"b"

    answer = ask(Page(page), headers={"TE": "trailers"})
    assert b"Injected" not in answer.received


# Path traversal: CWE-22

SECRET = b"beside the root"

CLIMBING = {
    "dot segments": "/../secret",
    "inside": "/in/../../secret",
    "encoded dots": "/%2e%2e/secret",
    "an encoded slash": "/..%2fsecret",
    "encoded slashes": "/in%2f..%2f..%2fsecret",
    "a hidden file behind one": "/in%2f..%2f.env",
    "all encoded": "/%2e%2e%2fsecret",
    "encoded twice": "/%252e%252e%252fsecret",
    "overlong UTF-8": "/%c0%ae%c0%ae%c0%afsecret",
    "a backslash": "/..\\secret",
    "an encoded backslash": "/..%5csecret",
    "NUL": "/a.txt%00/../../secret",
    "NUL in dots": "/.%00./secret",
    "two slashes": "//../secret",
    "an absolute path": "/{root}/../secret",
    "an encoded absolute path": "/%2f{root}%2f..%2fsecret",
    "an absolute target": "http://a/../secret",
    "a symlink": "/out",
    "a symlink to a folder": "/above/secret",
    "a symlink in a chain": "/in/chain/secret",
    "a hidden file": "/.env",
    "a hidden folder": "/.git/config",
    "a full-width dot": "/%ef%bc%8e%ef%bc%8e/secret",
    "a drive": "/c:/secret",
    "a device": "/fifo",
}


@pytest.mark.parametrize("name", CLIMBING)
def test_path_traversal(name, tmp_path):
    """Nothing leads out of a folder, or to what is hidden in it.

    The bytes are those of CVE-2021-41773, CVE-2021-42013, CVE-2007-0450 and CVE-2024-23334.
    """
    root = tmp_path / "site"
    (root / "in").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "a.txt").write_text("a")
    for place in (tmp_path / "secret", root / ".env", root / ".git" / "config"):
        place.write_bytes(SECRET)
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "above").symlink_to(tmp_path)
    (root / "in" / "chain").symlink_to(root / "above")
    os.mkfifo(root / "fifo")
    target = CLIMBING[name].format(root=root)
    with asked(File(root, listing=True), raw(f"GET {target} HTTP/1.1")) as conversation:
        assert codes(conversation) in ([404], [403], [400])
        assert SECRET not in conversation.received


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "C:\\boot.ini", "a/../../b", "..", ".",
     "", ".htaccess", "a%00b", "..%2f", "\u202egpj.exe", "a" * 5000, "con/..", "./.ssh"],
)  # fmt: skip
def test_path_traversal_by_the_name_of_an_upload(name, tmp_path):
    """The name that is fit for a folder stays in it, and is no hidden file's.

    Source: RFC 7578, 7; CVE-2023-50164.
    """
    seen = []
    page = Page(lambda request: seen.extend(request.files["up"]) or b"")
    ask(page, "POST", "/", bodies.MULTIPART, bodies.form(bodies.file("up", name, b"text")))
    for upload in seen:
        assert (tmp_path / upload.safeName).resolve().parent == tmp_path.resolve()
        assert not upload.safeName.startswith(".")
        (tmp_path / upload.safeName).touch()
    assert len(seen) == 1


# Bombs: CWE-400, CWE-409, CWE-770


def form_of(count):
    return bodies.form(*(bodies.field(f"a{number}", b"") for number in range(count)))


def _typed(kind, body):
    return post(f"Content-Type: {kind}", f"Content-Length: {len(body)}", body=body, target="/form")


URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = bodies.MULTIPART["Content-Type"]

BOMBS = {
    "a length announced": (post("Content-Length: 1048577"), 413, "9110, 15.5.14"),
    "a length that is not": (
        post(CHUNKED, body=(b"10000\r\n" + b"a" * 65536 + b"\r\n") * 17),
        413,
        "9110, 15.5.14",
    ),
    "a target": (raw(f"GET /{'a' * 9000} HTTP/1.1"), 414, "9110, 15.5.15"),
    "a target without end": (b"GET /" + b"a" * 9000, 414, "9110, 15.5.15"),
    "a field": (raw("GET / HTTP/1.1", "X: " + "a" * 70_000), 431, "6585, 5"),
    "a field without end": (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000, 431, "6585, 5"),
    "fields": (raw("GET / HTTP/1.1", *["X: a"] * 200), 431, "6585, 5"),
    "a chunk extension": (post(CHUNKED, body=b"1;" + b"a" * 300), 400, "CVE-2024-22019"),
    "chunk extensions": (
        post(CHUNKED, body=b"1;aaaa\r\na\r\n" * 2 + b"1;" + b"a" * 999),
        400,
        "CVE-2024-22019",
    ),
    "trailers": (post(CHUNKED, body=b"0\r\n" + b"X: a\r\n" * 2000), 400, "9112, 7.1.2"),
    "empty lines": (b"\r\n" * 5000, 400, "9112, 2.2"),
    "fields of a form": (_typed(URLENCODED, b"a&" * 1001), 400, "CVE-2011-3414"),
    "parts of a form": (_typed(MULTIPART, form_of(1001)), 400, "CVE-2023-25577, CVE-2023-30798"),
    "the head of a part": (
        _typed(MULTIPART, form_of(1).replace(b'"a0"', b'"' + b"a" * 9000 + b'"')),
        400,
        "7578, 4.2",
    ),
    "fields of a part": (
        _typed(MULTIPART, form_of(1).replace(b"\r\n\r\n", b"\r\nX: a" * 20 + b"\r\n\r\n")),
        400,
        "7578, 4.8",
    ),
    "depth of JSON": (_typed("application/json", b"[" * 100_000), 400, "8259, 9; CWE-674"),
    "digits of JSON": (_typed("application/json", b"1" * 100_000), 400, "CVE-2020-10735"),
    "a charset that is slow": (
        _typed("text/plain; charset=idna", b"a" * 100_000),
        415,
        "9110, 15.5.16; CVE-2022-45061",
    ),
    "a charset that unpacks": (
        _typed("text/plain; charset=zlib", b"x\x9c\x03\0\0\0\0\1"),
        415,
        "9110, 15.5.16; CWE-409",
    ),
}


def read_as_said(request):
    kind = request.getHeader("content-type") or ""
    if "json" in kind:
        return repr(request.json())[:9]
    return repr(request.text())[:9] if "text" in kind else str(len(request.args))


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(name, caplog):
    """Each thing that a stranger can make long has an end, and says so."""
    data, code, _ = BOMBS[name]
    conversation = asked(tree(page=Page(read_as_said), form=Page(read_as_said)), data)
    assert codes(conversation)[:1] == [code]
    assert not errors_of(caplog)


def test_bombs_are_not_unpacked():
    """A kilobyte that says it is a gigabyte stays a kilobyte. Source: CWE-409."""
    packed = b"\x1f\x8b" + b"\0" * 1000
    fields = {"Content-Encoding": "gzip", "Content-Type": "application/octet-stream"}
    answer = ask(Page(lambda request: request.content.read()), "POST", "/", fields, packed)
    assert answer.body == packed or answer.code == 415


@pytest.mark.parametrize(
    "ranges",
    [
        ",".join(f"{at}-" for at in range(200)),
        ",".join(["0-"] * 1300),
        ",".join(f"{at}-{at}" for at in range(0, 200, 2)),
        "0-" + "9" * 5000,
        "-" + "9" * 5000,
    ],
)
def test_bombs_of_ranges_cost_what_the_whole_costs(ranges):
    """Many ranges, or the same often, cost what the body costs. Source: CVE-2011-3192."""
    answer = ask(Data(b"a" * 1000, "text/plain"), "GET", "/", {"Range": f"bytes={ranges}"})
    assert answer.code in (200, 206)
    assert len(answer.received) < 3000


@pytest.mark.parametrize(
    "field",
    ["Host", "Connection", "If-Modified-Since", "If-Range", "Accept", "Accept-Encoding", "Cookie",
     "X-Forwarded-For", "Content-Type", "User-Agent"],
)  # fmt: skip
def test_bombs_in_what_is_remembered(field):
    """What a stranger sends is not kept when he has gone, though it is new each time.

    A cache is one more thing that can grow: 300 fields of 60 kB would be 18 MB.
    """
    site = Site(Data(b"a" * 2000, "text/plain"), reactor=Clock(), trustedProxies=["192.0.2.0/24"])
    tracemalloc.start()
    try:
        for number in range(300):
            peer = MemoryPeer(site)
            fields = {"Host": "a", field: f"{number}{'1' * 60_000}"}
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            for target in ("/", "/none"):
                peer.send(f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode())
            peer.reset()
        del peer
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000


# Slow clients: CWE-400, CVE-2007-6750

HEAD = raw("GET / HTTP/1.1")
SLOW = {
    "nothing at all": (b"", b"", None),
    "half a head": (HEAD[:-4], b"", 408),
    "a head that drips": (HEAD[:-4], b"a", 408),
    "half a body": (post("Content-Length: 1000"), b"", 408),
    "a body that drips": (post("Content-Length: 1000"), b"a", 408),
    "chunks that drip": (post(CHUNKED), b"1\r\na\r\n", 408),
    "an extension that drips": (post(CHUNKED, body=b"1;"), b"a", 408),
    "the next request": (HEAD, b"", 200),
    "the rest of a refused one": (b"GET\r\n\r\n", b"a", 400),
}


@pytest.mark.parametrize("name", SLOW)
def test_slow_clients_are_not_waited_for(name):
    """Who sends too slowly is told so where that is possible, and gone within 70 seconds."""
    begin, drop, code = SLOW[name]
    clock = Clock()
    peer = MemoryPeer(Site(Page(read_as_said), reactor=clock))
    peer.send(begin)
    for _ in range(70):
        clock.advance(1)
        if not peer.isClosed:
            peer.send(drop)
    assert peer.isClosed
    told = peer.received[9:12]
    assert told == (b"" if code is None else b"%d" % code)


def test_slow_readers_are_not_waited_for():
    """Who reads nothing of an answer is gone within 70 seconds, and is not read before either."""
    clock = Clock()
    peer = MemoryPeer(Site(Data(b"a" * 10**6, "text/plain"), reactor=clock))
    peer.stopReading()
    peer.send(HEAD * 100)
    assert peer.waiting < 3 * 10**6
    clock.pump([1] * 70)
    peer.pump()
    assert peer.isClosed


# Log injection: CWE-117

FORGED = '" 200 5 "-" "-"\\r\\n192.0.2.66 - - "GET /admin'


@pytest.mark.parametrize("formatter", [combinedLogFormatter, shortLogFormatter, jsonLogFormatter])
@pytest.mark.parametrize("code", [0x85, 0x9B, 0x1B, 0x0A, 0x0D, 0x22, 0x5C, 0x00, 0x08])
def test_log_injection(formatter, code):
    """No bytes of a request make another line of the log, end a quote, or move a terminal.

    Source: CVE-2009-4487, CVE-2003-0020; ECMA-48 for the controls.
    """
    sign = chr(code)
    log = io.StringIO()
    pages = Page(lambda request: b"")
    with Conversation(Site(pages, logPath=log, logFormatter=formatter)) as conversation:
        conversation.send(
            raw(f"GET /%{code:02x}?{FORGED.replace(' ', '')} HTTP/1.1", f"User-Agent: a{sign}b")
        )
        conversation.send(raw("GET / HTTP/1.1", "X-Request-ID: a", f"Referer: {FORGED}"))
    for line in log.getvalue().splitlines():
        assert line.isprintable()
        if formatter is jsonLogFormatter:
            json.loads(line)
        elif formatter is combinedLogFormatter:
            assert line.count('"') == 6
    assert log.getvalue().count("\n") <= 2


# Scripts in pages: CWE-79

SCRIPT = "<script>alert(1)</script>"
QUOTED = "\"'><img src=x onerror=alert(1)>"


def fails(request):
    raise ValueError(request.args["q"][0])


def complains(request):
    raise BadRequest(request.args["q"][0])


@pytest.mark.parametrize("text", [SCRIPT, QUOTED])
@pytest.mark.parametrize("shows", [False, True])
@pytest.mark.parametrize("name", ["none", "fails", "complains", "moved", "files"])
def test_scripts_in_pages(name, shows, text, tmp_path):
    """What a visitor sends, or a file is called, is text on our pages: errors, tracebacks, lists.

    Source: CVE-2024-41810 for the page of a redirect, CVE-2022-39348 for that of a 404.
    """
    (tmp_path / text.replace("/", "_")).touch()
    root = tree(
        fails=Page(fails),
        complains=Page(complains),
        moved=Page(lambda request: redirectTo("?q=" + request.args["q"][0], request)),
        files=File(tmp_path, listing=True),
    )
    site = Site(root)
    site.displayTracebacks = shows
    target = f"/{name}/?sort={quote(text)}&q={quote(text)}"
    answer = ask(site, "GET", target, {"Accept": "text/html", "Referer": text, "X": text})
    page = answer.text()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "'>" + "<" not in page
    assert answer.getHeader("content-type") == "text/html; charset=utf-8"


def test_scripts_in_errors_of_another_form():
    """JSON and text are not sniffed for HTML: their type says what they are."""
    for accept in ("application/json", "text/plain", "*/*"):
        answer = ask(tree(), "GET", f"/{SCRIPT}", {"Accept": accept})
        assert "html" not in answer.getHeader("content-type")


# Open redirects: CWE-601


@pytest.mark.parametrize(
    "target",
    ["//evil.test", "//evil.test?a", "/%2fevil.test", "/%5cevil.test", "/\\evil.test",
     "/%09/evil.test", "http://a//evil.test", "///evil.test", "//evil.test%2f..", "/evil.test:80"],
)  # fmt: skip
def test_open_redirects_by_a_slash(target, tmp_path):
    """The way to a folder's slash leads to no other host, whatever the folder is called.

    Source: RFC 3986, 4.2; CVE-2021-28861.
    """
    for name in ("evil.test", "evil.test:80"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").touch()
    root = tree(**{"": File(tmp_path)})
    for page in (root, File(tmp_path)):
        answer = asked(page, raw(f"GET {target} HTTP/1.1"))
        for one in answer.answers:
            location = one.getHeader("location") or ""
            base = target if target.startswith("http") else f"http://weblayer.test{target}"
            assert urlsplit(urljoin(base, location)).hostname in ("weblayer.test", "a")
            assert not location.startswith(("/", "\\", "http"))


# Host: CWE-644


@pytest.mark.parametrize(
    "host",
    ["", "a b", "a/b", "a@b", "a,b", "a?b", "a#b", "a:b", "a:-1", "a:99999999", "[::1",
     "[a]", "a\\b", 'a"b', "a<b", "a\tb", "\x80", "a:80:90"],
)  # fmt: skip
def test_host_poisoning_by_a_malformed_name(host):
    """What is no name of a host is refused: no link, mail or cache key is made of it.

    Source: RFC 9112, 3.2; RFC 3986, 3.2.2.
    """
    seen = []
    pages = Page(lambda request: seen.append(request.prePathURL()) or b"")
    conversation = asked(pages, b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host.encode("latin-1"))
    assert codes(conversation) == [400]
    assert not seen


def test_host_poisoning_by_who_is_no_proxy():
    """X-Forwarded-Host and its kin are a stranger's words; the target's host comes before Host."""
    pages = Page(lambda request: request.prePathURL())
    fields = {
        "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x",
        "Forwarded": "host=evil.test;proto=https", "X-Host": "evil.test", "X-Real-IP": "1.1.1.1",
        "X-Original-URL": "/admin", "X-Rewrite-URL": "/admin", "X-HTTP-Method-Override": "DELETE",
    }  # fmt: skip
    assert ask(pages, "GET", "/", fields).text() == "http://weblayer.test/"
    assert ask(pages, "GET", "http://a.test/", {"Host": "evil.test"}).text() == "http://a.test/"


# Cookies: CWE-113, CWE-565


@pytest.mark.parametrize(
    ("name", "value", "more"),
    [
        ("a", "b; Domain=evil.test", {}),
        ("a", "b;HttpOnly=", {}),
        ("a; Path=/x", "b", {}),
        ("a=b", "c", {}),
        ("", "b", {}),
        ("a", "b,c=d\r\nSet-Cookie: e=f", {}),
        ("a", 'b"', {}),
        ("a", "b\\", {}),
        ("a", "\u20ac", {}),
        ("a", "b", {"path": "/; Domain=evil.test"}),
        ("a", "b", {"domain": "a.test; Secure"}),
        ("a", "b", {"sameSite": "Lax; Domain=evil.test"}),
        ("a", "b", {"sameSite": "None"}),
        ("__Host-a", "b", {"secure": True, "domain": "a.test"}),
        ("__HOST-a", "b", {"secure": False}),
        ("__Secure-a", "b", {"secure": False}),
    ],
)
def test_cookie_injection(name, value, more):
    """A cookie is one cookie, with the attributes that the program gave; else ValueError.

    Source: RFC 6265, 4.1.1; CVE-2024-47764.
    """
    refused = []

    def page(request):
        try:
            request.addCookie(name, value, **more)
        except ValueError as error:
            refused.append(error)
        return b""

    assert ask(Page(page)).getHeader("set-cookie") is None
    assert refused


def test_cookie_tossing():
    """Of two cookies with one name the first counts, which has the longer path (RFC 6265, 5.4)."""
    page = Page(lambda request: request.getCookie("id"))
    assert ask(page, headers={"Cookie": "id=ours; id=theirs"}).text() == "ours"


# Errors: CWE-209


def test_errors_keep_what_they_know(caplog):
    """The visitor hears that something failed; what failed, and where, is in the log alone."""

    async def page(request):
        await asyncio.sleep(0)
        raise RuntimeError("password=hunter2")

    answer = ask(Page(page), "GET", "/", {"Accept": "text/html"})
    assert answer.code == 500
    assert b"hunter2" not in answer.received
    assert b".py" not in answer.received
    assert "hunter2" in caplog.text


# Who is asking


@pytest.mark.parametrize("name", ["ada", "eve"])
def test_guesses_take_their_time(name):
    """A wrong name as a wrong password: a second, in which others are served."""
    guard = guarded()
    guesses, other = (Conversation(Site(guard)) for _ in range(2))
    guesses.ask("GET", "/", basic(name, "guess"))
    other.ask("GET", "/", basic("ada", "lovelace"))
    assert (guesses.received, other.code) == (b"", 200)
    guesses.advance(1)
    assert guesses.code == 401


def test_a_replay_of_a_digest_is_stale():
    """What was listened to on the way lets nobody in again."""
    conversation = Conversation(guarded(factories=[DigestCredentialFactory("SHA-256", "home")]))
    conversation.ask("GET", "/")
    [challenge] = parse_challenges(conversation.getHeader("www-authenticate").encode())
    said = answer_digest(challenge, Login(b"ada", b"lovelace"), b"GET", b"/", b"", b"c").decode()
    for _ in range(2):
        conversation.ask("GET", "/", {"Authorization": said})
    assert [answer.code for answer in conversation.answers] == [401, 200, 401]
    assert "stale=true" in conversation.getHeader("www-authenticate")


# The README


def test_the_readme_names_each_class():
    """Each test here is one of a row of its table, and each row has tests."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Safe by default")[2]
    words = re.findall(r"^\|.*\| `(\w+)` \|$", section.partition("\n## ")[0], re.MULTILINE)
    tests = [name for name in globals() if name.startswith("test_") and "readme" not in name]
    assert len(words) > 10
    assert [word for word in words if not any(word in name for name in tests)] == []
    assert [name for name in tests if not any(word in name for word in words)] == []
