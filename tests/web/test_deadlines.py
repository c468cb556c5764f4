"""Nobody keeps us waiting for ever: each deadline of a site, and what ends with it."""

import asyncio
from math import inf

import pytest

from tests.web.trees import Page, errors_of, raw, tree
from weblayer.loop.deferred import Deferred
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.deadlines import Deadlines
from weblayer.web.policy import Policy
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.site import Site
from weblayer.web.testing import Conversation, ask

hello = Page(lambda request: b"hello")
KINDS = ["spool", "stream"]


def sent(page, *messages):
    """The conversation in which these bytes were sent to *page*, one packet each."""
    conversation = Conversation(page)
    for message in messages:
        conversation.send(message)
    return conversation


def gathering(kind):
    """A page that reads its body to the end."""

    async def page(request):
        return b"".join([piece async for piece in request.stream()])

    return Page(page, Policy(takesBody=kind, maxBody=10**8))


class Unread:
    """A client that has asked for something and reads nothing of it by itself."""

    def __init__(self, page, **settings):
        self.clock = Clock()
        self.site = Site(page, reactor=self.clock, **settings)
        self.peer = MemoryPeer(self.site)
        self.peer.stopReading()
        self.peer.send(raw("GET / HTTP/1.1"))

    def advance(self, seconds):
        self.clock.pump([1] * seconds)
        self.peer.pump()


# Between two requests


def test_an_idle_connection_is_closed():
    """After the site's timeout, and not before, without a word."""
    conversation = ask(hello)
    conversation.advance(57)
    assert not conversation.isClosed
    conversation.advance(3)
    assert (conversation.isGone, len(conversation.answers)) == (True, 1)


def test_each_request_begins_the_time_anew():
    """A connection that is used stays open."""
    conversation = ask(hello)
    for _ in range(5):
        conversation.advance(50)
        conversation.ask("GET")
    assert (len(conversation.answers), conversation.isClosed) == (6, False)


def test_who_sends_nothing_at_all_is_not_waited_for():
    """A connection without one request is idle like another."""
    conversation = Conversation(hello)
    conversation.advance(60)
    assert (conversation.isGone, conversation.received) == (True, b"")


def test_thousands_are_not_looked_at_in_one_go():
    """Others are answered in between; a moment later all have been, and no timer is left."""
    clock = Clock()
    site = Site(hello, reactor=clock, timeout=5)
    peers = [MemoryPeer(site) for _ in range(1200)]

    def closed():
        for peer in peers:
            peer.pump()
        return sum(peer.isClosed for peer in peers)

    clock.pump([1, 0.01, 0.01] * 4)
    assert closed() == 0
    clock.advance(1)
    assert 0 < closed() < len(peers)
    clock.pump([0.01, 0.01])
    assert closed() == len(peers)
    assert clock.getDelayedCalls() == []


def test_whom_a_second_was_too_short_for_comes_first_in_the_next():
    """Turns of the loop may be long, as they are with thousands who ask at once."""
    clock = Clock()
    site = Site(hello, reactor=clock, timeout=5)
    peers = [MemoryPeer(site) for _ in range(1200)]
    clock.pump([1] * 7)
    for peer in peers:
        peer.pump()
    assert all(peer.isClosed for peer in peers)


def test_the_time_between_requests_may_be_its_own():
    """keepAlive overrides the timeout of the site, for this one thing."""
    peer = Unread(hello, deadlines=Deadlines(keepAlive=5))
    peer.peer.startReading()
    peer.advance(5)
    assert not peer.peer.isClosed
    peer.advance(2)
    assert peer.peer.isClosed


# A head


@pytest.mark.parametrize("drip", [b"", b"a", b"a" * 100])
def test_half_a_head_is_408(drip):
    """A head that is not whole in ten seconds is told so, however its bytes drip."""
    conversation = sent(hello, b"GET / HTTP/1.1\r\nX: ")
    for _ in range(10):
        conversation.advance(1)
        conversation.send(drip)
    assert not conversation.isClosed
    conversation.advance(2)
    assert (conversation.code, conversation.isClosed) == (408, True)


def test_each_head_has_its_own_time():
    """A client whose heads come in two packets, one every second, is no slow one."""
    conversation, request = Conversation(hello), raw("GET / HTTP/1.1")
    conversation.send(request[:5])
    for _ in range(30):
        conversation.advance(1)
        conversation.send(request[5:] + request[:5])
    assert (len(conversation.answers), conversation.isClosed) == (30, False)


