"""Serving a tree from the command line: listen, say where, log to the terminal, stop politely."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, TypeVar

import click

from weblayer.commands.endpoints import Place
from weblayer.commands.errors import CommandError
from weblayer.commands.folder import Folder
from weblayer.loop.error import CannotListenError
from weblayer.loop.protocol import IListeningPort
from weblayer.loop.reactor import Reactor, theReactor
from weblayer.web.accesslog import LogFormatter
from weblayer.web.site import Site

__all__ = ["greet", "heed_hangup", "listen", "serve", "told", "with_loop"]

R = TypeVar("R", bound=Reactor)


def serve(
    folder: Folder,
    places: Sequence[Place],
    *,
    log: Path | TextIO | None,
    formatter: LogFormatter,
) -> None:
    """Serve *folder* until SIGINT or SIGTERM. Raises CommandError.

    SIGHUP opens a *log* that is a path anew.
    """
    site = Site(folder.site(), logPath=log, logFormatter=formatter)
    reactor = with_loop(theReactor())
    opened = listen(reactor, site, places)
    # Once it runs, so that who has read where we are can already stop us politely.
    reactor.callWhenRunning(greet, folder.path, places, opened)
    heed_hangup(reactor, site, log)
    reactor.run()
    click.echo("\nStopped. Goodbye!")


def with_loop(reactor: R) -> R:
    """*reactor* with its loop made."""
    try:
        _ = reactor.loop
    except (ValueError, ImportError) as error:  # WEBLAYER_LOOP names none that is there
        raise CommandError(str(error)) from error
    return reactor


def listen(reactor: Reactor, site: Site, places: Sequence[Place]) -> list[Sequence[IListeningPort]]:
    """Listen everywhere or nowhere; gives the ports of each place."""
    opened: list[Sequence[IListeningPort]] = []
    try:
        for place in places:
            opened.append(place.listen(reactor, site))
    except (CannotListenError, ValueError, OSError) as error:
        for ports in opened:
            for port in ports:
                port.stopListening()
        raise CommandError(told(error)) from error
    return opened


def told(error: Exception) -> str:
    """What a person is told of an *error* in listening."""
    if isinstance(error, OSError):  # of the log, which is opened when the site listens
        name = click.format_filename(error.filename)
        return f"cannot write {name!r}: {error.strerror}. Give another --log."
    return str(error)


def heed_hangup(reactor: Reactor, site: Site, log: Path | TextIO | None) -> None:
    """Have SIGHUP open a *log* that is a path anew."""
    if isinstance(log, Path) and hasattr(signal, "SIGHUP"):  # Windows has none
        reactor.callWhenRunning(_on_hangup, reactor, site)


def greet(
    folder: Path, places: Sequence[Place], opened: Sequence[Sequence[IListeningPort]]
) -> None:
    """Tell what is served, where, and how it is stopped."""
    click.echo(f"Serving {click.format_filename(folder.resolve())} at")
    for place, ports in zip(places, opened, strict=True):
        click.echo(f"  {place.name(ports[0].getHost())}")
    click.echo("Press Ctrl-C to stop.\n")


def _on_hangup(reactor: Reactor, site: Site) -> None:
    reactor.loop.add_signal_handler(signal.SIGHUP, site.reopenLog)
