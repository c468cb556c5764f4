"""Certificates of clients, which say who they are before anything is asked."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

from weblayer.cred.credentials import ClientCertificate
from weblayer.cred.error import UnauthorizedLogin
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.inline import inlineCallbacks
from weblayer.loop.ssl import Certificate

__all__ = ["CertificateChecker", "commonName"]


def commonName(certificate: Certificate) -> str | None:
    """Whose a certificate is, in one name: the commonName of its subject."""
    return certificate.subject.get("commonName")


class CertificateChecker:
    """Takes certificates that an authority of ours has signed (`CertificateOptions(trustRoot=)`).

    *find* is given a Certificate, and gives an avatar id, None for nobody's, or an awaitable; the
    common name, unless told otherwise. One that was not verified is nobody's.
    """

    credentialInterfaces: Sequence[Any] = (ClientCertificate,)

    def __init__(self, find: Callable[[Certificate], Any] = commonName) -> None:
        self.find = find

    @inlineCallbacks
    def requestAvatarId(self, credentials: Any) -> Generator[Any, Any, Any]:
        """Whose the certificate is; fails with UnauthorizedLogin."""
        certificate = credentials.certificate
        found = (yield maybeDeferred(self.find, certificate)) if certificate.facts else None
        if found is None:
            raise UnauthorizedLogin
        return found
