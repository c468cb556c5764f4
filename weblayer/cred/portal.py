"""The portal, between what a program lets people do and how it knows who they are.

Neither knows the other: a realm has avatars (what somebody can do, such as a resource tree of
their own), and checkers find out whose credentials are. The same portal can stand behind a web
site and a line protocol.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from weblayer.cred.error import UnauthorizedLogin, UnhandledCredentials
from weblayer.loop.bridge import maybeDeferred
from weblayer.loop.deferred import Deferred
from weblayer.loop.inline import inlineCallbacks

__all__ = ["ICredentialsChecker", "IRealm", "Login", "Portal"]

# Any, in this module: an avatar is whatever a realm makes, an avatar's id whatever tells its
# people apart (a user name as a rule, ANONYMOUS for nobody), and an interface any class.


class _Given(NamedTuple):
    interface: Any
    avatar: Any
    logout: Callable[[], Any]


class Login(_Given):
    """Somebody is let in: one of the interfaces asked for, the avatar that is of it, and *logout*.

    *logout* is to be called once, when whoever asked is done with the avatar; it may give an
    awaitable. `avatarId` says whose it is, and is none of the three that programs unpack.
    """

    avatarId: Any


class IRealm(Protocol):
    """Makes avatars."""

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: Any) -> Any:
        """An avatar for *avatarId*, as (interface, avatar, logout), or an awaitable of this.

        *interface* is the one of *interfaces* that *avatar* is of, the first being asked for most.
        *mind* is what stands for the person on this side, None as a rule. Raise LoginDenied to
        let nobody in, NotImplementedError where none of *interfaces* is known.
        """


class ICredentialsChecker(Protocol):
    """Finds out whose credentials are."""

    @property
    def credentialInterfaces(self) -> Sequence[Any]:
        """The classes of credentials that it takes."""

    def requestAvatarId(self, credentials: Any) -> Any:
        """Whose *credentials* are, or an awaitable of this. Raises UnauthorizedLogin."""


class Portal:
    """Lets people in: *checkers* find out who they are, and *realm* what they can do here.

    A checker is asked for credentials that are of one of its interfaces: a class among the bases
    of theirs, the nearest first. Where there are several for one interface they are asked in the
    order in which they were registered, until one does not raise UnauthorizedLogin. Any other
    error ends it: a checker that cannot tell must not be taken for one that says no.
    """

    def __init__(self, realm: IRealm, checkers: Iterable[ICredentialsChecker] = ()) -> None:
        if isinstance(realm, type) or not hasattr(realm, "requestAvatar"):
            raise TypeError(f"realm must be an IRealm, which has requestAvatar, not {realm!r}")
        if not isinstance(checkers, Iterable):
            raise TypeError(f"checkers must be a list of checkers, not {checkers!r}")
        self.realm = realm
        self._checkers: dict[Any, list[ICredentialsChecker]] = {}
        for checker in checkers:
            self.registerChecker(checker)

    def listCredentialsInterfaces(self) -> list[Any]:
        """The classes of credentials that can be checked."""
        return list(self._checkers)

    def registerChecker(self, checker: ICredentialsChecker, *credentialInterfaces: Any) -> None:
        """Ask *checker* too, for *credentialInterfaces*, or for all that it takes."""
        if isinstance(checker, type) or not hasattr(checker, "requestAvatarId"):
            raise TypeError(f"checker must be one, an instance, not {checker!r}")
        for interface in credentialInterfaces or checker.credentialInterfaces:
            if not isinstance(interface, type):
                raise TypeError(f"credentialInterfaces must be classes, not {interface!r}")
            self._checkers.setdefault(interface, []).append(checker)

    @inlineCallbacks
    def login(
        self, credentials: Any, mind: Any = None, *interfaces: Any
    ) -> Generator[Deferred[Any], Any, Login]:
        """Let somebody in: a Deferred of a Login, an avatar of one of *interfaces*.

        Fails with UnauthorizedLogin, UnhandledCredentials, or what a checker or the realm raised.
        It needs no running loop unless they do; cancelling it cancels what it waits for.
        """
        avatar_id = yield self._avatar_id(credentials)
        given = yield maybeDeferred(self.realm.requestAvatar, avatar_id, mind, *interfaces)
        if not isinstance(given, tuple) or len(given) != 3:
            raise TypeError(
                f"requestAvatar of {self.realm!r} must give (interface, avatar, logout), not"
                f" {given!r}"
            )
        login = Login(*given)
        login.avatarId = avatar_id
        return login

    @inlineCallbacks
    def _avatar_id(self, credentials: Any) -> Generator[Deferred[Any], Any, Any]:
        refused: UnauthorizedLogin | None = None
        for checker in self._checkers_of(credentials):
            try:
                return (yield maybeDeferred(checker.requestAvatarId, credentials))
            except UnauthorizedLogin as error:
                refused = error
        try:
            raise refused or UnhandledCredentials(self._unhandled(credentials))
        finally:
            del refused  # its traceback holds this frame, and would make a cycle of them

    def _unhandled(self, credentials: object) -> str:
        kinds = ", ".join(kind.__name__ for kind in self._checkers) or "nothing"
        return f"no checker takes {type(credentials).__name__}; there are some for {kinds}"

    def _checkers_of(self, credentials: object) -> list[ICredentialsChecker]:
        """Each once, though it be registered for several of the bases."""
        lines = (self._checkers.get(kind, ()) for kind in type(credentials).__mro__)
        return list({id(checker): checker for line in lines for checker in line}.values())
