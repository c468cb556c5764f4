"""Showing an exchange as it goes: what `--verbose` prints, to the error channel."""

from collections.abc import Iterable

import click

from weblayer.client.agent import IAgent
from weblayer.client.response import Readable, Response
from weblayer.client.wrapping import Body, Text, as_text, as_uri
from weblayer.loop.deferred import Deferred
from weblayer.wire.headers import Headers

__all__ = ["Tracing", "show_head"]

# Whoever reads along, in a log or over a shoulder, is told that there is a secret, not which.
SECRETS = frozenset(("authorization", "proxy-authorization", "cookie", "set-cookie"))


class Tracing:
    """Asks *agent*, and shows each request and the head of its answer."""

    def __init__(self, agent: IAgent) -> None:
        self._agent = agent

    def request(
        self,
        method: Text,
        uri: Text,
        headers: Headers | None = None,
        bodyProducer: Body | None = None,
    ) -> Deferred[Response]:
        """Ask, and show it."""
        place = as_uri(uri)
        _show(">", f"{as_text('method', method)} {place.originForm} HTTP/1.1")
        _show(">", f"Host: {place.netloc}")
        for line in (*_lines(headers or Headers()), *_framed(bodyProducer)):
            _show(">", line)
        return self._agent.request(method, uri, headers, bodyProducer).addCallback(_shown)


def show_head(response: Readable, *, err: bool) -> None:
    """Print the head of *response* as it is, to the output or the error channel."""
    click.echo(_status(response), err=err)
    for name, values in response.headers.getAllRawHeaders():
        for value in values:
            click.echo(f"{name}: {_printable(value)}", err=err)
    click.echo(err=err)


def _shown(response: Response) -> Response:
    _show("<", _status(response))
    for line in _lines(response.headers):
        _show("<", line)
    return response


def _show(mark: str, line: str) -> None:
    click.echo(f"{mark} {_printable(line)}", err=True)


def _status(response: Readable) -> str:
    return _printable(f"HTTP/1.1 {response.code} {response.phrase}".rstrip())


def _lines(headers: Headers) -> Iterable[str]:
    for name, values in headers.getAllRawHeaders():
        for value in values:
            yield f"{name}: {_masked(value) if name.lower() in SECRETS else value}"


def _framed(body: Body | None) -> Iterable[str]:
    """How a body of that kind is announced."""
    if body is None:
        return
    data = body.encode() if isinstance(body, str) else body
    length = len(data) if isinstance(data, bytes) else data.length
    yield "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"


def _masked(value: str) -> str:
    """*value* without its secrets: the scheme, or the names of cookies, and how it goes on."""
    scheme, blank, _ = value.partition(" ")
    if blank and "=" not in scheme:
        return f"{scheme} ***"
    return f"{value.partition('=')[0]}=***"


def _printable(text: str) -> str:
    """*text* without what would move the cursor, or worse: a server may send anything."""
    return "".join(char if char.isprintable() or char == "\t" else "?" for char in text)
