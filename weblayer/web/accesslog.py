"""The access log: one line an exchange.

A line is in the combined format, for tools; short, for a person; in JSON; or as a program has it:

    Site(tree, logPath="access.log", logFormatter="{client} {status} {uri} {duration:.3f}")

| field | what it says |
|---|---|
| `time` | when the answer was over, in ISO 8601 with the offset from UTC |
| `client` | who asked, without the port |
| `user` | as whom they were let in: `request.avatarId` |
| `method`, `uri`, `protocol` | the request line, each part as it was sent |
| `path`, `host` | the target without its query, and whom it was for, without the port |
| `status` | what the client was told; 499 when it left before it was told anything |
| `bytes` | how long the body was that was sent |
| `duration` | seconds from the head of the request to the end of its answer |
| `referer`, `agent` | the fields Referer and User-Agent |
| `id` | `request.id` |
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import Final

from weblayer.loop.address import HostnameAddress, UNIXAddress
from weblayer.web.request import Request

__all__ = [
    "LogFormatter",
    "accessLogFormatter",
    "clientHost",
    "combinedLogFormatter",
    "jsonLogFormatter",
    "shortLogFormatter",
]

LogFormatter = Callable[[datetime, Request], str]

_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

# What would start a new line, move a terminal's cursor, end a quoted part (log injection), or
# not be seen.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\xa0\xad"\\]')


def accessLogFormatter(form: str) -> LogFormatter:
    """The formatter of that name (combined, json or short), or one that fills in *form*.

    *form* is as for `str.format`, its fields those of the table above; what is not known is a dash.
    Raises ValueError for a field that there is not, and for a form that cannot be filled in.
    """
    if form in _NAMED:
        return _NAMED[form]
    parts = list(_parts(form))

    def formatter(moment: datetime, request: Request) -> str:
        return "".join([
            literal + (format(_plain(_FIELDS[name](moment, request)), spec) if name else "")
            for literal, name, spec in parts
        ])  # fmt: skip

    return formatter


def combinedLogFormatter(moment: datetime, request: Request) -> str:
    """A line of the combined format that Apache and nginx write. *moment* has a time zone."""
    line = _safe(f"{request.method} {request.uri} {request.clientproto}")
    user = _word(request) if request.avatarId else "-"
    return (
        f"{clientHost(request)} - {user} [{_clock.text(moment)}] "
        f'"{line}" {_code(request)} {request.sentLength or "-"} '
        f"{_quoted(request.getHeader(b'referer'))} {_quoted(request.getHeader(b'user-agent'))}"
    )


def shortLogFormatter(moment: datetime, request: Request) -> str:
    """A line for a person at a terminal: when, what, how it went, how much, to whom."""
    lost = " (client left)" if request.lost and not request.finished else ""
    return (
        f"{moment:%H:%M:%S} {_code(request)} {request.method:<4} {_safe(request.uri)} "
        f"{request.sentLength} bytes to {clientHost(request)}{lost}"
    )


def jsonLogFormatter(moment: datetime, request: Request) -> str:
    """A line of JSON: every field of the table above by its name, null where it is not known."""
    import json  # few logs are of it

    return json.dumps({name: read(moment, request) for name, read in _FIELDS.items()})


def clientHost(request: Request) -> str:
    """The client's address without its port; "unix" for a UNIX socket, whose peer has none.

    "unknown", or a name with an underscore before it, is all that some proxies tell.
    """
    address = request.getClientAddress()
    if isinstance(address, UNIXAddress):
        return "unix"
    return address.hostname if isinstance(address, HostnameAddress) else address.host


def _user(request: Request) -> str | None:
    """Who was let in; None for nobody in particular, too, which is a false avatar id."""
    if not request.avatarId:
        return None
    return str(request.avatarId).encode(errors="backslashreplace").decode()


def _word(request: Request) -> str:
    """The user as one word, since fields of the combined format end at a space."""
    return _safe(_user(request) or "").replace(" ", r"\x20")


def _code(request: Request) -> int:
    """What the client was told; 499, as nginx has it, when it left before it was told anything."""
    return request.code if request.began else 499


class _Second:
    """The moments of one second are written alike, and writing one costs as much as its line."""

    def __init__(self) -> None:
        self._from = self._until = datetime.min.replace(tzinfo=UTC)
        self._text = ""

    def text(self, moment: datetime) -> str:
        if not self._from <= moment < self._until:
            self._from = moment.replace(microsecond=0)
            self._until = self._from + timedelta(seconds=1)
            # Not %b, which follows the machine's language where the format is English.
            self._text = f"{moment:%d}/{_MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S %z}"
        return self._text


_clock = _Second()


def _quoted(value: bytes | None) -> str:
    return f'"{_safe(value.decode("latin-1"))}"' if value else '"-"'


def _safe(text: str) -> str:
    # The rule, at a fifth of the cost: what cannot be printed is all else that is unsafe.
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return _UNSAFE.sub(_code_of, text)


def _code_of(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


_Fact = str | int | float | None

_FIELDS: Final[dict[str, Callable[[datetime, Request], _Fact]]] = {
    "time": lambda moment, request: moment.isoformat(timespec="milliseconds"),
    "client": lambda moment, request: clientHost(request),
    "user": lambda moment, request: _user(request),
    "method": lambda moment, request: request.method,
    "uri": lambda moment, request: request.uri,
    "path": lambda moment, request: request.path,
    "protocol": lambda moment, request: request.clientproto,
    "host": lambda moment, request: request.getRequestHostname() or None,
    "status": lambda moment, request: _code(request),
    "bytes": lambda moment, request: request.sentLength,
    # A millionth of a second is more than the loop's clock can tell.
    "duration": lambda moment, request: round(request.duration, 6),
    "referer": lambda moment, request: request.getHeader("referer"),
    "agent": lambda moment, request: request.getHeader("user-agent"),
    "id": lambda moment, request: request.id,
}

# What the fields that are no text are like, to try a form with.
_NUMBERS: Final[dict[str, float]] = {"status": 200, "bytes": 0, "duration": 0.0}

_NAMED: Final[dict[str, LogFormatter]] = {
    "combined": combinedLogFormatter,
    "json": jsonLogFormatter,
    "short": shortLogFormatter,
}


def _parts(form: str) -> Iterator[tuple[str, str | None, str]]:
    """The pieces of *form*: what stands there, then a field's name, if any, and how it is set."""
    if "{" not in form:
        raise ValueError(f"a log format is {', '.join(_NAMED)} or has {{fields}}, unlike {form!r}")
    for literal, name, spec, conversion in Formatter().parse(form):
        if name is not None and (name not in _FIELDS or conversion):
            shown = f"{name}!{conversion}" if conversion else name
            raise ValueError(f"a log has no field {shown!r}; it has {', '.join(_FIELDS)}")
        format(_NUMBERS.get(name or "", ""), spec or "")
        yield literal, name, spec or ""


def _plain(fact: _Fact) -> str | int | float:
    """A fact as it may stand in a line."""
    return (_safe(fact) or "-") if isinstance(fact, str) else "-" if fact is None else fact
