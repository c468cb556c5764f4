"""The head of a CGI program's answer: RFC 3875, 6."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.cgihead import MAX_CGI_HEAD, CGIHead, parse_cgi_head, split_cgi_head
from weblayer.wire.errors import BadMessage

TEXT = (b"Content-Type", b"text/plain")


@pytest.mark.parametrize(
    ("written", "head"),
    [
        (b"Content-Type: text/plain", CGIHead(200, None, [TEXT])),
        (b"Content-Type:text/plain\r", CGIHead(200, None, [TEXT])),
        (b"Status: 404 Not here\nContent-Type: text/plain", CGIHead(404, b"Not here", [TEXT])),
        (b"status: 204", CGIHead(204, None, [])),
        (b"HTTP/1.0 201 Made\r\nContent-Type: text/plain", CGIHead(201, b"Made", [TEXT])),
        (
            b"Status: 200\nSet-Cookie: a=1\nSet-Cookie: b=2",
            CGIHead(200, None, [(b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")]),
        ),
        (
            b"Content-Type: text/plain\nContent-Type: text/plain\nContent-Length: 3",
            CGIHead(200, None, [TEXT, (b"Content-Length", b"3")]),
        ),
    ],
)
def test_answers(written, head):
    """The code, 200 without one, its phrase, and the fields as they were written."""
    assert parse_cgi_head(written) == head


@pytest.mark.parametrize(
    ("location", "local"),
    [
        (b"/a/b?c=d", b"/a/b?c=d"),
        (b"/", b"/"),
        (b"//host/a", None),
        (b"/a#b", None),
        (b"/a b", None),
        (b"http://host/a", None),
        (b"a", None),
    ],
)
def test_redirects(location, local):
    """A path of ours is walked to; whatever else Location says is sent on, as a 302."""
    head = parse_cgi_head(b"Location: " + location)
    assert head == CGIHead(302, None, [(b"Location", location)], local)


def test_a_status_beside_a_location_is_the_programs_word():
    """It wants the client to hear of it."""
    head = parse_cgi_head(b"Location: /a\nStatus: 303 See Other")
    assert (head.code, head.local) == (303, None)


def test_who_answers_and_how_it_is_framed_is_ours():
    """Fields that would split the answer, or end its connection, are dropped."""
    written = (
        b"Content-Type: text/plain\nTransfer-Encoding: chunked\nConnection: close\nDate: now"
        b"\nServer: me\nKeep-Alive: 1\nUpgrade: x\nTrailer: x"
    )
    assert parse_cgi_head(written).fields == [TEXT]


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"hello",
        b"X-A: b",
        b"Content-Type: text/plain\n folded: x",
        b"Content-Type: text/plain\nA b: c",
        b"Content-Type: text/plain\n: c",
        b"Content-Type: a\rSet-Cookie: b",
        b"Content-Type: a\0",
        b"Content-Type: a\nContent-Type: b",
        b"Content-Type: a\nContent-Length: 3\nContent-Length: 4",
        b"Content-Type: a\nContent-Length: -1",
        b"Location: /a\nLocation: /b",
        b"Status: 100 Continue",
        b"Status: 600",
        b"Status: 2000",
        b"Status: OK",
        b"Status: 200\nStatus: 404",
    ],
)
def test_what_is_none(written):
    """It is a 502: guessing what a program meant is how answers get split."""
    with pytest.raises(BadMessage) as caught:
        parse_cgi_head(written)
    assert caught.value.status == 502


@given(head=st.binary(), end=st.sampled_from([b"\n\n", b"\r\n\r\n", b"\n\r\n", b"\r\n\n"]))
def test_a_blank_line_ends_the_head(head, end):
    """Whatever stands behind the first one is the body, blank lines and all."""
    found = split_cgi_head(head + end + b"body\n\n")
    assert found is not None
    before, behind = found
    assert (head + end).startswith(before)
    assert behind.endswith(b"body\n\n")
    assert split_cgi_head(before) is None or before == b""


@given(
    data=st.lists(st.sampled_from([b"a", b":", b"\r", b"\n"])).map(b"".join), cut=st.integers(0, 40)
)
def test_the_head_is_the_same_however_it_comes(data, cut):
    """What is seen in the first of it is still so in all of it."""
    early, late = split_cgi_head(data[:cut]), split_cgi_head(data)
    assert early is None or (late is not None and early[0] == late[0])


def test_a_head_may_be_empty():
    """It is a head, though no good one."""
    assert split_cgi_head(b"\nbody") == (b"", b"body")


def test_a_head_without_an_end():
    """It is waited for, up to a limit."""
    assert split_cgi_head(b"a: b\n" * 10) is None
    with pytest.raises(BadMessage) as caught:
        split_cgi_head(b"a: b\n" * MAX_CGI_HEAD)
    assert caught.value.status == 502


@given(written=st.binary())
def test_nothing_that_is_written_does_any_harm(written):
    """It is a head whose fields can be sent, or a 502."""
    try:
        head = parse_cgi_head(written)
    except BadMessage as fault:
        assert fault.status == 502
    else:
        assert 200 <= head.code <= 599
        assert not any(c in name + value for name, value in head.fields for c in b"\r\n\0")
