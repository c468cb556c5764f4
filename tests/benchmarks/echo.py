"""The load of the echo case: on each connection one message is on its way, there or back.

    python -m tests.benchmarks.echo PORT SECONDS

It was seen to keep the bare server busy, with little to spare. A server that is cheaper than that
would wait for it: woken for fewer messages at a time, it would pay more for each. A message that
comes back in pieces counts as broken: 64 bytes that are written at once arrive at once.
"""

import os
import select
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

from tests.benchmarks.case import CONNECTIONS, MESSAGE
from tests.benchmarks.servers import HOST

__all__ = ["Tally", "drive"]


class Tally(NamedTuple):
    """*latencies* of the messages that came back, and the time it took, in microseconds."""

    latencies: list[float]
    microseconds: float
    broken: int

    def __str__(self) -> str:
        """The line that wrk is told to write, too."""
        ordered = sorted(self.latencies)
        p50, p99 = (ordered[len(ordered) * part // 100] if ordered else 0 for part in (50, 99))
        return (
            f"report requests={len(ordered)} microseconds={self.microseconds:.0f} p50={p50:.0f} "
            f"p99={p99:.0f} refused=0 broken={self.broken}"
        )


def drive(connections: Sequence[socket.socket], seconds: float) -> Tally:
    """Send each connection a message, and another when that has come back, for *seconds*."""
    with select.epoll() as poll:
        for connection in connections:
            poll.register(connection, select.EPOLLIN)
            connection.sendall(MESSAGE)
        start = time.perf_counter()
        sent = {connection.fileno(): start for connection in connections}
        latencies = _exchange(poll, sent, start + seconds)
        return Tally(
            latencies=latencies,
            microseconds=(time.perf_counter() - start) * 1e6,
            broken=len(connections) - len(sent),
        )


def _exchange(poll: select.epoll, sent: dict[int, float], end: float) -> list[float]:
    """The latencies; *sent* has the time of each connection's message, and loses the broken."""
    latencies: list[float] = []
    now = 0.0
    while sent and now < end:
        for descriptor, _ in poll.poll(1):
            now = time.perf_counter()
            if _sent_again(descriptor):
                latencies.append((now - sent[descriptor]) * 1e6)
                sent[descriptor] = now
            else:
                poll.unregister(descriptor)
                del sent[descriptor]
        now = time.perf_counter()
    return latencies


def _sent_again(descriptor: int) -> bool:
    """Whether the message has come back, and could be sent once more."""
    try:
        # No socket's methods: what these cost is taken from the load.
        if os.read(descriptor, 2 * len(MESSAGE)) != MESSAGE:
            return False
        os.write(descriptor, MESSAGE)
    except ConnectionError:
        return False
    return True


def main() -> None:
    """Be the program: connect, drive, and write the report."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    with ExitStack() as stack:
        dial = partial(socket.create_connection, (HOST, port))
        print(drive([stack.enter_context(dial()) for _ in range(CONNECTIONS)], seconds))


if __name__ == "__main__":
    main()
