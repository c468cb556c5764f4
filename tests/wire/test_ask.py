"""The head of a request, as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.readings import events_of
from weblayer.wire.ask import encode_ask
from weblayer.wire.events import Head
from weblayer.wire.framing import CHUNKED

names = st.sampled_from([b"X-A", b"Accept", b"host", b"content-length", b"Transfer-Encoding"])
parts = st.binary(max_size=8) | st.sampled_from([b"GET", b"/", b"a", b"a:80", b"\r\nX: a", b"5"])


@given(parts, parts, parts, st.lists(st.tuples(names | parts, parts)), st.none() | st.just(5))
def test_what_is_written_is_one_request_or_nothing(method, target, host, fields, length):
    """Whatever a program hands us, the server reads one head that says it, or we raise."""
    try:
        raw = encode_ask(method, target, host, fields, length)
    except ValueError:
        return
    body = b"a" * (length or 0)
    lines = raw.split(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
    assert lines[0] == b"%b %b HTTP/1.1" % (method, target)
    assert lines[1].startswith(b"Host: ")
    assert lines[-2:] == [b"", b""]
    heads = [event for event in events_of([raw + body]) if isinstance(event, Head)]
    assert len(heads) <= 1
    assert b"\0" not in raw


@pytest.mark.parametrize(
    ("parameter", "arguments"),
    [
        ("method", (b"GE T", b"/", b"a")),
        ("method", (b"", b"/", b"a")),
        ("target", (b"GET", b"/a b", b"a")),
        ("target", (b"GET", b"/\r\nX: a", b"a")),
        ("target", (b"GET", b"", b"a")),
        ("Host", (b"GET", b"/", b"a\r\nX: a")),
        ("Host", (b"GET", b"/", b"")),
        ("Host", (b"GET", b"/", b"a", [(b"HOST", b"b/c")])),
        ("name", (b"GET", b"/", b"a", [(b"X:", b"a")])),
        ("the value of X", (b"GET", b"/", b"a", [(b"X", b"a\nb")])),
        ("Content-Length", (b"POST", b"/", b"a", [(b"Content-Length", b"3")], 2)),
        ("Content-Length", (b"POST", b"/", b"a", [(b"Content-Length", b"3")], CHUNKED)),
        ("Transfer-Encoding", (b"POST", b"/", b"a", [(b"Transfer-Encoding", b"chunked")], 2)),
    ],
)
def test_what_cannot_be_sent_is_named(parameter, arguments):
    """A ValueError names the part that would be another field, or another request."""
    with pytest.raises(ValueError, match=parameter):
        encode_ask(*arguments)


def test_host_comes_first_and_once():
    """The caller's own in the place of ours (RFC 9110, 7.2)."""
    assert encode_ask(b"GET", b"/", b"a", [(b"A", b"1"), (b"host", b"b:8")]) == (
        b"GET / HTTP/1.1\r\nHost: b:8\r\nA: 1\r\n\r\n"
    )


def test_the_body_is_announced():
    """By its length, by chunks, or as none where one is expected (RFC 9110, 8.6)."""
    assert b"\r\nContent-Length: 3\r\n" in encode_ask(b"PUT", b"/", b"a", (), 3)
    assert b"\r\nTransfer-Encoding: chunked\r\n" in encode_ask(b"PUT", b"/", b"a", (), CHUNKED)
    assert b"\r\nContent-Length: 0\r\n" in encode_ask(b"POST", b"/", b"a")
    assert b"Content-Length" not in encode_ask(b"DELETE", b"/", b"a")


def test_a_true_length_may_be_said_twice_and_is_sent_once():
    """What the caller says of the body is checked, and written by us."""
    head = encode_ask(b"PUT", b"/", b"a", [(b"content-length", b"3")], 3)
    assert head.lower().count(b"content-length") == 1


@pytest.mark.parametrize("target", [b"/a?b", b"http://h/p", b"h:443", b"*"])
def test_a_target_has_any_of_the_four_forms(target):
    """What it means is for the caller to say (RFC 9112, 3.2)."""
    method = b"CONNECT" if target == b"h:443" else b"OPTIONS"
    head = events_of([encode_ask(method, target, b"h")])[0]
    assert head.target == target


def test_the_last_request_of_a_connection_says_so():
    """With `Connection: close` (RFC 9112, 9.6)."""
    assert encode_ask(b"GET", b"/", b"a", close=True).endswith(b"\r\nConnection: close\r\n\r\n")
