"""Byte streams for hypothesis: what honest clients send, and what others do."""

from typing import NamedTuple

from hypothesis import strategies as st

from tests.wire.readings import Message
from tests.wire.rules import REFUSED, TAKEN
from weblayer.wire.parse import Limits


class Sent(NamedTuple):
    """A request as bytes, what it means, and whether it ends the connection."""

    raw: bytes
    message: Message
    last: bool


def _token(size: int) -> st.SearchStrategy[bytes]:
    return st.text("abcXYZ019-_!#~", min_size=1, max_size=size).map(str.encode)


# What a field may hold: printable ASCII, spaces and tabs inside, and other people's bytes.
_VALUES = st.lists(st.sampled_from(b"az09:;,=\"\\'\x80\xff \t"), max_size=12).map(
    lambda codes: bytes(codes).strip(b" \t")
)
_SPACES = st.sampled_from([b"", b" ", b"  ", b"\t"])
_NAMES = _token(8).map(lambda name: b"x-" + name)
_TARGETS = st.one_of(
    st.sampled_from([b"/", b"/a/b%20c", b"/?q=1&r", b"//x", b"http://h/p", b"HTTP://h:8?q"]),
    st.text("abc/?=&%:", max_size=80).map(lambda tail: b"/" + tail.encode()),
)
_CONNECTIONS = st.sampled_from(
    [b"keep-alive", b"Keep-Alive, TE", b"close", b"close, TE", b"upgrade", b"Upgrade, close", b"te"]
)
_BODIES = st.binary(max_size=40) | st.sampled_from([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n"])
_EXTENSIONS = st.sampled_from([b"", b"", b";a", b";a=b", b';a="b;c"', b";a;b=1"])
_SIZES = st.sampled_from([b"%x", b"%X", b"0%x", b"000000%x"])


@st.composite
def _lines(draw: st.DrawFn, names: st.SearchStrategy[bytes], most: int) -> list[tuple[bytes, ...]]:
    """Field lines as (name, value, how it is written)."""
    found = []
    for _ in range(draw(st.integers(0, most))):
        name, value = draw(names), draw(_VALUES)
        found.append((name, value, name + b":" + draw(_SPACES) + value + draw(_SPACES) + b"\r\n"))
    return found


@st.composite
def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """*body* in chunks, with what may stand around them."""
    raw, at = b"", 0
    while at < len(body):
        size = draw(st.integers(1, len(body) - at))
        line = draw(_SIZES) % size + draw(_EXTENSIONS)
        raw += line + b"\r\n" + body[at : at + size] + b"\r\n"
        at += size
    trailers = draw(_lines(st.sampled_from([b"x-sum", b"host", b"connection"]), 2))
    return (
        raw
        + draw(st.sampled_from([b"0", b"000", b"0;a"]))
        + b"\r\n"
        + (b"".join(line for _, _, line in trailers) + b"\r\n")
    )


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """One well-formed request of any kind."""
    method = draw(st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PROPFIND"]))
    version = draw(st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"]))
    target, body = draw(_TARGETS), draw(_BODIES)
    if draw(st.integers(0, 9)) == 0:
        method, target = draw(st.sampled_from([(b"OPTIONS", b"*"), (b"CONNECT", b"h:443")]))
    framing = draw(st.sampled_from(["none", "length", "chunked"]))
    lines = draw(_lines(_NAMES, 3))
    named: list[tuple[bytes, bytes]] = [(draw(st.sampled_from([b"Host", b"HOST"])), b"a:80")]
    if draw(st.booleans()):
        named.append((b"Connection", draw(_CONNECTIONS)))
    if draw(st.booleans()):
        named.append((b"Upgrade", b"h2c"))
    if draw(st.booleans()):
        named.append((b"Proxy-Connection", draw(_CONNECTIONS)))
    if framing == "chunked" and version == b"HTTP/1.1":
        named.append((b"Transfer-Encoding", draw(st.sampled_from([b"chunked", b"Chunked"]))))
        coded = draw(_chunked(body))
    elif framing == "none":
        body = coded = b""
    else:
        named.append((b"content-length", b"%d" % len(body)))
        coded = body
    lines += [(name, value, name + b": " + value + b"\r\n") for name, value in named]
    lines = draw(st.permutations(lines))
    raw = draw(st.sampled_from([b"", b"", b"\r\n"])) + b"%b %b %b\r\n" % (method, target, version)
    raw += b"".join(line for _, _, line in lines) + b"\r\n" + coded
    fields = [(name.lower(), value) for name, value, _ in lines]
    options = dict(fields).get(b"connection", b"").lower()
    last = b"close" in options or (version == b"HTTP/1.0" and b"keep-alive" not in options)
    return Sent(raw, Message(method, target, version, fields, body), last)


pipelines = st.lists(requests(), min_size=1, max_size=4)

# What breaks parsers, put where it was not expected.
NASTY = [
    *(bytes([code]) for code in b"\r\n\0 \t:;,#%0aG\x01\x7f\x80\xff"),
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\n ",
    b"\r\nHost: b",
    b"\r\nHost:",
    b"\r\nHost : b",
    b"\r\n\r\nHost: b",
    b"\r\nContent-Length: 3",
    b"\r\nContent-Length:",
    b"\r\nTransfer-Encoding: chunked",
    b"\r\nTransfer-Encoding: ,",
    b"\r\nTransfer-Encoding: gzip, chunked",
    b"\r\nConnection: close",
    b"\r\nConnection: upgrade",
    b"\r\nUpgrade: h2c",
    b"\r\nProxy-Connection: close",
    b"\r\nExpect: 100-continue",
    b"\r\nExpect: x",
    b"CONNECT a:1 HTTP/1.1",
    b"CONNECT  HTTP/1.1\r\n",
    b"GET ",
    b" HTTP/1.1\r\n",
    b"HTTP/2.0",
    b"HTTP/1.0",
    b"0\r\n\r\n",
    b"ffffffffffffffff1\r\n",
    b"0" * 30,
    b"a" * 70,
]


_beginnings = pipelines.map(lambda sent: [one.raw for one in sent]) | st.lists(
    st.sampled_from([row[0] for row in (*TAKEN.values(), *REFUSED.values())]), max_size=3
)


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A pipeline, or some rows of the rules, that somebody has tampered with."""
    raw = b"".join(draw(_beginnings))
    for _ in range(draw(st.integers(1, 3))):
        at, size = draw(st.integers(0, len(raw))), draw(st.integers(0, 6))
        raw = raw[:at] + draw(st.sampled_from([b"", *NASTY])) + raw[at + size :]
    return raw


streams = st.one_of(
    pipelines.map(lambda sent: b"".join(one.raw for one in sent)),
    hostile(),
    st.lists(st.sampled_from([b"GET", b"POST", b" ", b"/", *NASTY]), max_size=30).map(b"".join),
    st.binary(max_size=200),
)

# So small that an ordinary request stands at their edges.
small_limits = st.builds(
    lambda line, more, fields, chunk_line, frame: Limits(
        line, line + more, fields, chunk_line, frame
    ),
    line=st.integers(8, 70),
    more=st.integers(0, 150),
    fields=st.integers(1, 6),
    chunk_line=st.integers(2, 20),
    frame=st.integers(4, 60),
)
