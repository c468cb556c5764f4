"""Bodies of requests: how they are framed, and what may happen while they are sent."""

import asyncio
import io

import pytest

from tests.client.world import HELLO, Outcome, World, answering
from weblayer.client.auth import AuthAgent, DigestAuth
from weblayer.client.bodies import (
    AsyncBodyProducer,
    FileBodyProducer,
    PiecesProducer,
    StringProducer,
)
from weblayer.client.error import (
    IdleTimeout,
    RequestGenerationFailed,
    ResponseDone,
    ResponseNeverReceived,
    WrongBodyLength,
)
from weblayer.client.multipart import FilePart, MultiPartProducer
from weblayer.client.redirect import BrowserLikeRedirectAgent
from weblayer.client.retry import RetryAgent, Retrying
from weblayer.client.timeouts import Timeouts
from weblayer.loop.cooperate import Cooperator
from weblayer.loop.defer import CancelledError, Deferred
from weblayer.wire.headers import Headers

EXPECTS = Headers({"Expect": ["100-continue"]})
NO = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"


class ByHand:
    """A producer in the hands of a test."""

    def __init__(self, length=None):
        self.length = length
        self.calls = []
        self.done = Deferred()

    def startProducing(self, consumer):
        self.calls.append("start")
        self.write = consumer.write
        return self.done

    def pauseProducing(self):
        self.calls.append("pause")

    def resumeProducing(self):
        self.calls.append("resume")

    def stopProducing(self):
        self.calls.append("stop")


def upload(world, length=None, **asked):
    """Begin an upload: the outcome, the server's side and the producer."""
    producer = ByHand(length)
    outcome, server = world.connected(method="POST", body=producer, **asked)
    server.received.clear()
    return outcome, server, producer


def test_a_body_of_known_length():
    """Is announced, and sent as it is."""
    world, producer = World(), ByHand(4)
    outcome, server = world.connected(method="POST", body=producer)
    assert b"\r\nContent-Length: 4\r\n" in server.received
    producer.write(b"ab")
    producer.write(b"cd")
    producer.done.callback(None)
    server.send(HELLO)
    assert server.received.endswith(b"\r\n\r\nabcd")
    assert outcome.response.code == 200
    assert producer.calls == ["start"]
    assert world.pool.getNumbers() == (1, 1, 0)


def test_a_body_of_unknown_length():
    """Is sent in chunks, none of them empty, and a last one."""
    world, producer = World(), ByHand()
    _, server = world.connected(method="POST", body=producer)
    assert b"\r\nTransfer-Encoding: chunked\r\n" in server.received
    for piece in (b"ab", b"", b"c" * 17):
        producer.write(piece)
    producer.done.callback(None)
    assert server.received.endswith(b"\r\n\r\n2\r\nab\r\n11\r\n" + b"c" * 17 + b"\r\n0\r\n\r\n")
    server.send(HELLO)
    assert world.pool.getNumbers() == (1, 1, 0)


@pytest.mark.parametrize("written", [b"a", b"abc"])
def test_a_producer_that_lies_is_told(written):
    """Too little or too much: RequestGenerationFailed, and the connection is closed."""
    world = World()
    outcome, server, producer = upload(world, 2)
    producer.write(written)
    if not producer.done.called:
        producer.done.callback(None)
    server.pump()
    assert isinstance(outcome.error, RequestGenerationFailed)
    assert outcome.error.reasons[0].check(WrongBodyLength)
    assert len(server.received) <= 2
    assert world.pool.getNumbers() == (0, 0, 0)


def test_a_producer_that_fails_is_told():
    """With its own error among the reasons, at its start or later."""
    world = World()
    outcome, server, producer = upload(world, 2)
    producer.done.errback(KeyError("x"))
    server.pump()
    assert outcome.error.reasons[0].check(KeyError)
    broken = ByHand(2)
    broken.startProducing = lambda consumer: 1 / 0
    outcome, server = world.connected(method="POST", body=broken)
    server.pump()
    assert outcome.error.reasons[0].check(ZeroDivisionError)
    assert world.pool.getNumbers() == (0, 0, 0)


def test_a_producer_is_paused_when_the_server_does_not_read():
    """And goes on when it does."""
    _, server, producer = upload(World())
    server.stopReading()
    producer.write(b"a" * 100_000)
    assert producer.calls == ["start", "pause"]
    server.startReading()
    assert producer.calls == ["start", "pause", "resume"]


def test_an_early_refusal_ends_the_upload():
    """The answer is given, the producer stopped, the connection not used again."""
    world = World()
    outcome, server, producer = upload(world, 1000)
    producer.write(b"a")
    server.send(NO)
    assert outcome.response.code == 413
    assert outcome.read().end is ResponseDone
    assert producer.calls == ["start", "stop"]
    producer.write(b"a")
    server.pump()
    assert server.received == b"a"
    assert world.pool.getNumbers() == (0, 0, 0)


