"""What holds for a part of the tree: numbers and rules, laid over each other on the way down."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any, Literal

__all__ = ["DEFAULT_POLICY", "ErrorPage", "Policy", "TakesBody"]

TakesBody = Literal["spool", "stream", "ignore"]

# Given the request, the code and what to tell the person, the page: HTML as str, anything as bytes,
# problem details as a dict, or None for the usual page. Any: Request is a later module.
ErrorPage = Callable[[Any, int, str], str | bytes | dict[str, Any] | None]

_MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Policy:
    """Rules for a resource and all that is found below it. None means: as the parent has it.

    takesBody: "spool" keeps the body (memory, then a file) and renders when it is whole;
    "stream" renders at once and hands it over as `request.stream()`; "ignore" renders at
    once and throws it away.
    maxBody: the most bytes of a body; more is answered with 413, before it is read where
    its length was announced.
    maxFields: the most fields and files of a form; more is a 400.
    maxFieldBytes: the most bytes of a form's fields together, without its files; more is a 413.
    cancelWhenLost: whether a client that leaves cancels what the render was waiting for.
    None stands for the good manners of the method: a GET or a HEAD is cancelled, and so is
    every stream; a change (POST, PUT, PATCH, DELETE) runs to its end, since a half-done change
    is worse than a wasted answer.
    deadline: how many seconds an answer may take from the head of its request to its last byte;
    then it is given up: a 503, or a broken connection where it has begun, and what the render
    was waiting for is cancelled, whatever the method. `inf` sets no bound.
    errorPage: called with the request, the code and the detail to make the page of an error; see
    `ErrorPage`. Where it gives None, or fails, the page is the usual one.
    accessLog: whether the access log has a line for each exchange.
    sendsID: whether the answers carry `request.id`, as X-Request-ID.
    compress: whether answers are compressed for clients that accept it: zstd and br where their
    packages are installed, gzip, deflate. Off by default: where a page shows a secret beside what
    a stranger has sent, its compressed length tells of the secret (BREACH).
    compressTypes: the content types that are, with `*` for anything.
    compressFrom: the least bytes of a body that is; those of a stream are not known, and it is.
    sessions: where sessions are kept, in place of the site's own: a SessionStore, which should have
    a cookieName or a cookiePath of its own.
    """

    takesBody: TakesBody | None = None
    maxBody: int | None = None
    maxFields: int | None = None
    maxFieldBytes: int | None = None
    cancelWhenLost: bool | None = None
    deadline: float | None = None
    errorPage: ErrorPage | None = None
    accessLog: bool | None = None
    sendsID: bool | None = None
    compress: bool | None = None
    compressTypes: tuple[str, ...] | None = None
    compressFrom: int | None = None
    sessions: Any = None  # a SessionStore, of a later module

    def __post_init__(self) -> None:
        if self.takesBody not in (None, "spool", "stream", "ignore"):
            raise ValueError(
                f'takesBody must be "spool", "stream" or "ignore", not {self.takesBody!r}'
            )
        if self.errorPage is not None and not callable(self.errorPage):
            raise TypeError(f"errorPage must be a function that gives one, not {self.errorPage!r}")
        if not isinstance(self.compressTypes, tuple | None):
            raise TypeError(f"compressTypes must be a tuple of types, not {self.compressTypes!r}")
        for name in ("maxBody", "maxFields", "maxFieldBytes", "compressFrom"):
            most = getattr(self, name)
            if most is not None and (not isinstance(most, int | float) or most < 0):
                raise ValueError(f"{name} must be a number, and none below 0, not {most!r}")

        late = self.deadline
        if late is not None and (not isinstance(late, int | float) or not late > 0):
            raise ValueError(f"deadline must be seconds, more than 0, not {self.deadline!r}")

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

DEFAULT_POLICY = Policy(
    takesBody="spool",
    # A form with a long text fits, an upload must be asked for.
    maxBody=_MB,
    # A form of a thousand fields is a spreadsheet; more is an attack on the dictionary.
    maxFields=1000,
    # Fields are held in memory, where files are not: whoever raises maxBody for files has
    # not raised this, and whoever raises it for a long text rarely needs to.
    maxFieldBytes=4 * _MB,
    # How long an answer takes is the program's to know: a large file to a slow client takes hours,
    # a long poll minutes. Whoever keeps us waiting meanwhile meets the deadlines of the site.
    deadline=inf,
    accessLog=True,
    sendsID=False,
    # What is text inside. Pictures, sound, archives and woff2 are compressed as they are.
    compressTypes=(
        "text/*",
        "application/json",
        "application/javascript",
        "application/xml",
        "application/wasm",
        "application/*+json",
        "application/*+xml",
        "application/x-ndjson",
        "image/svg+xml",
        "font/ttf",
        "font/otf",
    ),
    # What fits one packet with its head (1,460 bytes on most ways) arrives no sooner.
    compressFrom=1024,
)
