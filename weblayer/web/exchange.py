"""One exchange: from the head of a request to the end of its answer.

Walk on the head, take the body as the resource wants it, render, settle. It is called by a
stream (`start`, `received`, `complete`, `lost`) and knows nothing of the connection.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import cache
from math import inf
from typing import Any, Protocol

from weblayer.loop.error import ConnectionLost
from weblayer.loop.failure import Failure
from weblayer.web.errorpage import answer_error, trace_of
from weblayer.web.errors import Error, ServiceUnavailable
from weblayer.web.intake import BodyStream, Intake, Spool, too_large
from weblayer.web.pagetext import CONTENT_TYPES, default_detail, error_body
from weblayer.web.request import Request
from weblayer.web.resource import IResource, Node
from weblayer.web.settle import settle, when
from weblayer.web.stream import Stream
from weblayer.web.walk import awaited_child, walk
from weblayer.wire.events import Head
from weblayer.wire.framing import CHUNKED
from weblayer.wire.status import phrase_of

__all__ = ["Exchange"]

log = logging.getLogger("weblayer")

# What `OPTIONS *` is told: the methods that some resource of ours may take (RFC 9110, 9.3.7).
_SERVER_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

# Seconds after which a client that found no room may come again: a few answers are over by then.
RETRY = "5"


class Serving(Protocol):
    """What an exchange asks of the site."""

    resource: Node
    requestFactory: Callable[[Stream, Head], Request]
    displayTracebacks: bool
    isLogging: bool
    seconds: Callable[[], float]

    def log(self, request: Request, /) -> None:
        """The exchange is over, whole or broken off: note it down."""


class Exchange:
    """A request on its way through the tree, and its answer on the way back."""

    __slots__ = (
        "_cancel", "_head", "_intake", "_node", "_pours", "_site", "_stream", "is_open", "request",
    )  # fmt: skip

    def __init__(self, stream: Stream, head: Head, site: Serving) -> None:
        self._stream, self._head, self._site = stream, head, site
        make = site.requestFactory  # no method: got first, called faster
        self.request = request = make(stream, head)
        request.site = site
        # Whether `close` has anything to do; a call of it costs as much as finding a child.
        self.is_open = site.isLogging
        if site.isLogging:
            request._started = site.seconds()
        self._node: IResource | None = None
        self._intake: Intake | None = None
        self._cancel: Callable[[], object] | None = None
        self._pours: bool  # from `wait` on, as it is asked for only then

    # What the stream tells us

    def start(self) -> None:
        """The head is there: find the resource."""
        if self.request.postpath:  # "/" has one segment, the empty one
            self._walk(self._site.resource)
        elif self._head.path == b"*":
            self.request.setHeader("Allow", _SERVER_METHODS)
            self.request.setResponseCode(204)
            settle(self, b"")
        else:
            # CONNECT. A resource that answers whatever the method would promise a tunnel, and a
            # proxy before us would let all that its client sends by unread (RFC 9110, 9.3.6).
            self.fail(Error(501))

    def refuse(self, code: int) -> None:
        """In place of start, for what is no request, or one too many: no resource is asked."""
        self.request.setResponseCode(code)
        if code == 503:
            self.request.setHeader("Retry-After", RETRY)
        body = error_body("text", code, phrase_of(code).decode(), default_detail(code))
        self.request._deliver(body, CONTENT_TYPES["text"])

    def received(self, data: bytes) -> None:
        """Some of the body came."""
        if self._intake is not None:
            try:
                self._intake.received(data)
            except Exception as error:  # too much of it, or a disk that is full
                self.spoil(error)

    def spoil(self, error: Exception) -> None:
        """The body will never be whole: tell its reader, or the client."""
        intake, self._intake = self._intake, None
        if intake is not None:
            intake.lose(error)
            if isinstance(intake, Spool):
                self.fail(error)

    @property
    def awaits_body(self) -> bool:
        """Whether nothing goes on until the client sends more of the body."""
        return self._intake is not None and self._intake.is_waiting

    def complete(self) -> None:
        """The body is whole."""
        if self._intake is not None:
            self._intake.complete()
            if isinstance(self._intake, Spool):
                self.request._arrived(self._intake.file, self._intake.form)
                assert self._node is not None  # who has taken the body
                self._render(self._node)

    def retire(self) -> None:
        """The server shuts down."""
        self.request._tell_shutdown()

    def look(self, seconds: float) -> None:
        """Called now and then: give up what has taken longer than it may, whoever is to blame.

        What the program still writes is dropped, and what it waited for is cancelled.
        """
        if seconds <= (self.request.policy.deadline or inf):
            return
        cancel = self._cancel
        if self.request.began:
            self._stream.abort()  # which comes back as `lost`
        else:
            self.fail(ServiceUnavailable())
        self.request.lost = True  # to the program
        if cancel is not None:
            cancel()

    def lost(self, reason: Failure) -> None:
        """The client is gone: cancel what only it was waiting for."""
        request = self.request
        request._lose(reason)
        if self._intake is not None and request._body is None:
            self._intake.lose(ConnectionLost("the client left before its body was whole"))
        if self._cancel is None:
            self._log()  # a render that gave NOT_DONE_YET may still read the body
        elif self._is_cancelled_when_lost():
            self._cancel()
            self.close()

    # The way to the resource

    def _walk(self, node: Any) -> None:
        try:
            node, arrived = walk(node, self.request)
            if not arrived:
                self._wait_for(node)
                return
            self._node = node
            if self._head.facts.length and self._take_in():
                return
        except Exception as error:
            self.fail(error)
        else:
            self._render(node)

    def _wait_for(self, child: Any) -> None:
        """The child comes later, and only then is it known who takes the body."""
        awaited = awaited_child(child, self.request)
        if self._head.facts.length:
            self._stream.pause()
        when(self, awaited, self._walk_on)

    def _walk_on(self, child: Any) -> None:
        if self.request.lost:
            return
        self._walk(child)
        # Not while one more child is awaited, nor where the answer is whole: what is held then is
        # the body of the next exchange.
        if self._head.facts.length and self._node is not None and not self.request.finished:
            self._stream.resume()

    def _take_in(self) -> bool:
        """Take the body in as the policy says. Gives whether the render waits until it is whole."""
        policy = self.request.policy
        takes, most = policy.takesBody, policy.maxBody or 0
        if takes == "ignore":
            return False
        if self._head.facts.length != CHUNKED and self._head.facts.length > most:
            raise too_large(most)
        self.is_open = True
        if takes == "spool":
            self._intake = Spool(most, self.request._new_form())
            self._proceed()
        else:
            self._intake = self.request._coming = BodyStream(most, self._stream, self._proceed)
        return takes == "spool"

    def _proceed(self) -> None:
        """Have a client that waits for it send the body; 100 never stands within an answer."""
        if self._head.facts.expects and not self.request.began:
            self._stream.proceed()

    def _render(self, node: IResource) -> None:
        policy = self.request.policy
        if policy.sendsID:
            self._show_id()
        if policy.compress:
            _compressor()(self.request)
        try:
            outcome = node.render(self.request)
        except Exception as error:
            self.fail(error)
        else:
            settle(self, outcome)

    # What the junction tells us

    def wait(self, cancel: Callable[[], object], *, stream: bool = False) -> None:
        """Something is awaited, or poured; *cancel* ends it."""
        self._cancel, self._pours, self.is_open = cancel, stream, True
        if self.request.lost and self._is_cancelled_when_lost():
            cancel()

    def arrive(self, then: Callable[[Any], object], value: Any) -> None:
        """What was awaited has come: go on with *then*, though the client may be gone."""
        self._cancel = None
        then(value)
        if self._cancel is None and self.request.lost:
            self.close()

    def fail(self, error: BaseException) -> None:
        """Answer an error; break the answer off where it has begun."""
        request = self.request
        code = error.code if isinstance(error, Error) else 500
        if request.lost:
            self._log_unless_cancelled(error, code)
            self.close()
            return
        if code >= 500:
            self._log_error(error)
        if request.began:
            if not request.finished:
                self._stream.abort()
            return
        try:
            self._answer(error, code)
        except Exception as worse:  # an error with fields that cannot be sent
            self._log_error(worse)
            self._stream.abort()

    def close(self) -> None:
        """Nothing of the exchange is needed any more."""
        self._cancel = None
        if self._intake is not None:
            self._intake.lose(ConnectionLost("the request was answered before its body was read"))
        self._log()

    def _log(self) -> None:
        request, site = self.request, self._site
        started, request._started = request._started, None
        if started is not None and request.policy.accessLog:
            request.duration = site.seconds() - started
            site.log(request)

    def _answer(self, error: BaseException, code: int) -> None:
        request = self.request
        request._reset()
        if request.policy.sendsID:
            self._show_id()
        headers = error.headers if isinstance(error, Error) else ()
        detail = error.detail if isinstance(error, Error) else ""
        extra = None
        if code == 500 and self._site.displayTracebacks:
            extra = trace_of(error, request)
        body = answer_error(request, code, "", detail, headers, extra)
        request._deliver(body, request.defaultContentType)

    def _show_id(self) -> None:
        self.request.setHeader(b"X-Request-ID", self.request.id)

    def _is_cancelled_when_lost(self) -> bool:
        if self._node is None:
            return True  # still looking for it: nothing has begun, so nothing is half done
        cancels = self.request.policy.cancelWhenLost
        if cancels is not None:
            return cancels
        return self._pours or self.request.method in ("GET", "HEAD")

    def _log_unless_cancelled(self, error: BaseException, code: int) -> None:
        # A stream whose client left may say so in its own words.
        gone = isinstance(error, asyncio.CancelledError | ConnectionLost)
        if code >= 500 and not gone:
            self._log_error(error)

    def _log_error(self, error: BaseException) -> None:
        request = self.request
        if isinstance(error, Error):  # said on purpose: where it was said is of no interest
            log.warning("%s %s: %s (request %s)", request.method, request.path, error, request.id)
        else:
            told = request.method, request.path, request.id
            log.error("%s %s failed (request %s)", *told, exc_info=error)


@cache
def _compressor() -> Callable[[Request], None]:
    """What compresses answers; few sites need it, and to import it for each answer is dear."""
    from weblayer.web.compression import compress

    return compress
