"""Whom a client takes a server for: the encryption of `https`."""

from typing import Protocol as Face

from weblayer.loop.ssl import FilePath, PrivateCertificate, TLSOptions, optionsForClientTLS

__all__ = ["BrowserLikePolicyForHTTPS", "IPolicyForHTTPS"]


class IPolicyForHTTPS(Face):
    """Says how a connection to a host is encrypted."""

    def creatorForNetloc(self, hostname: str, port: int, /) -> TLSOptions: ...


class BrowserLikePolicyForHTTPS:
    """Every server must show a certificate for its name, from an authority in *trustRoot*.

    That is a PEM file or a folder of them; None is those that this system trusts.
    *clientCertificate* is ours, for servers that ask for one. All connections share one context,
    made when the first is: the system's authorities take 20 ms to load.
    """

    def __init__(
        self, trustRoot: FilePath | None = None, clientCertificate: PrivateCertificate | None = None
    ) -> None:
        self._trust, self._ours = trustRoot, clientCertificate
        self._first: TLSOptions | None = None

    def creatorForNetloc(self, hostname: str, port: int) -> TLSOptions:
        """How to talk to *hostname*, a name or an address."""
        if self._first is None:
            self._first = optionsForClientTLS(
                hostname, self._trust, self._ours, acceptableProtocols=["http/1.1"]
            )
        return TLSOptions(self._first.context, hostname)
