"""Where a request came from, and where it is: the addressing half of it.

Links are relative wherever they can be: they hold behind every proxy, whatever it has taken off
the path, and need no trust in what a client says of our name.
"""

from os import urandom
from typing import TYPE_CHECKING, Any, Literal

from weblayer.loop.address import Address, IPv4Address, IPv6Address
from weblayer.web.stream import Stream
from weblayer.wire.events import Head
from weblayer.wire.percent import percent_encode

if TYPE_CHECKING:  # loaded by the sites that have proxies, or encrypt
    from weblayer.loop.ssl import Certificate
    from weblayer.web.proxies import Told

__all__ = ["Located"]


class Located:
    """The addresses of a request; those that proxies of ours tell of, when it came through them."""

    __slots__ = ("__dict__", "_head", "_stream", "postpath", "prepath", "site")

    site: Any  # the site that serves us; Any, since a program's own site has attributes of its own
    _head: Head
    _stream: Stream
    prepath: list[str]
    postpath: list[str]

    # Who asks, as whoever let them in knows them: a user name as a rule, ANONYMOUS for nobody in
    # particular, and None where nobody was asked who they are.
    avatarId: Any = None
    _visit: Any = None  # to the innermost guard: whom it may ask who they are

    # Asked for by few: these live in the dict.
    _told: "Told | Literal[False] | None" = False  # not asked yet
    _id: str | None = None

    @property
    def id(self) -> str:
        """A name for this request, for logs and for people who ask about it.

        What a trusted proxy calls it (X-Request-ID), else 80 random bits as 20 hex digits: among
        ten billion of them two are alike once in 24,000 times.
        """
        if self._id is None:
            proxies = self.site.proxies
            given = proxies and proxies.request_id(self._stream.getPeer(), self._head.fields())
            self._id = given or urandom(10).hex()
        return self._id

    def getClientAddress(self) -> Address:
        """Who asked: an IPv4Address, an IPv6Address or a UNIXAddress.

        Behind trusted proxies it is whom the first of them saw, with port 0 where they do not tell
        it, and a HostnameAddress ("unknown", "_hidden") where they tell no address at all.
        """
        told = self._heard()
        return told.client if told else self._stream.getPeer()

    def getHost(self) -> Address:
        """The address of ours that was connected to, which behind a proxy is not the visitor's."""
        return self._stream.getHost()

    def isSecure(self) -> bool:
        """Whether the client's connection is encrypted: ours, or the proxy's when it says so."""
        told = self._heard()
        return told.scheme == "https" if told and told.scheme else self._stream.isSecure()

    def getPeerCertificate(self) -> "Certificate | None":
        """What has been shown at the other end of our connection, a proxy's too; None without one.

        `CertificateOptions(trustRoot=...)` asks for it, and verifies it.
        """
        return self._stream.getPeerCertificate()

    def getRequestHostname(self) -> str:
        """The host's name without its port: of a trusted proxy's word, an absolute target, or Host.

        It is what the client says, and empty when it says nothing (HTTP/1.0). Do not send it to
        others, as in a mail, without comparing it with the names that you know.
        """
        host = self._host()
        return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]

    def rootURL(self, *segments: str) -> str:
        """The absolute URL, as the client sees it, of a path below the root of the site.

            request.rootURL("books", "a/b", "")     # https://example.org/books/a%2Fb/

        Without segments it is that of the root, with a slash at the end. It begins with what the
        trusted proxies say of scheme, host and prefix, else with Host, else with our own address.
        """
        scheme = "https" if self.isSecure() else "http"
        told = self._heard()
        root = f"{scheme}://{self._host() or self._own()}{told.prefix if told else ''}/"
        return root + "/".join(map(_quote, segments))

    def prePathURL(self) -> str:
        """The absolute URL of the resource that the walk has come to, without the query."""
        return self.rootURL(*self.prepath)

    def rootLink(self, *segments: str) -> str:
        """A relative link to a path below the root of the site, from whatever was asked for."""
        return _relative(len(self.prepath) + len(self.postpath) - 1, *segments)

    def childLink(self, name: str) -> str:
        """A relative link to the child *name*, one segment, of where the walk has come to."""
        if self.postpath:
            return _relative(len(self.postpath) - 1, name)
        if self.prepath and self.prepath[-1]:
            return _relative(0, self.prepath[-1], name)
        return _relative(0, name)

    def siblingLink(self, name: str) -> str:
        """A relative link to the sibling *name*, one segment, of where the walk has come to."""
        return _relative(len(self.postpath), name)

    sibLink = siblingLink  # the field's name for it

    def _heard(self) -> "Told | None":
        """What our proxies say; asked of them once, and never where there are none."""
        proxies = self.site.proxies
        if proxies is None:
            return None
        if self._told is False:
            self._told = proxies.told(self._stream.getPeer(), self._head.fields())
        return self._told or None

    def _host(self) -> str:
        told = self._heard()
        return told.host if told and told.host else self._head.host.decode("latin-1")

    def _own(self) -> str:
        """What stands for the host where the client has not said it."""
        address = self._stream.getHost()
        if isinstance(address, IPv6Address):
            return f"[{address.host}]:{address.port}"
        return f"{address.host}:{address.port}" if isinstance(address, IPv4Address) else "localhost"


def _quote(segment: str) -> str:
    return percent_encode(segment.encode("utf-8", "surrogateescape")).decode("ascii")


def _relative(up: int, *segments: str) -> str:
    link = "../" * up + "/".join(map(_quote, segments))
    # Nothing at all would be the page itself, and what stands before a colon a scheme
    # (RFC 3986, 4.2).
    return link if up or (link and ":" not in link.partition("/")[0]) else f"./{link}"
