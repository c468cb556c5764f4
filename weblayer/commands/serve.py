"""Serving a tree from the command line: listen, say where, log to the terminal, stop politely."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from weblayer.commands.endpoints import Place
from weblayer.commands.errors import CommandError
from weblayer.loop.error import CannotListenError
from weblayer.loop.protocol import IListeningPort
from weblayer.loop.reactor import Reactor, theReactor
from weblayer.web.accesslog import shortLogFormatter
from weblayer.web.site import Site
from weblayer.web.static import File

__all__ = ["serve"]


def serve(
    folder: Path, places: Sequence[Place], *, index: Sequence[str], listing: bool, quiet: bool
) -> None:
    """Serve *folder* until SIGINT or SIGTERM. Raises CommandError.

    *index* holds the names that answer for a folder, none for the usual ones.
    """
    _check(folder)
    root = File(folder, listing=listing)
    if index:
        root.indexNames = list(index)
    site = Site(root, logPath=None if quiet else sys.stdout, logFormatter=shortLogFormatter)
    reactor = _reactor()
    names = _listen(reactor, site, places)
    # Once it runs, so that who has read where we are can already stop us politely.
    reactor.callWhenRunning(_greet, folder, names)
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
    except (CannotListenError, ValueError) as error:
        for port in opened:
            port.stopListening()
        raise CommandError(str(error)) from error
    return names


def _greet(folder: Path, names: Sequence[str]) -> None:
    click.echo(f"Serving {click.format_filename(folder.resolve())} at")
    for name in names:
        click.echo(f"  {name}")
    click.echo("Press Ctrl-C to stop.\n")
