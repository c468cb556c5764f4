"""Following redirects. Source: RFC 9110, 15.4; Fetch, 4.4.

Each Location is read against the URI that gave it. What a caller sends with the first request as
a secret goes to no other origin, and neither does a Host that was set by hand. The body of a
redirect is dropped, so that its connection is free for the next.
"""

from collections.abc import Generator, Iterable
from typing import Any

from weblayer.client.agent import IAgent
from weblayer.client.error import InfiniteRedirection, PageRedirect, RedirectWithNoLocation
from weblayer.client.journey import Journey
from weblayer.client.response import Readable
from weblayer.client.uri import URI
from weblayer.client.wrapping import Body, Text, as_text, as_uri, copied, is_replayable
from weblayer.loop.deferred import Deferred
from weblayer.loop.inline import inlineCallbacks
from weblayer.wire.headers import Headers

__all__ = ["BrowserLikeRedirectAgent", "RedirectAgent"]

# As many as browsers follow (Fetch, 4.4).
MOST = 20

REDIRECTS = frozenset((301, 302, 303, 307, 308))

SECRETS = ("authorization", "cookie", "proxy-authorization", "host")

# What tells of a body that is not sent again.
OF_THE_BODY = (
    "content-encoding", "content-language", "content-length", "content-location", "content-type",
    "digest", "expect", "last-modified", "transfer-encoding",
)  # fmt: skip


class RedirectAgent:
    """Asks *agent*, and follows where the answer leads: GET and HEAD only, and 303 for others.

    *sensitiveHeaderNames* are those of more headers that go to no other origin. The response's
    `previousResponse` is the redirect that led to it. Fails as *agent* does, and with
    InfiniteRedirection after *redirectLimit* of them, RedirectWithNoLocation, PageRedirect where
    the method forbids to follow; and InvalidURI where a Location names nothing that can be asked.
    """

    def __init__(
        self,
        agent: IAgent,
        redirectLimit: int = MOST,
        sensitiveHeaderNames: Iterable[Text] = (),
    ) -> None:
        self._agent, self._limit = agent, redirectLimit
        more = (as_text("sensitiveHeaderNames", name) for name in sensitiveHeaderNames)
        self._secrets = (*SECRETS, *more)

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Readable]:
        """Ask, and follow; fires with the last response."""
        return self._follow(as_text("method", method), uri, headers, bodyProducer)

    @inlineCallbacks
    def _follow(
        self, method: str, uri: Text, headers: Headers | None, body: Body | None
    ) -> Generator[Any, Any, Readable]:
        here, previous, journey = as_uri(uri), None, Journey.here()
        for left in range(self._limit, -1, -1):
            response: Readable = yield journey.ask(
                self._agent, method, here.toText(), headers, body
            )
            if previous is not None:
                response.setPreviousResponse(previous)
            if response.code not in REDIRECTS:
                return response
            response.discard()
            there = _place(here, response)
            if not left:
                raise InfiniteRedirection(f"another redirect, after {self._limit}", response)
            asked = self._method(method, response.code)
            if asked is None:
                raise PageRedirect(f"a {method} is not for following to {there}", response)
            headers = self._fields(headers, here, there, drops_body=asked != method)
            if asked != method:
                body = None
            elif not is_replayable(body):
                raise PageRedirect(f"its body cannot be sent again, to {there}", response)
            method, here, previous = asked, there, response
        raise AssertionError("the last round returns or raises")

    def _method(self, method: str, code: int) -> str | None:
        """How to ask there; None when that may not be."""
        if method in ("GET", "HEAD"):
            return method
        return "GET" if code == 303 else None

    def _fields(
        self, headers: Headers | None, here: URI, there: URI, *, drops_body: bool
    ) -> Headers | None:
        """What of the fields goes there."""
        if headers is None:
            return None
        left = copied(headers)
        for name in self._secrets if here.origin != there.origin else ():
            left.removeHeader(name)
        for name in OF_THE_BODY if drops_body else ():
            left.removeHeader(name)
        return left


class BrowserLikeRedirectAgent(RedirectAgent):
    """The same for every method, as browsers do.

    301 and 302 make a POST a GET, 303 all but HEAD; 307 and 308 keep the method and the body.
    Fails with PageRedirect where a body must be sent again that cannot be: what was made on the
    way, or read from a pipe.
    """

    def _method(self, method: str, code: int) -> str | None:
        if code == 303:
            return "HEAD" if method == "HEAD" else "GET"
        return "GET" if code in (301, 302) and method == "POST" else method


def _place(here: URI, response: Readable) -> URI:
    """Where *response* leads."""
    location = response.headers.getRawHeaders(b"location")
    if not location:
        raise RedirectWithNoLocation("it has no Location", response)
    # UTF-8 is what servers send that do not encode it.
    return here.join(location[0].decode("utf-8", "surrogateescape"))
