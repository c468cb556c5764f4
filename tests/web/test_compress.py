"""Compression: what the policy asks for and the client accepts, and nothing that it would spoil."""

import asyncio
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.trees import Page
from weblayer.web.compression import PIECE
from weblayer.web.errors import NotFound
from weblayer.web.policy import Policy
from weblayer.web.request import CACHED, NOT_DONE_YET
from weblayer.web.static import File
from weblayer.web.testing import Conversation, ask
from weblayer.wire.coders import coders

ON = Policy(compress=True)
TEXT = "All work and no play makes Jack a dull boy.\n" * 100
LARGE = "".join(f"{n * n % 1009} " for n in range(100_000))

CODINGS = ["gzip", "deflate", "br", "zstd"]


def unpack(coding, data):
    """The body, whole or as far as it came, by another reader than ours."""
    if coding == "br":
        return brotli.Decompressor().process(data)
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return zlib.decompressobj(31 if coding == "gzip" else 15).decompress(data)


def text(request):
    request.setHeader("Content-Type", "text/plain; charset=utf-8")
    return TEXT


def accepting(page, accept="gzip", policy=ON, method="GET", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(Page(page, policy), method, "/", {"Accept-Encoding": accept, **headers})


# What comes out


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_is_compressed(coding):
    """In the coding asked for, in the length told, and for others as it is."""
    answer = accepting(text, coding)
    assert (answer.code, answer.getHeader("content-encoding")) == (200, coding)
    assert answer.getHeader("content-length") == str(len(answer.body))
    assert answer.getHeader("content-type") == "text/plain; charset=utf-8"
    assert len(answer.body) < len(TEXT) / 10
    assert unpack(coding, answer.body) == TEXT.encode()


@settings(deadline=None)
@given(body=st.binary(max_size=300) | st.binary(max_size=9).map(lambda b: b * 40_000),
       coding=st.sampled_from(CODINGS))  # fmt: skip
def test_what_is_compressed_comes_back(body, coding):
    """Any body, of any length, in any coding."""

    def page(request):
        request.setHeader("Content-Type", "text/plain")
        return body

    answer = accepting(page, coding, Policy(compress=True, compressFrom=0))
    assert answer.isWhole
    assert unpack(coding, answer.body) == body


@settings(deadline=None)
@given(pieces=st.lists(st.binary(max_size=300), max_size=9), coding=st.sampled_from(CODINGS))
def test_what_streams_comes_back(pieces, coding):
    """Piece by piece, empty ones too."""

    def page(request):
        request.setHeader("Content-Type", "text/plain")
        return iter(pieces)

    answer = accepting(page, coding)
    assert answer.isWhole
    assert unpack(coding, answer.body) == b"".join(pieces)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_can_be_read_as_it_comes(coding):
    """Each piece is flushed: an event is not kept until the next one."""

    async def page(request):
        request.setHeader("Content-Type", "text/event-stream")
        return events()

    async def events():
        for n in range(3):
            yield f"data: {n}\n\n"
            await asyncio.sleep(1)

    conversation = accepting(page, coding)
    for n in range(3):
        seen = unpack(coding, conversation.body).decode()
        assert seen == "".join(f"data: {m}\n\n" for m in range(n + 1))
        conversation.advance(1)
    assert conversation.isWhole


@pytest.mark.parametrize("coding", CODINGS)
def test_a_large_body_goes_out_in_pieces(coding):
    """A whole one that is larger than a piece is compressed as the client reads it."""
    conversation = Conversation(Page(lambda request: LARGE, ON))
    conversation.stopReading()
    conversation.ask("GET", "/", {"Accept-Encoding": coding})
    conversation.startReading()
    assert conversation.isWhole
    assert unpack(coding, conversation.body) == LARGE.encode()
    conversation.ask("GET", "/", {"Accept-Encoding": coding})
    assert [answer.isWhole for answer in conversation.answers] == [True, True]


def test_a_client_that_leaves_ends_the_work():
    """What was not compressed yet never is."""
    conversation = Conversation(Page(lambda request: LARGE * 10, ON))
    conversation.stopReading()
    conversation.ask("GET", "/", {"Accept-Encoding": "gzip"})
    conversation.reset()
    assert conversation.waiting < 10 * len(LARGE)
    assert conversation.isGone


@pytest.mark.parametrize("body", [TEXT, {"a": TEXT}, [TEXT]])
@pytest.mark.parametrize("is_later", [False, True])
def test_every_outcome_comes_by(body, is_later):
    """Text and JSON, now or later."""

    async def later(request):
        return body

    answer = accepting(later if is_later else lambda request: body)
    assert answer.getHeader("content-encoding") == "gzip"
    assert TEXT[:40] in unpack("gzip", answer.body).decode()


def test_what_is_written_by_hand_is_compressed():
    """A program that declares the length is held to it, though another one is sent."""

    def page(request, missing=0):
        request.setHeader("Content-Type", "text/plain")
        request.setHeader("Content-Length", str(len(TEXT) + missing))
        request.write(TEXT.encode())
        request.finish()
        return NOT_DONE_YET

    answer = accepting(page)
    assert (answer.getHeader("content-length"), answer.isWhole) == (None, True)
    assert unpack("gzip", answer.body) == TEXT.encode()
    assert not accepting(lambda request: page(request, 1)).isWhole


@pytest.mark.parametrize("length", [1, len(TEXT) - 1, len(TEXT) + 1, 10 * len(LARGE)])
@pytest.mark.parametrize("body", [TEXT, LARGE])
def test_a_wrong_length_is_never_taken_for_a_whole_body(body, length):
    """Compressed or not, a program that broke its word breaks the answer off."""

    def page(request):
        request.setHeader("Content-Length", str(length))
        return body

    conversation = accepting(page, policy=Policy(compress=True, compressFrom=0))
    assert not conversation.answers or not conversation.isWhole


def test_a_file_is_compressed_on_its_way(tmp_path):
    """Small ones once, large ones each time; what lies compressed already is left as it is."""
    site = File(tmp_path)
    site.policy = ON
    for size, ranges in ((2000, "bytes"), (5 * PIECE, None)):
        (tmp_path / "a.txt").write_bytes(b"a" * size)
        answer = ask(site, "GET", "/a.txt", {"Accept-Encoding": "gzip"})
        assert answer.getHeader("content-encoding") == "gzip"
        assert answer.getHeader("accept-ranges") == ranges
        assert unpack("gzip", answer.body) == b"a" * size
    (tmp_path / "a.txt.br").write_bytes(b"x" * 5000)
    for accept, encoding in (("gzip", None), ("br", "br")):
        answer = ask(site, "GET", "/a.txt.br", {"Accept-Encoding": accept})
        assert (answer.getHeader("content-encoding"), answer.body) == (encoding, b"x" * 5000)


def test_an_error_page_is_compressed_too():
    """Below a policy that asks for it, once it is long enough."""

    def page(request):
        raise NotFound

    answer = accepting(page, accept="gzip", Accept="text/html")
    assert (answer.code, answer.getHeader("content-encoding")) == (404, "gzip")
    assert "nothing at this address" in unpack("gzip", answer.body).decode()
    assert answer.getHeader("vary") == "Accept, Accept-Encoding"


# What is asked for


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip;q=0", None),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("compress, gzip;q=0.1", "gzip"),
        ("identity;q=1, gzip;q=0.5", None),
        ("*", "zstd"),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("br;q=0, zstd;q=0, *;q=0.1", "gzip"),
        ("gzip;q=nonsense", None),
    ],
)
def test_the_client_chooses(accept, coding):
    """By its weights; ours is the choice among equals, and nobody is turned away."""
    answer = accepting(text, accept)
    assert (answer.code, answer.getHeader("content-encoding")) == (200, coding)
    assert answer.getHeader("vary") == "Accept-Encoding"
    if coding is None:
        assert answer.body == TEXT.encode()


