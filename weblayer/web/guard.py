"""Who asks? HTTP authentication before any part of the tree.

    realm = CommonRealm(File("private"))
    portal = Portal(realm, [HtpasswdFile("users")])
    root.putChild("private", HTTPAuthSessionWrapper(portal, [BasicCredentialFactory("private")]))

Theory. A guard acts on the head, before a byte of the body is read: credentials go to the portal,
and the walk goes on with the avatar that comes back, which is a resource. Who shows none is let in
as nobody in particular where a checker of the portal takes that (AllowAnonymousAccess), else asked,
by each scheme that there is. A 401 from below the guard asks, too.
"""

import io
import logging
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any

from weblayer.cred.credentials import Anonymous, BearerToken, ClientCertificate
from weblayer.cred.error import (
    CredError,
    LoginBusy,
    LoginDenied,
    LoginFailed,
    UnhandledCredentials,
)
from weblayer.cred.portal import Login, Portal
from weblayer.cred.text import text_of
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.failure import Failure
from weblayer.loop.inline import inlineCallbacks
from weblayer.loop.reactor import reactorHere
from weblayer.loop.task import deferLater
from weblayer.loop.threads import deferToThread
from weblayer.loop.timers import IReactorTime
from weblayer.web.accesslog import clientHost
from weblayer.web.afterbody import AfterBody
from weblayer.web.basic import BasicCredentialFactory
from weblayer.web.bearer import BearerCredentialFactory
from weblayer.web.certificate import CertificateCredentialFactory
from weblayer.web.challenges import (
    IConnectionFactory,
    ICredentialFactory,
    NeedsBody,
    Parameters,
    challengesOf,
)
from weblayer.web.digest import DigestCredentialFactory
from weblayer.web.errors import Error, Forbidden, ServiceUnavailable
from weblayer.web.request import Request
from weblayer.web.resource import Child, IResource, Node, isNode
from weblayer.web.wrapper import Wrapper

__all__ = [
    "BasicCredentialFactory",
    "BearerCredentialFactory",
    "CertificateCredentialFactory",
    "CommonRealm",
    "DigestCredentialFactory",
    "HTTPAuthSessionWrapper",
    "IConnectionFactory",
    "ICredentialFactory",
]

log = logging.getLogger("weblayer")

# Seconds. A person who has mistyped does not mind, and one who guesses has a guess a second for
# each connection.
DELAY = 1.0

# bytes that are hashed without a thread: it takes up to three milliseconds (MD5).
AT_ONCE = 1024 * 1024

# How many may be kept waiting at once, so that guesses do not fill the memory; then others are
# told at once, and the limits of the site on connections are what bounds them.
MOST_DELAYED = 1000

# What nobody finds by guessing: there is no use in keeping those waiting whose token has expired.
_UNGUESSABLE = (BearerToken, ClientCertificate)

# Seconds after which a login that found no turn may come again: the queue for one is a quarter of
# a minute long at its longest.
RETRY = 5


