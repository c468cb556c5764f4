"""The access log: one line an exchange."""

import re
from datetime import datetime

from weblayer.loop.address import IPv4Address, IPv6Address
from weblayer.web.request import Request

__all__ = ["clientHost", "combinedLogFormatter", "shortLogFormatter"]

# What would start a new line, move a terminal's cursor, end a quoted part (log injection), or
# not be seen.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\xa0\xad"\\]')


def combinedLogFormatter(moment: datetime, request: Request) -> str:
    """A line of the combined format that Apache and nginx write. *moment* has a time zone."""
    referer, agent = (_quoted(request.getHeader(name)) for name in ("referer", "user-agent"))
    return (
        f"{clientHost(request)} - - [{moment:%d/%b/%Y:%H:%M:%S %z}] "
        f'"{_safe(request.method)} {_safe(request.uri)} {request.clientproto}" '
        f"{_code(request)} {request.sentLength or '-'} {referer} {agent}"
    )


def shortLogFormatter(moment: datetime, request: Request) -> str:
    """A line for a person at a terminal: when, what, how it went, how much, to whom."""
    lost = " (client left)" if request.lost and not request.finished else ""
    return (
        f"{moment:%H:%M:%S} {_code(request)} {request.method:<4} {_safe(request.uri)} "
        f"{request.sentLength} bytes to {clientHost(request)}{lost}"
    )


def clientHost(request: Request) -> str:
    """The client's address without its port; "unix" for a UNIX socket, whose peer has none."""
    address = request.getClientAddress()
    return address.host if isinstance(address, IPv4Address | IPv6Address) else "unix"


def _code(request: Request) -> int:
    """What the client was told; 499, as nginx has it, when it left before it was told anything."""
    return request.code if request.began else 499


def _quoted(value: str | None) -> str:
    return f'"{_safe(value)}"' if value else '"-"'


def _safe(text: str) -> str:
    return _UNSAFE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
