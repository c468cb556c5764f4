"""Programs for the tests that run some: shell scripts, and whether they are still there."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from weblayer.loop.loops import new_loop
from weblayer.web.testing import Conversation


@pytest.fixture
def program(tmp_path):
    """A function that writes a shell script and gives its path."""

    def program(text, name="script", mode=0o755):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(mode)
        return path

    return program


@pytest.fixture
def nothing_left():
    """Every descriptor is closed, and every child collected, when a test is over."""
    for kind in ("asyncio", "uvloop"):
        new_loop(kind).close()  # the first one opens descriptors for all that come
    before = descriptors()
    yield
    assert descriptors() <= before
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)


def descriptors():
    found = Path("/proc/self/fd")
    return len(list(found.iterdir())) if found.exists() else 0


def is_running(pid):
    """Whether a process is there, and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the second, while it is being read
        return False
    return state != "Z"


def no_children():
    """Whether every child has been collected."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


@contextmanager
def asking(tree, method="GET", target="/", headers=None, body=b""):
    """A conversation with a tree of programs, over only when they are."""
    conversation = Conversation(tree)
    conversation.ask(method, target, headers, body)
    try:
        yield conversation
    finally:
        conversation.reset()
        conversation.advance(10)
        conversation.waitFor(no_children)
        conversation.advance(0)  # in which the ends of their pipes are told
        conversation.close()


def answer(tree, method="GET", target="/", headers=None, body=b""):
    """The one answer, when it is whole or broken off."""
    with asking(tree, method, target, headers, body) as conversation:
        conversation.waitFor(lambda: conversation.isWhole or conversation.isClosed)
        return conversation.last
