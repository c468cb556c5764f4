"""A local redirect: another resource of the tree answers, and the client never hears of it."""

from typing import Any

from weblayer.web.errors import Error
from weblayer.web.policy import DEFAULT_POLICY
from weblayer.web.request import Request
from weblayer.web.walk import walk_through
from weblayer.wire.events import Facts, Head
from weblayer.wire.target import path_segments

__all__ = ["render_at"]

# More is a program that sends to itself, or two to each other.
MOST = 10

# They spoke of a body that the detour does not have.
_OF_THE_BODY = (b"content-", b"transfer-encoding:", b"expect:")


class _Turned(Head):
    """The head of a request that was sent elsewhere, *turns* times."""

    __slots__ = ("turns",)

    def __init__(self, old: Head, path: bytes, query: bytes) -> None:
        lines = old.raw.split(b"\r\n")
        kept = [line for line in lines if not line.lower().startswith(_OF_THE_BODY)]
        facts = old.facts
        super().__init__(
            b"\r\n".join(kept),
            b"HEAD" if old.method == b"HEAD" else b"GET",
            old.target,  # still what the client asked for, in the log
            Facts(facts.version, facts.host, 0, facts.keep_alive, conditional=facts.conditional),
        )
        self.path, self.query = path, query
        self.turns: int = old.turns + 1 if isinstance(old, _Turned) else 1


# Any: whatever a render gives, which settle is to find out.
async def render_at(request: Request, target: bytes) -> Any:
    """Walk the tree anew to *target*, a path and perhaps a query, and render what is there.

    It is a GET without a body (a HEAD stays one), and what has been prepared of the answer is
    forgotten. Raises what the walk raises, and Error (500) for the eleventh such turn.
    Source: RFC 3875, 6.2.2.
    """
    path, _, query = target.partition(b"?")
    _turn(request, _Turned(request._head, path, query))
    node = await walk_through(request.site.resource, request)
    if request.policy.sendsID:
        request.setHeader(b"X-Request-ID", request.id)
    return node.render(request)


def _turn(request: Request, head: _Turned) -> None:
    if head.turns > MOST:
        raise Error(500, "This address leads back to itself.")
    request._head, request.method = head, head.method.decode()
    request.prepath, request.postpath = [], path_segments(head.path)
    request.policy = DEFAULT_POLICY
    request._fields = request._args = request._files = None
    request._body = request._form = request._coming = None
    request._reset()
