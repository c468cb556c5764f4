"""Only over TLS: what came in the clear is sent to the same place, encrypted."""

from weblayer.web.errors import BadRequest
from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Child
from weblayer.web.util import Redirect
from weblayer.web.wrapper import Wrapper

__all__ = ["HTTPSOnly"]

# Where a certificate authority looks for the proof that a name is ours, in the clear, before there
# is any certificate (RFC 8555, 8.3).
_CHALLENGE = [".well-known", "acme-challenge"]


class HTTPSOnly(Wrapper):
    """Redirects what is not encrypted to https, at *port*, with the same path and query.

        AllowedHosts(HTTPSOnly(root), ["example.org"])

    The redirect is a 308: it holds for good, and a POST stays one. A body that came with it is not
    read. What is asked below /.well-known/acme-challenge/ is answered in the clear.
    Behind a proxy that decrypts, name it in `Site(trustedProxies=...)`: one that is not believed
    when it says https is redirected for ever. The host is the one that the client named, so
    let `AllowedHosts` stand before this. `SecurityHeaders` has browsers come encrypted at once.
    """

    def __init__(self, resource: Child, port: int = 443) -> None:
        super().__init__(resource)
        if not 0 < port < 65536:
            raise ValueError(f"port must be 1 to 65535, not {port!r}")
        self._port = "" if port == 443 else f":{port}"

    def enter(self, request: Request) -> Child:
        """What this stands before, or the redirect. Raises BadRequest where no host is named."""
        if request.isSecure() or [*request.prepath, *request.postpath][:2] == _CHALLENGE:
            return self.resource
        return _Away(self._encrypted(request), 308)

    def _encrypted(self, request: Request) -> str:
        """Where *request* is, over TLS; a prefix that a proxy has taken off is put back."""
        host = request.getRequestHostname()
        if not host:
            raise BadRequest("Say which host this is for, or come by https.")
        prefix = request.rootURL().partition("://")[2].partition("/")[2]
        query = f"?{request.query}" if "?" in request.uri else ""
        return f"https://{host}{self._port}/{prefix}{request.path[1:]}{query}"


class _Away(Redirect):
    """The redirect, for which nothing needs to be uploaded."""

    policy: Policy | None = Policy(takesBody="ignore")
