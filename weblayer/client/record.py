"""Recording what servers answer, and answering from the record: tests of what asks others.

async with Session(agent=RecorderAgent(Agent(), "tape.har")) as session: ...   # once, then
async with Session(agent=ReplayAgent("tape.har")) as session: ...              # without them
"""

import os
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from weblayer.client.agent import IAgent
from weblayer.client.decoding import ContentDecoderAgent
from weblayer.client.error import NotRecorded
from weblayer.client.har import Asking, Exchanged, append, begin, read, summed
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.response import (
    MOST_READ,
    ClientRequest,
    Readable,
    Response,
    madeResponse,
    readBody,
)
from weblayer.client.uri import URI
from weblayer.client.wrapping import Body, Text, as_text, as_uri, copied
from weblayer.loop.deferred import Deferred, fail, succeed
from weblayer.loop.inline import inlineCallbacks
from weblayer.wire.headers import Headers

__all__ = ["RecorderAgent", "ReplayAgent"]

# Whoever reads the file would be let in by these, or would be taken for somebody else.
SECRETS = ("Authorization", "Cookie", "Proxy-Authorization", "Set-Cookie")

# Exchanges that an error names: enough to see what was misspelt.
MOST_NAMED = 8


class RecorderAgent:
    """Asks *agent*, and writes what it answers into *file*, an HTTP Archive (HAR) begun anew.

    Passwords and cookies in fields are left out unless it *keepsSecrets*; what else is secret, in
    a URI or in an answer, is not known to it. A response comes when its body has come, decoded, and
    fails with BodyTooLarge beyond *maxSize* bytes. What fails is not recorded. `pool` is that of
    *agent*, if it has one, for a session to close. Raises OSError.
    """

    def __init__(
        self,
        agent: IAgent,
        file: str | os.PathLike[str],
        *,
        keepsSecrets: bool = False,
        maxSize: int = MOST_READ,
    ) -> None:
        self.pool: HTTPConnectionPool | None = getattr(agent, "pool", None)
        self._agent = ContentDecoderAgent(agent)
        self._path, self._secrets, self._most = Path(file), keepsSecrets, maxSize
        begin(self._path)

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Response]:
        """Ask and record; fires with the response."""
        return self._ask(as_text("method", method), as_uri(uri), copied(headers), bodyProducer)

    @inlineCallbacks
    def _ask(
        self, method: str, uri: URI, headers: Headers, body: Body | None
    ) -> Generator[Any, Any, Response]:
        began, before = datetime.now(UTC), time.perf_counter()
        response: Readable = yield self._agent.request(method, uri.toText(), headers, body)
        content: bytes = yield readBody(response, self._most)
        asking = Asking(method, _place(uri), summed(body))
        exchanged = Exchanged(
            asking, headers, response.code, response.phrase, response.headers, content
        )
        milliseconds = (time.perf_counter() - before) * 1000
        append(self._path, self._spared(exchanged), began, milliseconds)
        return _response(ClientRequest(method, uri, headers), exchanged)

    def _spared(self, exchanged: Exchanged) -> Exchanged:
        """What may be written of it."""
        if self._secrets:
            return exchanged
        fields, headers = exchanged.fields.copy(), exchanged.headers.copy()
        for name in SECRETS:
            fields.removeHeader(name)
            headers.removeHeader(name)
        return exchanged._replace(fields=fields, headers=headers)


class ReplayAgent:
    """Answers from *file*, which a RecorderAgent wrote or a browser exported, and asks nobody.

    What is asked must have been recorded with the same method, URI and body (one that a producer
    writes is not looked at), and is answered as often as it was recorded, in that order. Else it
    fails with NotRecorded. Raises OSError, and ValueError for what is no HTTP Archive.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self._path = Path(file)
        self._recorded = read(self._path)
        self._left = list(self._recorded)

    @property
    def unasked(self) -> list[str]:
        """What was recorded and has not been asked for: method and URI, in order."""
        return [f"{one.asking.method} {one.asking.uri}" for one in self._left]

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Response]:
        """Has fired: with the response that was recorded, or NotRecorded."""
        place = as_uri(uri)
        asking = Asking(as_text("method", method), _place(place), summed(bodyProducer))
        for at, exchanged in enumerate(self._left):
            if exchanged.asking.answers(asking):
                del self._left[at]
                return succeed(_response(ClientRequest(asking.method, place, headers), exchanged))
        return fail(NotRecorded(self._told(asking)))

    def _told(self, asking: Asking) -> str:
        times = sum(one.asking.answers(asking) for one in self._recorded)
        if times:
            often = "once" if times == 1 else f"{times} times"
            return f"{asking} was recorded {often} in {self._path}, and asked for more often"
        others = list(dict.fromkeys(str(one.asking) for one in self._recorded))
        named = others[:MOST_NAMED] + ["..."] * (len(others) > MOST_NAMED)
        return f"{asking} was not recorded in {self._path}, which has: {', '.join(named) or 'none'}"


def _response(request: ClientRequest, exchanged: Exchanged) -> Response:
    """The response that an agent would have made of it."""
    headers = exchanged.headers.copy()
    if request.method != "HEAD":
        headers.setHeader("Content-Length", str(len(exchanged.body)))
    lines = [b"HTTP/1.1 %d %b" % (exchanged.code, exchanged.phrase.encode("latin-1", "replace"))]
    lines += [b"%b: %b" % pair for pair in headers.pairs()]
    raw = b"\r\n".join([*lines, b"", b""])
    return madeResponse(request, raw, exchanged.code, exchanged.body)


def _place(uri: URI) -> str:
    return uri.toText().partition("#")[0]
