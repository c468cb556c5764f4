"""Keeping answers, to give them again without asking, or after asking whether they are still good.

The decisions are those of wire/caching.py, the places those of stores.py and diskstore.py; here
they are put to work. What is kept is what the reader has read to its end: a body that broke off,
that its reader left, or that ended with its connection (nobody can say if that is whole) is not
kept. Source: RFC 9111.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any

from weblayer.client.agent import IAgent
from weblayer.client.error import ClientError, ResponseDone
from weblayer.client.journey import Journey
from weblayer.client.response import (
    ClientRequest,
    Readable,
    Response,
    Wrapping,
    madeResponse,
    readBody,
)
from weblayer.client.stores import ICacheStore, MemoryStore
from weblayer.client.uri import URI
from weblayer.client.wrapping import Body, Text, as_text, as_uri, copied
from weblayer.loop.deferred import Deferred
from weblayer.loop.error import ConnectError
from weblayer.loop.failure import Failure
from weblayer.loop.inline import inlineCallbacks
from weblayer.loop.protocol import IProtocol, Protocol
from weblayer.wire.caching import (
    STALE,
    STALE_BUT_GOOD,
    Kept,
    conditions,
    encode_given,
    encode_kept,
    invalidates,
    is_conditional,
    judge,
    may_keep,
    refreshed,
    serves_errors,
    variant,
    wants_only_kept,
)
from weblayer.wire.headers import Headers

__all__ = ["CacheAgent"]

log = logging.getLogger("weblayer")

# Bytes of a body that is kept: it is gathered in memory first, and a MiB takes 10 ms to go to disk.
# Pages and feeds are shorter; what is longer is a download, which is seldom asked for twice.
MOST_KEPT = 2 * 1024 * 1024

# What a server says that cannot answer now (RFC 5861, 4).
TROUBLED = frozenset((500, 502, 503, 504))

NOT_KEPT = b"HTTP/1.1 504 Gateway Timeout\r\n\r\n"


class CacheAgent:
    """Asks *agent* for what it has not in *store*, or has no longer fresh there.

    The cache is one user's own. What asks for a part or brings conditions of its own (Range,
    If-None-Match) passes it by. A response from it has an Age and says so in Cache-Status (RFC
    9211); one of which only-if-cached was asked in vain is 504. It stands below an agent that keeps
    cookies or decodes, and above one that asks again. Without *store* it has a MemoryStore.
    Bodies longer than *maxBody* bytes are not kept. Fails as *agent* does.
    """

    def __init__(
        self,
        agent: IAgent,
        store: ICacheStore | None = None,
        *,
        maxBody: int = MOST_KEPT,
        wallClock: Callable[[], float] = time.time,
    ) -> None:
        self._agent = agent
        self.store: ICacheStore = MemoryStore() if store is None else store
        self._most, self._now = maxBody, wallClock
        self._renewing: set[tuple[str, bytes]] = set()

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Readable]:
        """Give what is kept, or ask; fires with the response."""
        asked = Headers() if headers is None else headers
        name = as_text("method", method)
        if name not in ("GET", "HEAD") or bodyProducer is not None or is_conditional(asked):
            return self._pass(name, uri, headers, bodyProducer)
        return self._look(name, as_uri(uri), asked)

    @inlineCallbacks
    def _pass(
        self, method: str, uri: Text, headers: Headers | None, body: Body | None
    ) -> Generator[Any, Any, Readable]:
        """Ask; and forget what that has changed. Source: RFC 9111, 4.4."""
        response: Readable = yield self._agent.request(method, uri, headers, body)
        if invalidates(method.encode(), response.code):
            here = as_uri(uri)
            self.store.remove(_key(here))
            for name in ("location", "content-location"):
                there = _place(here, response.headers.getHeader(name))
                if there is not None:
                    self.store.remove(_key(there))
        return response

    @inlineCallbacks
    def _look(self, method: str, uri: URI, asked: Headers) -> Generator[Any, Any, Readable]:
        """Give what is kept where that is good, else ask."""
        request = _Request(method, uri, asked)
        kept = self._find(request)
        use = STALE if kept is None else judge(kept, asked, self._now())
        if kept is not None and use is not STALE:
            given = self._given(request, kept)
            if given is not None:
                if use is STALE_BUT_GOOD:
                    self._renew(request, kept)
                return given
        if wants_only_kept(asked):
            return madeResponse(request, NOT_KEPT, 504, b"")
        response: Readable = yield self._ask(request, kept)
        return response

    @inlineCallbacks
    def _ask(self, request: "_Request", kept: Kept | None) -> Generator[Any, Any, Readable]:
        """Ask the server: whether *kept* is still good, or for all of it."""
        journey, now, asked = Journey.here(), self._now(), request.headers
        told = copied(asked)
        for name, value in conditions(kept) if kept is not None else ():
            told.setHeader(name, value)
        try:
            response: Response = yield journey.ask(self._agent, *request.asking, told, None)
        except (ClientError, ConnectError):
            given = self._instead(request, kept)
            if given is None:
                raise
            return given
        given = None
        if response.code in TROUBLED:
            given = self._instead(request, kept)
        elif response.code == 304 and kept is not None:
            given = self._refresh(request, kept, response, now)
            if given is None:  # it is about an answer that we have no longer, or never had
                response.discard()
                response = yield journey.ask(self._agent, *request.asking, asked, None)
        if given is None:
            return self._take(request, kept, response, now)
        response.discard()
        return given

    def _find(self, request: "_Request") -> Kept | None:
        """The answer that was kept for such a request."""
        for kept in self.store.find(request.key):
            if kept.chosen == variant(request.headers, kept.fields):
                return kept
        return None

    def _given(
        self, request: "_Request", kept: Kept, how: bytes = b"hit", cookies: Iterable[bytes] = ()
    ) -> Response | None:
        """The response that *kept* makes; None where its body has gone."""
        body = self.store.read(request.key, kept)
        if body is None:
            return None
        raw = encode_given(kept, self._now(), how, cookies)
        return madeResponse(request, raw, kept.code, body)

    def _instead(self, request: "_Request", kept: Kept | None) -> Response | None:
        """What is kept, where it may be given in place of an error."""
        if kept is None or not serves_errors(kept, request.headers, self._now()):
            return None
        return self._given(request, kept)

    def _refresh(
        self, request: "_Request", kept: Kept, response: Readable, asked: float
    ) -> Response | None:
        """What is kept, which is still good."""
        said = response.headers
        after = refreshed(kept, request.headers, said, (asked, self._now()))
        if after is None:
            return None
        self.store.refresh(request.key, kept, after)
        cookies = said.getRawHeaders(b"set-cookie") or ()
        return self._given(request, after, b"fwd=stale; fwd-status=304", cookies)

    def _take(
        self, request: "_Request", kept: Kept | None, response: Response, asked: float
    ) -> Readable:
        """*response*, to be kept in place of *kept* when it has been read."""
        said, now = response.headers, self._now()
        chosen = variant(request.headers, said)
        method = request.method.encode()
        if chosen is None or not may_keep(method, request.headers, response.code, said):
            if kept is not None and method == b"GET":
                self.store.remove(request.key, kept)  # it is no longer what there is
            return response
        raw = encode_kept(response.code, response.phrase.encode("latin-1"), said)
        new = Kept(response.code, raw, asked, now, chosen)
        return _Kept(response, partial(self.store.keep, request.key, new), self._most)

    def _renew(self, request: "_Request", kept: Kept) -> None:
        """Ask whether *kept* is still good, while nobody waits for that."""
        key = request.key, kept.chosen
        if key not in self._renewing:
            self._renewing.add(key)
            renewing: Deferred[Any] = self._ask(request, kept)
            renewing.addCallback(readBody, self._most)
            renewing.addErrback(self._tell, request)
            renewing.addBoth(lambda _: self._renewing.discard(key))

    def _tell(self, failure: Failure, request: "_Request") -> None:
        log.info("%s could not be renewed: %s", request.key, failure.getErrorMessage())


class _Request(ClientRequest):
    """What was asked, and where it is kept."""

    __slots__ = ("key",)

    def __init__(self, method: str, uri: URI, headers: Headers) -> None:
        super().__init__(method, uri, headers)
        self.key = _key(uri)

    @property
    def asking(self) -> tuple[str, str]:
        """The method and the URI, as an agent takes them."""
        return self.method, self.absoluteURI


class _Kept(Wrapping):
    """A response whose body is kept when it has been read."""

    __slots__ = ("_keep", "_most")

    def __init__(self, response: Response, keep: Callable[[bytes], object], most: int) -> None:
        super().__init__(response)
        self._keep, self._most = keep, most

    def deliverBody(self, protocol: IProtocol) -> None:
        self._response.deliverBody(_Gathering(protocol, self._keep, self._most))

    def _whole(self) -> bytes | None:
        whole = self._response._whole()
        if whole is not None and len(whole) <= self._most:
            self._keep(whole)
        return whole


class _Gathering(Protocol):
    """Reads a body on behalf of another, and keeps it. It is the other's transport."""

    def __init__(self, reader: IProtocol, keep: Callable[[bytes], object], most: int) -> None:
        self._reader, self._keep, self._most = reader, keep, most
        self._pieces: list[bytes] | None = []  # None when it will not be kept

    def connectionMade(self) -> None:
        self._reader.makeConnection(self)  # type: ignore[arg-type]  # of a transport it has these

    def dataReceived(self, data: bytes) -> None:
        if self._pieces is not None:
            self._pieces.append(data)
            self._most -= len(data)
            if self._most < 0:
                self._pieces = None
        self._reader.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        if self._pieces is not None and reason.check(ResponseDone):
            self._keep(b"".join(self._pieces))
        self._reader.connectionLost(reason)

    # What the reader may do with its transport.

    def pauseProducing(self) -> None:
        """Give no more for now."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Give on."""
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """Want no more."""
        self._pieces = None
        self.transport.stopProducing()

    loseConnection = abortConnection = stopProducing


def _key(uri: URI) -> str:
    """The URI as it is asked for: without a fragment."""
    return uri.toText().partition("#")[0]


def _place(here: URI, location: str | None) -> URI | None:
    """Where *location* leads, if that is on the same site: another's is not for it to change."""
    try:
        there = None if location is None else here.join(location)
    except ClientError:
        return None
    return there if there is not None and there.origin == here.origin else None
