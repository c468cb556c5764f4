"""Where an agent connects, and how."""

from dataclasses import dataclass
from typing import Protocol as Face

from weblayer.client.trust import IPolicyForHTTPS
from weblayer.client.uri import URI
from weblayer.loop.asking import HostnameEndpoint, IStreamClientEndpoint, wrapClientTLS
from weblayer.loop.network import Network

__all__ = ["Hosts", "IAgentEndpointFactory"]


class IAgentEndpointFactory(Face):
    """Says where to connect for a URI."""

    def endpointForURI(self, uri: URI, /) -> IStreamClientEndpoint: ...


@dataclass(frozen=True, slots=True, eq=False)
class Hosts:
    """Connects to the host and the port that the URI names; its addresses side by side."""

    reactor: Network
    trust: IPolicyForHTTPS
    timeout: float | None
    bindAddress: tuple[str, int] | str | None

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """A TCP endpoint, encrypted for https."""
        plain = HostnameEndpoint(self.reactor, uri.host, uri.port, self.timeout, self.bindAddress)
        if uri.scheme == "http":
            return plain
        # A zone is for connecting; no certificate names one.
        host = uri.host.partition("%")[0]
        return wrapClientTLS(self.trust.creatorForNetloc(host, uri.port), plain)
