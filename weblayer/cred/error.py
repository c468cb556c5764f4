"""Why somebody is not let in, and what is wrong with the places where passwords stand."""

from collections.abc import Iterable

__all__ = [
    "BadPasswordFile",
    "CredError",
    "InsufficientScope",
    "LoginBusy",
    "LoginDenied",
    "LoginFailed",
    "MissingLibrary",
    "Unauthorized",
    "UnauthorizedLogin",
    "UnhandledCredentials",
    "UnknownScheme",
]


class CredError(Exception):
    """The base of every error of this room."""


class Unauthorized(CredError):
    """Who asked may not have it."""


class LoginFailed(CredError):
    """The base of what a login ends with when nobody is let in."""


class UnauthorizedLogin(LoginFailed, Unauthorized):
    """Nobody has such credentials. It does not say which part of them was wrong."""

    def __init__(self, message: str = "these credentials are nobody's") -> None:
        super().__init__(message)


class UnhandledCredentials(LoginFailed):
    """No checker of the portal takes credentials of this class."""


class LoginDenied(LoginFailed):
    """We know who it is, and do not let them in: an account that is locked, for one."""


class InsufficientScope(LoginDenied):
    """We know who it is, and what they have shown is not good for what is asked: *needed*."""

    def __init__(self, needed: Iterable[str]) -> None:
        super().__init__(f"a scope of {', '.join(sorted(needed))} is needed")


class LoginBusy(LoginFailed):
    """So many wait to be checked that this one was not: they may try again in a while."""


class UnknownScheme(CredError, ValueError):
    """A stored password is written in no way that we can check.

    The message never shows it: it may be a password in plain text.
    """


class MissingLibrary(CredError, ImportError):
    """What was asked for needs a library that is not installed; the message says which."""


class BadPasswordFile(CredError, ValueError):
    """Line *line* of the file *path*, counted from 1, cannot be used."""

    def __init__(self, path: str, line: int, rule: str) -> None:
        super().__init__(f"{path}, line {line}: {rule}")
        self.path, self.line = path, line
