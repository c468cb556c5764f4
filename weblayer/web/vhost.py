"""Several sites at one address: the name that was asked for decides, or is refused.

A request for a host that is none of ours is answered 421 (Misdirected Request): it is well-formed,
and somebody else's. Nothing below is asked, so that no page puts a name into a link, a mail or a
cache that a stranger has made up, and no page of a site inside is shown to a visitor whose browser
was told that we are his friend (DNS rebinding). Source: RFC 9110, 7.2, 7.4 and 15.5.20.
"""

from collections.abc import Iterable
from typing import TypeVar

from weblayer.web.errors import BadRequest, Error
from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Child, Node, isNode
from weblayer.web.wrapper import Wrapper
from weblayer.wire.hosts import HostTable

__all__ = ["AllowedHosts", "NameVirtualHost"]

T = TypeVar("T")

Text = str | bytes


class AllowedHosts(Wrapper):
    """Lets requests for *hosts* go on to *resource*; any other is answered 421.

        AllowedHosts(root, ["example.org", "*.example.org", "localhost:8080", "[::1]"])

    A name without a port holds for every port. `*.example.org` is every name below it, however
    deep, and not itself. Case and a last dot mean nothing, and an address may be written in any
    way. A request that names no host (HTTP/1.0) is answered 400.
    Behind a proxy the host is what the proxy asked for, unless it is trusted to say another:
    see `Site`, *trustedProxies* and *proxyFields*.
    Raises ValueError for what is no host, TypeError for one host in place of a list.
    """

    def __init__(self, resource: Child, hosts: Iterable[Text]) -> None:
        super().__init__(resource)
        if isinstance(hosts, str | bytes):
            raise TypeError(f"hosts must be a list of hosts, not {hosts!r}")
        self._hosts: HostTable[bool] = HostTable()
        for host in hosts:
            self._hosts.add(_wire(host), True)

    def enter(self, request: Request) -> Child:
        """Raises Error (421), BadRequest."""
        if _find(self._hosts, request) is None:
            raise _misdirected(request)
        return self.resource


class NameVirtualHost:
    """A tree for each host; *default*, if anything, has those of no other.

        sites = NameVirtualHost()
        sites.addHost("example.org", main)
        sites.addHost("*.example.org", members)
        Site(sites)

    It is met as a wrapper is: a tree begins where this stands, and takes no segment of the path.
    Without a default, a request for another host is answered 421, and 400 if it names none.
    """

    policy: Policy | None = None

    def __init__(self, default: Node | None = None) -> None:
        self.default = default
        self._hosts: HostTable[Node] = HostTable()

    def addHost(self, name: Text, resource: Node) -> None:
        """Have *resource* answer for *name*, one as `AllowedHosts` takes, in place of any before.

        The most exact name has the request: with its port, then without, then the longest wildcard.
        Raises ValueError for what is no host, TypeError for what is no resource.
        """
        if not isNode(resource):
            raise TypeError(
                f"resource must be a resource (an instance, not a class), not {resource!r}"
            )
        self._hosts.add(_wire(name), resource)

    def removeHost(self, name: Text) -> None:
        """Forget a host. Raises KeyError when it was not added, ValueError for what is none."""
        self._hosts.remove(_wire(name))

    def enter(self, request: Request) -> Child:
        """The tree of the host. Raises Error (421), BadRequest."""
        found = _find(self._hosts, request)
        if found is None:
            found = self.default
        if found is None:
            raise _misdirected(request)
        return found


def _wire(host: Text) -> bytes:
    """A host as it is asked for: one in letters of a language by its name in ASCII."""
    if isinstance(host, bytes):
        return host
    if not isinstance(host, str):
        raise TypeError(f"a host must be str or bytes, not {host!r}")
    return host.encode("ascii") if host.isascii() else host.encode("idna")


def _find(hosts: HostTable[T], request: Request) -> T | None:
    return hosts.find(request._host().encode("latin-1"), 443 if request.isSecure() else 80)


def _misdirected(request: Request) -> Error:
    if not request.getRequestHostname():
        return BadRequest("Say which host this is for.")
    return Error(421, "This server does not answer for that host.")
