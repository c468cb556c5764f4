"""Which proxy the environment names for a URI, as other programs take it."""

import os
from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from weblayer.client.uri import URI

__all__ = ["Environment"]


class Environment:
    """The proxies that the environment names, as other programs take them.

    `HTTP_PROXY`, `HTTPS_PROXY` and, for either, `ALL_PROXY`; none for this machine itself, and for
    what `NO_PROXY` lists: hosts (and those below them), addresses, networks, each with or without
    a port, or `*`. In lower case they count before upper case. In a CGI program HTTP_PROXY is a
    header field of whoever asked, and does not count.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        found = os.environ if environ is None else environ

        def value(name: str) -> str:
            return found.get(name) or found.get(name.upper()) or ""

        both = value("all_proxy")
        in_cgi = "REQUEST_METHOD" in found
        self._proxies = {
            "http": (found.get("http_proxy", "") if in_cgi else value("http_proxy")) or both,
            "https": value("https_proxy") or both,
        }
        self._exempt = [one.strip().lower() for one in value("no_proxy").split(",") if one.strip()]

    def proxyFor(self, uri: URI) -> str | None:
        """The proxy to ask for *uri*; None where it is to be asked itself."""
        proxy = self._proxies[uri.scheme]
        if not proxy or _is_here(uri.host) or any(_is_listed(uri, one) for one in self._exempt):
            return None
        return proxy


def _is_listed(uri: URI, entry: str) -> bool:
    """Whether *entry* of NO_PROXY means *uri*."""
    if entry == "*":
        return True
    name, port = _split(entry)
    if port is not None and port != uri.port:
        return False
    name = name.removeprefix("*").removeprefix(".").strip("[]")
    return uri.host == name or uri.host.endswith(f".{name}") or _is_inside(uri.host, name)


def _is_here(host: str) -> bool:
    return host == "localhost" or any(_is_inside(host, one) for one in ("127.0.0.0/8", "::1/128"))


def _split(entry: str) -> tuple[str, int | None]:
    name, colon, port = entry.rpartition(":")
    # An IPv6 address without brackets has colons of its own.
    if colon and port.isdigit() and (":" not in name or name.endswith("]")):
        return name, int(port)
    return entry, None


def _is_inside(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False  # one of the two is a name
