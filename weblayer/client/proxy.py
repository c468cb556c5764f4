"""Asking through a proxy: what is plain is passed on by it, what is encrypted goes through it.

An `https` server is reached by CONNECT: the proxy joins two connections and cannot read what
passes. Its own faults are ProxyErrors, and never taken for the server's.
Source: RFC 9110, 9.3.6; RFC 9112, 3.2.2.
"""

from copy import copy
from typing import Any

from weblayer.client.agent import Agent
from weblayer.client.endpoint import Hosts
from weblayer.client.environment import Environment
from weblayer.client.error import InvalidURI
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.response import Response
from weblayer.client.timeouts import Timeouts
from weblayer.client.trust import BrowserLikePolicyForHTTPS, IPolicyForHTTPS
from weblayer.client.tunnel import NamedEndpoint, Through, login_of
from weblayer.client.uri import URI
from weblayer.client.wrapping import Body, Text, as_uri, copied
from weblayer.loop.deferred import Deferred, fail
from weblayer.loop.reactor import Reactor, reactorHere
from weblayer.wire.headers import Headers

__all__ = ["ProxyAgent"]


class ProxyAgent:
    """An Agent that asks through *proxy*: its URI, perhaps with a name and a password in it.

    An Environment says for each URI which proxy that is; without *proxy* it is that of this
    process, and where that names none the server itself is asked. The other parameters are as
    Agent's. Fails as Agent does, and with ProxyError where the proxy did not connect us.
    """

    def __init__(
        self,
        reactor: Reactor | None = None,
        proxy: str | Environment | None = None,
        contextFactory: IPolicyForHTTPS | None = None,
        pool: HTTPConnectionPool | None = None,
        *,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._reactor = reactor or reactorHere()
        self._trust = contextFactory or BrowserLikePolicyForHTTPS()
        self.pool = pool or HTTPConnectionPool(self._reactor)
        self._proxy = Environment() if proxy is None else proxy
        # Without a time to connect: that is the pool's to look after, for each request its own.
        self._hosts = Hosts(self._reactor, self._trust, None, None)
        self._routes: dict[str, Through] = {}
        self._timeouts = timeouts or Timeouts()
        self._agents: dict[str | None, Agent] = {}
        if isinstance(proxy, str):
            self._agent(proxy)  # what is wrong with it is told at once

    def within(self, timeouts: Timeouts) -> "ProxyAgent":
        """The same with other *timeouts*, and on the same connections."""
        other = copy(self)
        other._timeouts, other._agents = timeouts, {}
        return other

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Response]:
        """Ask, through the proxy for *uri*; as Agent's."""
        try:
            agent = self._agent(self._proxy_for(uri))
        except InvalidURI as error:
            return fail(error)
        return agent.request(method, uri, headers, bodyProducer)

    def _proxy_for(self, uri: Text) -> str | None:
        found = as_uri(uri)
        return self._proxy if isinstance(self._proxy, str) else self._proxy.proxyFor(found)

    def _agent(self, proxy: str | None) -> Agent:
        """The agent that asks through *proxy*."""
        found = self._agents.get(proxy)
        if found is None:
            found = self._agents[proxy] = self._make(proxy)
        return found

    def _make(self, proxy: str | None) -> Agent:
        options: dict[str, Any] = {"pool": self.pool, "timeouts": self._timeouts}
        if proxy is None:
            return Agent.usingEndpointFactory(self._reactor, self._hosts, **options)
        route = self._route(proxy)
        agent = _AskingProxy.usingEndpointFactory(self._reactor, route, **options)
        agent.login = login_of(route.place)
        return agent

    def _route(self, proxy: str) -> Through:
        found = self._routes.get(proxy)
        if found is None:
            place = _parsed(proxy)
            endpoint = NamedEndpoint(self._hosts.endpointForURI(place), place)
            found = self._routes[proxy] = Through(endpoint, place, self._trust)
        return found


class _AskingProxy(Agent):
    """An agent whose connections lead to a proxy, or through it."""

    _asks_proxy = True
    login: bytes | None = None

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Response]:
        if self.login is not None and as_uri(uri).scheme == "http":
            headers = copied(headers)
            headers.setHeader(b"Proxy-Authorization", self.login)
        return super().request(method, uri, headers, bodyProducer)


def _parsed(proxy: str) -> URI:
    """A proxy's URI, which may lack its scheme, as in the environment it often does."""
    try:
        return URI.fromText(proxy if "://" in proxy else f"http://{proxy}")
    except InvalidURI as error:
        raise InvalidURI(f"the proxy must be http://host:port, or with https: {error}") from error
