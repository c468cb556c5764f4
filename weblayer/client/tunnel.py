"""Connections by way of a proxy: to it, or through it to where CONNECT leads.

Source: RFC 9110, 9.3.6.
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from weblayer.client.error import ProxyError
from weblayer.client.trust import IPolicyForHTTPS
from weblayer.client.uri import URI
from weblayer.loop.address import Address
from weblayer.loop.asking import IStreamClientEndpoint, connectProtocol, wrapClientTLS
from weblayer.loop.deferred import Deferred
from weblayer.loop.error import ConnectError
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import IFactory, IProtocol, Protocol
from weblayer.loop.transport import Transport
from weblayer.wire.answer import AnswerHead, AnswerParser
from weblayer.wire.ask import encode_ask
from weblayer.wire.events import Bad

__all__ = ["NamedEndpoint", "Through", "login_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Through:
    """Connects to the proxy, or through it."""

    proxy: IStreamClientEndpoint
    place: URI
    trust: IPolicyForHTTPS

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """The proxy itself for what it passes on, else an encrypted way through it."""
        if uri.scheme == "http":
            return self.proxy
        host = uri.host.partition("%")[0]
        tunnel = _TunnelEndpoint(self.proxy, self.place, uri)
        return wrapClientTLS(self.trust.creatorForNetloc(host, uri.port), tunnel)


@dataclass(frozen=True, slots=True)
class NamedEndpoint:
    """The proxy; that it cannot be reached is said of it, not of the server."""

    proxy: IStreamClientEndpoint
    place: URI

    def connect(self, factory: IFactory) -> Deferred[Any]:
        """Connect to it. Fails with ProxyError."""
        return self.proxy.connect(factory).addErrback(self._tell)

    def _tell(self, failure: Failure) -> Failure:
        error = failure.value
        if isinstance(error, ConnectError):
            raise ProxyError(f"the proxy {self.place} cannot be reached: {error}") from error
        return failure


@dataclass(frozen=True, slots=True)
class _TunnelEndpoint:
    """What the proxy connects us to."""

    proxy: IStreamClientEndpoint
    place: URI
    uri: URI

    def connect(self, factory: IFactory) -> Deferred[Any]:
        opening = _Opening(factory, self.place, self.uri)
        opening.connecting = connectProtocol(self.proxy, opening)
        opening.connecting.addErrback(opening.fail)
        return opening.done


class _Opening(Protocol):
    """Asks for a tunnel; then gives the connection to the protocol that *factory* builds.

    `done` fires with that one.
    """

    transport: Transport

    def __init__(self, factory: IFactory, place: URI, uri: URI) -> None:
        self._factory, self._place = factory, place
        self._target = f"{uri.host if ':' not in uri.host else f'[{uri.host}]'}:{uri.port}"
        self._parser = AnswerParser()
        self._protocol: IProtocol | None = None
        self.connecting: Deferred[Any] | None = None
        self.done: Deferred[Any] = Deferred(self._give_up)

    def connectionMade(self) -> None:
        self._parser.begin(b"CONNECT")
        login, target = login_of(self._place), self._target.encode()
        fields = [] if login is None else [(b"Proxy-Authorization", login)]
        self.transport.write(encode_ask(b"CONNECT", target, target, fields))

    def dataReceived(self, data: bytes) -> None:
        for event in self._parser.feed(data):
            if isinstance(event, Bad):
                self._refuse(f"answered with what is no HTTP: {event.rule}")
            elif isinstance(event, AnswerHead) and event.code >= 200:
                self._judge(event)

    def connectionLost(self, reason: Failure) -> None:
        self._refuse(f"closed the connection: {reason.getErrorMessage()}")

    def fail(self, failure: Failure) -> None:
        """No connection to the proxy."""
        if not self.done.called:
            self.done.errback(failure)

    def _judge(self, head: AnswerHead) -> None:
        if head.code >= 300:
            said = f"{head.code} {head.phrase.decode('latin-1')}".strip()
            self._refuse(f"answered with {said}", head.code)
        elif self._parser.rest:
            # The server waits for our first word: these bytes are the proxy's, or forged.
            self._refuse("sent more than its answer")
        else:
            self.transport.begin(self._build)
            self.done.callback(self._protocol)

    def _build(self, addr: Address) -> IProtocol | None:
        self._protocol = self._factory.buildProtocol(addr)
        return self._protocol

    def _refuse(self, how: str, code: int | None = None) -> None:
        if not self.done.called:
            told = f"the proxy {self._place} {how}, when asked for {self._target}"
            self.done.errback(ProxyError(told, code))
            self.transport.abortConnection()

    def _give_up(self, _: object) -> None:
        if self.connecting is not None and not self.connecting.called:
            self.connecting.cancel()
        else:
            self.transport.abortConnection()


def login_of(place: URI) -> bytes | None:
    """The value of Proxy-Authorization, from the userinfo of the proxy's URI; None without."""
    if place.user is None:
        return None
    return b"Basic " + b64encode(f"{place.user}:{place.password or ''}".encode())
