"""Which pages of other sites may read what is answered here (CORS).

A browser lets the script of a page ask any site, and keeps the answer from it unless the site says
that pages of that origin may read it. What a form could not have sent, another method or a field of
the script's own, it asks for before (a preflight: OPTIONS with Access-Control-Request-Method).
Source: Fetch, 3.3 and 4.9.
"""

from collections.abc import Collection
from functools import partial

from weblayer.web.errors import Forbidden
from weblayer.web.request import Request
from weblayer.web.resource import Child, Resource
from weblayer.web.wrapper import Wrapper
from weblayer.wire.fields import is_token, split_list
from weblayer.wire.origins import Origins

__all__ = ["CORS"]

# What an API usually takes. What the resource does not take it answers 405 itself.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

# What a script sends to an API: JSON, and who it is.
HEADERS = ("Authorization", "Content-Type")

# Ten minutes: one preflight in a visit, while a change of the rule is soon heeded. Chromium
# remembers for two hours at most, and for five seconds without a word.
MAX_AGE = 600

_ORIGIN = b"Access-Control-Allow-Origin"


class CORS(Wrapper):
    """Lets pages of *origins* read what *resource* and all below it answer, errors too.

        CORS(HTTPAuthSessionWrapper(portal, factories), ["https://app.example.org"])

    *origins* are such as "https://example.org" and "https://*.example.org"; "null" is what a page
    from a file, or in a sandbox, says of itself; and "*" in place of a list is every page.
    *methods* and *headers* are what a script may send beside what a form could, "*" for any field;
    *exposed* are the fields of an answer that it may read beside the usual; *credentials* is
    whether the browser sends cookies along and a script may read what comes of them; *maxAge* is
    how many seconds it remembers what a preflight was told.

    A preflight is answered here, whatever stands behind: let this stand before what asks for a
    password, since no preflight carries one. Of two, the outer one decides. This keeps nobody out:
    others than browsers do not ask, and a browser sends what a form could have sent (GET, HEAD,
    POST) and hides the answer. Whatever changes something still has to know who asks.
    Raises ValueError for an origin of "*" or "null" together with *credentials*, which would let
    any page read what its visitor may, for a "*" that means nothing then, and for what is no
    origin, method or field.
    """

    def __init__(
        self,
        resource: Child,
        origins: Collection[str],
        *,
        methods: Collection[str] = METHODS,
        headers: Collection[str] = HEADERS,
        exposed: Collection[str] = (),
        credentials: bool = False,
        maxAge: int = MAX_AGE,
    ) -> None:
        super().__init__(resource)
        if isinstance(origins, str) and origins != "*":
            raise TypeError(f'origins must be a list of origins, or "*", not {origins!r}')
        if credentials and ("*" in (*origins, *exposed, *methods) or "null" in origins):
            raise ValueError('credentials=True needs lists of names, and neither "*" nor "null"')
        self._is_any = "*" in origins
        self._origins = Origins([] if self._is_any else [one.encode() for one in origins])
        self._said: list[tuple[bytes, bytes]] = []
        if credentials:
            self._said.append((b"Access-Control-Allow-Credentials", b"true"))
        if exposed:
            self._said.append((b"Access-Control-Expose-Headers", _tokens("exposed", exposed)))
        self._preflight = _Preflight(methods, headers, maxAge)

    def enter(self, request: Request) -> Child:
        """Raises Forbidden for the preflight of a page that may not read."""
        origin = request.getHeader(b"origin")
        is_ours = self._is_any or (origin is not None and self._origins.has(origin))
        request.beforeAnswer(partial(self._dress, origin if is_ours else None))
        if request.method == "OPTIONS" and origin and _asked(request, b"method"):
            if not is_ours:
                raise Forbidden("Pages of this origin may not ask here.")
            return self._preflight
        return self.resource

    def _dress(self, origin: bytes | None, request: Request) -> None:
        """Say who may read the answer: *origin*, none for somebody else."""
        if not self._is_any:
            # To a cache the answers differ, that to nobody too (Fetch, 3.3.7).
            request._vary(b"Origin")
        if not request.hasResponseHeader(_ORIGIN) and (self._is_any or origin is not None):
            request.setHeader(_ORIGIN, b"*" if self._is_any else origin or b"")
            for name, value in self._said:
                request.setHeader(name, value)


class _Preflight(Resource):
    """Answers what a browser asks before it sends what a form could not have sent.

    It says the whole rule, and the browser judges: its console then tells what is missing.
    """

    isLeaf = True

    def __init__(self, methods: Collection[str], headers: Collection[str], max_age: int) -> None:
        if not isinstance(max_age, int) or max_age < 0:
            raise ValueError(f"maxAge must be seconds, and none below 0, not {max_age!r}")
        self._methods = _tokens("methods", methods)
        self._headers = None if "*" in headers else _tokens("headers", headers)
        self._max_age = b"%d" % max_age

    def render(self, request: Request) -> bytes:
        """What may be sent, and for how long that holds."""
        headers = self._headers
        if headers is None:
            # Said back and not `*`, which leaves out Authorization, and with credentials is the
            # name of a field (Fetch, 3.3.4 and 4.9).
            asked = split_list(_asked(request, b"headers"))
            headers = b", ".join(name for name in asked if is_token(name))
            request._vary(b"Access-Control-Request-Headers")
        request.setResponseCode(204)
        request.setHeader(b"Access-Control-Allow-Methods", self._methods)
        if headers:
            request.setHeader(b"Access-Control-Allow-Headers", headers)
        request.setHeader(b"Access-Control-Max-Age", self._max_age)
        return b""


def _asked(request: Request, what: bytes) -> bytes:
    return request.getHeader(b"access-control-request-" + what) or b""


def _tokens(parameter: str, names: Collection[str]) -> bytes:
    """A list of names as it is sent."""
    if isinstance(names, str) and names != "*":
        raise TypeError(f"{parameter} must be a list of names, not {names!r}")
    for name in names:
        if not is_token(name.encode()):
            raise ValueError(f"{parameter} may hold names of fields or methods, not {name!r}")
    return ", ".join(names).encode()
