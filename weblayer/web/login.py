"""Login for people: a page with a form, which a portal checks, and one to leave again.

    portal = Portal(CommonRealm(Account()), [HtpasswdFile("users")])
    root.putChild("login", Login(portal))
    root.putChild("logout", Logout())
    root.putChild("account", LoginRequired(portal))

Theory. Who logs in has a session under a new name from then on, in which it says whose it is. What
is planted before a login, or seen, is worth nothing after it; a login forged by another site is
refused; and guesses are counted before they are checked, for each account and for each address.
"""

import logging
import time
from collections.abc import Callable
from math import ceil
from typing import Any

from weblayer.cred.credentials import UsernamePassword
from weblayer.cred.error import LoginBusy, LoginDenied, LoginFailed
from weblayer.cred.portal import Portal
from weblayer.loop.bridge import maybeDeferred
from weblayer.web.accesslog import clientHost
from weblayer.web.csrf import checkCSRF, csrfField, renewCSRF
from weblayer.web.errors import Forbidden
from weblayer.web.flash import flashes
from weblayer.web.policy import Policy
from weblayer.web.rate import Rate, byAddress
from weblayer.web.request import Request
from weblayer.web.resource import IResource, Outcome, Resource
from weblayer.web.returning import returnLink
from weblayer.web.session import Session
from weblayer.web.template import OURS, Templates
from weblayer.web.util import redirectTo

__all__ = ["Login", "Logout", "loggedIn"]

log = logging.getLogger("weblayer")

_KEY = "_avatarId"

# Seconds. A month is what people expect of "remember me".
REMEMBER = 30 * 24 * 3600.0

# Letters. No name is longer, and what is tried is remembered for a while.
MOST_NAME = 256

# Bytes. A name, a password of a thousand letters, and where to go back to.
MOST_FORM = 16 * 1024

WRONG = "That name and password do not belong together."
DENIED = "You may not log in here. Ask whoever looks after this site."
BUSY = "Many people are logging in just now. Try again in a moment."
OFTEN = "That was tried too often. Try again in {} seconds."
OLD_PAGE = "This page was open for too long. Try once more."


def loggedIn(request: Request) -> Any:
    """As whom this visitor has logged in: an avatar id, which is false for nobody.

    It is for pages that everybody may see; behind LoginRequired it is `request.avatarId`.
    """
    return loginOf(request)[0]


def loginOf(request: Request) -> tuple[Any, float]:
    """As whom this visitor has logged in, and when, in seconds since 1970; (None, 0) for nobody."""
    avatar_id, when = request.getSession().get(_KEY, (None, 0))
    return avatar_id, when


