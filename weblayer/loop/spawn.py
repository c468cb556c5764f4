"""Starting a program: which descriptors it gets, as whom it runs, and where.

`subprocess.Popen` does it, in C between fork and exec. What it lacks, other numbers for
descriptors above 2 and a controlling terminal, is added by `launch`, at the cost of starting an
interpreter (a hundredth of a second).
"""

import os
import pwd
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

__all__ = [
    "NO_ENVIRONMENT",
    "Environment",
    "Order",
    "Wiring",
    "start",
    "wire_pipes",
    "wire_terminal",
]

Text: TypeAlias = str | bytes
Environment: TypeAlias = Mapping[str, str] | Mapping[bytes, bytes]

LAUNCH = Path(__file__).with_name("launch.py")

NO_ENVIRONMENT: Environment = MappingProxyType[str, str]({})


class Order(NamedTuple):
    """What to run, where, and as whom."""

    executable: Text
    args: Sequence[Text]
    env: Environment | None
    path: Text | None
    uid: int | None
    gid: int | None


@dataclass
class Wiring:
    """The descriptors of a child: *theirs* as the child numbers them, each one open here.

    *inputs* and *outputs* are our ends, by the child's numbers. *lent* are closed once the child
    has its copies. The child is in a session of its own where *apart*, and *terminal* says that 0
    is to control that.
    """

    theirs: dict[int, int] = field(default_factory=dict)
    inputs: dict[int, int] = field(default_factory=dict)
    outputs: dict[int, int] = field(default_factory=dict)
    lent: list[int] = field(default_factory=list)
    apart: bool = True
    terminal: bool = False

    @property
    def moves(self) -> dict[int, int]:
        """The descriptors above 2, which Popen knows under our numbers only."""
        return {number: fd for number, fd in self.theirs.items() if number > 2}

    def close(self) -> None:
        """Close what is open on our side, when there will be no child."""
        for fd in {*self.inputs.values(), *self.outputs.values()}:
            os.close(fd)


def wire_pipes(childFDs: Mapping[int, int | str]) -> Wiring:
    """Open the pipes that *childFDs* asks for. Raises ValueError, OSError."""
    wiring = Wiring()
    with ExitStack() as undo:
        undo.callback(_close_all, wiring.lent)
        undo.callback(wiring.close)
        for number, what in childFDs.items():
            _wire(wiring, number, what)
        undo.pop_all()
    return wiring


def wire_terminal(pair: tuple[int, int, str] | None) -> Wiring:
    """Open a terminal, or take the *pair* of descriptors that was opened for it."""
    ours, theirs = os.openpty() if pair is None else pair[:2]
    three = dict.fromkeys((0, 1, 2), theirs)
    return Wiring(three, inputs={0: ours}, outputs={1: ours}, lent=[theirs], terminal=True)


def start(order: Order, wiring: Wiring) -> "Popen[bytes]":
    """Start the program; the descriptors that it was lent are closed here in any case.

    Raises OSError when it cannot be started, as by whoever tries to run it.
    """
    with ExitStack() as lent:
        lent.callback(_close_all, wiring.lent)
        if isinstance(order.args, str | bytes):
            raise TypeError(f"args must be a sequence of arguments, not {order.args!r}")
        args, who = order.args or [order.executable], _who(order)
        if wiring.terminal or any(number != fd for number, fd in wiring.moves.items()):
            return _launched(order, wiring, args, who)
        return _started(order, wiring, args, list(wiring.moves), order.executable, who)


def _started(
    order: Order, wiring: Wiring, args: Sequence[Text], kept: Sequence[int],
    executable: Text | None = None, who: "_Who | None" = None,
) -> "Popen[bytes]":  # fmt: skip
    uid, gid, groups = who or (None, None, None)
    stdin, stdout, stderr = (wiring.theirs.get(number, DEVNULL) for number in range(3))
    return Popen(  # noqa: S603  to run what a program asks for is what this is for
        args, executable=executable, stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=kept,
        cwd=order.path, env=order.env, start_new_session=wiring.apart,
        user=uid, group=gid, extra_groups=groups,
    )  # fmt: skip


def _launched(
    order: Order, wiring: Wiring, args: Sequence[Text], who: "_Who | None"
) -> "Popen[bytes]":
    """Start it through `launch`, which tells of an error by the pipe *report*."""
    told, report = os.pipe()
    try:
        before = [
            sys.executable, "-I", "-S", str(LAUNCH), str(report),
            ",".join(f"{fd}>{number}" for number, fd in wiring.moves.items()),
            "terminal" if wiring.terminal else "",
            ",".join(map(str, (who.uid, who.gid, *who.groups))) if who else "",
            _set_by_python(order.env),
        ]  # fmt: skip
        kept = {report, *wiring.moves.values()}
        child = _started(order, wiring, [*before, order.executable, *args], list(kept))
        os.close(report)
        report = -1
        if error := os.read(told, 16):
            child.wait()
            raise OSError(int(error), os.strerror(int(error)), order.executable)
        return child
    finally:
        _close_all([fd for fd in (told, report) if fd >= 0])


def _set_by_python(env: Environment | None) -> str:
    """The variable that an interpreter in the C locale sets for itself (PEP 538)."""
    known = os.environ if env is None else env
    return "" if "LC_CTYPE" in known or b"LC_CTYPE" in known else "LC_CTYPE"


def _wire(wiring: Wiring, number: int, what: int | str) -> None:
    if what == "r":
        wiring.outputs[number], theirs = os.pipe()
    elif what == "w":
        theirs, wiring.inputs[number] = os.pipe()
    elif isinstance(what, int):
        # A terminal's programs are those of its session: one in another could not read from it.
        wiring.apart = wiring.apart and not os.isatty(what)
        wiring.theirs[number] = what
        return
    else:
        raise ValueError(f'childFDs must say "r", "w" or a descriptor for {number}, not {what!r}')
    wiring.theirs[number] = theirs
    wiring.lent.append(theirs)


class _Who(NamedTuple):
    uid: int
    gid: int
    groups: list[int]


def _who(order: Order) -> _Who | None:
    """As whom to run, with the groups of that user and not ours; None for as we do."""
    if order.uid is None and order.gid is None:
        return None
    uid = os.geteuid() if order.uid is None else order.uid
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        entry = None
    if order.gid is not None:
        gid = order.gid
    elif entry is not None:
        gid = entry.pw_gid
    else:
        raise ValueError(f"uid {uid} is no user of this system; give gid as well")
    groups = [gid]
    if entry is not None and order.uid is not None:
        groups = os.getgrouplist(entry.pw_name, gid)
    return _Who(uid, gid, groups)


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
