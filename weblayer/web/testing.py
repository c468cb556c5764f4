"""Asking a tree without a socket: the real channel, the real transport, and time that stands still.

    answer = ask(Hello(), "GET", "/")
    assert answer.code == 200 and answer.text() == "Hello, web!"

Each conversation has an event loop of its own. It runs until nothing is left to do but wait,
then stands still; `advance` moves its time, so `asyncio.sleep(3)` and `deferLater` take no
time in a test. Answers are read by the standard library's http.client: another reader than ours.

What asks by a client of ours is given a TreeAgent, and asks a tree in the same way.
"""

import asyncio
import http.client
import io
import selectors
import weakref
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import Any, Self

from weblayer.loop.error import ConnectionDone
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.reactor import Reactor
from weblayer.web.resource import Node
from weblayer.web.site import Site
from weblayer.web.treeagent import TreeAgent
from weblayer.wire.headers import Headers

__all__ = ["Answer", "Conversation", "TreeAgent", "ask"]


class Answer:
    """One response. *isWhole* is False where the connection was cut, or more is to come."""

    def __init__(
        self, code: int, phrase: str, headers: Headers, body: bytes, isWhole: bool
    ) -> None:
        self.code, self.phrase, self.headers = code, phrase, headers
        self.body, self.isWhole = body, isWhole

    def text(self) -> str:
        """The body read as UTF-8."""
        return self.body.decode()

    def getHeader(self, name: str) -> str | None:
        """A field's value, None without one."""
        return self.headers.getHeader(name)

    def __repr__(self) -> str:
        return f"<Answer {self.code} {self.phrase}, {len(self.body)} bytes>"


