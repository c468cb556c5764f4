"""One request on its way, from the moment it is asked to the end of its answer."""

from typing import Any, Final
from typing import Protocol as Face

from weblayer.client.bodies import IBodyProducer
from weblayer.client.draft import Draft
from weblayer.client.endpoint import IAgentEndpointFactory
from weblayer.client.error import RequestTimeout
from weblayer.client.response import ClientRequest, Response
from weblayer.client.timeouts import Stage, Timeouts
from weblayer.client.wrapping import is_replayable
from weblayer.loop.deferred import Deferred, fail
from weblayer.loop.protocol import IFactory
from weblayer.wire.ask import IDEMPOTENT

__all__ = ["Carrier", "Exchange", "Place"]

QUEUED: Final = Stage.QUEUED

# Seconds to wait for 100 Continue before the body is sent all the same (RFC 9110, 10.1.1): as
# curl does.
PATIENCE = 1

# Up to here a body goes out with its head, in one piece; a longer one waits for the server to
# read, piece by piece.
ONE_PIECE = 64 * 1024


class Carrier(Face):
    """The connection that a request is on."""

    def progress(self) -> bool: ...
    def proceed(self) -> object: ...
    def abandon(self, reason: BaseException | None = None, /) -> object: ...


class Place(Face):
    """Where a request waits for a connection."""

    def leave(self, exchange: "Exchange", /) -> object: ...
    def stop(self, exchange: "Exchange", /) -> object: ...


class Exchange:
    """What is kept of one request while it is under way.

    `head` is the bytes that begin it, a short body with them; `body` is the rest of a long one,
    or what produces it. `answered` fires with the Response.
    """

    # Slots: an attribute of the instance that has a default in the class is looked up by name
    # each time (Python 3.11).
    __slots__ = (
        "answered", "began", "body", "carrier", "connecting", "draft", "expects", "head",
        "is_again", "moved", "place", "request", "since", "stage", "timeouts",
    )  # fmt: skip

    def __init__(
        self,
        draft: Draft,
        request: ClientRequest,
        body: bytes | IBodyProducer | None,
        timeouts: Timeouts,
        now: float,
    ) -> None:
        self.draft = draft
        self.request = request
        self.head, self.body = draft.head, body
        self.timeouts = timeouts
        self.began = self.since = now
        self.stage = QUEUED
        self.moved = False  # whether anything moved since somebody last looked
        self.expects = False  # whether the body waits for 100 Continue
        self.is_again = False  # whether it was sent before, on a connection that was stale
        self.connecting: Deferred[Any] | None = None
        self.carrier: Carrier | None = None
        self.place: Place | None = None
        self.answered: Deferred[Response] | None = None
        if body is not None:
            self._announce(body)

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody can say what became of it.

        Source: RFC 9110, 9.2.2.
        """
        return not self.is_again and self.draft.method in IDEMPOTENT and is_replayable(self.body)

    def connect(self, endpoints: IAgentEndpointFactory, factory: IFactory) -> Deferred[Any]:
        """Make a connection for it, where *endpoints* say."""
        try:
            return endpoints.endpointForURI(self.request.uri).connect(factory)
        except Exception as error:
            return fail(error)

    def cancel(self, _: object) -> None:
        """Nobody wants the answer any more."""
        if self.place is not None:
            self.place.stop(self)

    def come_to(self, stage: Stage, now: float) -> None:
        """Another stage begins."""
        self.stage, self.since = stage, now

    def overdue(self, now: float) -> tuple[float, RequestTimeout | None]:
        """When time is over, and the error if it is."""
        carrier = self.carrier
        if carrier is not None:
            if self.expects and now - self.since >= PATIENCE:
                carrier.proceed()
            if carrier.progress() or self.moved:
                self.moved, self.since = False, now
        when, kind = self.timeouts.due(self.stage, self.since, self.began)
        return when, kind(self.timeouts.of(kind)) if when <= now else None

    def answer(self, response: Response) -> None:
        """The head of the answer has come."""
        answered, self.answered = self.answered, None
        if answered is not None:
            answered.callback(response)

    def fail(self, error: BaseException) -> None:
        """There will be no answer."""
        answered, self.answered = self.answered, None
        if answered is not None and not answered.called:
            answered.errback(error)

    def _announce(self, body: bytes | IBodyProducer) -> None:
        self.expects = self.draft.expects
        if isinstance(body, bytes) and len(body) <= ONE_PIECE and not self.expects:
            self.head, self.body = self.head + body, None