def test_an_early_good_answer_lets_the_upload_go_on():
    """An echo answers while it reads; the connection lives on when both are done in that order."""
    world = World()
    outcome, server, producer = upload(world, 2)
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    reader = outcome.read()
    producer.write(b"a")
    server.send(b"a")
    producer.write(b"b")
    producer.done.callback(None)
    server.send(b"b")
    assert (bytes(reader.data), reader.end, server.received) == (b"ab", ResponseDone, b"ab")
    assert world.pool.getNumbers() == (1, 1, 0)


def test_an_answer_that_is_whole_before_the_body_is_ends_both():
    """Nobody can say what the rest of the body would be taken for."""
    world = World()
    outcome, server, producer = upload(world, 1000)
    server.send(HELLO)
    server.pump()
    assert outcome.response.code == 200
    assert producer.calls == ["start", "stop"]
    assert world.pool.getNumbers() == (0, 0, 0)


def test_a_lost_connection_stops_the_producer():
    """Once."""
    world = World()
    outcome, server, producer = upload(world, 1000)
    server.reset()
    assert outcome.error is not None
    assert producer.calls == ["start", "stop"]


def test_a_lost_connection_is_no_fault_of_the_body():
    """What is told is that there was no answer, though the producer was stopped."""
    world = World()
    producer = PiecesProducer([b"a", b"b"], 2, steps(world.reactor))
    outcome, server = world.connected(method="POST", body=producer)
    server.reset()
    assert isinstance(outcome.error, ResponseNeverReceived)


def test_a_lost_connection_stops_a_producer_that_has_not_begun():
    """It may hold a file open."""
    _, server, producer = upload(World(), 1000, headers=EXPECTS)
    server.reset()
    assert producer.calls == ["stop"]


def test_cancelling_stops_the_producer():
    """Once, whether it had begun or not."""
    world = World()
    outcome, server, producer = upload(world, 1000)
    outcome.deferred.cancel()
    server.pump()
    assert isinstance(outcome.error, CancelledError)
    assert producer.calls == ["start", "stop"]
    assert world.pool.getNumbers() == (0, 0, 0)


def test_an_upload_that_stands_still_has_an_end():
    """IdleTimeout counts from the last that was taken."""
    world = World(Timeouts(idle=5, firstByte=3))
    outcome, _, producer = upload(world, 1000)
    for _ in range(4):
        producer.write(b"a")
        world.advance(3)
    assert outcome.is_open
    world.advance(6)
    assert isinstance(outcome.error, IdleTimeout)
    assert producer.calls == ["start", "stop"]


@pytest.mark.parametrize("body", [b"ab", None])
def test_a_body_waits_for_100_continue(body):
    """When its request says so; a body that is here already too."""
    world = World()
    producer = body or ByHand(2)
    _, server = world.connected(method="POST", body=producer, headers=EXPECTS)
    assert server.received.endswith(b"\r\nContent-Length: 2\r\n\r\n")
    if body is None:
        assert producer.calls == []
        server.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert producer.calls == ["start"]


def test_nobody_waits_for_100_continue_for_ever():
    """Servers that do not know it never say it: after a second the body is sent."""
    world = World()
    _, _, producer = upload(world, 2, headers=EXPECTS)
    world.advance(0.75)
    assert producer.calls == []
    world.advance(1.5)
    assert producer.calls == ["start"]


def test_a_refusal_costs_no_body():
    """What 417 or 413 answers is not sent, and its producer is told so."""
    world = World()
    outcome, server, producer = upload(world, 2, headers=EXPECTS)
    server.send(NO)
    server.pump()
    assert outcome.response.code == 413
    assert producer.calls == ["stop"]
    assert server.received == b""
    assert world.pool.getNumbers() == (0, 0, 0)


def test_an_answer_in_place_of_100_continue_wants_no_body():
    """Not even a second later, while that answer is still coming."""
    world = World()
    _, server, producer = upload(world, 2, headers=EXPECTS)
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    world.advance(3)
    assert producer.calls == ["stop"]
    server.send(b"cdefghi")
    assert server.isClosed


class Consumer:
    """Takes what a producer writes."""

    def __init__(self):
        self.pieces = []

    def write(self, data):
        self.pieces.append(data)


def steps(reactor):
    """A Cooperator that takes one step each time the clock is advanced."""
    return Cooperator(
        terminationPredicateFactory=lambda: lambda: True,
        scheduler=lambda f: reactor.callLater(0.25, f),
    )


@pytest.mark.parametrize(
    "kind", [StringProducer, lambda data, by: FileBodyProducer(io.BytesIO(data), by)]
)
def test_what_is_here_is_produced_in_pieces(kind):
    """With its length, one piece a turn, none while paused, and an end."""
    world, consumer, data = World(), Consumer(), bytes(range(256)) * 1024
    producer = kind(data, steps(world.reactor))
    assert producer.length == len(data)
    done = producer.startProducing(consumer)
    world.advance(0.5)
    producer.pauseProducing()
    taken = len(consumer.pieces)
    world.advance(2)
    assert len(consumer.pieces) == taken < 4
    producer.resumeProducing()
    world.advance(3)
    assert b"".join(consumer.pieces) == data
    assert done.called


