"""Endpoints under one roof, by the names that the field's programs import them by.

`serverFromString(reactor, "tcp:8080").listen(factory)` listens, and `clientFromString(reactor,
"tcp:localhost:8080").connect(factory)` connects. The language is told in the `description` module.
"""

import socket
from collections.abc import Callable

from weblayer.loop.asking import (
    HostnameEndpoint,
    IStreamClientEndpoint,
    SSL4ClientEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from weblayer.loop.description import (
    Shape,
    flagOf,
    numberOf,
    parseDescription,
    quoteStringArgument,
)
from weblayer.loop.network import BACKLOG, Network
from weblayer.loop.serving import (
    AdoptedStreamServerEndpoint,
    IStreamServerEndpoint,
    SSL4ServerEndpoint,
    StandardIOEndpoint,
    SystemdServerEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXServerEndpoint,
    wrapServerTLS,
)
from weblayer.loop.ssl import (
    CertificateFolder,
    CertificateOptions,
    PrivateCertificate,
    TLSOptions,
    optionsForClientTLS,
)

__all__ = [
    "AdoptedStreamServerEndpoint",
    "HostnameEndpoint",
    "IStreamClientEndpoint",
    "IStreamServerEndpoint",
    "SSL4ClientEndpoint",
    "SSL4ServerEndpoint",
    "StandardIOEndpoint",
    "SystemdServerEndpoint",
    "TCP4ClientEndpoint",
    "TCP4ServerEndpoint",
    "TCP6ClientEndpoint",
    "TCP6ServerEndpoint",
    "UNIXClientEndpoint",
    "UNIXServerEndpoint",
    "clientFromString",
    "connectProtocol",
    "quoteStringArgument",
    "serverFromString",
    "wrapClientTLS",
    "wrapServerTLS",
]

_Found = dict[str, str]


def serverFromString(reactor: Network, description: str) -> IStreamServerEndpoint:
    """The endpoint that *description* writes. Raises ValueError that says what was expected.

    `tcp:8080`, `tcp:8080:interface=127.0.0.1`, `tcp6:8080`, `unix:/run/web.sock:mode=660`,
    `ssl:8443:privateKey=key.pem:certKey=chain.pem`, `tls:folder:8443` (a certificate for each
    name, see CertificateFolder), `systemd:name=web`, `systemd:index=0`, `fd:3`, `stdio:`.
    The files of certificates are read now: OSError or ValueError names the one that is wrong.
    """
    kind, found = parseDescription(description, _SERVERS)
    return _SERVER_MAKERS[kind](reactor, found)


def clientFromString(reactor: Network, description: str) -> IStreamClientEndpoint:
    """The endpoint that *description* writes. Raises as serverFromString.

    `tcp:host:80`, `tcp:host:80:timeout=5:bindAddress=127.0.0.1`, `unix:/run/web.sock`,
    `tls:host:443` and `ssl:host:443` (the same), with `trustRoots=folder` (or caCertsDir),
    `certificate=` (or certKey) and `privateKey=` for a certificate of ours.
    """
    kind, found = parseDescription(description, _CLIENTS)
    return _CLIENT_MAKERS[kind](reactor, found)


_LISTENING = ("interface", "backlog")
_TRUST = (
    "timeout", "bindAddress", "trustRoots", "caCertsDir", "certificate", "certKey", "privateKey",
    "hostname",
)  # fmt: skip

_SERVERS = {
    "tcp": Shape(["port"], [*_LISTENING, "reusePort"], "tcp:8080"),
    "tcp6": Shape(["port"], [*_LISTENING, "reusePort"], "tcp6:8080"),
    "ssl": Shape(
        ["port"], ["privateKey", "certKey", *_LISTENING], "ssl:8443:privateKey=a.key:certKey=a.crt"
    ),
    "tls": Shape(["folder", "port"], _LISTENING, "tls:certificates:8443"),
    "unix": Shape(["address"], ["mode", "backlog"], "unix:/run/web.sock"),
    "systemd": Shape([], ["domain", "index", "name"], "systemd:name=web"),
    "fd": Shape(["fileno"], [], "fd:3"),
    "stdio": Shape([], [], "stdio:"),
}

_CLIENTS = {
    "tcp": Shape(["host", "port"], ["timeout", "bindAddress"], "tcp:localhost:8080"),
    "tls": Shape(["host", "port"], _TRUST, "tls:localhost:8443"),
    "ssl": Shape(["host", "port"], _TRUST, "ssl:localhost:8443"),
    "unix": Shape(["path"], ["timeout"], "unix:/run/web.sock"),
}


def _tcp(reactor: Network, found: _Found) -> IStreamServerEndpoint:
    shared = flagOf(found.get("reusePort", "0"), "reusePort")
    interface = found.get("interface", "")
    return TCP4ServerEndpoint(reactor, _port(found), _backlog(found), interface, shared)


def _tcp6(reactor: Network, found: _Found) -> IStreamServerEndpoint:
    shared = flagOf(found.get("reusePort", "0"), "reusePort")
    interface = found.get("interface", "::")
    return TCP6ServerEndpoint(reactor, _port(found), _backlog(found), interface, shared)


def _ssl(reactor: Network, found: _Found) -> IStreamServerEndpoint:
    # The field's meaning: one file is both, and server.pem when none is named.
    port, backlog = _port(found), _backlog(found)
    key = found.get("privateKey") or found.get("certKey") or "server.pem"
    options = CertificateOptions(key, found.get("certKey") or key)
    return SSL4ServerEndpoint(reactor, port, options, backlog, found.get("interface", ""))


def _tls(reactor: Network, found: _Found) -> IStreamServerEndpoint:
    port, backlog = _port(found), _backlog(found)
    options = CertificateFolder(_needed(found, "folder", "tls:certificates:8443"))
    return SSL4ServerEndpoint(reactor, port, options, backlog, found.get("interface", ""))


def _unix(reactor: Network, found: _Found) -> IStreamServerEndpoint:
    mode = numberOf(found.get("mode", "666"), "mode", 0o777, base=8)
    address = _needed(found, "address", "unix:/run/web.sock")
    return UNIXServerEndpoint(reactor, address, _backlog(found), mode)


def _systemd(reactor: Network, found: _Found) -> IStreamServerEndpoint:
    if ("index" in found) is ("name" in found):
        raise ValueError("systemd needs an index or a name, as in systemd:name=web")
    index = numberOf(found["index"], "index", 9999) if "index" in found else None
    family = found.get("domain", "")
    if family not in _FAMILIES:
        raise ValueError(f"domain must be INET, INET6 or UNIX, not {family!r}")
    return SystemdServerEndpoint(reactor, index, found.get("name"), _FAMILIES[family])


def _fd(reactor: Network, found: _Found) -> IStreamServerEndpoint:
    fileno = numberOf(found.get("fileno", ""), "fileno", 2**31 - 1)
    return AdoptedStreamServerEndpoint(reactor, fileno)


def _stdio(reactor: Network, found: _Found) -> IStreamServerEndpoint:
    return StandardIOEndpoint(reactor)


def _tcp_client(reactor: Network, found: _Found) -> IStreamClientEndpoint:
    host = _needed(found, "host", "tcp:localhost:8080")
    bind = found.get("bindAddress")
    return HostnameEndpoint(reactor, host, _port(found), _timeout(found), bind)


def _tls_client(reactor: Network, found: _Found) -> IStreamClientEndpoint:
    host, port = _needed(found, "host", "tls:localhost:8443"), _port(found)
    options = _client_options(host, found)
    bind = found.get("bindAddress")
    return SSL4ClientEndpoint(reactor, host, port, options, _timeout(found), bind)


def _unix_client(reactor: Network, found: _Found) -> IStreamClientEndpoint:
    path = _needed(found, "path", "unix:/run/web.sock")
    return UNIXClientEndpoint(reactor, path, _timeout(found))


def _client_options(host: str, found: _Found) -> TLSOptions:
    roots = found.get("trustRoots") or found.get("caCertsDir")
    shown = found.get("certificate") or found.get("certKey") or found.get("privateKey")
    ours = None if shown is None else PrivateCertificate(shown, found.get("privateKey"))
    return optionsForClientTLS(found.get("hostname", host), roots, ours)


_SERVER_MAKERS: dict[str, Callable[[Network, _Found], IStreamServerEndpoint]] = {
    "tcp": _tcp, "tcp6": _tcp6, "ssl": _ssl, "tls": _tls, "unix": _unix, "systemd": _systemd,
    "fd": _fd, "stdio": _stdio,
}  # fmt: skip

_CLIENT_MAKERS: dict[str, Callable[[Network, _Found], IStreamClientEndpoint]] = {
    "tcp": _tcp_client, "tls": _tls_client, "ssl": _tls_client, "unix": _unix_client,
}  # fmt: skip

_FAMILIES = {
    "": None, "INET": socket.AF_INET, "INET6": socket.AF_INET6, "UNIX": socket.AF_UNIX,
}  # fmt: skip


def _port(found: _Found) -> int:
    if not found.get("port"):
        raise ValueError("port is missing, as in tcp:8080 to listen, tcp:localhost:8080 to connect")
    return numberOf(found["port"], "port", 65535)


def _backlog(found: _Found) -> int:
    return numberOf(found["backlog"], "backlog", 2**31 - 1) if "backlog" in found else BACKLOG


def _timeout(found: _Found) -> float:
    return numberOf(found.get("timeout", "30"), "timeout", 86400)


def _needed(found: _Found, name: str, example: str) -> str:
    if not found.get(name):
        raise ValueError(f"{name} is missing, as in {example}")
    return found[name]
