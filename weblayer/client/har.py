"""Exchanges in a file, as browsers export them. Source: HTTP Archive (HAR) 1.2.

The file is whole after each exchange, and its bodies are as they stood behind their codings: it
can be read, compared, and opened in a browser's tools. The body of a request is not kept, since a
form may hold a password; its sum is, under a name that begins with `_`, as the format allows.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from weblayer.client.error import InvalidURI
from weblayer.client.uri import URI
from weblayer.client.wrapping import Body
from weblayer.wire.headers import Headers
from weblayer.wire.mediatype import parse_media_type

__all__ = ["Asking", "Exchanged", "append", "begin", "read", "summed"]

HEAD = b'{"log": {"version": "1.2", "creator": {"name": "weblayer", "version": "1"}, "entries": ['
FOOT = b"\n]}}\n"

# What is not true of a body any more that comes in one piece, and without codings.
FRAMING = ("Content-Encoding", "Content-Length", "Transfer-Encoding")

# The sum of no body, and of one of which nobody knows it: a producer's, or one left out.
NOTHING, UNKNOWN = "", None


class Asking(NamedTuple):
    """What one exchange is told from another by. *sum* is the body's SHA-256, in hex."""

    method: str
    uri: str  # without a fragment
    sum: str | None

    def answers(self, other: "Asking") -> bool:
        """Whether this and *other* ask the same, as far as that can be known."""
        same = UNKNOWN in (self.sum, other.sum) or self.sum == other.sum
        return self[:2] == other[:2] and same

    def __str__(self) -> str:
        told = f" with a body of SHA-256 {self.sum[:12]}…" if self.sum else ""
        return f"{self.method} {self.uri}{told}"


class Exchanged(NamedTuple):
    """One exchange: what was asked, and what was answered. *fields* are those of the request."""

    asking: Asking
    fields: Headers
    code: int
    phrase: str
    headers: Headers
    body: bytes


def summed(body: Body | None) -> str | None:
    """The sum of a request's *body*."""
    if body is None:
        return NOTHING
    if isinstance(body, str | bytes):
        return sha256(body.encode() if isinstance(body, str) else body).hexdigest()
    return UNKNOWN


def begin(path: Path) -> None:
    """A file without any exchange yet. Raises OSError."""
    path.write_bytes(HEAD + FOOT)


def append(path: Path, exchanged: Exchanged, began: datetime, milliseconds: float) -> None:
    """Write one more exchange behind those that are there. Raises OSError."""
    entry = json.dumps(_entry(exchanged, began, milliseconds), indent=1, ensure_ascii=False)
    with path.open("r+b") as file:
        end = file.seek(-len(FOOT), os.SEEK_END)
        joint = b"\n" if end == len(HEAD) else b",\n"
        file.write(joint + entry.encode() + FOOT)


def read(path: Path) -> list[Exchanged]:
    """The exchanges in a file, of ours or of a browser's. Raises OSError, ValueError.

    Those that a browser did not finish are left out.
    """
    try:
        entries = json.loads(path.read_text("utf-8"))["log"]["entries"]
        return [_exchanged(one) for one in entries if one["response"]["status"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no HTTP Archive: {error!r}") from error


def _entry(exchanged: Exchanged, began: datetime, milliseconds: float) -> dict[str, Any]:
    asking, said = exchanged.asking, exchanged.headers
    size = {UNKNOWN: -1, NOTHING: 0}
    request = {
        "method": asking.method, "url": asking.uri, "httpVersion": "HTTP/1.1",
        "headers": _pairs(exchanged.fields), "queryString": [], "cookies": [],
        "headersSize": -1, "bodySize": size.get(asking.sum, -1),
    }  # fmt: skip
    if asking.sum:
        request["_bodySHA256"] = asking.sum
    response = {
        "status": exchanged.code, "statusText": exchanged.phrase, "httpVersion": "HTTP/1.1",
        "headers": _pairs(said), "cookies": [], "content": _content(said, exchanged.body),
        "redirectURL": said.getHeader("location") or "",
        "headersSize": -1, "bodySize": len(exchanged.body),
    }  # fmt: skip
    return {
        "startedDateTime": began.astimezone(UTC).isoformat(timespec="milliseconds"),
        "time": round(milliseconds, 1), "request": request, "response": response, "cache": {},
        "timings": {"send": 0, "wait": round(milliseconds, 1), "receive": 0},
    }  # fmt: skip


def _pairs(headers: Headers) -> list[dict[str, str]]:
    found = headers.getAllRawHeaders()
    return [{"name": name, "value": value} for name, values in found for value in values]


def _content(headers: Headers, body: bytes) -> dict[str, Any]:
    """A body, as text where it is text."""
    kind = headers.getHeader("content-type") or ""
    content = {"size": len(body), "mimeType": kind}
    try:
        text = body.decode(_charset(kind))
        # As it will be read; and what JSON in UTF-8 cannot hold is refused here.
        if "\0" not in text and text.encode() and text.encode(_charset(kind), "replace") == body:
            return {**content, "text": text}
    except ValueError:
        pass
    return {**content, "text": b64encode(body).decode(), "encoding": "base64"}


def _exchanged(entry: dict[str, Any]) -> Exchanged:
    request, response = entry["request"], entry["response"]
    headers, body = _headers(response["headers"]), _body(response["content"])
    if request["method"] != "HEAD":
        for name in FRAMING:
            headers.removeHeader(name)
    return Exchanged(
        Asking(request["method"], _uri(request["url"]), _sum(request)),
        _headers(request["headers"]),
        int(response["status"]),
        response["statusText"],
        headers,
        body,
    )


def _uri(text: str) -> str:
    try:
        return URI.fromText(text).toText().partition("#")[0]
    except InvalidURI:
        return text  # nobody can ask for it


def _sum(request: dict[str, Any]) -> str | None:
    if "_bodySHA256" in request:
        found: str = request["_bodySHA256"]
        return found
    if "text" in (posted := request.get("postData", {})):
        return summed(posted["text"])
    return NOTHING if request.get("bodySize") == 0 else UNKNOWN


def _headers(pairs: Iterable[dict[str, str]]) -> Headers:
    headers = Headers()
    for name, value in _lines(pairs):
        if name[:1] != ":":  # of HTTP/2, which has its first line in such
            headers.addRawHeader(name, value)
    return headers


def _lines(pairs: Iterable[dict[str, str]]) -> Iterator[tuple[str, str]]:
    # Browsers have several values of one name in one text.
    return ((pair["name"], value) for pair in pairs for value in pair["value"].split("\n"))


def _body(content: dict[str, Any]) -> bytes:
    text: str = content.get("text", "")
    if content.get("encoding") == "base64":
        return b64decode(text)
    return text.encode(_charset(content.get("mimeType", "")), "replace")


def _charset(kind: str) -> str:
    """The codec of a media type's text. It is UTF-8 where there is none, or none that we know."""
    media = parse_media_type(kind.encode("latin-1", "replace"))
    name = ((media and media.charset) or b"utf-8").decode("latin-1")
    try:
        "".encode(name)
    except (LookupError, UnicodeError):
        return "utf-8"
    return name
