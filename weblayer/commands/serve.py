"""Serving a tree from the command line: listen, say where, log to the terminal, stop politely."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click

from weblayer.commands.endpoints import Place
from weblayer.commands.errors import CommandError
from weblayer.commands.folder import Folder
from weblayer.loop.error import CannotListenError
from weblayer.loop.protocol import IListeningPort
from weblayer.loop.reactor import Reactor, theReactor
from weblayer.web.accesslog import LogFormatter
from weblayer.web.site import Site

__all__ = ["serve"]


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
    reactor = _reactor()
    names = _listen(reactor, site, places)
    # Once it runs, so that who has read where we are can already stop us politely.
    reactor.callWhenRunning(_greet, folder.path, names)
    if isinstance(log, Path) and hasattr(signal, "SIGHUP"):  # Windows has none
        reactor.callWhenRunning(_heed_hangup, reactor, site)
    reactor.run()
    click.echo("\nStopped. Goodbye!")


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
