"""What is told beside the answer: links ahead of it (103), and fields behind it (trailers)."""

import pytest

from tests.web.trees import Page, raw
from weblayer.web.testing import Conversation

NEXT = b"HTTP/1.1 200 OK"


def received(page, *fields, line="GET / HTTP/1.1"):
    """The bytes that a client of *page* is sent."""
    conversation = Conversation(Page(page))
    conversation.send(raw(line, *fields))
    return conversation.received


# Early hints


def hinted(request):
    request.addLink("/style.css", "preload")
    request.sendEarlyHints()
    request.sendEarlyHints()
    return b"page"


def test_links_go_ahead_of_the_answer():
    """As often as they are sent; the answer has them too."""
    early, _, answer = received(hinted).partition(NEXT)
    hint = b'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel="preload"\r\n\r\n'
    assert early.replace(b"rel=preload", b'rel="preload"') == 2 * hint
    assert b"\r\nLink: </style.css>" in answer
    assert answer.endswith(b"page")


def test_http_1_0_is_told_nothing_ahead():
    """It would take the 103 for the answer (RFC 9110, 15.2)."""
    assert received(hinted, line="GET / HTTP/1.0").startswith(NEXT)


def test_without_links_there_is_nothing_to_tell():
    """And nothing within an answer that has begun, which would be read as its body."""

    def page(request):
        request.sendEarlyHints()
        request.addLink("/style.css", "preload")
        request.write(b"begun")
        request.sendEarlyHints()
        return b""

    assert b"103" not in received(page)


def test_hints_wait_their_turn():
    """Those of a pipelined request come behind the answer before it."""
    conversation = Conversation(Page(hinted))
    conversation.send(raw("GET / HTTP/1.1") * 2)
    order = [conversation.received.find(b"103"), conversation.received.find(b"page"),
             conversation.received.rfind(b"103"), conversation.received.rfind(b"page")]  # fmt: skip
    assert order == sorted(order)


# Trailers


def summed(request):
    """A page in pieces, and a checksum behind it."""

    def pieces():
        yield b"body"
        request.setTrailer("X-Sum", "late")

    request.setTrailer("X-Known", "early")
    return pieces()


def test_trailers_follow_a_body_in_pieces():
    """For a client that takes them; those that are known in time are announced."""
    answer = received(summed, "TE: trailers")
    assert answer.endswith(b"4\r\nbody\r\n0\r\nX-Known: early\r\nX-Sum: late\r\n\r\n")
    assert b"\r\nTrailer: X-Known\r\n" in answer


@pytest.mark.parametrize("fields", [[], ["TE: gzip"], ["TE: x-trailers"]])
def test_who_does_not_ask_for_trailers_gets_none(fields):
    """Somebody on the way may drop them, or be confused (RFC 9110, 6.5.1)."""
    answer = received(summed, *fields)
    assert answer.endswith(b"4\r\nbody\r\n0\r\n\r\n")
    assert b"Trailer" not in answer


def test_a_body_without_chunks_has_no_place_for_trailers():
    """Neither one of known length, nor one that ends with the connection, nor none."""

    def whole(request):
        request.setTrailer("X-Sum", "late")
        return b"whole"

    assert received(whole, "TE: trailers").endswith(b"\r\n\r\nwhole")
    assert received(summed, "TE: trailers", line="GET / HTTP/1.0").endswith(b"\r\n\r\nbody")
    assert received(summed, "TE: trailers", line="HEAD / HTTP/1.1").endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [("Content-Length", "3"), ("transfer-encoding", "chunked"), ("Set-Cookie", "a=b"),
     ("X", "a\r\nY: b"), ("X Y", "a")],
)  # fmt: skip
def test_what_can_be_no_trailer_is_refused(name, value):
    """What is needed before the body comes too late behind it; and no value ends its line."""
    told = []

    def page(request):
        with pytest.raises(ValueError, match=r".") as error:
            request.setTrailer(name, value)
        told.append(error.value)
        return b""

    received(page)
    assert len(told) == 1
