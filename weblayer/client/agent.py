"""The Agent: asks servers, and gives what they answer.

What wraps an agent (to follow redirects, to keep cookies, to ask again) has a `request` of the
same shape and calls the one below it.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any, Self
from typing import Protocol as Face

from weblayer.client.bodies import IBodyProducer
from weblayer.client.endpoint import Hosts, IAgentEndpointFactory, Resolve
from weblayer.client.error import InvalidURI
from weblayer.client.exchange import Exchange
from weblayer.client.journey import Journey
from weblayer.client.pool import HTTPConnectionPool
from weblayer.client.response import ClientRequest, Response
from weblayer.client.timeouts import Timeouts
from weblayer.client.trust import BrowserLikePolicyForHTTPS, IPolicyForHTTPS
from weblayer.client.uri import URI
from weblayer.client.wrapping import Body, Text, as_text, as_uri
from weblayer.loop.deferred import Deferred, fail
from weblayer.loop.reactor import Reactor, reactorHere
from weblayer.wire.ask import encode_ask
from weblayer.wire.fields import split_list
from weblayer.wire.framing import CHUNKED
from weblayer.wire.headers import Headers

__all__ = ["Agent", "IAgent"]

# Up to here a body goes out with its head, in one piece; a longer one waits for the server to
# read, piece by piece.
ONE_PIECE = 64 * 1024


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
            found = as_uri(uri)
        except InvalidURI as error:
            return fail(error)
        exchange = self._exchange(as_text("method", method), found, headers, bodyProducer)
        pool = self.pool
        answered: Deferred[Response] = Deferred(lambda _: pool._stop(exchange))
        exchange.answered = answered
        pool._begin((self._endpoints, found.origin), exchange)
        return answered

    def _set_up(
        self, endpoints: IAgentEndpointFactory, pool: HTTPConnectionPool, timeouts: Timeouts
    ) -> None:
        self._endpoints, self.pool, self._timeouts = endpoints, pool, timeouts

    def _exchange(
        self, method: str, uri: URI, headers: Headers | None, body: Body | None
    ) -> Exchange:
        data = body.encode() if isinstance(body, str) else body
        length = _length(data)
        close, expects = not self.pool.persistent, False
        fields = () if headers is None else tuple(headers.pairs())
        head = _head(method, uri, fields, length, close, self._asks_proxy)
        if headers is not None:
            close = close or _says(headers, "connection", b"close")
            expects = data is not None and _says(headers, "expect", b"100-continue")
        if isinstance(data, bytes) and len(data) <= ONE_PIECE and not expects:
            head, data = head + data, None
        request = ClientRequest(method, uri, headers)
        now, journey = self.pool._seconds(), Journey.current()
        exchange = Exchange(
            request, method.encode(), head, data, self._endpoints, self._timeouts, now
        )
        if journey is not None:
            exchange.began = journey.begin(now)
        exchange.close, exchange.expects = close, expects
        return exchange


@lru_cache(maxsize=256)  # a program asks for the same few over and over, with the same fields
def _head(
    method: str, uri: URI, fields: tuple[tuple[bytes, bytes], ...], length: int | None,
    close: bool, asks_proxy: bool,
) -> bytes:  # fmt: skip
    target, host = uri.originForm.encode(), uri.netloc.encode()
    if asks_proxy and uri.scheme == "http":
        target = b"http://%b%b" % (host, target)  # RFC 9112, 3.2.2
    return encode_ask(method.encode(), target, host, fields, length, close)


def _length(body: bytes | IBodyProducer | None) -> int | None:
    """How the body is announced: its bytes, CHUNKED, or None where there is none."""
    if body is None:
        return None
    if isinstance(body, bytes):
        return len(body)
    if not hasattr(body, "startProducing"):
        raise TypeError(f"bodyProducer must be bytes, str or an IBodyProducer, not {body!r}")
    length = body.length
    return CHUNKED if length is None else length


def _says(headers: Headers, name: str, token: bytes) -> bool:
    values = headers.getRawHeaders(name) or ()
    return any(token in split_list(value.encode("latin-1")) for value in values)
