"""What a browser is told to keep a page from: scripts of strangers, frames, guessing.

Theory. A browser does for a page whatever the page says, and what a stranger has slipped into the
page too. Each field here takes one thing away that most sites never do, so that a mistake elsewhere
is no break-in. They hold nobody back who is no browser.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from weblayer.web.request import Request
from weblayer.web.resource import Child
from weblayer.web.wrapper import Wrapper
from weblayer.wire.csp import SecurityPolicy
from weblayer.wire.headers import Headers

__all__ = ["CSP", "SecurityHeaders"]

# What a page may load and run: what this site serves. Take it, and say what differs:
# {**CSP, "img-src": "'self' https://images.example.org"}.
CSP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "default-src": "'self'",
        # Nothing that stands in the page itself, where a stranger may have put it, save what
        # carries the page's nonce (`request.cspNonce`), which nobody can know before.
        "script-src": "'self' 'nonce'",
        # Styles in the page, as our own error pages have: with one a stranger can make a page ugly,
        # and send nothing away, as long as images and fonts come from here.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "object-src": "'none'",  # plug-ins, which are gone
        "base-uri": "'self'",  # or each relative link of the page could lead elsewhere
        "form-action": "'self'",  # or a password could be typed into a form that goes elsewhere
        "frame-ancestors": "'self'",  # or a click here could be meant for a button there
    }
)

# A year, the least that browsers' own lists take. Not for the names below ours, which may be
# somebody else's to keep.
HSTS = "max-age=31536000"

# Other sites learn that a visitor comes from us, and not from which page, whose address may be a
# secret; and nothing at all where they are not encrypted.
REFERRER = "strict-origin-when-cross-origin"

# What a page asks a person for; neither a frame in it nor a script that slipped in may.
PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"

# X-Frame-Options, for browsers that do not know frame-ancestors; those that do heed it alone.
_FRAMES = {"'none'": "DENY", "'self'": "SAMEORIGIN"}


class SecurityHeaders(Wrapper):
    """Has all answers of *resource*, and of what is below it, tell browsers what they may not.

        SecurityHeaders(root)
        SecurityHeaders(maps, csp={**CSP, "img-src": "'self' https://tiles.example.org"})

    Each option is the value of a field, and None leaves that field out:

    | option | field |
    |---|---|
    | *csp* | Content-Security-Policy, by directive; `'nonce'` stands for the page's own nonce |
    | *hsts* | Strict-Transport-Security: come encrypted from now on; for the host as a whole, |
    | | and only sent where the visitor's connection is |
    | *referrer* | Referrer-Policy |
    | *permissions* | Permissions-Policy |
    | *opener* | Cross-Origin-Opener-Policy: a window that opened this page, or that it opened, |
    | | has no hold on it; to sign in by one of another site, "same-origin-allow-popups" |
    | *resources* | Cross-Origin-Resource-Policy: other sites show no picture of ours. For those |
    | | that may: "cross-origin" |

    X-Content-Type-Options says that what is no script is not run as one, and X-Frame-Options
    follows frame-ancestors. A field that a page has set itself stays as it is, and deeper in the
    tree another of these takes the place of this one. With *reportOnly* a browser tells what
    breaks the *csp*, and breaks nothing.
    Raises ValueError for what cannot stand in a field.
    """

    def __init__(
        self,
        resource: Child,
        *,
        csp: Mapping[str, str] | None = CSP,
        reportOnly: bool = False,
        hsts: str | None = HSTS,
        referrer: str | None = REFERRER,
        permissions: str | None = PERMISSIONS,
        opener: str | None = "same-origin",
        resources: str | None = "same-origin",
    ) -> None:
        super().__init__(resource)
        csp = {} if csp is None else csp
        if not isinstance(csp, Mapping):
            raise TypeError(f"csp must be a dict of directives, as in CSP here, not {csp!r}")
        self._csp = SecurityPolicy({n.encode(): v.encode() for n, v in csp.items()})
        self._csp_name = b"Content-Security-Policy" + (b"-Report-Only" if reportOnly else b"")
        self._clear = _fields(
            {
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": _FRAMES.get(csp.get("frame-ancestors", "")),
                "Referrer-Policy": referrer,
                "Permissions-Policy": permissions,
                "Cross-Origin-Opener-Policy": opener,
                "Cross-Origin-Resource-Policy": resources,
            }
        )
        self._secure = self._clear.copy()
        self._secure.setDefaults(_fields({"Strict-Transport-Security": hsts}))

    def enter(self, request: Request) -> Child:
        """What this stands before."""
        if request._shield is None:
            request.beforeAnswer(_dress)
        request._shield = self
        return self.resource

    def _say(self, request: Request) -> None:
        fields = request.responseHeaders
        fields.setDefaults(self._secure if request.isSecure() else self._clear)
        # A 304 would give the page that the browser holds another nonce than that page has.
        is_kept = request.code == 304 and self._csp.takes_nonce
        if self._csp.plain and not (is_kept or fields.hasHeader(self._csp_name)):
            nonce = request._nonce
            made = self._csp.plain if nonce is None else self._csp.with_nonce(nonce.encode())
            fields.setHeader(self._csp_name, made)


def _dress(request: Request) -> None:
    """As the one says that was met last."""
    request._shield._say(request)


def _fields(values: Mapping[str, str | None]) -> Headers:
    """Those that have a value."""
    return Headers({name: [value] for name, value in values.items() if value})
