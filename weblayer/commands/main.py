"""The program `weblayer` and its commands."""

import sys

import click

from weblayer.commands.fetch import fetch
from weblayer.commands.passwd import passwd
from weblayer.commands.web import web

__all__ = ["main"]

# The front door is not for us to import; but it is loaded before anything of ours.
VERSION: str = sys.modules["weblayer"].__version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="weblayer", message="%(prog)s %(version)s")
def main() -> None:
    """weblayer, a web-first micro-framework on a resource tree."""


main.add_command(fetch)
main.add_command(passwd)
main.add_command(web)
