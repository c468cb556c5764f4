"""Where an agent connects, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol as Face

from weblayer.client.trust import IPolicyForHTTPS
from weblayer.client.uri import URI
from weblayer.loop.asking import HostnameEndpoint, IStreamClientEndpoint, wrapClientTLS
from weblayer.loop.network import Network

__all__ = ["Hosts", "IAgentEndpointFactory", "Resolve"]

# Hosts by their names in URIs, in lower case: where to connect in their place, an address or one
# with a port.
Resolve = Mapping[str, tuple[str, int] | str]


class IAgentEndpointFactory(Face):
    """Says where to connect for a URI."""

    def endpointForURI(self, uri: URI, /) -> IStreamClientEndpoint: ...


@dataclass(frozen=True, slots=True, eq=False)
class Hosts:
    """Connects to the host and the port that the URI names; its addresses side by side.

    Those in *resolve* are looked for there, and must still be who the URI names.
    """

    reactor: Network
    trust: IPolicyForHTTPS
    timeout: float | None
    bindAddress: tuple[str, int] | str | None
    resolve: Resolve = field(default_factory=dict)

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """A TCP endpoint, encrypted for https."""
        place = self.resolve.get(uri.host, uri.host)
        name, port = (place, uri.port) if isinstance(place, str) else place
        plain = HostnameEndpoint(self.reactor, name, port, self.timeout, self.bindAddress)
        if uri.scheme == "http":
            return plain
        # A zone is for connecting; no certificate names one.
        host = uri.host.partition("%")[0]
        return wrapClientTLS(self.trust.creatorForNetloc(host, uri.port), plain)
