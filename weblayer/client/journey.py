"""A request that is asked more than once on its way: redirected, challenged, tried again.

What wraps an agent and asks again has each of its requests belong to one Journey, so that the time
that all of it may take is counted from the first. Whoever makes a request finds the journey that it
belongs to in the thread, for as long as the call of `request` takes: a parameter would have to be
handed on by every agent that anybody writes.
"""

import threading
from typing import Any
from typing import Protocol as Face

from weblayer.client.wrapping import Body, Text
from weblayer.loop.deferred import Deferred
from weblayer.wire.headers import Headers

__all__ = ["Journey"]


class Asks(Face):
    """An agent."""

    def request(
        self, method: Text, uri: Text, headers: Headers | None = None,
        bodyProducer: Body | None = None, /,
    ) -> Deferred[Any]: ...  # fmt: skip


class Journey:
    """The requests that one request of the program's has become."""

    __slots__ = ("_began",)

    def __init__(self) -> None:
        self._began: float | None = None

    @staticmethod
    def current() -> "Journey | None":
        """The one that the request belongs to which is being made now; None for most."""
        return _here.journey

    @staticmethod
    def here() -> "Journey":
        """The same, or a new one."""
        return Journey.current() or Journey()

    def ask(
        self, agent: Asks, method: Text, uri: Text, headers: Headers | None, body: Body | None
    ) -> Deferred[Any]:  # Any: as Asks
        """Have *agent* ask, as a part of this."""
        before = Journey.current()
        _here.journey = self
        try:
            return agent.request(method, uri, headers, body)
        finally:
            _here.journey = before

    def begin(self, now: float) -> float:
        """When it began: *now*, or at an earlier request."""
        if self._began is None:
            self._began = now
        return self._began


class _Here(threading.local):
    """Not a ContextVar: a connection is made in the context of the first request that it is for,
    and would keep it.
    """

    journey: Journey | None = None


_here = _Here()
