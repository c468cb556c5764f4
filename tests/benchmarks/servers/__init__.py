"""The servers under measurement: each is a program, `python -m tests.benchmarks.servers.NAME PORT`.

Those in `echo/` send back what they are sent. All others give the same answers over HTTP:
`HELLO` at `/`, `/one/two` and (from an `async def`, where the server knows a difference)
`/async`; at `/echo` the body of a POST; elsewhere a 404.
Each is set up as its own manual says is fast, without an access log.
"""

import sys

__all__ = ["CONTENT_TYPE", "HELLO", "HOST", "own_port"]

HELLO = b"Hello, world!\n"
CONTENT_TYPE = "text/html"
HOST = "127.0.0.1"


def own_port() -> int:
    """The port on the command line."""
    return int(sys.argv[1])
