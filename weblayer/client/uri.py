"""URIs of what can be asked for: taken apart, judged, and put together. Source: RFC 3986."""

import re
from dataclasses import dataclass
from functools import lru_cache

from weblayer.client.error import InvalidURI, SchemeNotSupported
from weblayer.wire.fields import is_host
from weblayer.wire.percent import percent_decode

__all__ = ["URI"]

PORTS = {"http": 80, "https": 443}

# What splits a line or ends a string has no place in a URI, and whoever put it there means harm.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?://(?P<authority>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_PORT = re.compile(r"[0-9]{0,5}")
# A blank and what is not ASCII are encoded, as browsers do (people type and paste them); so is
# what RFC 3986 has no place for. A per cent sign stays what it is.
_UNPLAIN = re.compile(rb"[^!#-;=?-\[\]_a-z~]")

# Four characters mean one host by the older rules of names, which the standard library has, and
# another by the newer (RFC 5894, 7.2): whoever means one of them writes xn--.
_DISPUTED = re.compile("[\u00df\u03c2\u200c\u200d]")


@dataclass(frozen=True, slots=True)
class URI:
    """An absolute `http` or `https` URI. Made by `fromText` or `fromBytes`, and never changed.

    *host* is in lower case, a name in its ASCII form, an IPv6 address without brackets; *port* is
    a number always. *path* and *query* are as they are sent; *query* is None where there is none.
    *userinfo* is never sent: who wants it takes `user` and `password`.
    """

    scheme: str
    userinfo: str | None
    host: str
    port: int
    path: str
    query: str | None
    fragment: str | None

    @classmethod
    def fromText(cls, uri: str) -> "URI":
        """Read *uri*. Raises InvalidURI, a ValueError, or SchemeNotSupported, one of its kind."""
        return _parsed(uri)

    @classmethod
    def fromBytes(cls, uri: bytes) -> "URI":
        """The same for bytes, which are UTF-8 where they are not ASCII."""
        try:
            return _parsed(uri.decode())
        except UnicodeDecodeError as error:
            raise InvalidURI(f"uri must be UTF-8: {uri!r}") from error

    @property
    def netloc(self) -> str:
        """The host, and the port where it is not the scheme's own: the value of Host."""
        # The zone of an address is for this machine only (RFC 6874, 4).
        return self._authority(self.host.partition("%")[0])

    @property
    def originForm(self) -> str:
        """The path and the query, as a server is asked for them."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what may share a connection, and secrets."""
        return self.scheme, self.host, self.port

    @property
    def user(self) -> str | None:
        """The name in the userinfo, decoded."""
        return None if self.userinfo is None else _decoded(self.userinfo.partition(":")[0])

    @property
    def password(self) -> str | None:
        """The password in the userinfo, decoded."""
        _, colon, password = (self.userinfo or "").partition(":")
        return _decoded(password) if colon else None

    def join(self, reference: str) -> "URI":
        """The URI that *reference* means in what was found here: a Location, a link.

        One without a fragment keeps ours (RFC 9110, 10.2.2). Raises as fromText.
        """
        from urllib.parse import urljoin  # half a millisecond, for those who follow

        joined = _parsed(urljoin(self.toText(), reference))
        if joined.fragment is not None or self.fragment is None:
            return joined
        return URI(
            joined.scheme, joined.userinfo, joined.host, joined.port, joined.path, joined.query,
            self.fragment,
        )  # fmt: skip

    def toText(self) -> str:
        """All of it, without the userinfo."""
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        authority = self._authority(self.host.replace("%", "%25"))
        return f"{self.scheme}://{authority}{self.originForm}{fragment}"

    def toBytes(self) -> bytes:
        """The same in bytes."""
        return self.toText().encode("ascii")

    def __hash__(self) -> int:
        # Each request looks one up: three parts tell them apart as well as seven, in a third of
        # the time.
        return hash((self.host, self.path, self.query))

    def __str__(self) -> str:
        return self.toText()

    def _authority(self, host: str) -> str:
        host = f"[{host}]" if ":" in host else host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


@lru_cache(maxsize=512)  # a program asks for the same few over and over
def _parsed(uri: str) -> URI:
    if _CONTROL.search(uri):
        raise InvalidURI(f"uri may hold no control characters: {uri!r}")
    found = _PARTS.fullmatch(uri)
    if found is None:
        raise InvalidURI(f"uri must be absolute, as http://host/path, not {uri!r}")
    scheme = found["scheme"].lower()
    if scheme not in PORTS:
        raise SchemeNotSupported(f"uri must begin with http: or https:, not {uri!r}")
    userinfo, at, place = (found["authority"] or "").rpartition("@")
    host, port = _placed(place, PORTS[scheme], uri)
    query, fragment = found["query"], found["fragment"]
    return URI(
        scheme,
        userinfo if at else None,
        host,
        port,
        _encoded(found["path"]) or "/",
        None if query is None else _encoded(query),
        None if fragment is None else _encoded(fragment),
    )


def _placed(place: str, default: int, uri: str) -> tuple[str, int]:
    """The host and the port of an authority without userinfo."""
    host, colon, digits = place.rpartition(":")
    if not colon or digits.endswith("]"):
        host, digits = place, ""
    host = _ascii(host, uri)
    # In brackets an address with colons, and perhaps a zone; else a name, which has neither.
    if not is_host(host.encode()) or (host[0] != "[" and (":" in host or "%" in host)):
        raise InvalidURI(f"uri must name a host, as http://host/path: {uri!r}")
    port = int(digits or default) if _PORT.fullmatch(digits) else 0
    if not 0 < port < 65536:
        raise InvalidURI(f"the port in {uri!r} must be a number from 1 to 65535")
    return host.strip("[]").replace("%25", "%"), port


def _ascii(host: str, uri: str) -> str:
    """A host's name as the DNS has it. Source: RFC 3490, by the standard library."""
    if host.isascii():
        return host.lower()
    if _DISPUTED.search(host):
        raise InvalidURI(f"write the host of {uri!r} in its ASCII form, xn--: readers differ on it")
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError as error:
        raise InvalidURI(f"uri must name a host: {uri!r} ({error})") from error


def _encoded(part: str) -> str:
    raw = part.encode("utf-8", "surrogateescape")
    return _UNPLAIN.sub(_quoted, raw).decode()


def _quoted(byte: re.Match[bytes]) -> bytes:
    return b"%%%02X" % ord(byte[0])


def _decoded(part: str) -> str:
    return percent_decode(part.encode()).decode("utf-8", "replace")
