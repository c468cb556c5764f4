"""`weblayer passwd`: who may log in, in a file of hashed passwords."""

import sys
from pathlib import Path

import click

from weblayer.commands.errors import CommandError

__all__ = ["passwd"]


@click.command(epilog="For instance: weblayer passwd users ada")
@click.argument(
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file, as Apache's htpasswd makes it; it is made where there is none.",
)
@click.argument("user", help="The name to log in with.")
@click.option(
    "--scheme",
    type=click.Choice(["scrypt", "argon2", "bcrypt"]),
    default="scrypt",
    show_default=True,
    help="How the password is hashed. Apache and nginx read bcrypt; it needs weblayer[bcrypt], and"
    " argon2 needs weblayer[argon2].",
)
@click.option("--stdin", is_flag=True, help="Read the password from a line of the input, once.")
@click.option("-D", "--delete", is_flag=True, help="Take USER out of the file.")
def passwd(file: Path, user: str, scheme: str, stdin: bool, delete: bool) -> None:
    """Set the password with which USER may log in, in FILE.

    It is asked for twice, without being shown. The file is replaced as a whole: a server that
    reads it meanwhile finds the old or the new, and needs no restart.
    """
    from weblayer.cred.error import CredError
    from weblayer.cred.htpasswd import removeHtpasswd, setHtpasswd
    from weblayer.cred.passwords import hashPassword

    try:
        if delete:
            _tell_removed(file, user, removeHtpasswd(file, user))
            return
        stored = hashPassword(_password(stdin), scheme)
        was_there = setHtpasswd(file, user, stored)
    except OSError as error:
        name = click.format_filename(file)
        raise CommandError(f"cannot write {name!r}: {error.strerror}.") from error
    except (CredError, ValueError) as error:
        raise CommandError(f"{error}.") from error
    name = click.format_filename(file)
    click.echo(
        f"{user} has a new password in {name}." if was_there else f"{user} is in {name} now."
    )


def _password(stdin: bool) -> bytes:
    if stdin:
        return sys.stdin.buffer.readline().rstrip(b"\r\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="Again", err=True)
    return asked.encode("utf-8", "surrogateescape")


def _tell_removed(file: Path, user: str, was_there: bool) -> None:
    name = click.format_filename(file)
    if not was_there:
        raise CommandError(f"{user} is not in {name}.")
    click.echo(f"{user} is not in {name} any more.")
