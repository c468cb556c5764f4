"""What a worker is given: written into its environment, read there, and gone after that."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.lifeline import VARIABLE, Inheritance, inherited, serve_until_released
from weblayer.loop.loops import new_loop
from weblayer.loop.reactor import Reactor


@given(st.lists(st.integers(1, 3), max_size=4))
def test_what_is_given_is_what_is_inherited(counts):
    """However many places with however many sockets, and once only; no child of ours has them."""
    fds = [os.dup(0) for _ in range(1 + sum(counts))]
    try:
        rest = iter(fds[1:])
        given = Inheritance(fds[0], [[next(rest) for _ in range(count)] for count in counts])
        for fd in fds:
            os.set_inheritable(fd, True)
        environ = {VARIABLE: str(given), "HOME": "/"}
        assert inherited(environ) == given
        assert environ == {"HOME": "/"}
        assert not any(map(os.get_inheritable, fds))
        assert inherited(environ) is None
    finally:
        for fd in fds:
            os.close(fd)


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_a_worker_stops_when_its_supervisor_is_gone(kind):
    """It says that it serves, and is let go by the end of the line."""
    loop, said = new_loop(kind), []
    ours, theirs = socket.socketpair()

    def hang_up():
        loop.remove_reader(ours)
        said.append(ours.recv(9))
        ours.close()

    reactor = Reactor(loop)
    reactor.callWhenRunning(serve_until_released, reactor, theirs.fileno())
    loop.add_reader(ours, hang_up)
    reactor.run(installSignalHandlers=False)
    assert said == [b"\n"]
    theirs.close()
    loop.close()
