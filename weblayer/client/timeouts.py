"""How long each stage of a request may take, and which of them is over: a pure decision."""

import enum
from dataclasses import dataclass, field
from typing import Final

from weblayer.client.error import (
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    PoolTimeout,
    RequestTimeout,
    TotalTimeout,
)

__all__ = ["LOOK", "NEVER", "Stage", "Timeouts"]


NEVER: Final = float("inf")

# Seconds between two looks at what is under way.
LOOK: Final = 1.0


_NAMES = ("connect", "pool", "firstByte", "idle", "total")


class Stage(enum.Enum):
    """How far a request has come, by the error that is told when that takes too long."""

    QUEUED = PoolTimeout
    CONNECTING = ConnectTimeout
    MOVING = IdleTimeout  # its body goes out, or the answer's comes in
    SENT = FirstByteTimeout


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that each stage of a request may take; None is for ever.

    They are looked at once a second, so that an error may come up to a second late (sooner when
    a limit is itself short). Time in which the reader of a body had paused it is not idle.
    """

    # A SYN that was lost is sent again after 1, 3, 7 and 15 seconds; what has not connected
    # then will not. TLS has as much again.
    connect: float | None = 30.0
    # As long as what it waits for: the answer to another request.
    pool: float | None = 60.0
    # nginx gives what stands behind it 60 seconds to begin an answer.
    firstByte: float | None = 60.0
    # Between two pieces of a body; nginx gives up after as long.
    idle: float | None = 60.0
    # A gigabyte at 300 kB/s: ends what sends a byte a minute for ever.
    total: float | None = 3600.0
    # When to look first at a request: each asks for it.
    firstLook: float = field(init=False)

    def __post_init__(self) -> None:
        found = {name: getattr(self, name) for name in _NAMES}
        for name, value in found.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be more than 0 seconds, or None, not {value!r}")
        first = min((one for one in found.values() if one is not None), default=LOOK)
        object.__setattr__(self, "firstLook", min(first, LOOK))  # it is frozen from here on

    def due(self, stage: Stage, since: float, began: float) -> tuple[float, type[RequestTimeout]]:
        """When time is over for a request in *stage*, and the error to be told then.

        It came to that stage, or something moved in it, at *since*; it *began* before that.
        """
        stage_ends = since + self.of(stage.value)
        all_ends = began + self.of(TotalTimeout)
        return (all_ends, TotalTimeout) if all_ends < stage_ends else (stage_ends, stage.value)

    def of(self, kind: type[RequestTimeout]) -> float:
        """The seconds after which there is an error of that *kind*."""
        seconds: float | None = getattr(self, kind.limit)
        return NEVER if seconds is None else seconds
