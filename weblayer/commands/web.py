"""`weblayer web`: a folder as a site."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from weblayer.commands.kinds import AGED, EXTENSION, FIELD, PROCESSOR, TYPE

if TYPE_CHECKING:
    from weblayer.commands.endpoints import Place
    from weblayer.commands.folder import Folder
    from weblayer.loop.reactor import Reactor
    from weblayer.web.accesslog import LogFormatter

__all__ = ["web"]

# Where nothing is said: the port that the field's own program takes.
PORT = 8080


def _explain_auth(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked:  # which is called when it is not, too
        from weblayer.cred.strcred import helpForCheckers

        click.echo(helpForCheckers())
        context.exit()


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
    help="The file that answers for its folder, instead of index.html: --index home.html. May be"
    " given several times.",
)
@click.option("--no-listing", is_flag=True, help="Do not list folders that have no index.")
@click.option(
    "--spa",
    is_flag=True,
    help="Answer with index.html for pages that are no files: for an app that finds its pages"
    " itself. What is missing of its scripts and pictures is still a 404.",
)
@click.option(
    "--404",
    "not_found",
    default="404.html",
    metavar="FILE",
    help="The page for what is not there, a file in the folder: --404 errors/lost.html. Without it,"
    " 404.html if there is one.",
)
@click.option(
    "--cache",
    multiple=True,
    type=AGED,
    help="How long browsers may keep what fits a pattern: --cache '*.css=1h' --cache"
    " '/media/*=30d' --cache '*=no-cache'; or immutable, or no-store. The first that fits counts.",
)
@click.option(
    "--header",
    multiple=True,
    type=FIELD,
    help="Set a field on every answer: --header 'X-Frame-Options: DENY'.",
)
@click.option(
    "--mime-type",
    multiple=True,
    type=TYPE,
    help="The type of an extension: --mime-type .glsl=text/plain.",
)
@click.option(
    "--ignore-ext",
    multiple=True,
    type=EXTENSION,
    help="An extension that addresses may leave out: --ignore-ext .txt; .html is one already. '*'"
    " is any.",
)
@click.option(
    "--processor",
    multiple=True,
    type=PROCESSOR,
    help="What makes an answer of files with an extension: --processor"
    " .cgi=weblayer.web.twcgi.CGIScript, or a class of yours.",
)
@click.option(
    "--cgi",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Run the programs in this folder, at its name: --cgi cgi-bin answers at /cgi-bin/.",
)
@click.option(
    "--follow-symlinks",
    is_flag=True,
    help="Serve what symlinks lead to, outside of the folder, too.",
)
@click.option(
    "--hidden", is_flag=True, help="Serve names that begin with a dot, too, as in .git: take care."
)
@click.option(
    "--auth",
    multiple=True,
    metavar="WHO",
    help="Ask for a name and a password, and let in whom WHO knows: --auth htpasswd:users, which"
    " `weblayer passwd users ada` makes. May be given several times; see --help-auth.",
)
@click.option(
    "--realm",
    default="weblayer",
    metavar="NAME",
    help="What a browser is told that the password is for; for htdigest, that of its file.",
)
@click.option(
    "--help-auth",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_explain_auth,
    help="Tell how --auth is written, and exit.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Serve by so many processes, as one for each core: --workers 4. One that ends is followed"
    " by another, and SIGHUP has new ones take over, with no request lost.",
)
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
    port: int | None,
    listen: Sequence[str],
    workers: int | None,
    quiet: bool,
    log: Path | None,
    log_format: str | None,
    **folder: Any,  # Any: each option as its type has it; see Folder
) -> None:
    """Serve a folder of files.

    Prints where it serves and a line for each request, and stops at Ctrl-C. The files _redirects
    and _headers in it are heeded, as static hosts do.
    """
    if listen and port is not None:
        raise click.UsageError("--listen has a port of its own; leave out --port")
    form = _formatter(log_format or ("combined" if log else "short"))
    target = log or (None if quiet else sys.stdout)
    wanted = [*listen] if listen else PORT if port is None else port
    # Inside, here and below: a help text is to come without loading a server.
    from weblayer.commands.folder import Folder
    from weblayer.loop.reactor import theReactor

    site = Folder(**folder)
    if workers:
        _share(site, wanted, workers, target, form)
        return
    from weblayer.commands.serve import serve

    serve(site, _places(theReactor(), wanted), log=target, formatter=form)


def _share(
    site: "Folder", wanted: list[str] | int, count: int, log: Path | TextIO | None,
    formatter: "LogFormatter",
) -> None:  # fmt: skip
    """Be one of *count* workers if we were started as one, else their supervisor."""
    from weblayer.commands.workers import supervise, work
    from weblayer.loop.holding import HoldingReactor
    from weblayer.loop.lifeline import inherited
    from weblayer.loop.reactor import theReactor

    if given := inherited():
        work(site, _places(theReactor(), wanted), given, log=log, formatter=formatter)
    else:
        reactor = HoldingReactor(count)
        supervise(site, _places(reactor, wanted), reactor, count, log=log)


def _formatter(form: str) -> "LogFormatter":
    from weblayer.web.accesslog import accessLogFormatter

    try:
        return accessLogFormatter(form)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--log-format") from error


def _places(reactor: "Reactor", wanted: list[str] | int) -> list["Place"]:
    """Where to listen: at descriptions, or at a port of this machine alone."""
    from weblayer.commands.endpoints import Localhost, parse_place

    if isinstance(wanted, int):
        return [Localhost(wanted)]
    try:
        return [parse_place(reactor, description) for description in wanted]
    except OSError as error:
        told = f"{error.filename}: {error.strerror}. Give a file that can be read."
        raise click.BadParameter(told, param_hint="--listen") from error
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from error
