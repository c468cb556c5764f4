"""A worker, as its supervisor sees it: a process, and the other end of its lifeline."""

import os
import signal
import socket
from collections.abc import Callable, Sequence
from subprocess import Popen, TimeoutExpired

from weblayer.loop.lifeline import VARIABLE, Inheritance
from weblayer.loop.reactor import Reactor
from weblayer.loop.reap import watch_exit
from weblayer.loop.spawn import Order, Wiring, start

__all__ = ["Worker"]

# Seconds in which a worker that is dropped ends what it has started.
DROPPING = 1.0


class Worker:
    """A process that runs *command* and serves on the *sockets* of each place.

    *place* says for whom it stands, *served* is called once it serves, and *ended* when it has
    exited, each with the worker. Its output is ours. Raises OSError.
    """

    def __init__(
        self, reactor: Reactor, place: int, command: Sequence[str],
        sockets: Sequence[Sequence[socket.socket]],
        served: Callable[["Worker"], object], ended: Callable[["Worker"], object],
    ) -> None:  # fmt: skip
        self.place = place
        self.since: float | None = None  # when it began to serve
        self._reactor, self._served, self._ended = reactor, served, ended
        self._line, theirs = socket.socketpair()
        places = [[sock.fileno() for sock in place] for place in sockets]
        with theirs:
            try:
                self._child = _started(command, Inheritance(theirs.fileno(), places))
            except BaseException:
                self._line.close()
                raise
        self.pid = self._child.pid
        reactor.loop.add_reader(self._line, self._heard)
        self._forget_exit = watch_exit(reactor.loop, self._child, self._exited)

    def release(self) -> None:
        """Have it finish: it accepts no more, and ends when its connections have."""
        self._hang_up()

    def drop(self) -> None:
        """Have it stop at once, if it has been released; `bury` waits for that."""
        self._child.terminate()

    def kill(self) -> None:
        """End it, whatever it is at; `ended` is called as for any that ends."""
        self._child.kill()

    def bury(self) -> None:
        """Wait for it to end, and kill it if it does not."""
        try:
            self._child.wait(DROPPING)
        except TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._forget_exit()
        self._hang_up()

    @property
    def end(self) -> str:
        """How it has ended, in words."""
        code = self._child.returncode
        return f"was ended by {_name(-code)}" if code < 0 else f"has exited with {code}"

    def _heard(self) -> None:
        """It serves, or has closed the line, and exits."""
        self._reactor.loop.remove_reader(self._line)
        if self._line.recv(1):
            self.since = self._reactor.seconds()
            self._served(self)

    def _exited(self) -> None:
        self._child.wait()
        self._forget_exit()
        self._hang_up()
        self._ended(self)

    def _hang_up(self) -> None:
        if self._line.fileno() >= 0:
            self._reactor.loop.remove_reader(self._line)
            self._line.close()


def _started(command: Sequence[str], given: Inheritance) -> Popen[bytes]:
    # In a session of its own, as all that we start: Ctrl-C is for us to hand on.
    wiring = Wiring({1: 1, 2: 2, **{fd: fd for fd in given.descriptors}})
    environ = {**os.environ, VARIABLE: str(given)}
    return start(Order(command[0], command, environ, None, None, None), wiring)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has none
        return f"signal {number}"