def test_a_file_is_sent_from_where_it_stands():
    """As often as it is wanted; it is closed by who opened it."""
    world = World()
    file = io.BytesIO(b"abcdef")
    file.seek(2)
    producer, consumer = FileBodyProducer(file, steps(world.reactor), readSize=3), Consumer()
    assert (producer.length, producer.isReplayable) == (4, True)
    producer.startProducing(consumer).addErrback(lambda failure: None)
    world.advance(0.25)
    producer.stopProducing()
    producer.startProducing(consumer)
    world.advance(2)
    assert consumer.pieces == [b"cde", b"cde", b"f"]
    assert not file.closed


class Pipe(io.BytesIO):
    """Cannot tell where it stands, nor go back."""

    def tell(self):
        raise OSError("a pipe")


def test_a_file_without_an_end_has_no_length():
    """And is sent once."""
    world, consumer = World(), Consumer()
    producer = FileBodyProducer(Pipe(b"abc"), steps(world.reactor))
    assert (producer.length, producer.isReplayable) == (None, False)
    producer.startProducing(consumer)
    world.advance(1)
    assert consumer.pieces == [b"abc"]


def test_a_producer_that_was_never_started_may_be_stopped():
    """As when the server refuses a body that waited for its word."""
    world = World()
    producer = FileBodyProducer(io.BytesIO(b"abc"), steps(world.reactor))
    world.ask(method="POST", body=producer, headers=EXPECTS)
    world.serve(NO)
    assert world.pool.getNumbers()[2] == 0


@pytest.mark.parametrize(
    "kind",
    [
        lambda file, by: FileBodyProducer(file, by),
        lambda file, by: MultiPartProducer([("a", FilePart("f", file)), ("b", "c")], by),
        lambda file, by: PiecesProducer([b"ab", b"cdef"], 6, by),
    ],
    ids=["file", "form", "list"],
)
@pytest.mark.parametrize("through", ["307", "308", "stale", "503", "digest"])
def test_a_body_that_can_be_read_again_is_sent_again(kind, through):
    """All of it, wherever the first time has come to."""
    world = World()
    producer = kind(io.BytesIO(b"abcdef"), steps(world.reactor))
    agent = RetryAgent(world.agent, world.reactor, Retrying(firstDelay=0.0))
    agent = AuthAgent(BrowserLikeRedirectAgent(agent), DigestAuth("a", "b"))
    world.ask()
    world.serve(HELLO)  # the connection has been used
    outcome = Outcome(agent.request("PUT", "http://a.example/", None, producer))
    (server,) = world.servers
    world.advance(0.25)
    assert server.received
    first = {
        "307": answering(307, "Location: /b"),
        "308": answering(308, "Location: /b"),
        "503": answering(503),
        "digest": answering(401, 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'),
    }
    if through == "stale":
        server.received.clear()
        server.close()
    else:
        world.advance(5)
        world.serve(first[through])
    world.advance(1)
    if world.attempts:
        world.accept()
    world.advance(5)
    asked = world.serve(HELLO)
    head, _, body = asked.partition(b"\r\n\r\n")
    assert f"Content-Length: {producer.length}".encode() in head
    assert len(body) == producer.length
    assert b"abcdef" in body
    assert outcome.read().data == b"hello"


def test_a_digest_of_the_body_is_not_made_of_one_that_is_not_here():
    """qop=auth-int alone: the challenge is given."""
    world = World()
    agent = AuthAgent(world.agent, DigestAuth("a", "b"))
    outcome = Outcome(agent.request("PUT", "http://a.example/", None, PiecesProducer([b"ab"], 2)))
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth-int"'
    world.serve(answering(401, challenge))
    assert outcome.response.code == 401


def test_an_iterable_that_fails_fails_the_upload():
    """Its error is the Deferred's."""

    def pieces():
        yield b"a"
        raise KeyError("x")

    world, failures = World(), []
    producer = PiecesProducer(pieces(), None, steps(world.reactor))
    producer.startProducing(Consumer()).addErrback(failures.append)
    world.advance(2)
    assert failures[0].check(KeyError)


def test_an_asynchronous_iterable_is_asked_no_faster_than_it_is_taken(reactor):
    """Paused, it is not asked; stopped, it is ended where it waits."""
    asked, ended = [], []

    async def pieces():
        try:
            for n in range(5):
                asked.append(n)
                yield b"%d" % n
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    async def scenario():
        consumer = Consumer()
        producer = AsyncBodyProducer(pieces(), 5)
        done = producer.startProducing(consumer)
        producer.pauseProducing()
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(asked) == 1
        producer.resumeProducing()
        await done
        assert b"".join(consumer.pieces) == b"01234"
        stopped = AsyncBodyProducer(pieces())
        done = stopped.startProducing(consumer)
        done.addErrback(lambda failure: failure.trap(CancelledError))
        stopped.pauseProducing()
        await asyncio.sleep(0)
        stopped.stopProducing()
        await done
        del stopped
        for _ in range(3):
            await asyncio.sleep(0)

    reactor.drive(scenario())
    assert len(ended) >= 1