class HTTPAuthSessionWrapper(Wrapper):
    """Stands before what *portal* has for who asks, and asks them by *credentialFactories*.

    The realm of the portal is asked for an IResource, and the walk goes on with it. While it is
    used, `request.avatarId` says whose it is; its logout is called when the answer is finished, or
    the client has left. Who asks with credentials that are nobody's waits for *failureDelay*
    seconds, by the clock of *reactor*, and is logged.

    What the portal's errors come to: LoginDenied is a 403, LoginBusy a 503, any other LoginFailed
    a 401; a file of passwords that cannot be read is a 500, which the log has the reason of.
    """

    def __init__(
        self,
        portal: Portal,
        credentialFactories: Iterable[ICredentialFactory | IConnectionFactory],
        *,
        failureDelay: float = DELAY,
        reactor: IReactorTime | None = None,
    ) -> None:
        if not hasattr(portal, "login"):
            raise TypeError(f"portal must be a Portal, not {portal!r}")
        if not isinstance(credentialFactories, Iterable):
            raise TypeError(
                f"credentialFactories must be a list of them, not {credentialFactories!r}"
            )
        self.portal = portal
        self.failureDelay = failureDelay
        self._reactor = reactor
        self._delayed = 0
        self._connected: list[IConnectionFactory] = []
        self._factories: dict[str, ICredentialFactory] = {}
        for factory in credentialFactories:
            self._add(factory)

    def enter(self, request: Request) -> Child:
        """Let somebody in: a Deferred of their avatar. Raises Error."""
        visit = request._visit = _Visit(self._factories.values())
        request.beforeAnswer(visit.dress)
        said = request.getHeader("authorization")
        if said is None:
            return self._log_in(visit, request, self._unasked(request))
        scheme, _, response = said.partition(" ")
        factory = self._factories.get(scheme.lower())
        if factory is None:
            raise Error(401)
        visit.factory = factory
        return self._decoded(visit, request, response)

    def _add(self, factory: ICredentialFactory | IConnectionFactory) -> None:
        if isinstance(factory, type):
            raise TypeError(f"credentialFactories must be instances, not {factory!r}")
        if isinstance(factory, IConnectionFactory):
            self._connected.append(factory)
            return
        scheme = text_of(factory.scheme, "scheme").lower()
        if scheme in self._factories:
            raise ValueError(f"credentialFactories must be one for {scheme}, not several")
        self._factories[scheme] = factory

    def _unasked(self, request: Request) -> Any:
        """The credentials of who does not show any."""
        known = (factory.ofConnection(request) for factory in self._connected)
        return next((each for each in known if each is not None), None) or Anonymous()

    def _decoded(self, visit: "_Visit", request: Request, response: str) -> Child:
        assert visit.factory is not None
        try:
            credentials = visit.factory.decode(response, request)
        except LoginFailed as error:
            visit.blame(error)
            raise Error(401) from error
        if not isinstance(credentials, NeedsBody):
            return self._log_in(visit, request, credentials)
        if not request._head.facts.length:
            return self._log_in(visit, request, credentials.complete(io.BytesIO()))
        return AfterBody(lambda request: self._log_in_later(visit, request, credentials))

    @inlineCallbacks
    def _log_in_later(
        self, visit: "_Visit", request: Request, credentials: NeedsBody
    ) -> Generator[Any, Any, Node]:
        body = request.content
        size, _ = body.seek(0, io.SEEK_END), body.seek(0)
        complete = partial(credentials.complete, body)
        shown = yield deferToThread(complete) if size > AT_ONCE else complete()
        node: Node = yield self._log_in(visit, request, shown)
        return node

    @inlineCallbacks
    def _log_in(
        self, visit: "_Visit", request: Request, credentials: Any
    ) -> Generator[Any, Any, Node]:
        try:
            login: Login = yield self.portal.login(credentials, None, IResource)
        except LoginFailed as error:
            visit.blame(error)
            yield self._refuse(visit, request, credentials, error)
            raise Error(401) from error
        except (CredError, OSError) as error:
            # Told here, since there is no line of ours that could be at fault.
            log.error("nobody can log in: %s", error)  # noqa: TRY400
            raise Error(500) from error
        request.avatarId = login.avatarId
        request.notifyFinish().addBoth(lambda _: _log_out(login))
        avatar: Node = login.avatar
        return avatar

    @inlineCallbacks
    def _refuse(
        self, visit: "_Visit", request: Request, credentials: Any, error: LoginFailed
    ) -> Generator[Any, Any, None]:
        """Raise what is no 401; else keep who has guessed wrong waiting."""
        if isinstance(error, LoginBusy):
            raise ServiceUnavailable("", RETRY) from error
        if isinstance(credentials, Anonymous) and not isinstance(error, LoginDenied):
            return
        told = credentials, clientHost(request), request.method, request.path, error
        log.warning("%r from %s is not let in to %s %s: %s", *told)
        if isinstance(error, LoginDenied):
            raise visit.forbidden(request) from error
        if isinstance(error, UnhandledCredentials) or isinstance(credentials, _UNGUESSABLE):
            return
        if self._delayed >= MOST_DELAYED:
            return
        self._delayed += 1
        try:
            yield deferLater(self._reactor or reactorHere(), self.failureDelay)
        finally:
            self._delayed -= 1


class CommonRealm:
    """A realm in which all whom the portal knows have the same *resource*."""

    def __init__(self, resource: Node) -> None:
        if not isNode(resource):
            raise TypeError(
                f"resource must be a resource (an instance, not a class), not {resource!r}"
            )
        self.resource = resource

    def requestAvatar(
        self, avatarId: object, mind: object, *interfaces: Any
    ) -> tuple[Any, Node, Callable[[], None]]:
        """The resource. Raises NotImplementedError where none is asked for."""
        if IResource not in interfaces:
            raise NotImplementedError(f"there is but an IResource here, not {interfaces!r}")
        return IResource, self.resource, _nothing


class _Visit:
    """One request's way past a guard: how it is asked who it is, wherever a 401 comes from."""

    def __init__(self, factories: Iterable[ICredentialFactory]) -> None:
        self._factories = factories
        self.factory: ICredentialFactory | None = None  # of the credentials that were shown
        self._said: Parameters = {}  # of what they came to

    def blame(self, error: LoginFailed) -> None:
        """Keep what the scheme of the credentials says of *error*."""
        explain = getattr(self.factory, "explain", None)
        if explain is not None:
            self._said = explain(error)

    def dress(self, request: Request) -> None:
        """Have a 401 ask, by each scheme; what has been said by who raised it stays."""
        if request.code != 401 or request._visit is not self:
            return
        if not request.hasResponseHeader(b"www-authenticate"):
            for factory in self._factories:
                for challenge in self._challenges(factory, request):
                    request.responseHeaders.addRawHeader(b"WWW-Authenticate", challenge)

    def forbidden(self, request: Request) -> Error:
        """A 403; where the scheme has to say why, it does."""
        if self.factory is None or not self._said:
            return Forbidden()
        said = self._challenges(self.factory, request)
        return Error(403, "", [("WWW-Authenticate", each.decode("latin-1")) for each in said[:1]])

    def _challenges(self, factory: ICredentialFactory, request: Request) -> list[bytes]:
        return challengesOf(factory, request, self._said if factory is self.factory else {})


def _log_out(login: Login) -> None:
    maybeDeferred(login.logout).addErrback(_logged, login.avatarId)


def _logged(failure: Failure, avatarId: object) -> None:
    log.error("the logout of %r failed", avatarId, exc_info=failure.value)


def _nothing() -> None:
    """There is nothing to log out of."""
