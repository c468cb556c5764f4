"""What a command tells a person when it cannot go on."""

import click

__all__ = ["CommandError"]


class CommandError(click.ClickException):
    """One line that says what is wrong and what to do; the program ends with exit code 1."""
