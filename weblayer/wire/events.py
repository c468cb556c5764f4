"""What a parser reports: a head, bytes of a body (plain bytes), an end, or that it gave up."""

from typing import Final, NamedTuple

__all__ = ["END", "Bad", "End", "Event", "Head"]


class Head:
    """The head of a request, judged well-formed. Its fields are read when they are asked for.

    *raw* is the head as sent, blank line and all; *length* the body's bytes, or CHUNKED;
    *host* the value of Host, b"" where HTTP/1.0 left it out.
    """

    __slots__ = (
        "expects",
        "host",
        "keep_alive",
        "length",
        "method",
        "raw",
        "target",
        "upgrade",
        "version",
    )

    def __init__(
        self,
        raw: bytes,
        method: bytes,
        target: bytes,
        version: bytes,
        host: bytes = b"",
        length: int = 0,
        keep_alive: bool = True,
        expects: bool = False,
        upgrade: bytes | None = None,
    ) -> None:
        self.raw, self.method, self.target, self.version = raw, method, target, version
        self.host, self.length, self.keep_alive = host, length, keep_alive
        self.expects, self.upgrade = expects, upgrade

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Pairs of (name, value), names as sent, in the order sent. Made anew at each call."""
        pairs = (line.partition(b":") for line in self.raw.split(b"\r\n")[1:-2])
        return [(name, value.strip(b" \t")) for name, _, value in pairs]


class End:
    """The message is whole. There is one of it."""

    __slots__ = ()


END: Final = End()


class Bad(NamedTuple):
    """What came is not a message we take: the last event of a connection.

    *status* is what to answer when its turn comes, *rule* what to tell the log.
    """

    status: int
    rule: str


Event = Head | bytes | End | Bad
