"""What the search begins with: honest messages and the rows of the rules, and what to put in."""

from tests.web import bodies
from tests.wire.recordings import RECORDED
from tests.wire.rules import REFUSED, TAKEN, chunks, head, post
from tests.wire.streams import NASTY

RULES = [row[0] for row in (*TAKEN.values(), *REFUSED.values())]

PART = b'--b\r\nContent-Disposition: form-data; name="a"; filename="x"\r\n\r\nabc\r\n--b'
FORM = bodies.form(bodies.field("a", b"1"), bodies.file("up", 'q"ü.txt', b"text"))

FORMS = [
    *RECORDED.values(),
    FORM,
    PART + b"--\r\n",
    PART + b"\r\n" + PART[5:] + b"--",
    PART.replace(b'filename="x"', b"filename*=UTF-8''%e2%82%ac.txt") + b"--\r\n",
    PART.replace(b'"x"', rb'"C:\dir\x\"y"') + b"--\r\n",
    b"a=1&b=%20+%zz&&=c&d",
]

OK = b"HTTP/1.1 200 OK\r\n"

ANSWERS = [
    OK + b"Content-Length: 5\r\n\r\nhello",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: a\r\n\r\n",
    OK + b"Connection: close\r\n\r\nhello",
    b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No\r\nX: a\r\n b\r\n\r\n" + OK + b"\r\n",
    b"HTTP/1.0 304 \r\nETag: a\r\n\r\nHTTP/1.1 101 Up\r\nUpgrade: x\r\n\r\n\0\1",
]


def get(target: bytes, *fields: bytes) -> bytes:
    return head(*fields, line=b"GET " + target + b" HTTP/1.1")


def form(target: bytes, kind: bytes, body: bytes) -> bytes:
    fields = (b"Content-Type: " + kind, b"Content-Length: %d" % len(body))
    return head(*fields, line=b"POST " + target + b" HTTP/1.1") + body


# For the tree of tests/fuzz/tree.py.
ASKED = [
    *RULES,
    form(b"/form", b"application/x-www-form-urlencoded", b"a=1&b=%e2%82%ac&c"),
    form(b"/form", b"multipart/form-data; boundary=" + bodies.BOUNDARY.encode(), FORM),
    form(b"/form", b"multipart/form-data; boundary=b", FORMS[-4]),
    form(b"/json", b"application/json", b'{"a": [1, 2.5e3, null], "b": "\\u20ac"}'),
    form(b"/text", b"text/plain; charset=utf-16", b"\xff\xfea\0"),
    chunks(b"3\r\nabc\r\n0\r\n\r\n").replace(b" / ", b" /stream "),
    post(b"Content-Length: 3", b"Expect: 100-continue").replace(b" / ", b" /ignore ") + b"abc",
    post(b"Content-Length: 2000000").replace(b" / ", b" /echo "),
    get(b"/files/"),
    get(b"/files/?sort=size&order=desc", b"Accept: text/html"),
    get(b"/files/a.txt", b"Range: bytes=0-1,3-,-2", b'If-Range: "x"'),
    get(b"/files/a.txt", b'If-None-Match: W/"x", *', b"If-Modified-Since: Sun, 06 Nov 1994"),
    get(b"/files/%2e%2e/%2e%2e%5csecret%00/..%2fsecret/out"),
    get(b"/files/in//%ff%fe/"),
    get(b"/files/in%2f..%2f..%2fsecret"),
    get(b'/page"%22\\', b'User-Agent: "\x9b2J\\', b"Referer: \x85\xad"),
    get(b"/go?to=//evil.test/%0d%0aX-Injected:%201"),
    get(b"/said?to=a%0d%0aX-Injected:%201&to=b"),
    get(b"/said?to=%e5%98%8d%e5%98%8aX-Injected:%201"),
    get(b"/page", b"Accept-Encoding: gzip;q=0.5, br, *;q=0", b"Range: bytes=5-"),
    get(b"/links/a%2fb", b"X-Forwarded-For: 1.2.3.4, 192.0.2.1", b"X-Forwarded-Proto: https"),
    get(b"/links/a", b'Forwarded: for="[2001:db8::1]:80";proto=https;host=a.test, for=_x'),
    get(b"/cookie", b'Cookie: a=1; b="2"; c', b"X-Request-ID: a-b"),
    get(b"/wrong?<script>alert(1)</script>", b"Accept: application/problem+json;q=0.9, */*"),
    get(b"/later") + get(b"/later", b"Connection: close"),
    get(b"/fail/<script>", b"Accept-Language: de;q=0.5, *"),
]

SAMPLES = {
    "parser": RULES + [one + two for one, two in zip(RULES, RULES[7:], strict=False)],
    "forms": FORMS,
    "answer": ANSWERS,
    "site": ASKED,
}

TOKENS = [
    *NASTY,
    b"--b",
    b"\r\n--b--",
    b"--",
    b'filename="',
    b"filename*=utf-8''",
    b"%2e%2e/",
    b"..%5c",
    b"%00",
    b"%0d%0aX-Injected: 1",
    b"\r\nX-Injected: 1",
    b"<script>",
    b"\r\nRange: bytes=",
    b"\r\nCookie: ",
    b"\r\nContent-Type: multipart/form-data; boundary=b",
    b"\r\nAccept-Encoding: ",
    b"\r\nIf-None-Match: ",
    b"\r\nForwarded: for=",
    b"\r\nX-Forwarded-For: ",
    b"/files/",
    b"/form",
    b"/stream",
    b"/json",
    b"9" * 19,
]
