"""Sockets that somebody else has opened for us: an older process, or systemd.

Under systemd a service may be given listening sockets, so that it needs no right to open
them, and loses no connection while it restarts. Source: sd_listen_fds(3).
"""

import os
import socket
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ListenFD", "adopted", "systemdSockets"]

# Where the descriptors that systemd passes begin (SD_LISTEN_FDS_START).
FIRST = 3


class ListenFD(NamedTuple):
    """A descriptor that systemd has passed, with the name that its socket unit gives it."""

    name: str
    fileno: int


def adopted(fd: int, family: int | None = None, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """A copy of the socket *fd*, which may be closed afterwards.

    Raises ValueError when it is no socket, of another *family* (None for any) or *kind*, or a
    stream socket that does not listen.
    """
    try:
        sock = socket.socket(fileno=os.dup(fd))
    except OSError as error:
        raise ValueError(f"fd {fd} is not an open socket: {error.strerror}") from error
    fault = _fault(sock, family, kind)
    if fault:
        sock.close()
        raise ValueError(f"fd {fd} cannot be adopted: {fault}")
    sock.setblocking(False)
    return sock


def systemdSockets(environ: Mapping[str, str] = os.environ) -> list[ListenFD]:
    """The sockets that systemd has passed to this process, in their order; none elsewhere.

    They are not inherited by the programs that we start.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []  # meant for a parent of ours
    count = environ.get("LISTEN_FDS", "")
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    found = []
    for place in range(int(count) if count.isdecimal() else 0):
        os.set_inheritable(FIRST + place, False)
        name = names[place] if place < len(names) else ""
        found.append(ListenFD(name or "unknown", FIRST + place))
    return found


def _fault(sock: socket.socket, family: int | None, kind: int) -> str:
    if family is not None and sock.family != family:
        return f"its family is {sock.family}, not {family}"
    if sock.type != kind:
        return f"its type is {sock.type}, not {kind}"
    if kind == socket.SOCK_STREAM and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "it does not listen"
    return ""
