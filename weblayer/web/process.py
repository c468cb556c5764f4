"""A program as a resource: the body goes in, what it writes comes out.

root.putChild("sort", Process(["sort"]))
root.putChild("log", Process(["tail", "-f", "/var/log/syslog"], asEvents=True))
"""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from math import inf

from weblayer.loop.reactor import Reactor
from weblayer.web.environ import PATH
from weblayer.web.paths import absolute
from weblayer.web.policy import Policy
from weblayer.web.program import PROGRAMS, TIMEOUT, Program, ProgramError
from weblayer.web.request import Request
from weblayer.web.resource import Outcome, Resource
from weblayer.web.turnstile import Turnstile

__all__ = ["Process"]

# Not among the others, which would wait for places that nobody leaves. A hundred times `tail` is
# 100 MB; nobody stands in line for what has no end.
STREAMS = Turnstile(100, 0)

# 1 MiB: a line that is longer is no line, and would be kept until its end.
LONGEST_LINE = 1024 * 1024

# Seconds of silence, then a comment is sent: it keeps proxies from closing (nginx after 60), and
# shows whether there is still a client.
BREATH = 25.0


class Process(Resource):
    """Runs *args* once for each GET or POST: the body is its input, its output is the answer.

    Nothing of the request becomes a word of *args*, which no shell reads. It gets a PATH and the
    variables of *env*, nothing of the server's own, and runs in the folder *path* (the server's).
    *type* is that of what it writes; with *asEvents*, each line of it is a server-sent event.

    An exit code that is not 0 is a 502, with what it said on standard error in the log, or breaks
    off an answer that has begun. *timeout* is how many seconds it may be silent (events: for
    ever). It is ended when the client leaves. *turnstile* bounds how many run at once: by default
    those of CGIScript, and of events 100 of the whole server, for which nobody waits.
    """

    isLeaf = True
    policy: Policy | None = Policy(takesBody="stream", cancelWhenLost=True)

    def __init__(
        self,
        args: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        path: str | os.PathLike[str] | None = None,
        type: str = "text/plain; charset=utf-8",  # noqa: A002  # as of Data
        asEvents: bool = False,
        timeout: float = TIMEOUT,
        turnstile: Turnstile | None = None,
        reactor: Reactor | None = None,
    ) -> None:
        if isinstance(args, str | bytes) or not args:
            raise TypeError(f'args must be the words of a command, as in ["sort"], not {args!r}')
        if not timeout > 0:
            raise ValueError(f"timeout must be seconds, more than 0, not {timeout!r}")
        self.args, self.env = list(args), {"PATH": PATH, **(env or {})}
        self.path = None if path is None else absolute(path)
        self.type, self.asEvents, self.timeout = type, asEvents, timeout
        self.turnstile = turnstile or (STREAMS if asEvents else PROGRAMS)
        self._reactor = reactor

    def render_GET(self, request: Request) -> Outcome:
        """What it writes when there is nothing to read."""
        return self._answer(request)

    def render_HEAD(self, request: Request) -> Outcome:
        """The head alone: it is not run for that."""
        self._prepare(request)
        return iter(())

    def render_POST(self, request: Request) -> Outcome:
        """What it makes of the body."""
        return self._answer(request)

    async def _answer(self, request: Request) -> AsyncIterator[bytes]:
        timeout = inf if self.asEvents else self.timeout
        program = _Strict(request, self.turnstile, timeout)
        await program.start(self._reactor, self.args, self.env, self.path)
        if self.asEvents:
            request.notifyShutdown().addCallback(lambda _: program.stop())
            self._prepare(request)
            request.write(b"")
            return _events(program)
        with suppress(StopAsyncIteration):
            program.put_back(await anext(program))  # or it fails, while an error can be told
        self._prepare(request)
        return program

    def _prepare(self, request: Request) -> None:
        if self.asEvents:
            request.setHeader(b"Content-Type", b"text/event-stream")
            request.setHeader(b"Cache-Control", b"no-store")
            request.setHeader(b"X-Accel-Buffering", b"no")  # nginx would keep them for a while
        else:
            request.setHeader(b"Content-Type", self.type)
            request.setHeader(b"X-Content-Type-Options", b"nosniff")


class _Strict(Program):
    is_strict = True


async def _events(program: Program) -> AsyncIterator[bytes]:
    rest = b""
    while True:
        if not await program.has_more(BREATH):
            yield b":\n\n"
            continue
        piece = await anext(program, None)
        if piece is None:
            break
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > LONGEST_LINE:
            program.stop()
            raise ProgramError(502, f"{program.name}: a line is longer than {LONGEST_LINE} bytes")
        if lines:
            yield b"".join(map(_event, lines))
    if rest:
        yield _event(rest)


def _event(line: bytes) -> bytes:
    """One event. A CR in the line would end it there, and what follows would be a field."""
    text = line.removesuffix(b"\r").decode(errors="replace").encode()
    return b"".join(b"data: %b\n" % part for part in text.split(b"\r")) + b"\n"
