"""Files, and what is like one, as outcomes: on disk, in memory, unpacked, from a pipe."""

import gzip
import io
import os
import tempfile
import threading

import pytest

from tests.web.trees import Page, errors_of, raw
from weblayer.loop.deferred import succeed
from weblayer.web.testing import Conversation

BODY = bytes(range(256)) * 1000  # some pieces and a half


class Odd:
    """The least that can be read, with a close that tells."""

    def __init__(self, data=BODY):
        self._file, self.closed = io.BytesIO(data), False

    def read(self, size):
        return self._file.read(size)

    def close(self):
        self.closed = True


class Slow(Odd):
    """Read by a coroutine, closed by another."""

    async def read(self, size):
        return self._file.read(size)

    async def close(self):
        self.closed = True


class Bare:
    """Read by a coroutine, with nothing to close, as a StreamReader is."""

    def __init__(self):
        self._file = io.BytesIO(BODY)

    async def read(self, size):
        return self._file.read(size)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "body"
    path.write_bytes(BODY)
    return path


def zipped(path):
    (packed := path.with_suffix(".gz")).write_bytes(gzip.compress(BODY))
    return gzip.open(packed)


def temporary(path):
    file = tempfile.NamedTemporaryFile()  # noqa: SIM115  # the answer closes it
    file.write(BODY)
    file.seek(0)
    return file


def spooled(path):
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115  # as above
    file.write(BODY)
    file.seek(0)
    return file


OPENED = {
    "a file": lambda path: path.open("rb"),
    "a file without a buffer": lambda path: path.open("rb", buffering=0),
    "a temporary file": temporary,
    "a spooled file": spooled,
    "in memory": lambda path: io.BytesIO(BODY),
    "an archive": zipped,
    "text": lambda path: path.open(encoding="latin-1", newline=""),
    "like a file": lambda path: Odd(),
    "a coroutine's": lambda path: Slow(),
    "nothing to close": lambda path: Bare(),
}


def asked(file, method="GET", later=False, **fields):
    """The answer of a page that gives *file*, waited for in real time where threads read."""
    page = Page(lambda request: succeed(file) if later else file)
    with Conversation(page) as conversation:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        conversation.send(raw(f"{method} / HTTP/1.1", *lines, "Connection: close"), method)
        conversation.waitFor(lambda: conversation.isClosed)
        return conversation.last


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("name", OPENED)
def test_what_can_be_read_is_the_body(name, later, path):
    """Whatever it is, and whenever it comes: read to its end, and closed."""
    file = OPENED[name](path)
    answer = asked(file, later=later)
    assert (answer.code, answer.isWhole) == (200, True)
    assert answer.body == (BODY.decode("latin-1").encode() if name == "text" else BODY)
    assert getattr(file, "closed", True)


@pytest.mark.parametrize("name", OPENED)
def test_head_reads_no_more_than_it_must(name, path):
    """There is no body, and the file is closed."""
    file = OPENED[name](path)
    answer = asked(file, "HEAD")
    assert (answer.code, answer.body) == (200, b"")
    assert getattr(file, "closed", True)


@pytest.mark.parametrize("name", ["a file", "a temporary file", "in memory", "like a file"])
def test_a_file_is_read_from_where_it_stands(name, path):
    """What the program has read of it is not sent."""
    file = OPENED[name](path)
    file.read(1000)
    assert asked(file).body == BODY[1000:]


@pytest.mark.parametrize("name", ["a file", "a temporary file", "in memory"])
@pytest.mark.parametrize("start", [0, 10])
def test_what_has_a_size_has_ranges(name, start, path):
    """Counted from where the file stands."""
    file = OPENED[name](path)
    file.seek(start)
    answer = asked(file, Range="bytes=5-9,100000-100009")
    assert answer.code == 206
    rest = BODY[start:]
    assert rest[5:10] in answer.body
    assert rest[100000:100010] in answer.body
    assert f"bytes 5-9/{len(rest)}".encode() in answer.body


@pytest.mark.parametrize("name", ["a file", "a temporary file", "in memory"])
def test_a_range_that_is_not_there_is_416_and_the_file_closed(name, path):
    """An error closes it as well."""
    file = OPENED[name](path)
    assert asked(file, Range=f"bytes={len(BODY)}-").code == 416
    assert file.closed


def test_a_file_says_how_long_it_is(path):
    """Its answer is no stream without an end."""
    answer = asked(path.open("rb"))
    assert answer.getHeader("content-length") == str(len(BODY))


def test_what_was_written_and_not_flushed_is_part_of_the_file(path):
    """A program writes a report, and gives it."""
    file = path.open("r+b")
    file.write(b"report")
    file.seek(0)
    assert asked(file).body == b"report" + BODY[6:]


@pytest.mark.parametrize(("at", "whole"), [(0, True), (1, False)])
def test_a_read_that_fails_breaks_the_answer_off(at, whole, caplog):
    """Before the first byte it is an error's page; after it the answer is never taken for whole."""

    class Failing(Odd):
        def read(self, size):
            if self._file.tell() >= at:
                raise OSError("the disk is gone")
            return super().read(size)

    file = Failing()
    answer = asked(file)
    assert (answer.code, answer.isWhole) == (500 if whole else 200, whole)
    assert file.closed
    assert len(errors_of(caplog)) == 1


def test_a_client_that_leaves_has_the_file_closed_when_nobody_reads_it():
    """Never under the thread that still reads: its descriptor may be another file's by then."""
    began, gone = threading.Event(), threading.Event()

    class Stuck(Odd):
        def read(self, size):
            began.set()
            gone.wait(10)
            self.closed_before = self.closed
            return b""

    file = Stuck()
    with Conversation(Page(lambda request: file)) as conversation:
        conversation.send(raw("GET / HTTP/1.1"))
        conversation.waitFor(began.is_set)
        conversation.reset()
        assert not file.closed
        gone.set()
        conversation.waitFor(lambda: file.closed)
        assert not file.closed_before


def test_a_pipe_holds_nobody_up():
    """A thread waits for what comes through it, and not the loop: it would never come."""
    reading, writing = os.pipe()
    page = Page(lambda request: os.fdopen(reading, "rb", buffering=0))
    with Conversation(page) as conversation:
        conversation.send(raw("GET / HTTP/1.1", "Connection: close"))
        os.write(writing, b"late")
        os.close(writing)
        conversation.waitFor(lambda: conversation.isClosed)
        assert conversation.body == b"late"