class Conversation:
    """One client's connection to a *tree*: a Site, or a resource that becomes the root of one.

    Whatever a method sets going has come to rest when it returns. Cannot be used where an
    event loop is running already. `close` it, use it as a context manager, or just drop it.
    """

    def __init__(self, tree: Node | Site) -> None:
        self._loop = _StandingLoop()
        # Not in a __del__: the collector might have come by the loop's tasks and sockets before.
        weakref.finalize(self, self._loop.drop)
        self._methods: list[str] = []
        self.reactor = Reactor(self._loop)
        self.site = tree if isinstance(tree, Site) else Site(tree, reactor=self.reactor)
        self._do(self.site.doStart)
        self._peer: MemoryPeer = self._do(MemoryPeer, self.site, soon=self._loop.call_soon)

    def ask(
        self,
        method: str,
        target: str = "/",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        """Send a request, with a Host and the body's length where *headers* do not have them."""
        fields = dict(headers or {})
        given = {name.lower() for name in fields}
        if "host" not in given:
            fields["Host"] = "weblayer.test"
        if body and given.isdisjoint(("content-length", "transfer-encoding")):
            fields["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
        self._methods.append(method)
        self._do(self._peer.send, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def send(self, data: bytes, *methods: str) -> None:
        """Send bytes as they are; *methods* are those of the requests that end in them."""
        self._methods += methods
        self._do(self._peer.send, data)

    def lose(self) -> None:
        """Leave: the client closes the connection."""
        self._do(self._peer.close)

    def reset(self) -> None:
        """Crash: the connection breaks."""
        self._do(self._peer.reset)

    def stopReading(self) -> None:
        """Read no more, until `startReading`, than `read` does."""
        self._do(self._peer.stopReading)

    def read(self, size: int) -> None:
        """Read at most *size* of the bytes that wait."""
        self._do(self._peer.read, size)

    def startReading(self) -> None:
        """Read all that waits, and all that comes."""
        self._do(self._peer.startReading)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._do(self._loop.advance, seconds)

    def waitFor(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        """Wait in real time for threads and processes. Raises TimeoutError."""
        self._loop.run_until(condition, seconds)

    def do(self, call: Callable[..., Any], *args: Any) -> None:
        """Call something in the conversation's loop, as a timer or another connection would."""
        self._do(call, *args)

    @property
    def received(self) -> bytes:
        """All that the client has read."""
        return bytes(self._peer.received)

    @property
    def waiting(self) -> int:
        """How many bytes the server has written that the client has not read."""
        return self._peer.waiting

    @property
    def isRead(self) -> bool:
        """Whether the server reads what is sent; what it does not stays with the client."""
        return self._peer.transport.under.is_reading()

    @property
    def isClosed(self) -> bool:
        """Whether the server has ended its side, or the whole connection."""
        return self._peer.isClosed or self._peer.hasEnded

    @property
    def isGone(self) -> bool:
        """Whether the whole connection has ended; until then the server may still read."""
        return self._peer.isClosed

    @property
    def answers(self) -> list[Answer]:
        """What has been answered, in order; the last may not be whole."""
        reason = self._peer.reason
        ended = self.isClosed if reason is None else reason.check(ConnectionDone) is not None
        return _read(self.received, self._methods, ended)

    @property
    def last(self) -> Answer:
        """The last answer. Raises LookupError when nothing was answered."""
        if not (answers := self.answers):
            raise LookupError("nothing has been answered")
        return answers[-1]

    @property
    def code(self) -> int:
        """The last answer's status code."""
        return self.last.code

    @property
    def headers(self) -> Headers:
        """The last answer's fields."""
        return self.last.headers

    @property
    def body(self) -> bytes:
        """The last answer's body, as far as it came."""
        return self.last.body

    @property
    def isWhole(self) -> bool:
        """Whether every request has had its whole answer."""
        answers = self.answers
        return len(answers) >= len(self._methods) and all(a.isWhole for a in answers)

    def text(self) -> str:
        """The last answer's body read as UTF-8."""
        return self.last.text()

    def getHeader(self, name: str) -> str | None:
        """A field of the last answer."""
        return self.last.getHeader(name)

    def close(self) -> None:
        """Cut the connection and end the loop, with all that still waits in it."""
        if not self._loop.is_closed():
            self._do(self._peer.reset)
            self._do(self.site.doStop)
            self._loop.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _do(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._loop.do(lambda: call(*args, **kwargs))


def ask(
    tree: Node | Site,
    method: str = "GET",
    target: str = "/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Conversation:
    """Ask a tree one thing: the conversation knows the answer, as far as it has come."""
    conversation = Conversation(tree)
    conversation.ask(method, target, headers, body)
    return conversation


class _StandingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still, and which stops when it could only wait.

    A loop tells its selector how long it could wait: not at all means that calls are ready.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._selector_of_mine = _Selector(self)
        super().__init__(self._selector_of_mine)

    def time(self) -> float:
        return self._now

    def do(self, call: Callable[[], Any]) -> Any:
        """Make a call inside the loop and let everything come to rest. Gives what it gives."""
        done: list[Any] = []
        error: list[BaseException] = []

        def inside() -> None:
            try:
                done.append(call())
            except BaseException as raised:
                error.append(raised)

        self.call_soon(inside)
        self._selector_of_mine.patience = 0.0
        self.run_forever()
        if error:
            raise error[0]
        return done[0]

    def advance(self, seconds: float) -> None:
        """Let time pass in the steps that the timers ask for."""
        self._selector_of_mine.until = self._now + seconds

    def run_until(self, condition: Callable[[], bool], seconds: float) -> None:
        self._selector_of_mine.patience = 0.01
        for _ in range(round(seconds / 0.01)):
            if condition():
                return
            self.run_forever()
        raise TimeoutError(f"{condition} has not come true within {seconds} seconds")

    def end(self) -> None:
        self.set_exception_handler(lambda loop, context: None)
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.do(lambda: None)
        self.close()

    def drop(self) -> None:
        """Close without another turn, and without a word on what waits."""
        if not self.is_closed():
            self.set_exception_handler(lambda loop, context: None)
            self.close()


class _Selector(selectors.DefaultSelector):
    """Moves the loop's time instead of waiting, up to *until*; then stops the loop.

    *patience* is how many real seconds to wait for something that is no timer.
    """

    def __init__(self, loop: _StandingLoop) -> None:
        super().__init__()
        self._loop = loop
        self.until = 0.0
        self.patience = 0.0

    def select(self, timeout: float | None = None) -> Any:
        idle = timeout is None or timeout > 0
        events = super().select(self.patience if idle else 0)
        if idle and not events:
            # The loop rounds when it takes one time from another; a timer due in this
            # millionth of a second is due.
            if timeout is not None and self._loop._now + timeout <= self.until + 1e-6:
                self._loop._now += timeout
            else:
                self._loop._now = max(self._loop._now, self.until)
                self._loop.stop()
        return events


class _Unclosed(io.BytesIO):
    """http.client closes what it has read to the end; there may be another answer behind it."""

    def makefile(self, mode: str) -> io.BytesIO:
        return self

    def close(self) -> None: ...


def _read(data: bytes, methods: list[str], ended: bool) -> list[Answer]:
    file, answers = _Unclosed(data), []
    # Behind the answers to requests there may be one to what was none (400, 408).
    for method in chain(methods, repeat("GET")):
        response = http.client.HTTPResponse(file, method=method)  # type: ignore[arg-type]  # no socket
        try:
            response.begin()
        except (http.client.HTTPException, ConnectionError):
            break
        body, whole = _body(response)
        framed = response.chunked or response.length is not None or not response.will_close
        fields = Headers.fromPairs(
            (k.encode("latin-1"), v.encode("latin-1")) for k, v in response.getheaders()
        )
        answers.append(
            Answer(response.status, response.reason, fields, body, whole and (framed or ended))
        )
    return answers


def _body(response: http.client.HTTPResponse) -> tuple[bytes, bool]:
    try:
        return response.read(), True
    except http.client.IncompleteRead as error:
        return error.partial, False
