"""What can go wrong with connections, timers and the reactor, in the field's names.

Errors that say a connection could not be made are also the built-in `OSError` of the same
kind, so that a coroutine may catch them without knowing this module.
"""

import builtins

__all__ = [
    "AlreadyCalled",
    "AlreadyCancelled",
    "CannotListenError",
    "ConnectError",
    "ConnectingCancelledError",
    "ConnectionAborted",
    "ConnectionClosed",
    "ConnectionDone",
    "ConnectionLost",
    "ConnectionRefusedError",
    "DNSLookupError",
    "LoopError",
    "NoProtocol",
    "NotConnectingError",
    "ReactorAlreadyRunning",
    "ReactorNotRestartable",
    "ReactorNotRunning",
    "TimeoutError",
    "UserError",
]


class LoopError(Exception):
    """The base of every error of this room."""


class ConnectionClosed(LoopError):
    """A connection has ended, cleanly or not."""


class ConnectionDone(ConnectionClosed):
    """The connection was closed cleanly, by either side."""


class ConnectionLost(ConnectionClosed):
    """The connection broke: a reset, a network gone, a reactor that stopped."""


class ConnectionAborted(ConnectionClosed):
    """We dropped the connection with abortConnection()."""


class ConnectError(LoopError, OSError):
    """A connection could not be made.

    *osError* is the operating system's error number, None where it gave none.
    """

    def __init__(self, message: str = "", osError: int | None = None) -> None:
        super().__init__(message)
        self.osError = osError


class ConnectionRefusedError(ConnectError, builtins.ConnectionRefusedError):  # noqa: A001  field's
    """Nobody listens where we tried to connect."""


class TimeoutError(ConnectError, builtins.TimeoutError):  # noqa: A001  the field's name
    """No connection was made within the seconds allowed."""


class DNSLookupError(ConnectError):
    """A host name has no address that we could find."""


class UserError(ConnectError):
    """The program itself gave up connecting."""


class ConnectingCancelledError(UserError):
    """stopConnecting() was called before there was a connection."""


class NoProtocol(LoopError):
    """A client's factory built no protocol for its connection."""


class NotConnectingError(LoopError):
    """stopConnecting() was called when no attempt was under way."""


class CannotListenError(LoopError):
    """A port or path could not be bound.

    *interface* and *port* are as asked (for a UNIX socket *interface* is empty and *port*
    is the path), *socketError* is what the operating system said.
    """

    def __init__(self, interface: str, port: int | str, socketError: OSError, advice: str) -> None:
        where = str(port) if isinstance(port, str) else f"{interface or '*'}:{port}"
        why = socketError.strerror or socketError
        super().__init__(f"cannot listen on {where}: {why}. {advice}")
        self.interface, self.port, self.socketError = interface, port, socketError


class AlreadyCalled(LoopError, ValueError):
    """A delayed call was cancelled or moved after it had run."""


class AlreadyCancelled(LoopError, ValueError):
    """A delayed call was cancelled or moved after it had been cancelled."""


class ReactorNotRunning(LoopError, RuntimeError):
    """stop() was called on a reactor that does not run, or is stopping already."""


class ReactorAlreadyRunning(LoopError, RuntimeError):
    """run() was called while the loop runs."""


class ReactorNotRestartable(LoopError, RuntimeError):
    """run() was called on a reactor whose loop, given by the program, has been closed."""
