"""Clients beside the load: some keep a connection and are silent, one asks what has been done."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.benchmarks.load import LoadFailed
from tests.benchmarks.servers import HOST

__all__ = ["crowd", "tally"]

REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()

DEADLINE = 10.0  # seconds for one answer: a SYN may be lost, and is sent again after one and three


def tally(port: int) -> list[float]:
    """What the server counts: requests, and seconds of CPU and on the clock. Raises LoadFailed."""
    connection = http.client.HTTPConnection(HOST, port, timeout=DEADLINE)
    try:
        connection.request("GET", "/tally")
        counted: list[float] = json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LoadFailed(f"no tally: {error!r}") from error
    finally:
        connection.close()
    return counted


@contextmanager
def crowd(port: int, count: int) -> Iterator[None]:
    """Keep *count* connections until the block ends, each answered once. Raises LoadFailed."""
    with ExitStack() as stack:
        try:
            for _ in range(count):
                connection = socket.create_connection((HOST, port), timeout=DEADLINE)
                _ask(stack.enter_context(connection))
        except OSError as error:
            raise LoadFailed(f"no {count:,} connections: {error}") from error
        yield


def _ask(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    if not connection.recv(4096).startswith(b"HTTP/1.1 200 "):
        raise LoadFailed("a connection that was to be idle was refused")
