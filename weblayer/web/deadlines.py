"""How long the clients of a site may take."""

from dataclasses import dataclass, fields

from weblayer.web.watch import BODY, HEAD, LEAVING, LINGER, NEXT, READING, Awaited

__all__ = ["Deadlines"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """How many seconds a client may take; give it to `Site(deadlines=...)`. `inf` is no deadline.

    keepAlive: for another request, or the first, to begin; then the connection is closed without
    a word. None is the site's `timeout`.
    head: for a head, from its first byte to its last, however many come; then 408.
    body and minBodyRate: in each *body* seconds that we wait for more of one, so many bytes a
    second must come; else 408, or a broken connection where the answer has begun.
    write: for any byte of an answer to be read; then the connection is broken. None is the
    site's `timeout`.
    How long an answer may take in all is a matter of its resource: see `Policy.deadline`.
    All are looked at once a second: what is over is ended within a second.
    Raises ValueError for what is no positive number.
    """

    keepAlive: float | None = None
    # A head is one packet or a few; who needs more has a network on which no page would load.
    head: float = 10.0
    # Long enough for a train to pass a tunnel of 2 km. As Kestrel's rate, and half of what Apache
    # asks: a modem of the eighties.
    body: float = 30.0
    minBodyRate: float = 240.0
    write: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and (not isinstance(value, int | float) or not value > 0):
                raise ValueError(f"{field.name} must be a number above 0, not {value!r}")

    def _times(self, timeout: float) -> dict[Awaited, float]:
        """Seconds for each thing; where there are none, *timeout*."""
        return {
            NEXT: timeout if self.keepAlive is None else self.keepAlive,
            HEAD: self.head,
            BODY: self.body,
            READING: timeout if self.write is None else self.write,
            LEAVING: LINGER,
        }
