"""Who asks, by the certificate that their side of the connection has shown."""

from weblayer.cred.credentials import ClientCertificate
from weblayer.web.request import Request

__all__ = ["CertificateCredentialFactory"]


class CertificateCredentialFactory:
    """Takes who asks for whoever the connection's certificate is of; see CertificateChecker.

    Where a request says otherwise who asks, in its Authorization, that is what is believed.
    """

    def ofConnection(self, request: Request) -> ClientCertificate | None:
        """A ClientCertificate, where there is one."""
        shown = request.getPeerCertificate()
        return None if shown is None else ClientCertificate(shown)
