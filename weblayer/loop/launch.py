"""What stands between fork and exec for a child that `Popen` alone cannot make.

Never imported: `spawn` runs this file in an interpreter of its own, because Python code between
fork and exec (a preexec_fn) may hang in a program that has threads. It gives the child
descriptors under other numbers than ours, and a controlling terminal, and becomes the program.
"""

import fcntl
import os
import signal
import sys
import termios
from typing import NoReturn

__all__ = ["main"]


def main(
    report: str, moves: str, terminal: str, user: str, drop: str, executable: str, *args: str
) -> NoReturn:
    """Arrange what was asked, and become *executable*; the number of an error goes to *report*.

    *moves* is "from>to,…"; *terminal* is not empty where 0 is one; *user* is "uid,gid,groups,…"
    or empty; *drop* is a variable of the environment that Python itself has set.
    """
    writer = int(report)
    try:
        pairs = [tuple(map(int, move.split(">"))) for move in moves.split(",") if move]
        free = max([writer, *(number for pair in pairs for number in pair)]) + 1
        writer = _kept(writer, free)
        held = [(_kept(fd, free), to) for fd, to in pairs]
        for fd, to in held:
            os.dup2(fd, to)
        if terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # Python ignores these, and what is ignored stays so in the program.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.environ.pop(drop, None)
        if user:
            _become(*map(int, user.split(",")))
        os.execvp(executable, args)  # noqa: S606  this is what it is for
    except OSError as error:
        os.write(writer, str(error.errno).encode())
    finally:
        os._exit(127)


def _kept(fd: int, free: int) -> int:
    """A copy of *fd* out of the way, which closes itself at exec, as *fd* will."""
    os.set_inheritable(fd, False)
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, free)


def _become(uid: int, gid: int, *groups: int) -> None:
    os.setgroups(groups)
    os.setgid(gid)
    os.setuid(uid)


if __name__ == "__main__":
    main(*sys.argv[1:])
