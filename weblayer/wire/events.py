"""What a parser reports: a head, bytes of its body (plain bytes) and their end, or that it gave up.

A head whose length is 0 is whole by itself: no end follows it.
"""

from typing import Final, NamedTuple

__all__ = ["END", "Bad", "End", "Event", "Head"]


class Head:
    """The head of a request, judged well-formed. Its fields are read when they are asked for.

    *raw* is the head as sent, blank line and all. *target* is as sent; *path* and *query*
    are those of an origin-form target, whatever form it came in; the path may also be `*`, or
    empty for CONNECT. *host* is the target's authority, else the value of Host in lower
    case, else (in HTTP/1.0) empty. *length* is the body's bytes, or CHUNKED; *expects* whether the
    client waits for 100 Continue; *upgrade* what it offers to change to.
    """

    __slots__ = (
        "expects", "host", "keep_alive", "length", "method", "path", "query", "raw", "target",
        "upgrade", "version",
    )  # fmt: skip

    def __init__(
        self,
        raw: bytes,
        method: bytes,
        target: bytes,
        path: bytes,
        query: bytes,
        version: bytes,
        host: bytes,
        length: int = 0,
        keep_alive: bool = True,
        expects: bool = False,
        upgrade: bytes | None = None,
    ) -> None:
        self.raw = raw
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.version = version
        self.host = host
        self.length = length
        self.keep_alive = keep_alive
        self.expects = expects
        self.upgrade = upgrade

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Pairs of (name, value), names as sent, in the order sent. Made anew at each call."""
        pairs = (line.partition(b":") for line in self.raw.split(b"\r\n")[1:-2])
        return [(name, value.strip(b" \t")) for name, _, value in pairs]


class End:
    """The body is whole, and the message with it. There is one of it."""

    __slots__ = ()


END: Final = End()


class Bad(NamedTuple):
    """What came is not a message we take: the last event of a connection.

    *status* is what to answer when its turn comes, *rule* what to tell the log.
    """

    status: int
    rule: str


Event = Head | bytes | End | Bad
