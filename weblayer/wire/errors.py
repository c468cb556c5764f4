"""What can be wrong with bytes that claim to be HTTP."""

__all__ = ["BadMessage", "WireError"]


class WireError(Exception):
    """The base of this room's errors."""


class BadMessage(WireError):
    """The peer sent bytes that are not a message we take. *status* is what to answer.

    *rule* names what was broken, *seen* is the beginning of the bytes that broke it.
    """

    def __init__(self, status: int, rule: str, seen: bytes = b"") -> None:
        super().__init__(f"{rule}: {seen[:80]!r}" if seen else rule)
        self.status, self.rule, self.seen = status, rule, seen
