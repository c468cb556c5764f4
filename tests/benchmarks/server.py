"""The servers that are measured, and one of them at work in processes of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.benchmarks.case import Case
from tests.benchmarks.files import NoCertificate, certificate, folder
from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HOST

__all__ = ["PACKAGES", "SERVERS", "Running", "Server", "ServerFailed"]

ROOT = Path(__file__).parents[2]

# Where programs are looked for: Debian keeps servers out of the path of ordinary users.
PROGRAMS = os.environ.get("PATH", os.defpath) + ":/usr/sbin"

# Seconds. The slowest to start takes one here; a loaded machine may need many times that.
START_DEADLINE = 20.0
STOP_DEADLINE = 5.0

# Seconds. How long a server takes to start is measured, too: see footprint.py.
LOOK_AGAIN = 0.001

# The last lines of what a failed server wrote are enough: the error stands at the end.
STDERR_LINES = 25


class ServerFailed(Exception):
    """A server did not start or did not last; the message holds what it wrote."""


@dataclass(frozen=True)
class Server:
    """A row: the program `servers/NAME.py` and what it needs.

    *needs* is a module, or a program when *install* is a Debian package; *cannot* names
    cases that it has no way to answer; a *constant* server gives one answer to every GET.
    *echo* and *files* are the titles of its programs in the folders of these names, empty where
    there is none. *arguments* are what a program is told after its port.
    """

    name: str
    title: str
    needs: str
    install: str
    cannot: frozenset[str] = frozenset()
    constant: bool = False
    echo: str = ""
    files: str = ""
    arguments: tuple[str, ...] = ()

    @property
    def is_program(self) -> bool:
        """Whether what it needs is a program, and not a module of Python."""
        return self.install.startswith("apt-get")

    def missing(self) -> str | None:
        """How to install what this server needs, when it is not there."""
        if self._is_here():
            return None
        return f"{self.name}: {self.needs} is not installed: {self.install}"

    def _is_here(self) -> bool:
        if self.is_program:
            return shutil.which(self.needs, path=PROGRAMS) is not None
        return find_spec(self.needs) is not None

    def can(self, case: Case) -> bool:
        """Whether there is a way to answer the case."""
        return case.name not in self.cannot and bool(self.title_in(case))

    def title_in(self, case: Case) -> str:
        """What its program is, in that case."""
        return {"": self.title, "echo.": self.echo}.get(_package(case.kind), self.files)

    def expected(self, case: Case) -> Case:
        """The case with the answer that this server gives when it is right."""
        if self.constant and not _package(case.kind) and case.method == "GET":
            return replace(case, status=200, answer=HELLO, type=CONTENT_TYPE)
        return case


# They keep none: it is for a library beside them, or for their users.
NO_SESSION = frozenset({"session"})

SERVERS = (
    Server("bare", "bare uvloop + httptools", "uvloop", "pip install uvloop", constant=True,
           echo="bare asyncio.Protocol on uvloop"),
    Server("nginx", "nginx `return 200`", "nginx", "apt-get install nginx",
           cannot=frozenset({"async", "deferred", "json", "template", "session", "form"}),
           files="nginx with sendfile"),
    Server("weblayer", "weblayer", "weblayer", "pip install -e .", echo="weblayer Protocol",
           files="weblayer File"),
    Server("granian_rsgi", "granian RSGI", "granian", "pip install granian", cannot=NO_SESSION),
    Server("granian_asgi", "granian ASGI", "granian", "pip install granian", cannot=NO_SESSION),
    Server("uvicorn", "raw ASGI on uvicorn", "uvicorn", "pip install uvicorn", cannot=NO_SESSION),
    Server("blacksheep", "blacksheep on uvicorn", "blacksheep", "pip install blacksheep uvicorn",
           files="blacksheep serve_files"),
    Server("starlette", "Starlette on uvicorn", "starlette", "pip install starlette uvicorn",
           files="Starlette StaticFiles"),
    Server("sanic", "Sanic", "sanic", "pip install sanic", cannot=NO_SESSION,
           files="Sanic static"),
    Server("aiohttp", "aiohttp", "aiohttp", "pip install aiohttp", cannot=NO_SESSION,
           files="aiohttp add_static"),
    Server("tornado", "Tornado", "tornado", "pip install tornado", cannot=NO_SESSION,
           files="Tornado StaticFileHandler"),
    Server("twisted", "Twisted Web", "twisted", "pip install twisted", echo="Twisted's reactor",
           files="Twisted Web File"),
)  # fmt: skip

# Those that the figures depend on.
PACKAGES = (
    "uvloop", "httptools", "weblayer", "granian", "uvicorn", "blacksheep", "starlette", "sanic",
    "aiohttp", "tornado", "twisted", "jinja2",
)  # fmt: skip


class Running:
    """A server at work on *core*, from `with Running(server, core) as running:` to its end.

    *kind* is that of the cases it is to answer.

    It is a session of its own, whose id is `session`, and listens on `port`. It keeps what
    it writes, and its temporary files, in a folder that goes when it goes.
    """

    def __init__(self, server: Server, core: int, kind: str = "http") -> None:
        self.server = server
        self._module = _package(kind) + server.name
        self.port = _free_port()
        self._folder = tempfile.TemporaryDirectory(prefix=f"bench-{server.name}-")
        self._told = _told(kind, self._folder.name)
        self._output = Path(self._folder.name) / "output"
        self._process = self._spawn(core)

    @property
    def session(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        try:
            self._wait_until_listening()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def ensure_alive(self) -> None:
        """Raise ServerFailed when the server has ended."""
        if (code := self._process.poll()) is not None:
            raise ServerFailed(f"{self.server.name} ended with {code}:\n{self._last_words()}")

    def _spawn(self, core: int) -> subprocess.Popen[bytes]:
        with self._output.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", f"tests.benchmarks.servers.{self._module}",
                 str(self.port), *self.server.arguments],
                cwd=ROOT,
                env=os.environ | {"PATH": PROGRAMS, "TMPDIR": self._folder.name} | self._told,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )  # fmt: skip

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + START_DEADLINE
        while not _is_listening(self.port):
            self.ensure_alive()
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"{self.server.name} does not listen after {START_DEADLINE:.0f} seconds:\n"
                    + self._last_words()
                )
            time.sleep(LOOK_AGAIN)

    def _last_words(self) -> str:
        lines = self._output.read_text(errors="replace").splitlines()
        return "\n".join(lines[-STDERR_LINES:])

    def _stop(self) -> None:
        """End the first process kindly, then all that is left of its group."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_DEADLINE)
        with suppress(ProcessLookupError):  # They have all ended by themselves.
            os.killpg(self.session, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()


def _package(kind: str) -> str:
    """Where in `servers` the programs for cases of that kind are, with its dot."""
    return {"echo": "echo.", "files": "files.", "tls": "files."}.get(kind, "")


def _told(kind: str, own: str) -> dict[str, str]:
    """What a server is told in its environment; *own* is its folder. Raises ServerFailed."""
    if kind == "log":
        return {"BENCHMARK_LOG": os.path.join(own, "access.log")}
    if kind not in ("files", "tls"):
        return {}
    told = {"BENCHMARK_FILES": folder()}
    try:
        return told | ({"BENCHMARK_CERTIFICATE": certificate()} if kind == "tls" else {})
    except NoCertificate as error:
        raise ServerFailed(str(error)) from error


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _is_listening(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
