"""`weblayer web`: a folder as a site."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from weblayer.commands.endpoints import Place
    from weblayer.web.accesslog import LogFormatter

__all__ = ["web"]

# Where nothing is said: the port that the field's own program takes.
PORT = 8080


@click.command(epilog="For instance: weblayer web --path public --port 8000")
@click.option(
    "--path",
    type=click.Path(path_type=Path),
    default=".",
    metavar="FOLDER",
    help="The folder to serve; without it, the one you are in.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="NUMBER",
    help=f"Serve this machine alone, on this port; without it, {PORT}. 0 finds a free one.",
)
@click.option(
    "--listen",
    multiple=True,
    metavar="WHERE",
    help="Serve elsewhere, instead: tcp:8080 is the whole network, tcp:8080:interface=127.0.0.1"
    " one address, unix:/run/web.sock a UNIX socket, ssl:8443:privateKey=a.key:certKey=a.crt"
    " HTTPS. May be given several times.",
)
@click.option(
    "--index",
    multiple=True,
    metavar="NAME",
    help="The file that answers for its folder, instead of index.html. May be given several times.",
)
@click.option("--no-listing", is_flag=True, help="Do not list folders that have no index.")
@click.option("--quiet", is_flag=True, help="Do not print a line for each request.")
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the line for each request to this file, instead. SIGHUP opens it anew, as"
    " logrotate needs it.",
)
@click.option(
    "--log-format",
    metavar="FORMAT",
    help="How the line is written: combined (in a file, unless you say otherwise), json, short (on"
    " the terminal), or with fields of your own: '{client} {status} {uri} {duration:.3f}'.",
)
def web(
    path: Path,
    port: int | None,
    listen: Sequence[str],
    index: Sequence[str],
    no_listing: bool,
    quiet: bool,
    log: Path | None,
    log_format: str | None,
) -> None:
    """Serve a folder of files.

    Prints where it serves and a line for each request, and stops at Ctrl-C.
    """
    # Inside, here and below: a help text is to come without loading a server.
    from weblayer.commands.endpoints import Localhost
    from weblayer.commands.serve import serve

    if listen and port is not None:
        raise click.UsageError("--listen has a port of its own; leave out --port")
    places = _parsed(listen) or [Localhost(PORT if port is None else port)]
    form = _formatter(log_format or ("combined" if log else "short"))
    target = log or (None if quiet else sys.stdout)
    serve(path, places, index=index, listing=not no_listing, log=target, formatter=form)


def _formatter(form: str) -> "LogFormatter":
    from weblayer.web.accesslog import accessLogFormatter

    try:
        return accessLogFormatter(form)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--log-format") from error


def _parsed(descriptions: Sequence[str]) -> list["Place"]:
    from weblayer.commands.endpoints import parse_place
    from weblayer.loop.reactor import theReactor

    try:
        return [parse_place(theReactor(), description) for description in descriptions]
    except OSError as error:
        told = f"{error.filename}: {error.strerror}. Give a file that can be read."
        raise click.BadParameter(told, param_hint="--listen") from error
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from error
