"""CGI: programs that answer requests, one run for each.

    root.putChild("cgi-bin", CGIDirectory("/usr/lib/cgi-bin"))

Source: RFC 3875.
"""

import os
from collections.abc import Mapping, Sequence
from stat import S_ISDIR, S_ISREG
from typing import Any, TypedDict, Unpack

from weblayer.loop.reactor import Reactor
from weblayer.web.detour import render_at
from weblayer.web.environ import cgi_environment
from weblayer.web.errors import Forbidden, NotFound
from weblayer.web.intake import Spool
from weblayer.web.paths import Root, absolute, is_served, refusal
from weblayer.web.policy import Policy
from weblayer.web.program import PROGRAMS, TIMEOUT, Program, ProgramError
from weblayer.web.request import Request
from weblayer.web.resource import IResource, Outcome, Resource
from weblayer.web.turnstile import Turnstile
from weblayer.wire.cgihead import CGIHead, parse_cgi_head, split_cgi_head
from weblayer.wire.errors import BadMessage
from weblayer.wire.framing import CHUNKED

__all__ = ["CGIDirectory", "CGIProcessProtocol", "CGIScript", "FilteredScript"]

# Seconds that a head waits for the first of its body, to go out with it: shells write them apart.
ALONE = 0.05

# Neither has a body (RFC 9110, 15.3.5 and 15.4.5).
_BODILESS = frozenset({204, 304})


class CGIProcessProtocol(Program):
    """A CGI program at work for a request: its head, and then, iterated over, its body."""

    async def head(self) -> CGIHead:
        """The head, once it has come. Raises ProgramError (502) for what is none."""
        try:
            return await self._head()
        except BadMessage as fault:
            self.stop()
            raise ProgramError(502, f"{self.name}: {fault}") from fault

    async def _head(self) -> CGIHead:
        data = b""
        async for piece in self:
            data += piece
            if (found := split_cgi_head(data)) is not None:
                self.put_back(found[1])
                return parse_cgi_head(found[0])
        raise BadMessage(502, "no blank line ends the head", data)


class Settings(TypedDict, total=False):
    """What may be set of a script, and of all those in a directory; see `CGIScript`."""

    env: Mapping[str, str] | None
    documentRoot: str | os.PathLike[str] | None
    timeout: float
    passAuthorization: bool
    turnstile: Turnstile


