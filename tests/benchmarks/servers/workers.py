"""`weblayer web --workers N` on all cores: `python -m tests.benchmarks.servers.workers PORT N`.

/a.hello answers at once, /a.busy after about a millisecond of work.
"""

import os
import sys
from pathlib import Path
from tempfile import mkdtemp

from tests.benchmarks.servers import HELLO, own_port
from weblayer import Request, Resource
from weblayer.web.registry import Registry

__all__ = ["Busy", "Hello"]

# Additions, which take about a millisecond (Python 3.11, 3 GHz).
WORK = 70_000


class Hello(Resource):
    def __init__(self, path: str, registry: Registry) -> None:
        """A page for the file at *path*."""

    def render_GET(self, request: Request) -> bytes:
        return HELLO


class Busy(Hello):
    def render_GET(self, request: Request) -> bytes:
        for _ in range(WORK):
            pass
        return HELLO


if __name__ == "__main__":
    # The harness gives a server one core, and removes its folder for temporary files.
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    folder = mkdtemp()
    for name in ("hello", "busy"):
        Path(folder, f"a.{name}").touch()
    processors = [f"--processor=.{kind.__name__.lower()}={__spec__.name}.{kind.__name__}"
                  for kind in (Hello, Busy)]  # fmt: skip
    program = [sys.executable, "-m", "weblayer", "web", "--quiet", "--path", folder]
    os.execv(
        program[0],
        [*program, "--port", str(own_port()), "--workers", sys.argv[2], *processors],
    )
