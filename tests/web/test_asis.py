"""Files that hold their own head."""

from pathlib import Path

import pytest

from weblayer.web.asis import ASISProcessor
from weblayer.web.static import File
from weblayer.web.testing import ask


def asking(tmp_path: Path, content: bytes, method="GET", **headers):
    """The answer to who asks for a file of that content."""
    (tmp_path / "page.asis").write_bytes(content)
    site = File(tmp_path)
    site.processors[".asis"] = ASISProcessor
    return ask(site, method, "/page.asis", headers)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_file_is_sent_with_its_own_head(tmp_path, end):
    """Its status, its fields, several of a name too, and what stands behind the blank line."""
    lines = [b"Status: 410 Taken Back", b"Content-Type: text/x-own", b"X-A: 1", b"X-A: 2", b"", b""]
    answer = asking(tmp_path, end.join(lines) + b"body\n\nmore")
    assert (answer.code, answer.last.phrase, answer.body) == (410, "Taken Back", b"body\n\nmore")
    assert answer.getHeader("content-type") == "text/x-own"
    assert answer.headers.getRawHeaders("x-a") == ["1", "2"]
    assert answer.getHeader("content-length") == "10"


def test_a_redirect_needs_no_more_than_its_address(tmp_path):
    """The client is sent there."""
    answer = asking(tmp_path, b"Location: /elsewhere\n\n")
    assert (answer.code, answer.getHeader("location"), answer.body) == (302, "/elsewhere", b"")


def test_a_large_body_is_sent_whole(tmp_path):
    """The length that the file claims is not believed; HEAD is as ever."""
    body = bytes(range(256)) * 5000
    head = b"Content-Type: a/b\nContent-Length: 3\n\n"
    answer = asking(tmp_path, head + body)
    answer.waitFor(lambda: answer.isWhole)
    assert answer.body == body
    only = asking(tmp_path, head + body, "HEAD")
    assert (only.getHeader("content-length"), only.body) == (str(len(body)), b"")


def test_conditions_and_ranges_are_of_the_body(tmp_path):
    """As of any page that says which state it is in."""
    content = b'Content-Type: text/plain\nETag: "v1"\n\n0123456789'
    assert asking(tmp_path, content, **{"If-None-Match": '"v1"'}).code == 304
    part = asking(tmp_path, content, Range="bytes=2-4")
    assert (part.code, part.body) == (206, b"234")


@pytest.mark.parametrize(
    "content",
    [b"", b"Content-Type", b"no head\n\n", b"X-A: 1\n\n", b"Status: x\n\n",
     b"A: b\n" * 20_000 + b"\n", b"Content-Type: a/b\nX: a\0b\n\n"],
)  # fmt: skip
def test_a_file_without_a_head_is_our_fault(tmp_path, content, caplog):
    """A 500, and the log says which file and why."""
    answer = asking(tmp_path, content)
    assert answer.code == 500
    assert "page.asis" in caplog.text
    assert "page.asis: " not in answer.text()
