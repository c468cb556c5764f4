"""Clients that have been answered once, keep their connection, and ask for nothing more."""

import resource
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tests.benchmarks.load import LoadFailed
from tests.benchmarks.servers import HELLO, HOST

__all__ = ["crowd", "ensure_kept", "room"]

REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()

# Seconds for one answer: a SYN may be lost, and is sent again after one and after three.
DEADLINE = 10.0

# Descriptors that a server or a load has beside its connections, with room.
OTHERS = 100


def room(most: int) -> int:
    """How many connections the system lets us have, and the servers that we start: up to *most*."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return most if hard == resource.RLIM_INFINITY else min(most, hard - OTHERS)


@contextmanager
def crowd(port: int, count: int) -> Iterator[Sequence[socket.socket]]:
    """Keep *count* connections until the block ends. Raises LoadFailed."""
    with ExitStack() as stack:
        connections = []
        try:
            for _ in range(count):
                connection = socket.create_connection((HOST, port), timeout=DEADLINE)
                connections.append(stack.enter_context(connection))
                _ask(connection)
        except OSError as error:
            raise LoadFailed(f"{len(connections)} of {count} connections: {error}") from error
        yield connections


def ensure_kept(connections: Sequence[socket.socket]) -> None:
    """Raise LoadFailed when the server has closed any, or sent more than its answer."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection, select.POLLIN)
    if lost := len(poll.poll(0)):
        raise LoadFailed(f"{lost} of {len(connections)} connections were not left idle")


def _ask(connection: socket.socket) -> None:
    """Send the request, and read all of the answer."""
    connection.sendall(REQUEST)
    answer = connection.recv(4096)
    while not answer.endswith(HELLO):
        if not (more := connection.recv(4096)):
            raise LoadFailed(f"closed after {answer!r}")
        answer += more
