"""What a supervisor and its workers know of each other: an inheritance, and a line between them.

A worker is the same program, started again, which is given sockets that listen already, and one
end of a pair of sockets, its lifeline. By one byte on that it says that it serves; when it ends,
the worker is to finish. So a supervisor that is killed leaves no orphan, and to be told twice is
as to be told once: Ctrl-C and systemd send their signal to all processes of a program, and a
second one would tell a worker to stop at once.
"""

import os
from collections.abc import Iterable, MutableMapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from weblayer.loop.reactor import Reactor

__all__ = ["VARIABLE", "Inheritance", "inherited", "serve_until_released"]

# By which a program knows that it is a worker.
VARIABLE = "WEBLAYER_WORKER"


class Inheritance(NamedTuple):
    """The descriptors of a worker: its *lifeline*, and the sockets of each of its *places*."""

    lifeline: int
    places: Sequence[Sequence[int]]

    def __str__(self) -> str:
        """As the variable has it: `7 5,6 8` has two sockets in the first place."""
        return " ".join([str(self.lifeline), *(_joined(place) for place in self.places)])

    @property
    def descriptors(self) -> list[int]:
        """All of them."""
        return [self.lifeline, *(fd for place in self.places for fd in place)]


def inherited(environ: MutableMapping[str, str] = os.environ) -> Inheritance | None:
    """What this process was given if it is a worker, else None.

    It is taken out of *environ*, and out of reach of the programs that we start: they are none.
    """
    lifeline, *places = environ.pop(VARIABLE, "").split(" ")
    if not lifeline:
        return None
    found = Inheritance(int(lifeline), [[*map(int, place.split(","))] for place in places])
    for fd in found.descriptors:
        os.set_inheritable(fd, False)
    return found


def serve_until_released(reactor: Reactor, lifeline: int) -> None:
    """Tell that we serve, and stop *reactor* when the supervisor lets us go, or is gone."""

    def released() -> None:
        reactor.loop.remove_reader(lifeline)
        if reactor.running:  # else a signal came before
            reactor.stop()

    reactor.loop.add_reader(lifeline, released)
    with suppress(BrokenPipeError):  # let go already, as `released` will hear
        os.write(lifeline, b"\n")


def _joined(place: Iterable[int]) -> str:
    return ",".join(map(str, place))
