"""What the command line of `weblayer fetch` asks for."""

import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click

from weblayer.client.asked import Asked
from weblayer.client.auth import DigestAuth, IAuth, NetrcAuth
from weblayer.client.multipart import FilePart
from weblayer.commands.errors import CommandError
from weblayer.wire.headers import Headers
from weblayer.wire.percent import percent_decode

__all__ = ["Wanted", "named_after", "told_of"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options, as they were given."""

    url: str
    method: str | None
    head: bool
    header: Sequence[str]
    param: Sequence[str]
    data: Sequence[str]
    json: str | None
    form: Sequence[str]
    upload: Path | None
    user: str | None
    digest: bool
    netrc: bool
    cookies: Path | None
    no_redirects: bool
    output: Path | None
    resume: bool
    checksum: str | None
    include: bool
    verbose: bool
    timeout: float | None
    retry: int
    proxy: str | None
    cacert: Path | None

    @property
    def uri(self) -> str:
        """The URL, which may lack its scheme, as people type it."""
        return self.url if "://" in self.url else f"http://{self.url}"

    @property
    def verb(self) -> str:
        """How to ask, unless that is said by a word."""
        if self.method:
            return self.method
        if self.head:
            return "HEAD"
        if self.upload:
            return "PUT"
        return "POST" if self.data or self.form or self.json is not None else "GET"

    def check(self) -> None:
        """Raise UsageError for what makes no sense together."""
        bodies = [bool(self.data), bool(self.form), self.json is not None, self.upload is not None]
        if sum(bodies) > 1:
            raise click.UsageError("give one of --data, --form, --json and --upload")
        if self.resume and not self.output:
            raise click.UsageError(
                "--continue needs the file to go on with: give --output FILE, or --remote-name"
            )
        if self.timeout is not None and not self.timeout > 0:
            raise click.BadParameter("must be more than 0 seconds", param_hint="--timeout")

    def asked(self, opened: ExitStack) -> Asked:
        """The request, but for its method, its place and its fields.

        Files that it needs are closed with *opened*.
        """
        asked: Asked = {
            "params": [_pair("--param", one) for one in self.param],
            "auth": self._auth(),
        }
        if self.data:
            asked["data"] = [_pair("--data", one) for one in self.data]
        elif self.form:
            fields = [_pair("--form", one) for one in self.form]
            asked["data"] = [one for one in fields if one[1][:1] != "@"]
            asked["files"] = [
                (name, _part(Path(value[1:]), opened)) for name, value in fields if value[:1] == "@"
            ]
        elif self.json is not None:
            asked["data"] = _checked_json(_read_json(self.json))
        elif self.upload is not None:
            asked["data"] = opened.enter_context(_opened(self.upload))
        return asked

    def headers(self) -> Headers:
        """The fields that are asked for, and those that the options need."""
        headers = Headers()
        if self.json is not None:
            headers.setHeader("Content-Type", "application/json")
        if self.output:
            # What is counted, hashed and resumed is the file as it is.
            headers.setHeader("Accept-Encoding", "identity")
        for one in self.header:
            name, colon, value = one.partition(":")
            if not colon:
                raise click.BadParameter(f"{one!r} lacks a colon", param_hint="--header")
            try:
                headers.addRawHeader(name.strip(), value.strip())
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint="--header") from error
        return headers

    def _auth(self) -> IAuth | tuple[str, str] | None:
        if self.netrc:
            return _netrc()
        if self.user is None:
            return None
        name, colon, password = self.user.partition(":")
        if not colon:
            password = click.prompt("Password", hide_input=True, err=True)
        return DigestAuth(name, password) if self.digest else (name, password)


def named_after(url: str, output: Path | None) -> Path:
    """The file of --remote-name: here, by the last name in *url*. Raises UsageError."""
    if output is not None:
        raise click.UsageError("give one of --output and --remote-name")
    place = url.partition("://")[2] or url
    _, _, path = place.partition("#")[0].partition("?")[0].partition("/")
    name = percent_decode(path.rpartition("/")[2].encode()).decode("utf-8", "surrogateescape")
    # What is decoded may lead elsewhere, and a hidden file is not what anybody asked for.
    if not name.isprintable() or name[:1] in ("", ".") or {"/", "\\"} & set(name):
        raise click.UsageError("the URL does not end in a name for a file: give --output FILE")
    return Path(name)


def told_of(error: OSError, advice: str = "") -> CommandError:
    """What to tell a person of a file that cannot be used."""
    name = click.format_filename(error.filename or "the file")
    return CommandError(f"{name}: {error.strerror}. {advice}".strip())


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} must be NAME=VALUE", param_hint=option)
    return name, value


def _part(path: Path, opened: ExitStack) -> FilePart:
    return FilePart(path.name, opened.enter_context(_opened(path)))


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    """A file to send, or what comes in, for a hyphen."""
    try:
        return nullcontext(sys.stdin.buffer) if path == Path("-") else path.open("rb")
    except OSError as error:
        raise told_of(error, "Give a file that can be read.") from error


def _read_json(text: str) -> str:
    """*text*, or what is in the file that it names; no JSON begins with an at sign."""
    if text[:1] != "@":
        return text
    try:
        return sys.stdin.read() if text == "@-" else Path(text[1:]).read_text("utf-8")
    except OSError as error:
        raise told_of(error, "Give a file that can be read.") from error


def _checked_json(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--json") from error
    return text


def _netrc() -> IAuth:
    import netrc

    try:
        return NetrcAuth()
    except OSError as error:
        raise told_of(error, "Without it, leave out --netrc.") from error
    except netrc.NetrcParseError as error:
        raise CommandError(f"{error.filename}, line {error.lineno}: {error.msg}") from error