def test_a_client_that_says_nothing_gets_no_coding():
    """What does not say that it can decode usually cannot."""
    answer = ask(Page(text, ON))
    assert (answer.getHeader("content-encoding"), answer.text()) == (None, TEXT)
    assert answer.getHeader("vary") == "Accept-Encoding"


def test_nothing_is_compressed_unasked():
    """Without a policy there is neither a coding nor a Vary."""
    answer = accepting(text, policy=None)
    assert (answer.getHeader("content-encoding"), answer.getHeader("vary")) == (None, None)


def test_codings_whose_packages_are_missing_are_not_offered(monkeypatch):
    """Without them there is still what the standard library has."""
    monkeypatch.setattr("weblayer.wire.coders.find_spec", lambda name: None)
    coders.cache_clear()
    try:
        answer = accepting(text, "br, zstd, deflate;q=0.5")
        assert answer.getHeader("content-encoding") == "deflate"
    finally:
        coders.cache_clear()


# What is left alone


def with_field(name, value):
    def page(request):
        request.setHeader(name, value)
        return TEXT

    return page


def coded(request):
    request.setResponseCode(204)
    return b""


@pytest.mark.parametrize(
    "page",
    [
        with_field("Content-Encoding", "aws-chunked"),
        with_field("Content-Type", "image/png"),
        with_field("Content-Type", "application/octet-stream"),
        with_field("Cache-Control", "public, no-transform"),
        with_field("Content-Digest", "sha-256=:AAAA:"),
        with_field("Trailer", "Content-Digest"),
        lambda request: "short",
        lambda request: b"",
        coded,
    ],
)
def test_what_would_gain_nothing_or_be_spoiled_is_left_alone(page):
    """Coded already, dense already, signed, too short, or not to be touched."""
    before, after = accepting(page, policy=None), accepting(page)
    assert after.getHeader("vary") is None
    assert after.body == before.body
    assert after.getHeader("content-encoding") == before.getHeader("content-encoding")


