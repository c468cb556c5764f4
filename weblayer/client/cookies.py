"""Keeping cookies, in a jar of the standard library's.

http.cookiejar has known for twenty years what sites send (RFC 6265 was written from such
code). A jar on disk is one of its MozillaCookieJar, which curl and browsers' exports share:
load() it before and save() it after.
"""

from http.cookiejar import CookieJar, DefaultCookiePolicy

from weblayer.client.agent import IAgent
from weblayer.client.error import InvalidURI
from weblayer.client.response import Readable
from weblayer.client.uri import URI
from weblayer.client.wrapping import Body, Text, as_uri, copied
from weblayer.loop.deferred import Deferred, fail
from weblayer.wire.headers import Headers

__all__ = ["CookieAgent", "newJar"]


class CookieAgent:
    """Asks *agent*, sends what cookies *cookieJar* has for that place, and keeps what is set.

    Without a jar it has one of its own, which forgets; `cookieJar` it is. A Cookie header of the
    caller's is sent before those of the jar.
    """

    def __init__(self, agent: IAgent, cookieJar: CookieJar | None = None) -> None:
        self._agent = agent
        self.cookieJar = newJar() if cookieJar is None else cookieJar

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Readable]:
        """Ask with cookies; fires with the response."""
        sent = copied(headers)
        try:
            asked = _Asked(as_uri(uri), sent)
        except InvalidURI as error:
            return fail(error)
        # A jar takes its time to find out that it is empty. It calls what it is given as it would
        # urllib's own, and no other of their methods.
        if next(iter(self.cookieJar), None) is not None:
            self.cookieJar.add_cookie_header(asked)  # type: ignore[arg-type]  # as told
        answered: Deferred[Readable] = self._agent.request(method, uri, sent, bodyProducer)
        return answered.addCallback(self._keep, asked)

    def _keep(self, response: Readable, asked: "_Asked") -> Readable:
        """Keep what cookies *response* sets."""
        if response.headers.hasHeader("set-cookie"):
            self.cookieJar.extract_cookies(_Answered(response), asked)  # type: ignore[arg-type]  # as told
        return response


def newJar() -> CookieJar:
    """A jar that takes what a site may set, and forgets."""
    # strict_domain: nobody sets cookies for all of co.uk.
    return CookieJar(DefaultCookiePolicy(strict_domain=True))


class _Asked:
    """A request, as a jar looks at it."""

    unverifiable = False

    def __init__(self, uri: URI, headers: Headers) -> None:
        self._uri, self._headers = uri, headers
        self.type, self.host, self.origin_req_host = uri.scheme, uri.netloc, uri.host

    def get_full_url(self) -> str:
        return self._uri.toText()

    def get_header(self, name: str, default: str | None = None) -> str | None:
        return self._headers.getHeader(name) or default

    def has_header(self, name: str) -> bool:
        return False  # the jar would not add to what is there

    def add_unredirected_header(self, name: str, value: str) -> None:
        mine = self._headers.getHeader(name)
        self._headers.setHeader(name, f"{mine}; {value}" if mine and name == "Cookie" else value)


class _Answered:
    """A response, as a jar looks at it."""

    def __init__(self, response: Readable) -> None:
        self._headers = response.headers

    def info(self) -> "_Answered":
        return self

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return self._headers.getRawHeaders(name) or default
