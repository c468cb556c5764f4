"""Whether a form was sent from a page of ours: cross-site request forgery (CSRF) refused.

Theory. A browser adds our cookies to whatever any page has it send. Browsers of today say who had
it sent (Sec-Fetch-Site, on secure connections; Origin): where they do, that decides, on the head.
Where they do not, a token does, which stands in the visitor's session and in our forms, where no
other site can read it. In each page it is masked anew, so that its letters cannot be guessed by how
well the page compresses (BREACH).
Source: W3C Fetch Metadata; RFC 6454, 7; OWASP's cheat sheet on CSRF.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from hmac import compare_digest
from secrets import token_bytes

from weblayer.web.afterbody import AfterBody
from weblayer.web.errors import Forbidden
from weblayer.web.request import Request
from weblayer.web.resource import Child
from weblayer.web.session import Session
from weblayer.web.wrapper import Wrapper

__all__ = ["CSRFProtection", "Markup", "checkCSRF", "csrfField", "csrfToken", "isFromHere"]

# The name of the field, and the header for who sends no form.
FIELD = "csrf"
HEADER = "x-csrf-token"

_KEY = "_csrf"

# Bytes: nobody guesses 128 bits.
_LENGTH = 16

# Methods that change nothing, so that nothing is gained by forging them (RFC 9110, 9.2.1).
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

# The detail of a refusal: the usual cause is an old page, and another try helps.
OLD_PAGE = "This page was open for too long. Go back, load it again, and send it once more."
FOREIGN = "This was sent from a page of another site."


class Markup(str):
    """HTML that is safe as it is: a template of jinja2 does not escape it."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def csrfToken(request: Request) -> str:
    """A token for a page to this visitor; another each time, each good as long as the session.

    It begins a session where there is none. Send it as the field `csrf`, or as X-CSRF-Token.
    """
    session = request.getSession()
    if _KEY not in session:
        session[_KEY] = _text(token_bytes(_LENGTH))
    mask = token_bytes(_LENGTH)
    return _text(mask + _xor(mask, _bytes(session[_KEY])))


def csrfField(request: Request) -> Markup:
    """The token as a hidden field, for a form: `{{ csrf }}` in a template, without more."""
    return Markup(f'<input type="hidden" name="{FIELD}" value="{csrfToken(request)}">')


def checkCSRF(request: Request) -> None:
    """Go on only with a token of this visitor, in the form or the header. Raises Forbidden.

    A page that must not be forged by an old browser either says so in its render_POST. A form that
    streams is not read for it: there it is the header's.
    """
    given = [request.getHeader(HEADER) or "", *request.args.get(FIELD, [])]
    if not any(_matches(token, request.getSession()) for token in given):
        raise Forbidden(OLD_PAGE)


def renewCSRF(session: Session) -> None:
    """Have the tokens so far be worth nothing, as when somebody becomes somebody else."""
    session.pop(_KEY, None)


def isFromHere(
    site: str | None, origin: str | None, host: str, origins: Collection[str] = ()
) -> bool | None:
    """Whether a page of ours had a request sent; None where its browser does not say.

    *site* is Sec-Fetch-Site, *origin* Origin, *host* ours, with its port where it is said, and
    *origins* are those of others whom we trust, as "https://shop.example".

    | Sec-Fetch-Site | Origin | |
    |---|---|---|
    | any | of *origins* | yes |
    | same-origin, none | any other | yes: none is a person's own doing, as from a bookmark |
    | anything else | any other | no: of another site, though it be a subdomain's |
    | not sent | ours | yes; without its scheme, which we may not know behind a proxy |
    | not sent | `null`, not sent | not said: a page may hide where it is |
    | not sent | any other | no |
    """
    if origin in origins:
        return True
    if site is not None:
        return site in ("same-origin", "none")
    if origin is None or origin == "null":
        return None
    return origin.partition("://")[2].lower() == host.lower()


class CSRFProtection(Wrapper):
    """Refuses, with 403, what another site had a visitor's browser send to *resource*.

    Methods that change nothing go through, and so does what comes from *origins*, as
    "https://shop.example". An old browser, which does not say where it was sent from, has to bring
    a token: the forms have `csrfField`. Who brings neither that nor any cookie is no browser of a
    visitor of ours, as curl is none, and goes through.
    """

    def __init__(self, resource: Child, origins: Collection[str] = ()) -> None:
        super().__init__(resource)
        if isinstance(origins, str):
            raise TypeError(f"origins must be a list of origins, not {origins!r}")
        self.origins = frozenset(origins)

    def enter(self, request: Request) -> Child:
        """The resource. Raises Forbidden."""
        if request.method in SAFE:
            return self.resource
        site, origin = request.getHeader("sec-fetch-site"), request.getHeader("origin")
        host = request.rootURL().partition("://")[2].partition("/")[0]
        said = isFromHere(site, origin, host, self.origins)
        if said is False:
            raise Forbidden(FOREIGN)
        if said or request.getHeader("cookie") is None:
            return self.resource
        return AfterBody(self._after_token)

    async def _after_token(self, request: Request) -> Child:
        await request.getSession()
        checkCSRF(request)
        return self.resource


def _matches(token: str, session: Session) -> bool:
    """Whether *token* is the session's, in constant time."""
    masked = _bytes(token)
    kept = _bytes(session.get(_KEY, ""))
    if len(masked) != 2 * _LENGTH or len(kept) != _LENGTH:
        return False
    return compare_digest(_xor(masked[:_LENGTH], masked[_LENGTH:]), kept)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """What *text* stands for; nothing where it is no base64."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
