"""What a parser reports: a head, bytes of its body (plain bytes) and their end, or that it gave up.

A head whose length is 0 is whole by itself: no end follows it.
"""

from typing import Final, NamedTuple

from weblayer.wire.target import parse_target

__all__ = ["END", "Bad", "End", "Event", "Facts", "Head"]

# Single bytes as numbers: `b"#" in target` asks for a number first, and costs six times as much.
SLASH, HASH, COLON, QUESTION = b"/#:?"

# Which names are asked for is the program's to know; one that asks for what a stranger names must
# not have us keep it all.
MOST_KEPT = 32


class Facts:
    """What stands behind a target, the version and the fields, says of the message.

    *host* is the value of Host in lower case, empty where HTTP/1.0 leaves it out. *length* is
    the body's bytes, or CHUNKED; *expects* whether the client waits for 100 Continue; *upgrade*
    what it offers to change to; *conditional* whether it asks for ranges or sets conditions. Heads
    of one connection share these where they say the same behind their targets, and with them
    *found*, the values that were asked for, by name; all else is never changed.
    """

    __slots__ = (
        "conditional", "expects", "found", "host", "keep_alive", "length", "upgrade", "version",
    )  # fmt: skip

    def __init__(
        self,
        version: bytes,
        host: bytes = b"",
        length: int = 0,
        keep_alive: bool = True,
        expects: bool = False,
        upgrade: bytes | None = None,
        conditional: bool = False,
    ) -> None:
        self.version = version
        self.host = host
        self.length = length
        self.keep_alive = keep_alive
        self.expects = expects
        self.upgrade = upgrade
        self.conditional = conditional
        self.found: dict[bytes, list[bytes]] = {}


class Head:
    """The head of a request, judged well-formed. Its fields are read when they are asked for.

    *raw* is the head as sent, blank line and all. *target* is as sent; *path* and *query*
    are those of an origin-form target, whatever form it came in; the path may also be `*`, or
    empty for CONNECT. *authority* is what the target names in place of Host, if anything.
    Raises BadMessage (400) for a target that has none of the four forms.
    """

    __slots__ = ("authority", "facts", "method", "path", "query", "raw", "target")

    authority: bytes | None

    def __init__(self, raw: bytes, method: bytes, target: bytes, facts: Facts) -> None:
        self.raw = raw
        self.method = method
        self.target = target
        self.facts = facts
        if target[0] == SLASH and HASH not in target and method != b"CONNECT":  # the rule
            self.authority = None
            if QUESTION in target:
                self.path, _, self.query = target.partition(b"?")
            else:
                self.path, self.query = target, b""
        else:
            self.path, self.query, self.authority = parse_target(method, target)

    @property
    def host(self) -> bytes:
        """Whom the request is for, in lower case: the target's authority, else the value of Host.

        Source: RFC 9112, 3.2.2: an absolute target replaces Host, whatever that says.
        """
        return self.authority.lower() if self.authority else self.facts.host

    def fields(self) -> list[tuple[bytes, bytes]]:
        """Pairs of (name, value), names as sent, in the order sent. Made anew at each call."""
        pairs = (line.partition(b":") for line in self.raw.split(b"\r\n")[1:-2])
        return [(name, value.strip(b" \t")) for name, _, value in pairs]

    def values(self, name: bytes) -> list[bytes]:
        """The values of the fields *name*, in lower case: those of `fields`, without the others.

        They are kept for the heads that share our facts, and not to be changed. A search costs a
        tenth of reading twelve fields, and most requests are asked for one or two.
        """
        kept = self.facts.found
        found = kept.get(name)
        if found is None:
            found = self._search(name)
            if len(kept) < MOST_KEPT:
                kept[name] = found
        return found

    def _search(self, name: bytes) -> list[bytes]:
        found: list[bytes] = []
        key, lowered = b"\r\n%b:" % name, self.raw.lower()
        at = -1 if COLON in name else lowered.find(key)
        while at >= 0:
            start = at + len(key)
            at = self.raw.index(b"\r\n", start)
            found.append(self.raw[start:at].strip(b" \t"))
            at = lowered.find(key, at)
        return found


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
