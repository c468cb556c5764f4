"""What can go wrong between two programs that talk in lines, strings or headers."""

__all__ = [
    "BadProxyHeader",
    "NetstringParseError",
    "ProtocolError",
    "StringTooLongError",
    "TransferStopped",
]


class ProtocolError(Exception):
    """The base of every error of this room."""


class NetstringParseError(ProtocolError, ValueError):
    """The peer sent bytes that are no netstring; what follows them cannot be told either."""


class StringTooLongError(ProtocolError, ValueError):
    """A string was sent that is longer than its prefix can say."""


class TransferStopped(ProtocolError):
    """The consumer of a file wants no more of it: its connection has ended, as a rule."""


class BadProxyHeader(ProtocolError, ValueError):
    """A connection began with something that is no PROXY protocol header."""
