"""What came: the head of a request."""

from typing import AnyStr

from weblayer.web.located import Located
from weblayer.web.policy import Policy
from weblayer.wire.cookies import parse_cookies
from weblayer.wire.headers import Headers

__all__ = ["Incoming"]


class Incoming(Located):
    """The facts of a request, each read from the head when it is asked for.

    `Request` is this, the body and the response. It inherits instead of holding, because one
    object fewer per request is worth it.
    """

    __slots__ = ("method", "policy")

    # Set by Request's own __init__, as those of Located are: one call fewer.
    method: str
    policy: Policy  # what holds where the walk has come to

    duration = 0.0  # seconds from the head to the end of the answer; for who writes the access log
    _started: float | None = None  # by the site's clock; set until it is in the access log

    # What few requests need is made when it is asked for, and then lives in the dict.
    _fields: Headers | None = None
    _cookies: dict[str, str] | None = None

    @property
    def uri(self) -> str:
        """The target as it was sent, query and all."""
        return self._head.target.decode("latin-1")

    @property
    def path(self) -> str:
        """The path as it was sent, not decoded, without the query."""
        return self._head.path.decode("latin-1")

    @property
    def query(self) -> str:
        """What stood behind the question mark, as it was sent."""
        return self._head.query.decode("latin-1")

    @property
    def clientproto(self) -> str:
        """The version the client speaks, for instance "HTTP/1.1"."""
        return self._head.facts.version.decode("ascii")

    @property
    def requestHeaders(self) -> Headers:
        """The request's fields."""
        if self._fields is None:
            self._fields = Headers.fromPairs(self._head.fields())
        return self._fields

    def getHeader(self, name: AnyStr) -> AnyStr | None:
        """A field's value in the type of its name, None without one; many lines are joined.

        Source: RFC 9110, 5.3, and for Cookie, whose lines join with a semicolon, RFC 9113, 8.2.3.
        """
        if isinstance(name, bytes):
            return self._value(name.lower())
        value = self._value(name.encode("latin-1", "replace").lower())
        return None if value is None else value.decode("latin-1")

    def getAllHeaders(self) -> dict[str, str]:
        """Every field by its lower-case name, many lines of a name joined."""
        names = (name.lower() for name, _ in self.requestHeaders.getAllRawHeaders())
        return {name: self.getHeader(name) or "" for name in names}

    @property
    def receivedCookies(self) -> dict[str, str]:
        """The cookies sent, by name; of several with one name the first (the closest path)."""
        if self._cookies is None:
            pairs = parse_cookies(self.getHeader(b"cookie") or b"")
            self._cookies = {_utf8(name): _utf8(value) for name, value in reversed(pairs)}
        return self._cookies

    def getCookie(self, key: AnyStr) -> AnyStr | None:
        """A cookie's value in the type of its name; None when it was not sent."""
        if isinstance(key, bytes):
            value = self.receivedCookies.get(_utf8(key))
            return None if value is None else value.encode("utf-8", "surrogateescape")
        return self.receivedCookies.get(key)

    def getUser(self) -> str:
        """The name that Basic authentication says, which nobody has checked; empty without one.

        Whom a guard has let in is `avatarId`.
        """
        return self._basic()[0]

    def getPassword(self) -> str:
        """The password that Basic authentication says; empty without one."""
        return self._basic()[1]

    def _basic(self) -> tuple[str, str]:
        from weblayer.wire.basic import parse_basic  # few ask, since there are guards

        scheme, _, response = (self.getHeader(b"authorization") or b"").partition(b" ")
        said = parse_basic(response) if scheme.lower() == b"basic" else None
        return (_utf8(said[0]), _utf8(said[1])) if said else ("", "")

    def _value(self, name: bytes) -> bytes | None:
        read = self._head.values if self._fields is None else self._fields.getRawHeaders
        values = read(name)
        if not values:
            return None
        if len(values) == 1:  # the rule
            return values[0]
        return (b"; " if name == b"cookie" else b", ").join(values)


def _utf8(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
