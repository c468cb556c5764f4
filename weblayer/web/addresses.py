"""Who may ask, by the address that the question comes from."""

from collections.abc import Iterable

from weblayer.web.errors import Forbidden
from weblayer.web.networks import Networks, node_of
from weblayer.web.request import Request
from weblayer.web.resource import Child
from weblayer.web.wrapper import Wrapper

__all__ = ["AllowedAddresses"]


class AllowedAddresses(Wrapper):
    """Lets clients from some networks go on to *resource*; others are answered 403.

        AllowedAddresses(admin, ["10.0.0.0/8", "fd00::/8", "unix"])
        AllowedAddresses(root, deny=["198.51.100.0/24"])

    *allow* are addresses and networks, and "unix" for whoever comes through a UNIX socket; without
    it, all. *deny* are those who are refused though they are among them. An IPv4 address written as
    IPv6 is IPv4. The address is that of `request.getClientAddress()`: behind a proxy that the site
    does not trust it is the proxy's. A client whose address a trusted proxy hides is in no network.
    Raises ValueError for what is no network, TypeError for one in place of a list.
    """

    def __init__(
        self, resource: Child, allow: Iterable[str] | None = None, deny: Iterable[str] = ()
    ) -> None:
        super().__init__(resource)
        self._allow = None if allow is None else Networks(allow, "allow")
        self._deny = Networks(deny, "deny")

    def enter(self, request: Request) -> Child:
        """Raises Forbidden."""
        address = node_of(request.getClientAddress()).address
        allowed = self._allow is None or self._allow.has(address)
        if not allowed or self._deny.has(address):
            raise Forbidden("Your address may not come in here.")
        return self.resource
