"""The Agent: asks servers, and gives what they answer.

What wraps an agent (to follow redirects, to keep cookies, to ask again) has a `request` of the
same shape and calls the one below it.
"""

from dataclasses import replace
from typing import Any, Self
from typing import Protocol as Face

from weblayer.client.bodies import IBodyProducer
from weblayer.client.draft import drafted
from weblayer.client.endpoint import Hosts, IAgentEndpointFactory, Resolve
from weblayer.client.error import InvalidURI
from weblayer.client.exchange import Exchange
from weblayer.client.journey import Journey
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.response import ClientRequest, Response
from weblayer.client.timeouts import Timeouts
from weblayer.client.trust import BrowserLikePolicyForHTTPS, IPolicyForHTTPS
from weblayer.client.wrapping import Body, Text, as_text, as_uri
from weblayer.loop.deferred import Deferred, fail
from weblayer.loop.reactor import Reactor, reactorHere
from weblayer.wire.framing import CHUNKED
from weblayer.wire.headers import Headers

__all__ = ["Agent", "IAgent"]


class IAgent(Face):
    """What asks: an Agent, or what wraps one."""

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Any]: ...  # Any: a Response, or what a wrapping agent makes of it


class Agent:
    """Asks servers over HTTP/1.1.

    *contextFactory* says whom it trusts (see BrowserLikePolicyForHTTPS). *connectTimeout* is
    seconds, and replaces that of *timeouts*. *bindAddress* is our side: an address, or one with a
    port. Agents with the same *pool* share its connections; without one it has its own, which is
    its `pool` too, to be closed with `agent.pool.close()`. *resolve* says by their names where
    hosts are to be found that the system would find elsewhere, or not at all: an address, or one
    with a port.
    """

    # Whether what stands at the other end is to pass on what is not encrypted.
    _asks_proxy = False

    def __init__(
        self,
        reactor: Reactor | None = None,
        contextFactory: IPolicyForHTTPS | None = None,
        connectTimeout: float | None = None,
        bindAddress: tuple[str, int] | str | None = None,
        pool: HTTPConnectionPool | None = None,
        *,
        timeouts: Timeouts | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        timeouts = timeouts or Timeouts()
        if connectTimeout is not None:
            timeouts = replace(timeouts, connect=connectTimeout)
        reactor = reactor or reactorHere()
        trust = contextFactory or BrowserLikePolicyForHTTPS()
        places = Hosts(reactor, trust, timeouts.connect, bindAddress, resolve or {})
        self._set_up(places, pool or HTTPConnectionPool(reactor), timeouts)

    @classmethod
    def usingEndpointFactory(
        cls,
        reactor: Reactor | None,
        endpointFactory: IAgentEndpointFactory,
        pool: HTTPConnectionPool | None = None,
        *,
        timeouts: Timeouts | None = None,
    ) -> Self:
        """An agent that connects where *endpointFactory* says: a UNIX socket, a stand-in."""
        agent = cls.__new__(cls)
        agent._set_up(endpointFactory, pool or HTTPConnectionPool(reactor), timeouts or Timeouts())
        return agent

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Response]:
        """Ask for *uri*; fires with the Response as soon as its head is there.

        *bodyProducer* is the body, or what produces it. A header `Expect: 100-continue` has it
        wait for the server's word, for a second. Userinfo in *uri* is not sent. Cancelling ends
        the request, and its connection. Fails with InvalidURI, what says that no connection was
        made, ResponseNeverReceived, ResponseFailed, RequestGenerationFailed, RequestTimeout.
        Raises ValueError or TypeError for a method or headers that cannot be sent.
        """
        try:
            exchange = self._exchange(method, uri, headers, bodyProducer)
        except InvalidURI as error:
            return fail(error)
        answered: Deferred[Response] = Deferred(exchange.cancel)
        exchange.answered = answered
        self.pool._begin(self._endpoints, exchange)
        return answered

    def _set_up(
        self, endpoints: IAgentEndpointFactory, pool: HTTPConnectionPool, timeouts: Timeouts
    ) -> None:
        self._endpoints, self.pool, self._timeouts = endpoints, pool, timeouts

    def _exchange(
        self, method: Text, uri: Text, headers: Headers | None, body: Body | None
    ) -> Exchange:
        pool = self.pool
        word = method if isinstance(method, str) else as_text("method", method)
        found = uri if isinstance(uri, str) else as_uri(uri)
        fields = () if headers is None else _fields(headers)
        data, length = (None, None) if body is None else _sized(body)
        draft = drafted(word, found, fields, length, not pool.persistent, self._asks_proxy)
        now, journey = pool._seconds(), Journey.current()
        request = draft.request
        if headers is not None:
            request = ClientRequest(word, request.uri, headers)
        exchange = Exchange(draft, request, data, self._timeouts, now)
        if journey is not None:
            exchange.began = journey.begin(now)
        return exchange


def _fields(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    if not isinstance(headers, Headers):
        raise TypeError(f"headers must be Headers, as Headers({{name: [value]}}), not {headers!r}")
    return tuple(headers.pairs())


def _sized(body: Body) -> tuple[bytes | IBodyProducer, int]:
    """What is sent, and how it is announced: its bytes, or CHUNKED."""
    if isinstance(body, str | bytes):
        data = body.encode() if isinstance(body, str) else body
        return data, len(data)
    if not hasattr(body, "startProducing"):
        raise TypeError(f"bodyProducer must be bytes, str or an IBodyProducer, not {body!r}")
    length = body.length
    return body, CHUNKED if length is None else length