def test_a_head_waits_for_the_answer_before_it():
    """Half a head behind a request is not late while we are the ones who are slow."""

    async def slow(request):
        await asyncio.sleep(100)
        return b"slow"

    request = raw("GET / HTTP/1.1")
    conversation = sent(Page(slow), request + request[:9])
    conversation.advance(105)
    conversation.send(request[9:])
    conversation.advance(101)
    assert [answer.code for answer in conversation.answers] == [200, 200]


# A body


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("drip", [b"", b"a"])
def test_a_body_that_does_not_come_is_408(kind, drip):
    """Who sends no more of a body, or a byte a second, is told so, and not waited for."""
    conversation = sent(gathering(kind), raw("POST / HTTP/1.1", "Content-Length: 9999", body=b"a"))
    for _ in range(30):
        conversation.advance(1)
        conversation.send(drip)
    assert not conversation.isClosed
    conversation.advance(2)
    assert (conversation.code, conversation.isClosed) == (408, True)
    conversation.advance(7)
    assert conversation.isGone


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_comes_fast_enough_is_waited_for(kind):
    """However long it is: it is the rate that counts, over half a minute each time."""
    conversation = sent(gathering(kind), raw("POST / HTTP/1.1", "Content-Length: 90000"))
    for _ in range(300):
        conversation.advance(1)
        conversation.send(b"x" * 300)
    assert (conversation.code, len(conversation.body)) == (200, 90000)


def test_what_came_fast_is_no_credit():
    """A body that comes in one burst and then stops is not waited for by its average."""
    conversation = sent(
        gathering("spool"), raw("POST / HTTP/1.1", "Content-Length: 9000000", body=b"x" * 8_000_000)
    )
    conversation.advance(62)
    assert conversation.code == 408


def test_a_body_that_stops_within_an_answer_breaks_it_off():
    """An answer that has begun cannot become a 408."""

    async def page(request):
        request.write(b"begun")
        return b"".join([piece async for piece in request.stream()])

    policy = Policy(takesBody="stream")
    conversation = sent(Page(page, policy), raw("POST / HTTP/1.1", "Content-Length: 9", body=b"a"))
    conversation.advance(32)
    assert conversation.isGone
    assert not conversation.last.isWhole


@pytest.mark.parametrize("fields", [[], ["Content-Length: 5", "Expect: 100-continue"]])
@pytest.mark.parametrize("kind", ["stream", "ignore"])
def test_a_slow_render_is_not_the_clients_fault(kind, fields):
    """No deadline runs while the client waits for us, though it has a body to send."""

    async def page(request):
        await asyncio.sleep(300)
        return b"at last"

    conversation = sent(Page(page, Policy(takesBody=kind)), raw("POST / HTTP/1.1", *fields))
    conversation.advance(301)
    assert conversation.body == b"at last"


