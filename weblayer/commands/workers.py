"""`weblayer web --workers`: several processes serve one port, and one keeps them at it."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import click

from weblayer.commands.endpoints import Place
from weblayer.commands.errors import CommandError
from weblayer.commands.folder import Folder
from weblayer.commands.serve import greet, heed_hangup, listen, told, with_loop
from weblayer.loop.holding import HeldPort, HoldingReactor
from weblayer.loop.lifeline import Inheritance, serve_until_released
from weblayer.loop.reactor import theReactor
from weblayer.loop.supervisor import Supervisor
from weblayer.loop.worker import Worker
from weblayer.web.accesslog import LogFormatter
from weblayer.web.site import Site

__all__ = ["supervise", "work"]


def work(
    folder: Folder,
    places: Sequence[Place],
    given: Inheritance,
    *,
    log: Path | TextIO | None,
    formatter: LogFormatter,
) -> None:
    """Serve *folder* on the sockets that we were *given*, until let go. Raises CommandError."""
    site = Site(folder.site(), logPath=log, logFormatter=formatter)
    reactor = with_loop(theReactor())
    for place, fds in zip(places, given.places, strict=True):
        try:
            place.adopt(reactor, fds, site)
        except OSError as error:
            raise CommandError(told(error)) from error
        for fd in fds:
            os.close(fd)  # a copy is listened on, and is to be the last that closes
    reactor.callWhenRunning(serve_until_released, reactor, given.lifeline)
    heed_hangup(reactor, site, log)
    reactor.run()


def supervise(
    folder: Folder,
    places: Sequence[Place],
    reactor: HoldingReactor,
    count: int,
    *,
    log: Path | TextIO | None,
) -> None:
    """Have *count* workers serve *folder* until SIGINT or SIGTERM. Raises CommandError.

    SIGHUP has new ones take over. A worker is the command line that we were started with.
    """
    site = Site(folder.site())  # which tells what is wrong once, and not from each worker
    _try_log(log)
    opened = listen(with_loop(reactor), site, places)
    crew = _Crew(reactor, opened, count)
    reactor.callWhenRunning(greet, folder.path, places, opened)
    reactor.callWhenRunning(crew.begin)
    reactor.addSystemEventTrigger("before", "shutdown", crew.end)
    reactor.run()
    if crew.fault:
        raise CommandError(crew.fault)
    click.echo("\nStopped. Goodbye!")


class _Crew:
    """A supervisor, its workers' sockets, and what signals mean to it."""

    def __init__(
        self, reactor: HoldingReactor, opened: Sequence[Sequence[object]], count: int
    ) -> None:
        self.fault = ""
        self._reactor = reactor
        self._places = [[port for port in ports if isinstance(port, HeldPort)] for ports in opened]
        self._supervisor = Supervisor(reactor, count, self._start, _tell, self._give_up)
        self._has_terminal = os.isatty(0)

    def begin(self) -> None:
        self._reactor.loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        self._supervisor.begin()

    async def end(self) -> None:
        for ports in self._places:
            for port in ports:
                port.stopListening()  # first: what nobody will answer is refused
        await self._supervisor.end()

    def _start(self, supervisor: Supervisor, place: int) -> Worker:
        command = [sys.executable, *sys.orig_argv[1:]]
        sockets = [[port.sockets[place] for port in ports] for ports in self._places]
        served, ended = supervisor.served, supervisor.ended
        return Worker(self._reactor, place, command, sockets, served, ended)

    def _hung_up(self) -> None:
        if self._has_terminal and not os.isatty(0):  # it was closed, and did not mean a reload
            self._give_up("")
        else:
            self._supervisor.reload()

    def _give_up(self, reason: str) -> None:
        if self._reactor.running:  # else another has
            self.fault = reason
            self._reactor.stop()


def _try_log(log: Path | TextIO | None) -> None:
    if isinstance(log, Path):
        try:
            log.open("a").close()
        except OSError as error:
            raise CommandError(told(error)) from error


def _tell(line: str) -> None:
    with suppress(OSError):  # who read it has left, which is no reason to end
        click.echo(line)
