"""The session of whoever asks, where a page wants one."""

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

from weblayer.web.validated import Validated

if TYPE_CHECKING:  # loaded by the sites that have sessions
    from weblayer.web.session import Session
    from weblayer.web.store import SessionStore

__all__ = ["Visited"]

C = TypeVar("C")


class Visited(Validated):
    """A request of a visitor who may have been here before."""

    __slots__ = ()

    began: bool

    # Few requests ask: it lives in the dict. By store, since parts of a tree may have their own.
    _sessions: "dict[SessionStore, Session] | None" = None

    @overload
    def getSession(self, sessionInterface: None = None) -> "Session": ...
    @overload
    def getSession(self, sessionInterface: type[C]) -> C: ...
    def getSession(self, sessionInterface: Any = None) -> Any:
        """The visitor's session, or what it holds for *sessionInterface*; see `Session`.

        It is of the policy's `sessions`, else of the site's. Where they are not at hand, write
        `await request.getSession()`.
        """
        store: SessionStore = self.policy.sessions or self.site.sessions
        if self._sessions is None:
            self._sessions = {}
        session = self._sessions.get(store)
        if session is None:
            session = self._sessions[store] = _session_class()(store, self, self.began)
        return session if sessionInterface is None else session.getComponent(sessionInterface)

    @property
    def session(self) -> "Session":
        """The same as `getSession()`."""
        return self.getSession()


@cache  # to import what has been imported costs a tenth of a plain answer
def _session_class() -> "type[Session]":
    from weblayer.web.session import Session

    return Session