def test_a_slow_consumer_is_not_the_clients_fault():
    """A body that we do not read, and therefore hold back, is not late."""

    async def page(request):
        size = 0
        async for piece in request.stream():
            size += len(piece)
            await asyncio.sleep(100)
        return str(size)

    policy = Policy(takesBody="stream", maxBody=10**6)
    size = 300_000
    conversation = sent(Page(page, policy), raw("POST / HTTP/1.1", f"Content-Length: {size}"))
    for _ in range(3):
        conversation.send(b"x" * (size // 3))
    conversation.advance(1000)
    assert conversation.text() == str(size)


# An answer


def test_a_large_answer_may_take_its_time():
    """A client that reads slowly gets all of it; the time runs only while it reads nothing."""
    client = Unread(Page(lambda request: b"x" * 3_000_000))
    for _ in range(300):
        client.peer.read(10_000)
        client.advance(1)
    assert not client.peer.isClosed
    client.peer.startReading()
    assert client.peer.received.endswith(b"x" * 3_000_000)


def endless(size):
    """A page that writes *size* bytes a second, for ever."""

    async def pour(request):
        while True:
            yield b"x" * size
            await asyncio.sleep(1)

    return Page(pour)


@pytest.mark.parametrize(
    "page", [Page(lambda request: b"x" * 3_000_000), endless(100), endless(100_000)]
)
def test_a_client_that_reads_nothing_is_not_waited_for(page):
    """An answer of which nothing is read for a minute is dropped, though it still grows."""
    conversation = Conversation(page)
    conversation.stopReading()
    conversation.ask("GET")
    conversation.advance(57)
    assert not conversation.isGone
    conversation.advance(3)
    assert conversation.isGone


def test_who_reads_more_slowly_than_it_is_written_to_reads():
    """The buffer of an answer may grow for as long as bytes go out of it."""
    conversation = Conversation(endless(101))
    conversation.stopReading()
    conversation.ask("GET")
    for _ in range(200):
        conversation.advance(1)
        conversation.read(10)
    assert not conversation.isGone
    conversation.close()


def test_the_time_to_read_may_be_its_own():
    """write overrides the timeout of the site, for this one thing."""
    client = Unread(Page(lambda request: b"x" * 3_000_000), deadlines=Deadlines(write=5))
    client.advance(8)
    assert client.peer.isClosed


# The whole


async def forever(request):
    await asyncio.sleep(10**6)


DEADLINE = Policy(deadline=20)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_that_takes_too_long_is_503(method, caplog):
    """What it was waiting for is cancelled, whatever the method; the connection lives on."""
    ends = []

    async def page(request):
        try:
            await asyncio.sleep(10**6)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    conversation = ask(Page(page, DEADLINE), method)
    conversation.advance(20)
    assert not conversation.answers
    conversation.advance(2)
    assert (conversation.code, ends, conversation.isClosed) == (503, ["cancelled"], False)
    conversation.ask(method)
    conversation.advance(22)
    assert [answer.code for answer in conversation.answers] == [503, 503]
    assert not errors_of(caplog)


def begins(request):
    request.write(b"begun")
    return Deferred()


@pytest.mark.parametrize("page", [endless(1).answer, begins])
def test_an_answer_that_has_begun_is_broken_off(page, caplog):
    """It is never taken for whole."""
    conversation = ask(Page(page, DEADLINE))
    conversation.advance(22)
    assert (conversation.isGone, conversation.last.isWhole) == (True, False)
    assert not errors_of(caplog)


def test_what_is_written_by_hand_too_late_is_dropped(caplog):
    """A program that answers later does not hear of it, as when the client leaves."""
    requests = []
    conversation = ask(Page(lambda r: requests.append(r) or NOT_DONE_YET, DEADLINE))
    conversation.advance(22)
    for act in (lambda: requests[0].write(b"late"), requests[0].finish):
        conversation.do(act)
    assert (conversation.code, conversation.isWhole) == (503, True)
    assert not errors_of(caplog)


def test_the_body_counts_too():
    """A body that comes, but too slowly for the deadline of its resource, is given up."""
    page = gathering("spool")
    page.policy = Policy(deadline=20, takesBody="spool", maxBody=10**6)
    conversation = sent(page, raw("POST / HTTP/1.1", "Content-Length: 900000"))
    for _ in range(22):
        conversation.advance(1)
        conversation.send(b"x" * 500)
    assert (conversation.code, conversation.isClosed) == (503, True)


def test_a_part_of_the_tree_may_take_longer():
    """A long poll lifts the deadline that its tree has set."""
    coming = Deferred()
    root = tree(poll=Page(lambda request: coming, Policy(deadline=inf)))
    root.policy = DEADLINE
    conversation = ask(root, "GET", "/poll")
    conversation.advance(3600)
    conversation.do(coming.callback, b"news")
    assert conversation.text() == "news"


# The settings


@pytest.mark.parametrize("name", ["keepAlive", "head", "body", "minBodyRate", "write"])
@pytest.mark.parametrize("wrong", [0, -1, float("nan"), "1"])
def test_a_deadline_is_a_time(name, wrong):
    """The mistake is told where it is made."""
    with pytest.raises(ValueError, match=name):
        Deadlines(**{name: wrong})


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_so_is_that_of_a_policy(wrong):
    """The mistake is told where it is made."""
    with pytest.raises(ValueError, match="deadline"):
        Policy(deadline=wrong)


def test_a_site_that_runs_may_be_told_other_times():
    """timeout and deadlines are attributes, and hold from the next second on."""
    client = Unread(hello)
    client.peer.startReading()
    client.site.timeout = 5
    client.advance(7)
    assert client.peer.isClosed


def test_inf_is_no_deadline():
    """Each can be lifted."""
    client = Unread(hello, timeout=inf, deadlines=Deadlines(head=inf, body=inf))
    client.peer.startReading()
    client.peer.send(b"GET")
    client.advance(3600)
    assert not client.peer.isClosed


def test_a_site_without_connections_has_no_timer():
    """One sweep a second for all connections, and none when there are none."""
    clock = Clock()
    site = Site(hello, reactor=clock)
    peers = [MemoryPeer(site) for _ in range(3)]
    assert len(clock.getDelayedCalls()) == 1
    for peer in peers:
        peer.reset()
    assert not clock.getDelayedCalls()
