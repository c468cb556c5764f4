"""Lets in who has logged in, and sends the others to the page where they can."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from weblayer.cred.error import LoginFailed
from weblayer.cred.portal import Portal
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.inline import inlineCallbacks
from weblayer.web.errors import Unauthorized
from weblayer.web.login import loginOf
from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Child, IResource, Node
from weblayer.web.returning import pathAsked, safePath
from weblayer.web.util import Redirect
from weblayer.web.wrapper import Wrapper

__all__ = ["LoginRequired", "Since"]

T = TypeVar("T")

# Given an avatar id, from when on its logins hold. Any: an avatar id is whatever tells people
# apart.
Since = Callable[[Any], float | Awaitable[float]]


class LoginRequired(Wrapper):
    """Stands before *resource*, and lets in who has logged in; see `Login`.

    In place of a resource it may be a Portal: then the walk goes on with the avatar that its realm
    has for whoever it is, which is logged out when the answer is finished. `request.avatarId` says
    whose it is either way.

    Who has not logged in is sent to *loginPath*, below the root of the site, and comes back from
    there; what is no visit of a page, as a script's or a picture's request, is a 401.

    *since* is asked with the avatar id of who has, and gives the time from which logins hold, in
    seconds since 1970, or an awaitable of it: when the password was changed, or everybody was
    logged out; an hour ago, before what asks for a fresh login.
    """

    def __init__(
        self, resource: Child | Portal, loginPath: str = "/login", *, since: Since | None = None
    ) -> None:
        self.portal = resource if isinstance(resource, Portal) else None
        if self.portal is None:
            super().__init__(cast("Child", resource))
        self.loginPath, self.since = loginPath, since

    def enter(self, request: Request) -> Child:
        """The resource, or the way to the page. Raises Unauthorized."""
        request.beforeAnswer(_keep_private)
        session = request.getSession()
        if session.isLoaded:
            return self._decide(request)
        return _after(session, lambda _: self._decide(request))

    def _decide(self, request: Request) -> Child:
        avatar_id, when = loginOf(request)
        if not avatar_id:
            return self._ask(request)
        since = self.since(avatar_id) if self.since else 0
        if isinstance(since, Awaitable):
            return _after(since, lambda since: self._go_on(request, avatar_id, when >= since))
        return self._go_on(request, avatar_id, when >= since)

    def _go_on(self, request: Request, avatar_id: Any, holds: bool) -> Child:
        if not holds:
            return self._ask(request)
        request.avatarId = avatar_id
        return self.resource if self.portal is None else self._avatar(self.portal, request)

    @inlineCallbacks
    def _avatar(self, portal: Portal, request: Request) -> Generator[Any, Any, Node]:
        find = portal.realm.requestAvatar
        try:
            _, avatar, logout = yield maybeDeferred(find, request.avatarId, None, IResource)
        except LoginFailed:  # not any more
            return self._ask(request)
        request.notifyFinish().addBoth(lambda _: maybeDeferred(logout))
        return cast("Node", avatar)

    def _ask(self, request: Request) -> Node:
        link = request.rootLink(*self.loginPath.strip("/").split("/"))
        if not _is_visit(request):
            # A 401 has to name a scheme (RFC 9110, 15.5.2). None that is registered is a page, and
            # for one that it does not know no browser opens a window of its own.
            raise Unauthorized([f'Cookie form-action="{link}"'])
        path = safePath(pathAsked(request))
        return _ToLogin(f"{link}?{urlencode({'next': path})}" if path else link, 303)


async def _after(awaitable: Awaitable[T], then: Callable[[T], Child]) -> Any:
    """What *then* makes of what comes; the walk waits for that in turn, where it comes later."""
    return then(await awaitable)


class _ToLogin(Redirect):
    """What was sent along is not read."""

    policy: Policy | None = Policy(takesBody="ignore")


def _is_visit(request: Request) -> bool:
    """Whether a person will see the answer as a page, by Fetch Metadata or what it accepts."""
    mode = request.getHeader("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    return "text/html" in (request.getHeader("accept") or "")


def _keep_private(request: Request) -> None:
    """No cache that others use may keep what one may see: a cookie tells caches nothing."""
    if not request.hasResponseHeader("cache-control"):
        request.setCacheControl(private=True)
