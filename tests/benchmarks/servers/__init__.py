"""The servers under measurement: each is a program, `python -m tests.benchmarks.servers.NAME PORT`.

Those in `echo/` send back what they are sent, and those in `files/` send files. All others give
the same answers over HTTP:

* `HELLO` at the paths of `HELLO_PATHS`, from an `async def` where the server knows a difference,
  and at `/deferred` when a promise fires in a later turn of the loop;
* `PERSON` as JSON at `/json`, and the page of `page.py` at `/template`;
* at `/session` what `/enter` has put into the visitor's session, where there are sessions;
* at `/echo` the body of a POST; elsewhere a 404.

Each is set up as its own manual says is fast, and writes an access log only where `LOG` names one.
What they share is imported by all of them, and so imports little: what each imports is measured.
"""

import os
import sys

__all__ = ["CONTENT_TYPE", "HELLO", "HELLO_PATHS", "HOST", "LOG", "PERSON", "own_port"]

HELLO = b"Hello, world!\n"
HELLO_PATHS = ("/", "/one/two", "/async")
PERSON = {"id": 1815, "name": "Ada Lovelace", "languages": ["en", "fr"], "active": True}
CONTENT_TYPE = "text/html"
HOST = "127.0.0.1"
LOG = os.environ.get("BENCHMARK_LOG")  # a path in a folder that goes with the server


def own_port() -> int:
    """The port on the command line."""
    return int(sys.argv[1])