@pytest.mark.parametrize("ranges", ["bytes=5-9", "bytes=5-9,20-29"])
def test_a_part_is_never_compressed(ranges):
    """Its bytes are those of the page; a cache still learns what the whole depends on."""
    answer = accepting(text, "gzip", Range=ranges)
    assert (answer.code, answer.getHeader("content-encoding")) == (206, None)
    assert TEXT[5:10].encode() in answer.body
    assert answer.getHeader("vary") == "Accept-Encoding"


def test_types_and_size_are_the_policys():
    """What is compressed is a setting, with wildcards."""
    own = Policy(compress=True, compressTypes=("image/*",), compressFrom=5)
    page = with_field("Content-Type", "Image/BMP; x=y")
    assert accepting(page, policy=own).getHeader("content-encoding") == "gzip"
    assert accepting(text, policy=own).getHeader("content-encoding") is None
    with pytest.raises(TypeError, match="compressTypes"):
        Policy(compressTypes="text/html")
    with pytest.raises(ValueError, match="compressFrom"):
        Policy(compressFrom=-1)


# What caches are told


@pytest.mark.parametrize(
    ("vary", "merged"),
    [
        ("Cookie", "Cookie, Accept-Encoding"),
        ("Accept-Encoding", "Accept-Encoding"),
        ("accept-encoding, Cookie", "accept-encoding, Cookie"),
        ("*", "*"),
    ],
)
def test_vary_is_merged(vary, merged):
    """What the program said stays, and nothing is said twice."""
    assert accepting(with_field("Vary", vary)).getHeader("vary") == merged


def tagged(request):
    return b"" if request.setETag("v1") is CACHED else TEXT


def test_a_tag_of_several_bodies_is_weak():
    """The compressed page is another body, and its tag finds the copy again."""
    plain, packed = accepting(tagged, ""), accepting(tagged)
    assert (plain.getHeader("etag"), packed.getHeader("etag")) == ('"v1"', 'W/"v1"')
    again = accepting(tagged, If_None_Match='W/"v1"')
    assert (again.code, again.getHeader("etag")) == (304, 'W/"v1"')
    assert again.getHeader("vary") == "Accept-Encoding"


def test_no_part_is_put_to_a_compressed_body():
    """Who holds part of the compressed page gets it anew."""
    answer = accepting(tagged, Range="bytes=100-", If_Range='W/"v1"')
    assert (answer.code, answer.getHeader("content-encoding")) == (200, "gzip")


def test_head_says_what_get_would():
    """All but the length, which nobody knows without doing the work (RFC 9110, 9.3.2)."""
    get, head = accepting(text), accepting(text, method="HEAD")
    fields = dict(get.headers.getAllRawHeaders())
    del fields["Content-Length"]
    assert dict(head.headers.getAllRawHeaders()) == fields
    assert head.received.endswith(b"\r\n\r\n")


def test_the_log_counts_what_was_sent():
    """The bytes on the wire, not those before."""
    seen = []

    def page(request):
        seen.append(request)
        return text(request)

    answer = accepting(page)
    assert seen[0].sentLength == len(answer.body)
