"""How much a stranger may ask of a site: connections, requests, and the frames of messages."""

import pytest

from tests.web.trees import Page, raw
from weblayer.loop.deferred import Deferred
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.limits import Limits
from weblayer.web.site import MOST_TOLD, Site
from weblayer.web.testing import Conversation

hello = Page(lambda request: b"hello")
GET = raw("GET / HTTP/1.1")


def site(page=hello, clock=None, **limits):
    return Site(page, limits=Limits(**limits), reactor=clock or Clock())


def asked(site, data=GET):
    """A client that has sent something."""
    peer = MemoryPeer(site)
    peer.send(data)
    return peer


@pytest.mark.parametrize(
    ("limit", "data", "code"),
    [
        ({"maxRequestLine": 30}, raw("GET /" + "a" * 30 + " HTTP/1.1"), 414),
        ({"maxRequestLine": 30, "maxHead": 60}, raw("GET / HTTP/1.1", "X: " + "a" * 60), 431),
        ({"maxHeadFields": 2}, raw("GET / HTTP/1.1", "A: a", "B: b"), 431),
        (
            {"maxChunkLine": 8},
            raw("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"1;abcdefg\r\na\r\n"),
            400,
        ),
        (
            {"maxChunkFrame": 9},
            raw("POST / HTTP/1.1", "Transfer-Encoding: chunked", body=b"0\r\nA: abcdef\r\n"),
            400,
        ),
    ],
)
def test_a_limit_of_a_message_is_the_sites(limit, data, code):
    """Each is a setting; what goes beyond is answered as its name says, and closed behind."""
    assert asked(site(), data).received[9:12] not in (b"414", b"431")
    peer = asked(site(**limit), data)
    assert peer.received.startswith(b"HTTP/1.1 %d " % code)
    assert peer.hasEnded


# Connections


def test_one_connection_too_many_is_told():
    """503 with the seconds to wait, before it has asked; the others are served."""
    full = site(maxConnections=2)
    first, second, third = (MemoryPeer(full) for _ in range(3))
    assert third.received.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 5\r\n" in third.received
    assert third.hasEnded
    first.send(GET)
    second.send(GET)
    assert first.received.endswith(b"hello")
    assert second.received.endswith(b"hello")


def test_who_is_told_no_may_still_send():
    """Its request is read and dropped, so that no reset takes the answer; then it is let go."""
    clock = Clock()
    full = site(clock=clock, maxConnections=1)
    first, second = MemoryPeer(full), MemoryPeer(full)
    second.send(GET)
    assert not second.isClosed
    assert second.received.count(b"HTTP/1.1") == 1
    clock.pump([1] * 7)
    second.pump()
    assert second.isClosed
    assert not first.isClosed


def test_room_is_made_when_somebody_leaves():
    """The next is served like the first."""
    full = site(maxConnections=1)
    MemoryPeer(full).reset()
    assert asked(full).received.endswith(b"hello")


def test_the_log_is_told_that_there_is_no_room(caplog):
    """Once a minute, however many there are: whoever runs this would else see nothing."""
    clock = Clock()
    full = site(clock=clock, maxConnections=1)
    first = MemoryPeer(full)
    for told in (1, 2):
        others = [MemoryPeer(full) for _ in range(5)]
        assert caplog.text.count("more than 1 connections (maxConnections)") == told
        clock.pump([1] * 59)
        clock.advance(2)
        first.send(GET)
    assert all(other.received.startswith(b"HTTP/1.1 503 ") for other in others)


def test_a_flood_is_not_told():
    """Those who are told no are connections too: beyond a hundred of them nothing is said."""
    full = site(maxConnections=1)
    peers = [MemoryPeer(full) for _ in range(1 + MOST_TOLD + 5)]
    assert [bool(peer.received) for peer in peers] == [False] + [True] * MOST_TOLD + [False] * 5
    assert [peer.isClosed for peer in peers[-5:]] == [True] * 5


# Requests


def test_one_request_too_many_in_flight_is_503():
    """With the seconds to wait; its connection lives on, and there is room when one is over."""
    coming = [Deferred() for _ in range(3)]
    waiting = iter(coming)
    busy = site(Page(lambda request: next(waiting)), maxRequestsInFlight=2)
    first, second, third = (asked(busy) for _ in range(3))
    assert third.received.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 5\r\n" in third.received
    assert not third.hasEnded
    coming[0].callback(b"one")
    assert first.received.endswith(b"one")
    third.received.clear()
    third.send(GET)
    coming[2].callback(b"three")
    assert third.received.endswith(b"three")
    coming[1].callback(b"two")
    assert second.received.endswith(b"two")


@pytest.mark.parametrize("leave", [MemoryPeer.reset, MemoryPeer.close])
def test_a_client_that_leaves_is_not_in_flight(leave):
    """Whatever becomes of its render."""
    clock = Clock()
    busy = site(Page(lambda request: Deferred()), clock, maxRequestsInFlight=1)
    peer = asked(busy, raw("POST / HTTP/1.1"))
    leave(peer)
    clock.pump([1] * 10)
    peer.pump()
    assert not asked(busy).received


def test_what_is_refused_is_not_asked():
    """No resource sees it, and none of its body is waited for."""
    rendered = []

    def page(request):
        rendered.append(request.uri)
        return Deferred()

    busy = site(Page(page), maxRequestsInFlight=1)
    asked(busy)
    refused = asked(busy, raw("POST /2 HTTP/1.1", "Content-Length: 5", "Expect: 100-continue"))
    assert refused.received.startswith(b"HTTP/1.1 503 ")
    assert refused.hasEnded
    assert rendered == ["/"]


def test_the_last_request_of_a_connection_is_told_so():
    """With `Connection: close`, and what comes behind it is no request."""
    peer = asked(site(maxRequestsPerConnection=3), GET * 5)
    assert peer.received.count(b"HTTP/1.1 200") == 3
    assert peer.received.count(b"\r\nConnection: close\r\n") == 1
    assert peer.isClosed


@pytest.mark.parametrize(
    "name",
    ["maxRequestLine", "maxHead", "maxHeadFields", "maxChunkLine", "maxChunkFrame",
     "maxConnections", "maxRequestsInFlight", "maxRequestsPerConnection"],
)  # fmt: skip
@pytest.mark.parametrize("wrong", [0, -1, True, "9"])
def test_a_limit_is_a_number_above_0(name, wrong):
    """The mistake is told where it is made."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: wrong})


def test_a_head_holds_its_line():
    """Limits that contradict each other are the program's mistake, named."""
    with pytest.raises(ValueError, match="maxHead must be at least maxRequestLine"):
        Limits(maxRequestLine=100, maxHead=99)


# Pipelining without reading

PIPELINED = 10_000


def test_who_pipelines_and_does_not_read_is_not_read():
    """It costs a buffer, and what one read gave; all is answered in order when it reads."""
    conversation = Conversation(Page(lambda request: request.uri.rjust(1000)))
    conversation.stopReading()
    for n in range(100):
        block = [raw(f"GET /{n * 100 + m} HTTP/1.1") for m in range(100)]
        conversation.send(b"".join(block), *["GET"] * 100)
    assert not conversation.isRead
    assert conversation.waiting < 80_000
    conversation.startReading()
    answers = conversation.answers
    assert [answer.text().strip() for answer in answers] == [f"/{n}" for n in range(PIPELINED)]
