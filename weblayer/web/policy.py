"""What holds for a part of the tree: numbers and rules, laid over each other on the way down."""

from dataclasses import dataclass, fields, replace
from typing import Literal

__all__ = ["DEFAULT_POLICY", "Policy", "TakesBody"]

TakesBody = Literal["spool", "stream", "ignore"]

_MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Policy:
    """Rules for a resource and all that is found below it. None means: as the parent has it.

    takesBody: "spool" keeps the body (memory, then a file) and renders when it is whole;
    "stream" renders at once and hands it over as `request.stream()`; "ignore" renders at
    once and throws it away.
    maxBody: the most bytes of a body; more is answered with 413, before it is read where
    its length was announced.
    cancelWhenLost: whether a client that leaves cancels what the render was waiting for.
    None stands for the good manners of the method: a GET or a HEAD is cancelled, and so is
    every stream; a change (POST, PUT, PATCH, DELETE) runs to its end, since a half-done change
    is worse than a wasted answer.
    """

    takesBody: TakesBody | None = None
    maxBody: int | None = None
    cancelWhenLost: bool | None = None

    def __post_init__(self) -> None:
        if self.takesBody not in (None, "spool", "stream", "ignore"):
            raise ValueError(
                f'takesBody must be "spool", "stream" or "ignore", not {self.takesBody!r}'
            )
        if self.maxBody is not None and self.maxBody < 0:
            raise ValueError(f"maxBody must be a number of bytes, not {self.maxBody!r}")

    def over(self, parent: "Policy") -> "Policy":
        """This policy laid over *parent*: what it leaves open is as the parent has it."""
        laid = _LAID.get((parent, self))
        if laid is None:
            own = {f.name: v for f in fields(self) if (v := getattr(self, f.name)) is not None}
            laid = replace(parent, **own)
            if len(_LAID) < _MOST_LAID:
                _LAID[parent, self] = laid
        return laid


# Pairs already laid, so that a walk costs one look-up per node with a policy. Policies are
# compared by identity, being made once per class; bounded, for a program that makes many.
_LAID: dict[tuple[Policy, Policy], Policy] = {}
_MOST_LAID = 4096

# 1 MiB: a form with a long text fits, an upload must be asked for.
DEFAULT_POLICY = Policy(takesBody="spool", maxBody=_MB)
