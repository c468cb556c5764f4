"""What can go wrong with connections, processes, timers and the reactor, in the field's names.

Errors that say a connection could not be made are also the built-in `OSError` of the same
kind, so that a coroutine may catch them without knowing this module.
"""

import builtins

__all__ = [
    "AlreadyCalled",
    "AlreadyCancelled",
    "CannotListenError",
    "CertificateExpired",
    "ConnectError",
    "ConnectingCancelledError",
    "ConnectionAborted",
    "ConnectionClosed",
    "ConnectionDone",
    "ConnectionLost",
    "ConnectionRefusedError",
    "DNSLookupError",
    "LoopError",
    "MessageLengthError",
    "NoProtocol",
    "NotConnectingError",
    "ProcessDone",
    "ProcessExitedAlready",
    "ProcessSignalled",
    "ProcessTerminated",
    "ReactorAlreadyRunning",
    "ReactorNotRestartable",
    "ReactorNotRunning",
    "SSLError",
    "SelfSigned",
    "TimeoutError",
    "UnexpectedErrorOutput",
    "UnknownAuthority",
    "UserError",
    "VerifyError",
    "WrongHost",
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


class SSLError(ConnectError):
    """The two sides did not agree on an encryption."""


class VerifyError(SSLError):
    """The peer's certificate is not to be trusted, for a reason of its own when of this class."""


class WrongHost(VerifyError):
    """The peer's certificate is for other names than the one we asked for."""


class CertificateExpired(VerifyError):
    """The peer's certificate is not valid any more, or not yet."""


class SelfSigned(VerifyError):
    """The peer's certificate is signed by nobody else, and not one that we trust."""


class UnknownAuthority(VerifyError):
    """The peer's certificate is signed by none of the authorities that we trust."""


class MessageLengthError(LoopError, OSError):
    """A datagram was too long to be sent."""


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


class ProcessDone(ConnectionDone):
    """A program has exited with 0: *exitCode* is 0 and *signal* None, as in its sibling."""

    exitCode = 0
    signal = None
    status = 0

    def __init__(self) -> None:
        super().__init__("the process has exited with 0")


class ProcessTerminated(ConnectionLost):
    """A program has exited with another code than 0, or was ended by a signal.

    *exitCode* is None when it was a signal, and *signal* is its number, else None. *status* is
    both in one number, as `os.waitstatus_to_exitcode` takes it.
    """

    def __init__(self, exitCode: int | None = None, signal: int | None = None) -> None:
        how = f"exited with {exitCode}" if signal is None else f"been ended by signal {signal}"
        super().__init__(f"the process has {how}")
        self.exitCode, self.signal = exitCode, signal
        self.status = (exitCode or 0) << 8 | (signal or 0)


class ProcessSignalled(ProcessTerminated):
    """A program that was asked for its value was ended by a signal, and so has none.

    *out* and *err* are what it had written by then.
    """

    def __init__(self, signal: int | None, out: bytes, err: bytes) -> None:
        super().__init__(None, signal)
        self.out, self.err = out, err


class UnexpectedErrorOutput(LoopError, OSError):
    """A program wrote *err* to standard error while only its output, *out*, was expected."""

    def __init__(self, out: bytes, err: bytes) -> None:
        super().__init__(f"the program wrote to standard error: {err[:200]!r}")
        self.out, self.err = out, err


class ProcessExitedAlready(LoopError):
    """A signal was sent to a process that has exited."""


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
