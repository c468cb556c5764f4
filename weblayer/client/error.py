"""What can go wrong when another server is asked, in the field's names where it has them.

That no connection could be made is told by the errors of the loop (ConnectError and its kinds:
refused, no such host, a certificate that is not to be trusted); all else is a ClientError.
"""

import builtins
from collections.abc import Sequence
from typing import Any

from weblayer.loop import error as loop_error
from weblayer.loop.failure import Failure

# A Response, in an error that tells of one; its module stands on this one.
_Response = Any

__all__ = [
    "BadStatus",
    "BodyTooLarge",
    "ClientError",
    "ConnectTimeout",
    "FirstByteTimeout",
    "IdleTimeout",
    "InfiniteRedirection",
    "InvalidURI",
    "MalformedResponse",
    "NotDecoded",
    "NotFollowed",
    "NotRecorded",
    "PageRedirect",
    "PoolClosed",
    "PoolTimeout",
    "PotentialDataLoss",
    "ProxyError",
    "RedirectWithNoLocation",
    "RequestGenerationFailed",
    "RequestTimeout",
    "ResponseDone",
    "ResponseFailed",
    "ResponseNeverReceived",
    "SchemeNotSupported",
    "TotalTimeout",
    "WrongBodyLength",
]


class ClientError(Exception):
    """The base of this room's errors."""


class InvalidURI(ClientError, ValueError):
    """What was to be asked for is not the URI of anything."""


class SchemeNotSupported(InvalidURI):
    """The URI begins with something else than `http:` or `https:`."""


class BadStatus(ClientError):
    """raiseForStatus() was called on a response that tells of an error."""

    def __init__(self, response: _Response) -> None:
        asked = response.request
        said = f"{response.code} {response.phrase}".strip()
        super().__init__(f"{asked.method} {asked.absoluteURI} was answered with {said}")
        self.response, self.code = response, response.code


class BodyTooLarge(ClientError):
    """The body of a response is longer than its reader allows."""

    def __init__(self, maxSize: int) -> None:
        super().__init__(f"the body is longer than the {maxSize} bytes that are allowed")
        self.maxSize = maxSize


class NotFollowed(ClientError):
    """A redirect that was not followed. *response* is that redirect, its body dropped."""

    def __init__(self, why: str, response: _Response) -> None:
        asked = response.request
        super().__init__(f"{asked.method} {asked.absoluteURI} was answered {response.code}: {why}")
        self.response, self.code = response, response.code


class InfiniteRedirection(NotFollowed):
    """One redirect led to another, more often than is allowed."""


class PageRedirect(NotFollowed):
    """The request may not be sent again elsewhere: for its method, or its body has been used."""


class RedirectWithNoLocation(NotFollowed):
    """It does not say where to."""


class NotDecoded(ClientError):
    """A body is not in the coding that it is said to be in, or is too large once decoded."""


class NotRecorded(ClientError):
    """A ReplayAgent was asked for what its file does not have, or not so often."""


class ProxyError(ClientError, loop_error.ConnectError):
    """The proxy could not be reached, or would not connect us: nothing is known of the server.

    *code* is what it answered to CONNECT, None where it did not.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        loop_error.ConnectError.__init__(self, message)
        self.code = code


class PoolClosed(ClientError):
    """The pool of connections was closed before the request had one."""


class _Failed(ClientError):
    """An error that others led to: *reasons*, as Failures, the first one first."""

    def __init__(self, reasons: Sequence[Failure]) -> None:
        super().__init__("; ".join(str(reason) for reason in reasons))
        self.reasons = list(reasons)


class RequestGenerationFailed(_Failed):
    """The producer of the request's body failed, or wrote another length than it had announced."""


class WrongBodyLength(ClientError):
    """A producer wrote more or fewer bytes than its `length`."""


class ResponseFailed(_Failed):
    """The response broke off, or was no HTTP. *response* is what came of it; None before its head.

    A response is broken off by its connection, by a length that is not kept, or by what is
    no HTTP.
    """

    def __init__(self, reasons: Sequence[Failure], response: _Response = None) -> None:
        super().__init__(reasons)
        self.response = response


class ResponseNeverReceived(ResponseFailed):
    """The connection ended before anything of a response had come."""


class MalformedResponse(ClientError):
    """The server sent what is no HTTP/1.1, or broke off; a reason of ResponseFailed."""


class ResponseDone(ClientError):
    """The body has come to its end. Not raised: the reason that its protocol is told."""


class PotentialDataLoss(ClientError):
    """The body ended with the connection, as HTTP/1.0 has it: nobody can say if it is whole.

    Not raised: the reason that its protocol is told.
    """


class RequestTimeout(ClientError, builtins.TimeoutError):
    """The time is over that one *stage* of a request may take, or all of it.

    *seconds* is how long that was, *limit* the name of it among the Timeouts.
    """

    stage = ""
    limit = ""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{self.stage} took more than {seconds:g} seconds")
        self.seconds = seconds


class PoolTimeout(RequestTimeout):
    """No connection became free: as many as the pool allows were in use."""

    stage = "waiting for a free connection"
    limit = "pool"


class ConnectTimeout(RequestTimeout, loop_error.TimeoutError):
    """No connection was made."""

    stage = "connecting"
    limit = "connect"
    osError = None


class FirstByteTimeout(RequestTimeout):
    """The request was sent, and nothing of a response came."""

    stage = "waiting for the response"
    limit = "firstByte"


class IdleTimeout(RequestTimeout):
    """Nothing moved: neither was more of the request taken, nor did more of the response come."""

    stage = "waiting for more"
    limit = "idle"


class TotalTimeout(RequestTimeout):
    """The whole of it took too long."""

    stage = "all of the request"
    limit = "total"