class Login(Resource):
    """A page to log in to *portal*, which is asked for an IResource, with a name and a password.

    Then it goes on to the path that `?next=` says, below the root of this site, or to *home*.
    Whose avatar it is stands in the session, so an avatar id must be JSON, as a name is. Where
    *rememberFor* seconds are given, a person may ask to be remembered so long.

    Of *pages* it takes "login.html", with `site` (its name), `problem` (a sentence, or None),
    `username`, `canRemember`, `messages` (see `flashes`) and `csrf`, a field that its form
    must have. The other fields are `username`, `password` and `remember`.

    *accounts* and *addresses* say how many guesses there may be for a name, and from an address.
    They are answered with 429; logins that succeed do not count. *seconds* tells the time.
    """

    isLeaf = True
    policy: Policy | None = Policy(maxBody=MOST_FORM, takesBody="spool", compress=False)

    def __init__(
        self,
        portal: Portal,
        *,
        home: str = "/",
        rememberFor: float | None = REMEMBER,
        pages: Templates = OURS,
        accounts: Rate | None = None,
        addresses: Rate | None = None,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        if not hasattr(portal, "login"):
            raise TypeError(f"portal must be a Portal, not {portal!r}")
        self.portal, self.home, self.rememberFor, self.pages = portal, home, rememberFor, pages
        self._seconds = seconds
        # Then one a minute: 1,440 guesses a day at an account, from wherever, while its owner, who
        # mistypes now and then, waits for a minute at most.
        self._accounts = accounts or Rate(1, per=60, burst=5)
        # An office may share an address.
        self._addresses = addresses or Rate(10, per=60, burst=30)

    async def render_GET(self, request: Request) -> str:
        """The form."""
        await request.getSession()
        return self._page(request)

    async def render_POST(self, request: Request) -> Outcome:
        """Log in, and go on; or the form again, and what was wrong."""
        session = await request.getSession()
        try:
            checkCSRF(request)
        except Forbidden:
            return self._again(request, 403, OLD_PAGE)
        username = _argument(request, "username")
        if wait := self._wait(request, username):
            request.setHeader("Retry-After", str(wait))
            return self._again(request, 429, OFTEN.format(wait))
        try:
            avatar_id = await self._checked(username, _argument(request, "password"))
        except LoginFailed as error:
            return self._refused(request, username, error)
        self._forgive(request, username)
        await self._enter(request, session, avatar_id)
        return redirectTo(
            returnLink(request, _argument(request, "next") or self.home), request, 303
        )

    async def _checked(self, username: str, password: str) -> Any:
        """The avatar id of who has this password. The avatar itself is of no use yet."""
        login = await self.portal.login(UsernamePassword(username, password), None, IResource)
        await maybeDeferred(login.logout)
        return login.avatarId

    async def _enter(self, request: Request, session: Session, avatar_id: Any) -> None:
        if loggedIn(request) not in (None, avatar_id):
            session.clear()  # of somebody else
        session.renew()
        renewCSRF(session)
        session[_KEY] = [avatar_id, self._seconds()]
        if self.rememberFor is not None and _argument(request, "remember"):
            session.remember(self.rememberFor)
        await session.save()

    def _refused(self, request: Request, username: str, error: LoginFailed) -> str:
        if isinstance(error, LoginBusy):
            self._forgive(request, username)  # nobody has looked at it
            return self._again(request, 503, BUSY)
        told = username[:MOST_NAME], clientHost(request), error
        log.warning("%r from %s could not log in: %s", *told)
        return self._again(request, 403, DENIED if isinstance(error, LoginDenied) else WRONG)

    def _wait(self, request: Request, username: str) -> int:
        """In how many seconds there may be another guess; 0 is now, and it is counted."""
        now = request.site.seconds()
        wait = self._addresses.take(byAddress(request), now)
        if not wait and (wait := self._accounts.take(_account(username), now)):
            self._addresses.giveBack(byAddress(request))
        return ceil(wait)

    def _forgive(self, request: Request, username: str) -> None:
        self._addresses.giveBack(byAddress(request))
        self._accounts.giveBack(_account(username))

    def _again(self, request: Request, code: int, problem: str) -> str:
        request.setResponseCode(code)
        return self._page(request, problem)

    def _page(self, request: Request, problem: str | None = None) -> str:
        _guard_page(request)
        return self.pages.page(
            "login.html",
            site=request.getRequestHostname(),
            problem=problem,
            username=_argument(request, "username"),
            canRemember=self.rememberFor is not None,
            messages=flashes(request),
            csrf=csrfField(request),
        )


class Logout(Resource):
    """A page to log out: a button, or a form of yours that posts to it with `csrfField`.

    Then it goes on to *home*. Of *pages* it takes "logout.html", with `site` and `csrf`.
    """

    isLeaf = True
    policy: Policy | None = Policy(maxBody=MOST_FORM, takesBody="spool", compress=False)

    def __init__(self, *, home: str = "/", pages: Templates = OURS) -> None:
        self.home, self.pages = home, pages

    async def render_GET(self, request: Request) -> str:
        """The button: a link that logs out could be followed by a browser that reads ahead."""
        await request.getSession()
        _guard_page(request)
        return self.pages.page(
            "logout.html", site=request.getRequestHostname(), csrf=csrfField(request)
        )

    async def render_POST(self, request: Request) -> bytes:
        """End the session, whoever it was. Raises Forbidden for what another site has sent."""
        session = await request.getSession()
        if _KEY in session:
            checkCSRF(request)
            await session.expire()
        return redirectTo(returnLink(request, self.home), request, 303)


def _argument(request: Request, name: str) -> str:
    """What a field says, else the query; the form's stands behind it."""
    value: str = request.args.get(name, [""])[-1]
    return value


def _account(username: str) -> str:
    """What a name is counted by: some checkers know one in upper case as well."""
    return username[:MOST_NAME].casefold()


def _guard_page(request: Request) -> None:
    """Nobody may show the page within theirs, to have it clicked, nor keep it.

    A Content-Security-Policy is the site's to say; one of ours would take the place of it.
    """
    request.setHeader("X-Frame-Options", "DENY")
    request.setCacheControl(noStore=True)
