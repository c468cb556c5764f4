"""Whether a client keeps us waiting for too long: looked at once a second, without a timer.

Theory. What is awaited of a client is one of a few things at any moment (see `Awaited`), and each
has its time. A `Watch` is told once a second what it is, and whether anything happened since the
last look: what is awaited anew, or again, is awaited from that look on. So the time of one thing
is over within a second after its end, and whatever happens in between costs nothing.
"""

import enum

__all__ = [
    "BODY", "HEAD", "LEAVING", "LINGER", "NEXT", "NOTHING", "READING", "Awaited", "Watch",
]  # fmt: skip

# Seconds to wait for a client to read an answer that we closed after, while its unread bytes
# keep coming: closing at once would reset the connection, and may lose the answer
# (RFC 9112, 9.6). nginx waits 5 for the next byte. And how long an answer may take to begin
# whose client has ended its side, or left: it looks the same.
LINGER = 5


class Awaited(enum.Enum):
    """What the next move is."""

    NOTHING = "ours"
    NEXT = "another request"
    HEAD = "the rest of a head"
    BODY = "more of a body"
    READING = "that the client reads"
    LEAVING = "that the client goes"

    # Each is one of its kind; Enum's own hash is a call, at each look at each connection.
    __hash__ = object.__hash__


# A member costs 60 ns to look up by its class (Python 3.11).
NOTHING, NEXT, HEAD, BODY, READING, LEAVING = Awaited


class Watch:
    """One connection under the deadlines of its site."""

    __slots__ = ("_awaited", "_begun", "_looked", "_moved")

    def __init__(self, now: float) -> None:
        self._awaited = Awaited.NOTHING
        self._begun = self._looked = now
        self._moved = 0  # bytes, in the time that runs

    def is_over(
        self,
        awaited: Awaited,
        now: float,
        since: float,
        moved: int,
        times: dict[Awaited, float],
        least: float,
    ) -> bool:
        """Look: whether the client has had its time for what is *awaited*.

        *since* is when something last happened that begins the time anew, *moved* how many bytes
        of what is awaited have since the last look, *least* the bytes a second of a body.
        """
        last, self._looked = self._looked, now
        if awaited is not self._awaited or since >= last or (moved > 0 and awaited is READING):
            self._awaited, self._begun, self._moved = awaited, last, 0
        if awaited is NOTHING:
            return False
        self._moved += moved
        time = now - self._begun
        if time <= times[awaited]:
            return False
        if awaited is not BODY or self._moved < least * time:
            return True
        self._begun, self._moved = now, 0
        return False