class CGIScript(Resource):
    """The CGI program *filename*, which answers whatever is asked for here and below.

    It is run once for each request, in its own folder, with the variables of RFC 3875, a PATH,
    and those of *env* (which come last), never with the server's own. *documentRoot* is the folder
    that PATH_TRANSLATED leads into. It may be silent for *timeout* seconds: then it is a 504, or a
    broken answer. *passAuthorization* tells it of passwords, which otherwise are the server's
    business. *turnstile* bounds how many run at once; by default 32 of the whole server, and the
    next 256 requests wait.

    Bodies are streamed to it and from it. How long they may be is the policy's maxBody; one that
    does not say its length is kept first, since the program must be told.
    *registry* is not used: `File.processors` gives it.
    """

    isLeaf = True
    policy: Policy | None = Policy(takesBody="stream", cancelWhenLost=True)

    def __init__(
        self,
        filename: str | os.PathLike[str],
        registry: object = None,
        reactor: Reactor | None = None,
        *,
        env: Mapping[str, str] | None = None,
        documentRoot: str | os.PathLike[str] | None = None,
        timeout: float = TIMEOUT,
        passAuthorization: bool = False,
        turnstile: Turnstile = PROGRAMS,
    ) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout must be seconds, more than 0, not {timeout!r}")
        self.filename = absolute(filename)
        self.env, self.timeout = dict(env or {}), timeout
        self.documentRoot = None if documentRoot is None else absolute(documentRoot)
        self.passAuthorization, self.turnstile = passAuthorization, turnstile
        self._reactor = reactor

    def render(self, request: Request) -> Outcome:
        """Run the program, whatever the method: what it takes is its own to say."""
        return self._answer(request)

    def getEnvironment(self, request: Request) -> dict[str, str]:
        """The variables for one request; override it to tell more, as REMOTE_USER.

        Raises NotFound for a path that a program had better not be told.
        """
        env = cgi_environment(request, passes_authorization=self.passAuthorization)
        env["SCRIPT_FILENAME"] = self.filename
        if self.documentRoot is not None:
            env["DOCUMENT_ROOT"] = self.documentRoot
            if info := env["PATH_INFO"]:
                env["PATH_TRANSLATED"] = self.documentRoot + info
        return {**env, **self.env}

    # Any: what the resource gives that a local redirect leads to.
    async def runProcess(
        self, env: Mapping[str, str], request: Request, qargs: Sequence[str] = ()
    ) -> Any:
        """Run the program with exactly *env*, and *qargs* behind its name; gives what it answers.

        Raises ProgramError for an answer that is none.
        """
        program = CGIProcessProtocol(request, self.turnstile, self.timeout)
        args = [*self._command(), *qargs]
        await program.start(self._reactor, args, env, os.path.dirname(self.filename))
        head = await program.head()
        if head.local is not None:
            program.stop()
            return await render_at(request, head.local)
        request.setResponseCode(head.code, head.phrase)
        for name, value in head.fields:
            request.responseHeaders.addRawHeader(name, value)
        if head.code not in _BODILESS and not request.hasResponseHeader(b"content-type"):
            request.setHeader(b"Content-Type", b"text/plain")  # never a guess of HTML
        if not await program.has_more(ALONE):
            request.write(b"")  # a stream that has yet to begin: the client may know of it
        return program

    # Any: as runProcess.
    async def _answer(self, request: Request) -> Any:
        self._check()
        await _keep_unmeasured(request)
        # No words of the query behind the name, as 4.4 has it for one without "=": what programs
        # take for options came in that way (CVE-2012-1823).
        return await self.runProcess(self.getEnvironment(request), request)

    def _command(self) -> list[str]:
        return [self.filename]

    def _check(self) -> None:
        """Raises NotFound, Forbidden."""
        self._find()
        if not os.access(self.filename, os.X_OK):
            raise Forbidden

    def _find(self) -> None:
        try:
            facts = os.stat(self.filename)
        except (OSError, ValueError) as error:
            raise refusal(error) from error
        if not S_ISREG(facts.st_mode):
            raise NotFound


class FilteredScript(CGIScript):
    """A script that a program reads: Perl, PHP, Python; subclass it and name that program.

        class PHP(FilteredScript):
            filter = "/usr/bin/php-cgi"

        site.processors[".php"] = PHP

    *filter* is a path, or a name that is looked up in the PATH of `env`. The script itself need not
    be executable.
    """

    filter = "cat"

    def getEnvironment(self, request: Request) -> dict[str, str]:
        """As of CGIScript, and REDIRECT_STATUS, without which php-cgi runs nothing."""
        return {"REDIRECT_STATUS": "200", **super().getEnvironment(request)}

    def _command(self) -> list[str]:
        return [self.filter, self.filename]

    def _check(self) -> None:
        self._find()


class CGIDirectory(Resource):
    """A folder of CGI programs, and of folders of them; its contents are never listed or shown.

    *settings* are those of CGIScript, and hold for each. Hidden files are not there, nor is what a
    symlink finds outside; what may not be executed is forbidden.
    """

    def __init__(self, pathname: str | os.PathLike[str], **settings: Unpack[Settings]) -> None:
        self.path = absolute(pathname)
        self._settings = settings
        self._root = Root(self.path)
        CGIScript(self.path, **settings)  # which raises now for what would be wrong then

    def getChild(self, name: str, request: Request) -> IResource:
        """The program, or the folder, of that name. Raises NotFound, Forbidden."""
        if not is_served(name):
            raise NotFound
        path = f"{self.path}/{name}"
        if S_ISDIR(self._root.find(path).st_mode):
            below = CGIDirectory(path, **self._settings)
            below._root = self._root
            return below
        return CGIScript(path, **self._settings)


async def _keep_unmeasured(request: Request) -> None:
    """Keep a body whose length is not known until it is: CONTENT_LENGTH must tell it (4.1.2)."""
    if request._head.facts.length != CHUNKED or request._body is not None:
        return
    spool = Spool(request.policy.maxBody or 0)
    request.notifyFinish().addBoth(lambda _: spool.file.close())
    async for piece in request.stream():
        spool.received(piece)
    spool.complete()
    request._coming = None
    request._arrived(spool.file, None)
