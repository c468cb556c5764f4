"""Lets in who has logged in, and sends the others to the page where they can."""

from collections.abc import Generator
from typing import Any, cast
from urllib.parse import urlencode

from weblayer.cred.portal import Portal
from weblayer.loop.bridge import ensureDeferred, maybeDeferred
from weblayer.loop.deferred import Deferred
from weblayer.loop.inline import inlineCallbacks
from weblayer.web.errors import Unauthorized
from weblayer.web.login import loggedIn
from weblayer.web.policy import Policy
from weblayer.web.request import Request
from weblayer.web.resource import Child, IResource, Node
from weblayer.web.returning import pathAsked, safePath
from weblayer.web.util import Redirect
from weblayer.web.wrapper import Wrapper

__all__ = ["LoginRequired"]


class LoginRequired(Wrapper):
    """Stands before *resource*, and lets in who has logged in; see `Login`.

    In place of a resource it may be a Portal: then the walk goes on with the avatar that its realm
    has for whoever it is, which is logged out when the answer is finished. `request.avatarId` says
    whose it is either way.

    Who has not logged in is sent to *loginPath*, below the root of the site, and comes back from
    there; what is no visit of a page, as a script's or a picture's request, is a 401.
    """

    def __init__(self, resource: Child | Portal, loginPath: str = "/login") -> None:
        self.portal = resource if isinstance(resource, Portal) else None
        super().__init__(cast("Child", resource))
        self.loginPath = loginPath

    def enter(self, request: Request) -> Child:
        """The resource, or the way to the page. Raises Unauthorized."""
        request.beforeAnswer(_keep_private)
        session = request.getSession()
        if session.isLoaded:
            return self._decide(request)
        waiting: Deferred[Node] = ensureDeferred(self._later(request))
        return waiting

    async def _later(self, request: Request) -> Any:
        await request.getSession()
        decided = self._decide(request)
        return await decided if isinstance(decided, Deferred) else decided

    def _decide(self, request: Request) -> Child:
        avatar_id = loggedIn(request)
        if not avatar_id:
            return self._ask(request)
        request.avatarId = avatar_id
        return self.resource if self.portal is None else self._avatar(self.portal, request)

    @inlineCallbacks
    def _avatar(self, portal: Portal, request: Request) -> Generator[Any, Any, Node]:
        find = portal.realm.requestAvatar
        _, avatar, logout = yield maybeDeferred(find, request.avatarId, None, IResource)
        request.notifyFinish().addBoth(lambda _: maybeDeferred(logout))
        return cast("Node", avatar)

    def _ask(self, request: Request) -> Node:
        link = request.rootLink(*self.loginPath.strip("/").split("/"))
        if not _is_visit(request):
            # No registered scheme is it; one without a window of the browser's own has to be named
            # (RFC 9110, 15.5.2).
            raise Unauthorized([f'Cookie form-action="{link}"'])
        path = safePath(pathAsked(request))
        return _ToLogin(f"{link}?{urlencode({'next': path})}" if path else link, 303)


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
