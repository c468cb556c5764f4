"""`weblayer fetch`: what a URL answers, on the terminal or in a file."""

from pathlib import Path
from typing import Any

import click

__all__ = ["fetch"]

EPILOG = """
Exit codes: 0 the answer is here; 1 a file cannot be read or written, or a checksum differs;
2 the command makes no sense; 4 the answer's status is 4xx; 5 it is 5xx; 6 no connection;
7 no trust in the certificate; 8 it took too long; 9 the answer broke off.
"""

File = click.Path(path_type=Path, dir_okay=False)


@click.command(epilog=EPILOG)
@click.argument("url", help="What to ask for; http:// where it says nothing else.")
@click.option("-X", "--method", metavar="METHOD", help="Ask with METHOD, instead of GET or POST.")
@click.option("-I", "--head", is_flag=True, help="Ask with HEAD, and show the head.")
@click.option("-H", "--header", multiple=True, metavar="NAME:VALUE", help="Send this field, too.")
@click.option("-q", "--param", multiple=True, metavar="NAME=VALUE", help="Add this to the query.")
@click.option("-d", "--data", multiple=True, metavar="NAME=VALUE", help="Send a form by POST.")
@click.option("-j", "--json", metavar="JSON", help="Send this JSON by POST; @FILE, what is in it.")
@click.option(
    "-F", "--form", multiple=True, metavar="NAME=@FILE",
    help="Send a form with files by POST; NAME=VALUE is a text.",
)  # fmt: skip
@click.option("-T", "--upload", type=File, help="Send this file, by PUT; -, what comes in.")
@click.option("-u", "--user", metavar="NAME:PASSWORD", help="Say who asks; without :PASSWORD, ask.")
@click.option("--digest", is_flag=True, help="Prove the password, and do not tell it.")
@click.option("-n", "--netrc", is_flag=True, help="Say who asks as ~/.netrc has it.")
@click.option("--cookies", type=File, help="Send the cookies in this file, and keep new ones.")
@click.option("--no-redirects", is_flag=True, help="Show a redirect, and do not follow it.")
@click.option("-o", "--output", type=File, help="Write to this file, and show how far it is.")
@click.option("-O", "--remote-name", is_flag=True, help="Write to a file named as it is there.")
@click.option("-c", "--continue", "resume", is_flag=True, help="Get only what --output lacks.")
@click.option("--checksum", metavar="sha256:HEX", help="What the body must hash to; or sha512.")
@click.option("-i", "--include", is_flag=True, help="Show the head of the answer, too.")
@click.option("-v", "--verbose", is_flag=True, help="Tell of all that is asked and answered.")
@click.option("-t", "--timeout", type=float, metavar="SECONDS", help="The time for all of it.")
@click.option(
    "--retry", type=click.IntRange(0), default=0, metavar="TIMES",
    help="Ask so often again where that may help.",
)  # fmt: skip
@click.option("-x", "--proxy", metavar="URL", help="Ask through this proxy; '' for none.")
@click.option("--cacert", type=File, help="Trust the certificates in this file alone.")
def fetch(url: str, **options: Any) -> None:  # Any: as the options above, each of its own type
    """Ask for URL, and print what is answered.

    Redirects are followed. The body of an error is printed, but does not get into a file.
    """
    # Inside: a help text is to come without loading a client.
    from weblayer.commands.fetching import run
    from weblayer.commands.wanted import Wanted, named_after

    if options.pop("remote_name"):
        options["output"] = named_after(url, options["output"])
    raise SystemExit(run(Wanted(url, **options)))
