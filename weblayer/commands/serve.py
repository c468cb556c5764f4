"""Serving a tree from the command line: listen, say where, log to the terminal, stop politely."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click

from weblayer.commands.endpoints import Place
from weblayer.commands.errors import CommandError
from weblayer.loop.error import CannotListenError
from weblayer.loop.protocol import IListeningPort
from weblayer.loop.reactor import Reactor, theReactor
from weblayer.web.accesslog import LogFormatter
from weblayer.web.site import Site
from weblayer.web.static import File

__all__ = ["serve"]


def serve(
    folder: Path,
    places: Sequence[Place],
    *,
    index: Sequence[str],
    listing: bool,
    log: Path | TextIO | None,
    formatter: LogFormatter,
) -> None:
    """Serve *folder* until SIGINT or SIGTERM. Raises CommandError.

    *index* holds the names that answer for a folder, none for the usual ones. SIGHUP opens a *log*
    that is a path anew.
    """
    _check(folder)
    root = File(folder, listing=listing)
    if index:
        root.indexNames = list(index)
    site = Site(root, logPath=log, logFormatter=formatter)
    reactor = _reactor()
    names = _listen(reactor, site, places)
    # Once it runs, so that who has read where we are can already stop us politely.
    reactor.callWhenRunning(_greet, folder, names)
    if isinstance(log, Path) and hasattr(signal, "SIGHUP"):  # Windows has none
        reactor.callWhenRunning(_heed_hangup, reactor, site)
    reactor.run()
    click.echo("\nStopped. Goodbye!")


def _check(folder: Path) -> None:
    """Read the folder once: what is wrong with it is better told now than in every answer."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        name = click.format_filename(folder)
        advice = _ADVICE.get(type(error), "Give another --path.")
        raise CommandError(f"cannot serve {name!r}: {error.strerror}. {advice}") from error


_ADVICE: dict[type[OSError], str] = {
    FileNotFoundError: "Give --path a folder that exists.",
    NotADirectoryError: "Give --path the folder that it is in.",
    PermissionError: "Give --path a folder that you may read.",
}


def _reactor() -> Reactor:
    """The reactor that programs share, with its loop made."""
    reactor = theReactor()
    try:
        _ = reactor.loop
    except (ValueError, ImportError) as error:  # WEBLAYER_LOOP names none that is there
        raise CommandError(str(error)) from error
    return reactor


def _listen(reactor: Reactor, site: Site, places: Sequence[Place]) -> list[str]:
    """Listen everywhere or nowhere; gives what to tell the person."""
    opened: list[IListeningPort] = []
    names = []
    try:
        for place in places:
            ports = place.listen(reactor, site)
            opened += ports
            names.append(place.name(ports[0].getHost()))
    except (CannotListenError, ValueError, OSError) as error:
        for port in opened:
            port.stopListening()
        raise CommandError(_told(error)) from error
    return names


def _told(error: Exception) -> str:
    if isinstance(error, OSError):  # of the log, which is opened when the site listens
        name = click.format_filename(error.filename)
        return f"cannot write {name!r}: {error.strerror}. Give another --log."
    return str(error)


def _heed_hangup(reactor: Reactor, site: Site) -> None:
    reactor.loop.add_signal_handler(signal.SIGHUP, site.reopenLog)


def _greet(folder: Path, names: Sequence[str]) -> None:
    click.echo(f"Serving {click.format_filename(folder.resolve())} at")
    for name in names:
        click.echo(f"  {name}")
    click.echo("Press Ctrl-C to stop.\n")
