"""Compressed bodies: read as they were, however they come, and no farther than is allowed."""

import gzip
import zlib
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.world import HELLO, Reader, World, answering
from weblayer.client.decoders import Deflate, Gzip
from weblayer.client.decoding import ContentDecoderAgent
from weblayer.client.error import NotDecoded, ResponseDone, ResponseFailed
from weblayer.wire.coders import coders, pack
from weblayer.wire.headers import Headers

MB = 1024 * 1024


def decoding(**limits):
    world = World()
    world.agent = ContentDecoderAgent(world.agent, **limits)
    return world


def bare(data):
    """Deflate without its frame."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


# br and zstd among them where they are installed.
HERE = [coding.decode() for coding in coders()]

PACKED = {
    **{coding: partial(pack, coding.encode()) for coding in HERE},
    "x-gzip": gzip.compress,
    "Deflate": bare,
    "gzip, deflate": lambda data: zlib.compress(gzip.compress(data)),
    "identity": bytes,
}


def begun(coding, body, world=None, code=200):
    """A reader of *body*, and the server's side, which has sent the head."""
    world = world or decoding()
    outcome = world.ask()
    head = (
        f"HTTP/1.1 {code} OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    world.serve(head.encode())
    return outcome.read(), world.servers[-1]


@given(
    coding=st.sampled_from(sorted(PACKED)),
    # Around a piece's length, and more than one.
    data=st.binary(max_size=200) | st.builds(bytes, st.integers(65_530, 65_560) | st.just(300_000)),
    size=st.integers(1, 50),
)
def test_a_body_is_read_as_it_was(coding, data, size):
    """Whatever it is packed in, and however the network cuts it."""
    body = PACKED[coding](data)
    reader, server = begun(coding, body)
    for at in range(0, len(body), size):
        server.send(body[at : at + size])
    assert (bytes(reader.data), reader.end) == (data, ResponseDone)


def test_what_is_asked_for_and_what_is_told():
    """All codings; the decoded response has neither a coding nor the packed length."""
    world = decoding()
    outcome = world.ask()
    body = gzip.compress(b"hello")
    asked = world.serve(answering(200, "Content-Encoding: gzip", "A: 1", body=body))
    assert f"Accept-Encoding: {', '.join(HERE)}\r\n".encode() in asked
    response = outcome.response
    assert (response.code, response.phrase, response.length) == (200, "Said", None)
    assert response.headers == Headers({"A": ["1"]})
    assert outcome.read().data == b"hello"


@pytest.mark.parametrize("field", ["Accept-Encoding", "Range"])
def test_who_asks_for_it_gets_it_as_it_is(field):
    """A coding of the caller's choice is asked for, and a part of a file is not packed."""
    world = decoding()
    world.ask(headers=Headers({field: ["bytes=0-1"]}))
    assert b"gzip" not in world.serve(HELLO)


@pytest.mark.parametrize(("coding", "code"), [("lzma", 200), ("gzip, lzma", 200), ("gzip", 206)])
def test_what_cannot_be_decoded_is_given_as_it_came(coding, code):
    """With the name of its coding, by which the caller may know it."""
    world = decoding()
    outcome = world.ask()
    world.serve(answering(code, f"Content-Encoding: {coding}", body=b"packed"))
    assert outcome.response.headers.getHeader("content-encoding") == coding
    assert outcome.read().data == b"packed"


def test_members_follow_each_other():
    """As gzip itself reads them; what is behind the last one is padding."""
    body = gzip.compress(b"a") + gzip.compress(b"b") + bytes(9)
    reader, server = begun("gzip", body)
    server.send(body)
    assert (reader.data, reader.end) == (b"ab", ResponseDone)


def test_a_caller_may_choose_the_decoders():
    """Then no other coding is asked for."""
    world = decoding(decoders=[("deflate", Deflate), (b"GZIP", Gzip)])
    world.ask()
    assert b"Accept-Encoding: deflate, gzip\r\n" in world.serve(HELLO)


@pytest.mark.parametrize("coding", HERE)
@pytest.mark.parametrize("spoil", [lambda body: body[:-1], lambda body: b"\xff" + body[1:]])
def test_a_body_that_breaks_its_coding_has_failed(coding, spoil):
    """Though HTTP says that it is whole."""
    body = spoil(PACKED[coding](bytes(range(256)) * 9))
    reader, server = begun(coding, body)
    server.send(body)
    assert reader.end is ResponseFailed
    assert reader.reason.value.reasons[0].check(NotDecoded)


@given(coding=st.sampled_from([*HERE, "gzip, deflate"]), body=st.binary(min_size=1))
def test_anything_comes_to_an_end(coding, body):
    """Whatever is sent as a coding of something: its reader is told, once."""
    reader, server = begun(coding, body)
    server.send(body)
    assert reader.end in (ResponseDone, ResponseFailed)
    assert reader.data == b"" or coding in ("deflate", "br")  # they begin with no number


def test_no_body_is_no_broken_one():
    """As of HEAD, or an empty page of a careless server."""
    reader, _ = begun("gzip", b"")
    assert (reader.data, reader.end) == (b"", ResponseDone)


@pytest.mark.parametrize("coding", HERE)
@pytest.mark.parametrize(
    ("limits", "most"), [({}, 17 * MB), ({"maxSize": 10_000}, 10_000)], ids=["ratio", "size"]
)
def test_a_bomb_is_not_blown_up(coding, limits, most):
    """Its reader is told in time, and the connection ends."""
    body = pack(coding.encode(), bytes(64 * MB))
    reader, server = begun(coding, body, decoding(**limits))
    server.send(body[:-1])
    assert reader.reason.value.reasons[0].check(NotDecoded)
    assert len(reader.data) <= most
    assert server.isClosed


def test_a_reader_that_pauses_is_given_no_more():
    """Not even of what has come: a small piece may be a large one when it is decoded."""
    body = gzip.compress(bytes(MB))
    reader, server = begun("gzip", body)
    reader.transport.pauseProducing()
    server.send(body)
    assert reader.data == b""
    reader.transport.resumeProducing()
    assert (len(reader.data), reader.end) == (MB, ResponseDone)


def test_a_reader_may_pause_in_the_midst():
    """Of what one packet held it is given a piece, then as it likes."""

    class Slow(Reader):
        def dataReceived(self, data):
            super().dataReceived(data)
            self.transport.pauseProducing()

    world, body = decoding(), gzip.compress(bytes(MB))
    outcome, reader = world.ask(), Slow()
    world.serve(answering(200, "Content-Encoding: gzip", body=body))
    outcome.response.deliverBody(reader)
    for turn in range(1, 17):
        assert (len(reader.data), reader.end) == (turn * 64 * 1024, None)
        reader.transport.resumeProducing()
    assert reader.end is ResponseDone


def test_a_reader_may_pause_and_resume_at_once():
    """A thousand times, in the midst of one packet."""

    class Restless(Reader):
        def dataReceived(self, data):
            super().dataReceived(data)
            self.transport.pauseProducing()
            self.transport.resumeProducing()

    world, body = decoding(maxRatio=2000), gzip.compress(bytes(64 * MB))
    outcome, reader = world.ask(), Restless()
    world.serve(answering(200, "Content-Encoding: gzip", body=body))
    outcome.response.deliverBody(reader)
    assert (len(reader.data), reader.end) == (64 * MB, ResponseDone)


def test_a_reader_may_want_no_more():
    """The connection ends."""
    reader, server = begun("gzip", gzip.compress(b"a"))
    reader.transport.abortConnection()
    server.pump()
    assert server.isClosed
