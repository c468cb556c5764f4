"""What is asked of every server: one request each, and the answer that counts as right."""

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.benchmarks.files import LARGE, MEDIUM, SMALL
from tests.benchmarks.servers import CONTENT_TYPE, HELLO, PERSON
from tests.benchmarks.servers.page import PRICES

__all__ = ["CASES", "CONNECTIONS", "JSON", "MESSAGE", "Case"]

CONNECTIONS = 64

# What Chromium 140 sends for a page over HTTP/1.1; with Host, which the client adds, twelve.
BROWSER_HEADERS = {
    "Connection": "keep-alive",
    "sec-ch-ua": '"Chromium";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "*/*;q=0.8",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
}
COOKIE = {"Cookie": "session=3f6c1e0a9b7d4c5e8f2a1b0c9d8e7f6a; theme=dark; seen=1"}

JSON = "application/json"

# What the template makes of the prices, by other means.
PAGE = (
    '<!DOCTYPE html>\n<html lang="en">\n'
    '<head><meta charset="utf-8"><title>Prices</title></head>\n'
    "<body>\n<h1>Prices</h1>\n<table>\n"
    + "".join(
        f"<tr><td>{html.escape(name)}</td><td>{price:.2f}</td></tr>\n"
        for name, price in PRICES.items()
    )
    + "</table>\n</body>\n</html>"
).encode()

MESSAGE = b"m" * 64

FORM = b"text=" + b"a" * 1019  # 1 kB in all


@dataclass(frozen=True)
class Case:
    """A request, and the status and body that must come back; None for a body is any body.

    Where *kind* is "echo" there is no HTTP: *body* is sent over TCP, and must come back. Where it
    is "files", or "tls" for the same over HTTPS, what must come is *file*; where it is "log", each
    request is written down. *connections* are how many ask at once, and *least* the seconds that a
    measurement takes at least, so that the slowest has answered by then. The path *enter* is asked
    for before all else, and the cookies of that answer are sent with every request. Where there are
    *turns*, paths with headers beside the others, one after the other is asked for.
    """

    name: str
    title: str
    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    status: int = 200
    answer: bytes | None = HELLO
    type: str = CONTENT_TYPE
    kind: str = "http"
    file: str = ""
    connections: int = CONNECTIONS
    least: int = 1
    enter: str = ""
    turns: tuple[tuple[str, Mapping[str, str]], ...] = ()

    @property
    def scheme(self) -> str:
        """What the address begins with."""
        return "https" if self.kind == "tls" else "http"


def _file(name: str, title: str, file: str, kind: str = "files", **more: int) -> Case:
    return Case(name, title, f"/{file}", answer=None, kind=kind, file=file, **more)


CASES = (
    Case("hello", "GET /, one level deep"),
    Case("deep", "GET /one/two, two levels deep", path="/one/two"),
    Case(
        "browser",
        "GET /one/two with a browser's 12 headers and a cookie",
        path="/one/two",
        headers=BROWSER_HEADERS | COOKIE,
    ),
    Case("async", "GET /async, an `async def` that does not wait", path="/async"),
    Case("deferred", "GET /deferred, an answer in a later turn of the loop", path="/deferred"),
    Case(
        "json",
        "GET /json, a small object",
        path="/json",
        answer=json.dumps(PERSON).encode(),
        type=JSON,
    ),
    Case("template", "GET /template, a page with a dozen rows", path="/template", answer=PAGE),
    Case("session", "GET /session, a value of the visitor's", path="/session", enter="/enter"),
    Case("logged", "GET / with an access log", kind="log"),
    Case("missing", "GET /missing, a 404", path="/missing", status=404, answer=None),
    Case(
        "form",
        "POST /echo, 1 kB sent back",
        path="/echo",
        method="POST",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=FORM,
        answer=FORM,
    ),
    Case("echo", "64 bytes over TCP, sent back", body=MESSAGE, answer=MESSAGE, kind="echo"),
    _file("small", "a file of 1.3 kB", SMALL),
    _file("medium", "a file of 100 kB", MEDIUM),
    # wrk reads all that its connections have sent before it looks at any of it.
    _file("large", "a file of 50 MB", LARGE, connections=2, least=2),
    _file("small_tls", "a file of 1.3 kB over TLS", SMALL, "tls"),
    _file("medium_tls", "a file of 100 kB over TLS", MEDIUM, "tls"),
    _file("large_tls", "a file of 50 MB over TLS", LARGE, "tls", connections=2, least=2),
)
