"""granian with its own interface, RSGI, in one worker."""

import json
from typing import Any

from granian import Granian
from granian.constants import Interfaces, Loops

from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HELLO_PATHS, HOST, LOG, PERSON, own_port
from tests.benchmarks.servers.page import page
from tests.benchmarks.servers.promise import later

HEADERS = [("content-type", CONTENT_TYPE)]
JSON_HEADERS = [("content-type", "application/json")]


async def app(scope: Any, protocol: Any) -> None:
    """Answer by path."""
    if scope.path in HELLO_PATHS:
        protocol.response_bytes(200, HEADERS, HELLO)
    elif scope.path == "/deferred":
        protocol.response_bytes(200, HEADERS, await later())
    elif scope.path == "/json":
        protocol.response_str(200, JSON_HEADERS, json.dumps(PERSON))
    elif scope.path == "/template":
        protocol.response_str(200, HEADERS, page())
    elif scope.path == "/echo":
        protocol.response_bytes(200, HEADERS, await protocol())
    else:
        protocol.response_bytes(404, HEADERS, b"Not found\n")


def run(target: str, interface: Interfaces) -> None:
    """Serve the application named *target*, `module:name`, from one worker."""
    Granian(
        target,
        address=HOST,
        port=own_port(),
        interface=interface,
        workers=1,
        backpressure=16_384,  # connections, and not 1,024
        loop=Loops.uvloop,
        websockets=False,
        log_enabled=bool(LOG),
        log_access=bool(LOG),  # to standard output, which is a file here
    ).serve()


if __name__ == "__main__":
    run("tests.benchmarks.servers.granian_rsgi:app", Interfaces.RSGI)
