"""The four forms of a request target, and the segments of its path: RFC 9112, 3.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.wire.errors import BadMessage
from weblayer.wire.percent import percent_encode
from weblayer.wire.target import Target, parse_target, path_segments


@pytest.mark.parametrize(
    ("method", "raw", "target"),
    [
        (b"GET", b"/", Target(b"/", b"")),
        (b"GET", b"/a/b?c=d", Target(b"/a/b", b"c=d")),
        (b"GET", b"/a?b?c", Target(b"/a", b"b?c")),
        (b"GET", b"/?", Target(b"/", b"")),
        (b"GET", b"//b/c", Target(b"//b/c", b"")),
        (b"GET", b"/http://b/", Target(b"/http://b/", b"")),
        (b"GET", b"http://b/c?d", Target(b"/c", b"d", b"b")),
        (b"GET", b"HTTPS://b:8/", Target(b"/", b"", b"b:8")),
        (b"GET", b"http://[::1]:8/c", Target(b"/c", b"", b"[::1]:8")),
        (b"GET", b"http://b", Target(b"/", b"", b"b")),
        (b"GET", b"http://b?c", Target(b"/", b"c", b"b")),
        (b"OPTIONS", b"*", Target(b"*", b"")),
        (b"OPTIONS", b"http://b", Target(b"*", b"", b"b")),
        (b"OPTIONS", b"http://b/", Target(b"/", b"", b"b")),
        (b"OPTIONS", b"http://b?c", Target(b"/", b"c", b"b")),
        (b"CONNECT", b"b:443", Target(b"", b"", b"b:443")),
        (b"CONNECT", b"[::1]:443", Target(b"", b"", b"[::1]:443")),
    ],
)
def test_four_forms(method, raw, target):
    """Origin, absolute, authority and asterisk, each with its path, query and authority."""
    assert parse_target(method, raw) == target


@pytest.mark.parametrize(
    ("method", "raw"),
    [
        (b"GET", b""),
        (b"GET", b"*"),
        (b"GET", b"a"),
        (b"GET", b"?a"),
        (b"GET", b"a:80"),
        (b"GET", b"ftp://a/"),
        (b"GET", b"http:/a"),
        (b"GET", b"http:///a"),
        (b"GET", b"http://b@a/"),
        (b"GET", b"http://a b/"),
        (b"GET", b"http://a:b/"),
        (b"GET", b"/a#b"),
        (b"GET", b"http://a#b"),
        (b"OPTIONS", b"**"),
        (b"CONNECT", b"/"),
        (b"CONNECT", b"a"),
        (b"CONNECT", b"a:"),
        (b"CONNECT", b"a:0"),
        (b"CONNECT", b"a:65536"),
        (b"CONNECT", b"443"),
        (b"CONNECT", b"[::1]"),
        (b"CONNECT", b"http://a:80/"),
        (b"CONNECT", b"b@a:80"),
    ],
)
def test_what_has_no_form(method, raw):
    """It is a 400."""
    with pytest.raises(BadMessage) as caught:
        parse_target(method, raw)
    assert caught.value.status == 400


@given(st.sampled_from([b"GET", b"OPTIONS", b"CONNECT"]), st.binary(max_size=30))
def test_a_target_is_read_or_refused(method, raw):
    """A path begins with a slash, save for the asterisk and for CONNECT, which has none."""
    try:
        target = parse_target(method, raw)
    except BadMessage as bad:
        assert bad.status == 400
    else:
        assert target.path.startswith(b"/") or target.path == (
            b"" if method == b"CONNECT" else b"*"
        )


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        (b"/", [""]),
        (b"/a", ["a"]),
        (b"/a/b%20c/", ["a", "b c", ""]),
        (b"//a", ["", "a"]),
        (b"/a%2Fb", ["a/b"]),
        (b"/%252e", ["%2e"]),
        (b"/%C3%A9", ["é"]),
        (b"/%ff", ["\udcff"]),
        (b"/%", ["%"]),
        (b"/./../a", [".", "..", "a"]),
        (b"*", []),
        (b"", []),
    ],
)
def test_segments(path, segments):
    """Decoded once and one by one, so that an encoded slash is no separator."""
    assert path_segments(path) == segments


@given(st.lists(st.binary(), min_size=1))
def test_every_file_name_can_be_asked_for(names):
    """What is encoded as segments comes back as the names of the file system."""
    path = b"".join(b"/" + percent_encode(name) for name in names)
    found = [segment.encode("utf-8", "surrogateescape") for segment in path_segments(path)]
    assert found == names
