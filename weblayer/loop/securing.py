"""Factories that have each connection encrypted before the protocol of another begins.

That other factory builds its protocol when the two sides agree: what its protocol reads of the
peer's certificate and of ALPN is there in `connectionMade`, and a client whose server cannot
be trusted hears of it as of any connection that could not be made.
"""

import logging

from weblayer.loop.address import Address
from weblayer.loop.failure import Failure
from weblayer.loop.protocol import (
    IClientFactory,
    IConnector,
    IFactory,
    IProtocol,
    ITransport,
)
from weblayer.loop.ssl import TLSOptions
from weblayer.loop.transport import HANDSHAKE, Transport

__all__ = ["Securing", "SecuringClientFactory", "SecuringFactory"]

log = logging.getLogger("weblayer")


class SecuringFactory:
    """A server's: *factory* begins with each connection that is encrypted by *options*.

    A client that does not agree within *timeout* seconds is dropped, and noted in the log. Where
    *factory* has `acceptableProtocols()`, ALPN offers them, unless *options* say it themselves.
    """

    def __init__(self, factory: IFactory, options: TLSOptions, timeout: float = HANDSHAKE) -> None:
        if not isinstance(options, TLSOptions):
            raise TypeError(
                "options must say how to encrypt (CertificateOptions, optionsForClientTLS or "
                f"another TLSOptions), not {options!r}"
            )
        if spoken := getattr(factory, "acceptableProtocols", None):
            options.offer(spoken())
        self.factory = factory
        self.options = options
        self.timeout = timeout

    def doStart(self) -> None:
        """One more port or connector."""
        self.factory.doStart()

    def doStop(self) -> None:
        """One port or connector less."""
        self.factory.doStop()

    def buildProtocol(self, addr: Address) -> IProtocol:
        """What agrees with the peer, and then steps aside."""
        return Securing(self)

    def begun(self, protocol: IProtocol) -> None:
        """The two sides agree, and the protocol has begun."""

    def neverBegun(self, addr: Address, reason: Failure) -> None:
        """They did not, and the connection is lost."""
        log.info("%s: no encryption: %s", addr, reason.getErrorMessage())


class SecuringClientFactory(SecuringFactory):
    """A client's: *factory* is told of an encryption that fails by clientConnectionFailed."""

    factory: IClientFactory

    def __init__(
        self, factory: IClientFactory, options: TLSOptions, timeout: float = HANDSHAKE
    ) -> None:
        super().__init__(factory, options, timeout)
        self._has_begun = False

    def startedConnecting(self, connector: IConnector) -> None:
        """An attempt begins."""
        self._has_begun = False
        self.factory.startedConnecting(connector)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """There will be no connection."""
        self.factory.clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """The connection has ended, though there may have been none for the other factory."""
        if self._has_begun:
            self.factory.clientConnectionLost(connector, reason)
        else:
            self.factory.clientConnectionFailed(connector, reason)

    def begun(self, protocol: IProtocol) -> None:
        """The two sides agree, and the protocol has begun."""
        self._has_begun = True

    def neverBegun(self, addr: Address, reason: Failure) -> None:
        """They did not, as the connector will tell."""


class Securing:
    """The protocol of a connection until it is encrypted."""

    __slots__ = ("_protocol", "_securing", "_transport")

    _transport: Transport

    def __init__(self, securing: SecuringFactory) -> None:
        self._securing = securing
        self._protocol: IProtocol | None = None

    def makeConnection(self, transport: ITransport) -> None:
        if not isinstance(transport, Transport):
            raise TypeError(f"{transport!r} cannot be encrypted: it is not a connection of ours")
        self._transport = transport
        securing = self._securing
        agreed = transport.startTLS(securing.options, securing.timeout)
        agreed.addCallbacks(self._begin, _told_elsewhere)

    def dataReceived(self, data: bytes) -> None:
        pass  # nothing arrives before they agree

    def connectionLost(self, reason: Failure) -> None:
        self._securing.neverBegun(self._transport.getPeer(), reason)

    def giveUp(self) -> None:
        """Drop the connection."""
        self._transport.abortConnection()

    def _begin(self, _: None) -> None:
        self._transport.begin(self._build)
        if self._protocol is not None:
            self._securing.begun(self._protocol)

    def _build(self, addr: Address) -> IProtocol | None:
        self._protocol = self._securing.factory.buildProtocol(addr)
        return self._protocol


def _told_elsewhere(reason: Failure) -> None:
    """connectionLost tells it."""
