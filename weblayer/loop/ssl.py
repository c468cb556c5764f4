"""Who we are to the other side of an encrypted connection, and whom we take it for.

A server has `CertificateOptions`, or a `CertificateFolder` of certificates by name; a client has
what `optionsForClientTLS` gives it. Certificates and keys are PEM files. For all that these do not
say, `TLSOptions` takes a context of the ssl module as it is.
"""

import hashlib
import logging
import os
import re
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from ssl import TLSVersion
from typing import Any

from weblayer.loop.error import (
    CertificateExpired,
    SelfSigned,
    SSLError,
    UnknownAuthority,
    VerifyError,
    WrongHost,
)

__all__ = [
    "Certificate",
    "CertificateFolder",
    "CertificateOptions",
    "PrivateCertificate",
    "TLSOptions",
    "TLSVersion",
    "explained",
    "optionsForClientTLS",
]

log = logging.getLogger("weblayer")

FilePath = str | os.PathLike[str]

# TLS 1.0 and 1.1 must not be spoken (RFC 8996).
OLDEST = TLSVersion.TLSv1_2


class TLSOptions:
    """How one side of a connection is encrypted.

    With *hostname* it is a client's side, which expects to meet that host; without, a server's.
    """

    _offers = False  # ALPN says what is spoken

    def __init__(self, context: ssl.SSLContext, hostname: str | None = None) -> None:
        if not isinstance(context, ssl.SSLContext):
            raise TypeError(f"context must be an ssl.SSLContext, not {context!r}")
        self.context = context
        self.hostname = hostname

    def offer(self, protocols: Iterable[bytes | str]) -> None:
        """Say what is spoken here (ALPN), the best first; nothing happens where that was said.

        Called with a factory's `acceptableProtocols()`, where it has them.
        """
        if not self._offers:
            self._offers = True
            for context in self._contexts():
                _speak(context, protocols)

    def _contexts(self) -> Iterable[ssl.SSLContext]:
        """Those that a connection may come to have."""
        return [self.context]

    def wrap(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> ssl.SSLObject:
        """One connection's encryption, between two buffers."""
        is_client = self.hostname is not None or self.context.protocol is ssl.PROTOCOL_TLS_CLIENT
        return self.context.wrap_bio(
            incoming, outgoing, server_side=not is_client, server_hostname=self.hostname
        )


@dataclass(frozen=True, slots=True)
class PrivateCertificate:
    """A certificate that we show, in PEM files.

    *certificate* holds it and those of the authorities between it and a trusted one, in that
    order; *privateKey* its key, which is in the same file when None.
    """

    certificate: FilePath
    privateKey: FilePath | None = None
    passphrase: str | bytes | None = field(default=None, repr=False)

    def load(self, context: ssl.SSLContext) -> None:
        """Have *context* show it. Raises OSError, or ValueError that says which file is wrong."""
        key = self.certificate if self.privateKey is None else self.privateKey
        for path in {os.fspath(key), os.fspath(self.certificate)}:
            Path(path).open("rb").close()  # ssl's own error would not name the file
        try:
            context.load_cert_chain(self.certificate, key, self._tell_passphrase)
        except ssl.SSLError as error:
            raise ValueError(_told_of_files(error, self.certificate, key)) from error

    def _tell_passphrase(self) -> str | bytes:
        if self.passphrase is None:  # without this the terminal would be asked
            raise ValueError(f"the key in {self.privateKey or self.certificate} needs a passphrase")
        return self.passphrase


class CertificateOptions(TLSOptions):
    """A server's side: the certificate that it shows.

    *privateKey* and *certificate* are as in PrivateCertificate. *trustRoot*, a PEM file or a folder
    of them, holds the authorities of clients, which must then show a certificate, unless
    *requireCertificate* is False. *acceptableProtocols* are for ALPN, the best first.
    *serverNames* are the options for clients that ask for another name (SNI).
    Raises OSError or ValueError when a file is not what it should be.
    """

    def __init__(
        self,
        privateKey: FilePath | None = None,
        certificate: FilePath | None = None,
        trustRoot: FilePath | None = None,
        requireCertificate: bool = True,
        acceptableProtocols: Sequence[bytes | str] = (),
        raiseMinimumTo: TLSVersion = OLDEST,
        *,
        passphrase: str | bytes | None = None,
        serverNames: "Mapping[str, TLSOptions] | None" = None,
    ) -> None:
        shown = certificate if certificate is not None else privateKey
        if shown is None:
            raise ValueError("certificate must be a PEM file; a server cannot do without")
        context = _server_context(acceptableProtocols, raiseMinimumTo)
        PrivateCertificate(shown, privateKey, passphrase).load(context)
        if trustRoot is not None:
            _trust(context, trustRoot)
            context.verify_mode = ssl.CERT_REQUIRED if requireCertificate else ssl.CERT_OPTIONAL
        self._named = dict(serverNames or {})
        if serverNames:
            _choose_by_name(context, serverNames)
        super().__init__(context)
        self._offers = bool(acceptableProtocols)

    def offer(self, protocols: Iterable[bytes | str]) -> None:
        """As TLSOptions has it; for the other names as well, each unless that was said of it."""
        super().offer(protocols)
        for options in self._named.values():
            options.offer(protocols)


class CertificateFolder(TLSOptions):
    """A server's side with a folder of certificates, one for each name that clients ask for (SNI).

    `example.org.pem` holds the key and the certificates of example.org, `*.example.org.pem` those
    of the names before it, `DEFAULT.pem` those of every other; without it, other names are
    refused. A file that changes is read again for the next connection, and one that cannot be
    read then is logged and leaves the certificate before it in use.
    Raises OSError or ValueError when a file is not what it should be, or there is none.
    """

    def __init__(
        self,
        path: FilePath,
        acceptableProtocols: Iterable[bytes | str] = (),
        raiseMinimumTo: TLSVersion = OLDEST,
    ) -> None:
        self._path = Path(path)
        self._protocols, self._minimum = tuple(acceptableProtocols), raiseMinimumTo
        self._loaded: dict[str, tuple[object, ssl.SSLContext]] = {}
        found = [file.stem for file in self._path.iterdir() if file.suffix == ".pem"]
        if not found:
            raise ValueError(f"{self._path} holds no .pem file; put there one for each name")
        for name in found:
            self._load(name)
        # Of its own it shows none: the name decides, also where none is asked for.
        context = _server_context(self._protocols, raiseMinimumTo)
        context.sni_callback = self._choose
        super().__init__(context)
        self._offers = bool(self._protocols)

    def offer(self, protocols: Iterable[bytes | str]) -> None:
        """As TLSOptions has it; for the files that change as well."""
        if not self._offers:
            self._protocols = tuple(protocols)
        super().offer(protocols)

    def _contexts(self) -> Iterable[ssl.SSLContext]:
        return [self.context, *(context for _, context in self._loaded.values())]

    def _choose(self, secret: Any, name: str | None, context: ssl.SSLContext) -> int | None:
        for file in _files_for(name):
            if found := self._fresh(file):
                secret.context = found
                return None
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def _fresh(self, name: str) -> ssl.SSLContext | None:
        try:
            return self._load(name)
        except FileNotFoundError:
            self._loaded.pop(name, None)
            return None
        except (OSError, ValueError):
            log.exception("a certificate could not be read; the one before it stays in use")
            return self._loaded[name][1] if name in self._loaded else None

    def _load(self, name: str) -> ssl.SSLContext:
        path = self._path / f"{name}.pem"
        found = path.stat()
        mark = (found.st_ino, found.st_size, found.st_mtime_ns)
        known = self._loaded.get(name)
        if known is None or known[0] != mark:
            context = _server_context(self._protocols, self._minimum)
            PrivateCertificate(path).load(context)
            self._loaded[name] = known = (mark, context)
        return known[1]


def optionsForClientTLS(
    hostname: str,
    trustRoot: FilePath | None = None,
    clientCertificate: PrivateCertificate | None = None,
    *,
    acceptableProtocols: Iterable[bytes | str] = (),
    raiseMinimumTo: TLSVersion = OLDEST,
) -> TLSOptions:
    """A client's side, which talks to *hostname* (a name or an address) and to nobody else.

    The peer must show a certificate for that name, from an authority in *trustRoot*, a PEM file
    or a folder of them; None is those that this system trusts.
    Raises OSError or ValueError when a file is not what it should be.
    """
    if not isinstance(hostname, str) or not hostname:
        raise TypeError(f"hostname must be a str, the name that is expected, not {hostname!r}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which verifies, the name too
    _restrict(context, acceptableProtocols, raiseMinimumTo)
    if trustRoot is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _trust(context, trustRoot)
    if clientCertificate is not None:
        clientCertificate.load(context)
    return TLSOptions(context, hostname)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that a peer has shown: *der* is its bytes.

    *facts* are as `ssl.SSLSocket.getpeercert` tells them; empty when it was not verified.
    """

    der: bytes
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, secret: ssl.SSLObject) -> "Certificate | None":
        """What the other side of *secret* has shown, if anything."""
        der = secret.getpeercert(binary_form=True)
        return None if der is None else cls(der, secret.getpeercert() or {})

    @property
    def names(self) -> tuple[str, ...]:
        """The host names and addresses that it is for."""
        return tuple(value for _, value in self.facts.get("subjectAltName", ()))

    @property
    def subject(self) -> dict[str, str]:
        """Whose it is, by the words of X.509: "commonName", "organizationName"."""
        return {key: value for part in self.facts.get("subject", ()) for key, value in part}

    def digest(self) -> str:
        """Its SHA-256 in hexadecimal, by which people compare certificates."""
        return hashlib.sha256(self.der).hexdigest()


def explained(error: Exception, hostname: str | None) -> SSLError:
    """The error of this house for one of the ssl module's while two sides tried to agree."""
    told: SSLError
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = _VERIFY.get(error.verify_code, VerifyError)
        told = kind(f"the certificate of {hostname or 'the peer'} is refused: {_why(error)}")
    else:
        reason = getattr(error, "reason", None) or str(error)
        told = SSLError(f"no encryption was agreed on: {_REASONS.get(reason, reason)}")
    told.__cause__ = error
    return told


# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_VERIFY: dict[int, type[VerifyError]] = {
    2: UnknownAuthority,
    9: CertificateExpired,
    10: CertificateExpired,
    18: SelfSigned,
    19: UnknownAuthority,  # the chain's own root, which we do not know
    20: UnknownAuthority,
    21: UnknownAuthority,
    62: WrongHost,
    64: WrongHost,
}

_REASONS = {
    "HTTP_REQUEST": "the peer speaks plain HTTP; it should be asked for https",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the peer showed no certificate, and must",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not know the authority of our certificate",
    "TLSV1_UNRECOGNIZED_NAME": "the peer has no certificate for the name that we asked for",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the peer speaks no version of TLS that we do",
    "UNSUPPORTED_PROTOCOL": "the peer speaks no version of TLS that we do",
    "WRONG_VERSION_NUMBER": "the peer does not speak TLS",
}


def _why(error: ssl.SSLCertVerificationError) -> str:
    return error.verify_message or str(error.reason)


def _server_context(protocols: Iterable[bytes | str], minimum: TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _restrict(context, protocols, minimum)
    return context


def _restrict(
    context: ssl.SSLContext, protocols: Iterable[bytes | str], minimum: TLSVersion
) -> None:
    context.minimum_version = minimum
    # A peer that renegotiates (TLS 1.2) costs us a handshake each time it likes.
    context.options |= ssl.OP_NO_RENEGOTIATION
    _speak(context, protocols)


def _speak(context: ssl.SSLContext, protocols: Iterable[bytes | str]) -> None:
    if isinstance(protocols, bytes | str):
        raise TypeError(f"acceptableProtocols must be several, as [{protocols!r}]")
    names = [name if isinstance(name, str) else name.decode("ascii") for name in protocols]
    if names:
        context.set_alpn_protocols(names)


def _trust(context: ssl.SSLContext, root: FilePath) -> None:
    path = Path(root)
    files = sorted(path.glob("*.pem")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"trustRoot {path} holds no .pem file")
    for file in files:
        file.open("rb").close()  # ssl's own error would not name the file
        try:
            context.load_verify_locations(file)
        except ssl.SSLError as error:
            raise ValueError(f"trustRoot {file} holds no certificate in PEM") from error


def _choose_by_name(context: ssl.SSLContext, options: "Mapping[str, TLSOptions]") -> None:
    contexts = {name.lower(): chosen.context for name, chosen in options.items()}

    def choose(secret: Any, name: str | None, _: ssl.SSLContext) -> None:
        for candidate in _files_for(name):
            if candidate in contexts:
                secret.context = contexts[candidate]
                return

    context.sni_callback = choose


# What may be asked for and looked up as a file: a stranger chooses it.
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def _files_for(name: str | None) -> Iterable[str]:
    """What serves *name*, the best first."""
    asked = (name or "").lower().rstrip(".")
    if _HOST.fullmatch(asked):
        yield asked
        _, dot, rest = asked.partition(".")
        if dot:
            yield f"*.{rest}"
    yield "DEFAULT"


def _told_of_files(error: ssl.SSLError, certificate: FilePath, key: FilePath) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key} is not that of the certificate in {certificate}"
    why = error.reason or "one of them holds none"
    return f"{certificate} should hold a certificate in PEM, and {key} its key: {why}"
