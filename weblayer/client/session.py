"""The pleasant face: one call for a request, with what programs say of it most."""

from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Self, Unpack

from weblayer.client.agent import IAgent
from weblayer.client.asked import Asked, Auth, Fields, Timeout, body_of, timeouts_of, with_params
from weblayer.client.auth import AuthAgent, BasicAuth
from weblayer.client.cookies import CookieAgent, newJar
from weblayer.client.decoding import ContentDecoderAgent
from weblayer.client.environment import Environment
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.proxy import ProxyAgent
from weblayer.client.redirect import MOST, BrowserLikeRedirectAgent
from weblayer.client.response import Readable
from weblayer.client.retry import RetryAgent, Retrying
from weblayer.client.stores import ICacheStore
from weblayer.client.timeouts import Timeouts
from weblayer.client.trust import IPolicyForHTTPS
from weblayer.client.uri import URI
from weblayer.loop.reactor import Reactor, reactorHere
from weblayer.wire.headers import Headers

__all__ = ["Session"]

# Some servers refuse who says nothing of itself; a program that has a name says it.
USER_AGENT = "weblayer"


class Session:
    """Requests that share connections, cookies and defaults; closed at the end of its block.

    `async with Session() as session: ...`, or `with`: all connections are closed there, at once.
    *headers* and *auth* go with each request unless it has its own; *cookies* is a jar to share,
    or a mapping of cookies for every place that is asked. *timeout* is the seconds that a request
    may take with its body, or Timeouts. *redirects* is how many are followed, 0 for none. *proxy*
    is its URI; the environment's where it is None, and none where it is "". *retrying* says when
    to ask again; without it that is never done. *cache* keeps what may be kept of the answers: a
    MemoryStore, a DiskStore. What follows redirects, keeps cookies and answers, and decodes stands
    on *agent* where one is given: then *trust* and *proxy* are that one's, the pool, if it has one,
    and timeouts, unless it is a ProxyAgent.
    """

    def __init__(
        self,
        reactor: Reactor | None = None,
        *,
        headers: Fields = None,
        auth: Auth = None,
        cookies: CookieJar | Mapping[str, str] | None = None,
        timeout: Timeout = None,
        redirects: int = MOST,
        proxy: str | None = None,
        retrying: Retrying | None = None,
        cache: ICacheStore | None = None,
        trust: IPolicyForHTTPS | None = None,
        pool: HTTPConnectionPool | None = None,
        agent: IAgent | None = None,
    ) -> None:
        self._reactor = reactor or reactorHere()
        self.headers = Headers({"User-Agent": [USER_AGENT], "Accept": ["*/*"]})
        _overlay(self.headers, headers)
        self.auth = auth
        self._cookies = {} if isinstance(cookies, CookieJar) else dict(cookies or {})
        self.cookieJar = cookies if isinstance(cookies, CookieJar) else newJar()
        self.timeout = timeout
        self._redirects, self._retrying, self._cache = redirects, retrying, cache
        self.pool = pool or getattr(agent, "pool", None) or HTTPConnectionPool(self._reactor)
        direct = Environment({}) if proxy == "" else proxy
        self._asks: IAgent = agent or ProxyAgent(self._reactor, direct, trust, self.pool)
        self._agents: dict[Timeouts, IAgent] = {}

    async def request(self, method: str, uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
        """Ask for *uri*; gives the response, its body still to come.

        *asked* is what Asked lists. A name and a password in *uri* are `auth`. Raises as
        Agent.request does, and what stands on it here: NotFollowed, ProxyError.
        """
        found = URI.fromText(with_params(uri, asked.get("params")))
        body, kind = body_of(asked.get("data"), asked.get("json"), asked.get("files"))
        agent = self._agent(timeouts_of(asked.get("timeout") or self.timeout))
        auth = asked.get("auth") or _userinfo(found) or self.auth
        if auth is not None:
            agent = AuthAgent(agent, auth)
        response: Readable = await agent.request(
            method, found.toText(), self._fields(asked, kind), body
        )
        return response

    async def get(self, uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
        """Ask with GET, as `request` does."""
        return await self.request("GET", uri, **asked)

    async def head(self, uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
        """Ask with HEAD, as `request` does."""
        return await self.request("HEAD", uri, **asked)

    async def post(self, uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
        """Ask with POST, as `request` does."""
        return await self.request("POST", uri, **asked)

    async def put(self, uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
        """Ask with PUT, as `request` does."""
        return await self.request("PUT", uri, **asked)

    async def patch(self, uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
        """Ask with PATCH, as `request` does."""
        return await self.request("PATCH", uri, **asked)

    async def delete(self, uri: str | bytes, **asked: Unpack[Asked]) -> Readable:
        """Ask with DELETE, as `request` does."""
        return await self.request("DELETE", uri, **asked)

    def close(self) -> None:
        """Close all connections, at once; what is under way fails, PoolClosed being the reason."""
        self.pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside.

    def _agent(self, timeouts: Timeouts) -> IAgent:
        """What asks within *timeouts*; all of them share the connections."""
        found = self._agents.get(timeouts)
        if found is None:
            found = self._agents[timeouts] = self._wrapped(timeouts)
        return found

    def _wrapped(self, timeouts: Timeouts) -> IAgent:
        agent = self._asks
        if isinstance(agent, ProxyAgent):
            agent = agent.within(timeouts)
        if self._retrying is not None:
            agent = RetryAgent(agent, self._reactor, self._retrying)
        if self._cache is not None:
            from weblayer.client.cache import CacheAgent  # for those who want one

            agent = CacheAgent(agent, self._cache)
        agent = ContentDecoderAgent(CookieAgent(agent, self.cookieJar))
        return BrowserLikeRedirectAgent(agent, self._redirects) if self._redirects else agent

    def _fields(self, asked: Asked, kind: str | None) -> Headers:
        fields = self.headers.copy()
        if kind is not None:
            fields.setHeader("Content-Type", kind)
        _overlay(fields, asked.get("headers"))
        cookies = {**self._cookies, **(asked.get("cookies") or {})}
        if cookies:
            fields.setHeader("Cookie", "; ".join(f"{name}={cookies[name]}" for name in cookies))
        return fields


def _overlay(headers: Headers, more: Fields) -> None:
    """Set what *more* has, each name anew."""
    if isinstance(more, Headers):
        for name, values in more.getAllRawHeaders():
            headers.setRawHeaders(name, values)
    elif more is not None and not isinstance(more, Mapping):
        raise TypeError(f"headers must be a dict or Headers, not {more!r}")
    else:
        for name, value in (more or {}).items():
            headers.setHeader(name, value)


def _userinfo(uri: URI) -> BasicAuth | None:
    return None if uri.user is None else BasicAuth(uri.user, uri.password or "")
