"""What an agent sends, and what it makes of the answer."""

import json

import pytest

from tests.client.world import HELLO, Reader, World
from weblayer.client.agent import Agent
from weblayer.client.error import (
    BadStatus,
    BodyTooLarge,
    InvalidURI,
    MalformedResponse,
    PotentialDataLoss,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
)
from weblayer.client.response import readBody
from weblayer.loop.error import ConnectionDone, ConnectionLost, ConnectionRefusedError  # noqa: A004
from weblayer.loop.testing import failureResultOf, successResultOf
from weblayer.wire.headers import Headers


def result_of(coroutine):
    """What a coroutine that waits for nothing gives."""
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    return stopped.value.value


def test_a_request_is_sent_and_its_answer_read():
    """Host first, then the fields; the response tells what was asked and what came."""
    world = World()
    outcome, server = world.connected(
        uri="http://a.example:8080/b?c#d", headers=Headers({"X-A": ["1", "2"]})
    )
    assert server.received == (
        b"GET /b?c HTTP/1.1\r\nHost: a.example:8080\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
    )
    assert outcome.is_open
    server.send(b"HTTP/1.1 404 Not Here\r\nA: 1\r\nContent-Length: 2\r\n\r\nno")
    response = outcome.response
    assert (response.version, response.code, response.phrase) == (("HTTP", 1, 1), 404, "Not Here")
    assert (response.length, response.headers.getHeader("a")) == (2, "1")
    assert response.request.method == "GET"
    assert response.request.absoluteURI == "http://a.example:8080/b?c#d"
    assert response.request.headers.getRawHeaders("x-a") == ["1", "2"]
    assert result_of(response.content()) == b"no"


def test_text_and_bytes_are_taken():
    """Method, URI and body may be either; anything else is a TypeError that names it."""
    world = World()
    outcome = world.ask(uri=b"http://a/", method=b"PUT", body="ü")
    assert world.accept().received.endswith(b"Content-Length: 2\r\n\r\n\xc3\xbc")
    assert outcome.is_open
    with pytest.raises(TypeError, match="uri"):
        world.agent.request("GET", 7)
    with pytest.raises(TypeError, match="bodyProducer"):
        world.agent.request("PUT", "http://a/", None, [b"a"])
    with pytest.raises(TypeError, match="method"):
        world.agent.request(None, "http://a/")


def test_what_cannot_be_sent_is_raised_at_once():
    """A method or a field that would be another request; nothing is connected."""
    world = World()
    with pytest.raises(ValueError, match="method"):
        world.agent.request("GET /\r\n", "http://a/")
    with pytest.raises(ValueError, match="Content-Length"):
        world.agent.request("PUT", "http://a/", Headers({"Content-Length": ["9"]}), b"a")
    assert world.reactor.connectors == []
    assert world.pool.getNumbers() == (0, 0, 0)


def test_a_uri_that_is_none_fails():
    """With InvalidURI, through the Deferred: a crawler's links are data, not a mistake."""
    failureResultOf(World().agent.request("GET", "nowhere"), InvalidURI)


def test_no_connection_is_told_by_its_own_error():
    """Refused, as the loop says it."""
    world = World()
    outcome = world.ask()
    world.attempts[0].refuse()
    assert isinstance(outcome.error, ConnectionRefusedError)
    assert world.pool.getNumbers() == (0, 0, 0)


def test_our_side_can_be_bound():
    """bindAddress is an address, or one with a port."""
    world = World()
    for bound in ("192.0.2.7", ("192.0.2.7", 99)):
        Agent(world.reactor, bindAddress=bound).request("GET", "http://a/")
    assert [one.bindAddress for one in world.reactor.tcpClients] == [
        ("192.0.2.7", 0),
        ("192.0.2.7", 99),
    ]


def test_a_host_may_be_looked_for_elsewhere():
    """*resolve* changes where we connect, and nothing of what is asked, or of whom."""
    world = World()
    places = {"a.example": "192.0.2.7", "b.example": ("192.0.2.8", 8080)}
    world.agent = Agent(world.reactor, pool=world.pool, resolve=places)
    for host in ("A.example", "b.example:99", "c.example"):
        world.ask(f"http://{host}/")
        assert f"Host: {host.lower()}\r\n".encode() in world.serve(HELLO)
    assert [(one.host, one.port) for one in world.reactor.tcpClients] == [
        ("192.0.2.7", 80),
        ("192.0.2.8", 8080),
        ("c.example", 80),
    ]


def test_https_is_encrypted_for_its_host():
    """Port 443, and a plain connection that TLS is begun on at once."""
    world = World()
    world.ask("https://a.example/")
    assert world.reactor.tcpClients[0][:2] == ("a.example", 443)
    assert world.accept().received[:1] == b"\x16"  # a TLS record, not a request


@pytest.mark.parametrize(
    ("raw", "data", "end"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab", ResponseDone),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", ResponseDone),
        (b"HTTP/1.1 204 OK\r\n\r\n", b"", ResponseDone),
        (b"HTTP/1.0 200 OK\r\n\r\nab", b"ab", PotentialDataLoss),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", b"ab", ResponseFailed),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            b"ab",
            ResponseFailed,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc", b"ab", ResponseFailed),
    ],
)
def test_how_a_body_ends(raw, data, end):
    """ResponseDone when it is whole, PotentialDataLoss when nobody can say, else ResponseFailed."""
    outcome, server = World().connected()
    server.send(raw)
    reader = outcome.read()
    server.close()
    assert (bytes(reader.data), reader.end) == (data, end)


def test_a_body_that_is_cut_by_a_reset_has_failed():
    """Even one that ends with its connection: this was no end."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\n\r\nab")
    reader = outcome.read()
    server.reset()
    assert reader.end is ResponseFailed
    assert reader.reason.value.reasons[0].check(ConnectionLost)


def test_nothing_came():
    """ResponseNeverReceived, with the reason; ResponseFailed once a byte of it has come."""
    for sent, kind, reason in [
        (b"", ResponseNeverReceived, ConnectionDone),
        (b"HTTP/1.1 20", ResponseFailed, MalformedResponse),
        (b"SSH-2.0-OpenSSH\r\n", ResponseFailed, MalformedResponse),
    ]:
        outcome, server = World().connected(method="POST")
        if sent:
            server.send(sent)
        server.close()
        assert type(outcome.error) is kind
        assert outcome.error.reasons[0].check(reason)


def test_interim_answers_are_passed_over():
    """100 and 103 are not the answer."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
    assert outcome.is_open
    server.send(HELLO)
    assert outcome.response.code == 200


def test_a_body_is_delivered_as_it_comes():
    """What came before it was asked for first, and each piece after that at once."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
    reader = outcome.read()
    assert reader.data == b"ab"
    server.send(b"cd")
    assert (reader.data, reader.end) == (b"abcd", None)
    server.send(b"ef")
    assert (reader.data, reader.end) == (b"abcdef", ResponseDone)


def test_a_body_is_delivered_once():
    """A second reader is a mistake."""
    outcome, server = World().connected()
    server.send(HELLO)
    outcome.read()
    with pytest.raises(RuntimeError, match="once"):
        outcome.read()


def test_a_reader_that_pauses_is_given_nothing_and_holds_the_server_back():
    """What comes meanwhile waits, no more than a little of it here."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
    reader = outcome.read()
    reader.transport.pauseProducing()
    for _ in range(100):
        server.send(b"a" * 10_000)
    assert reader.data == b""
    assert server.transport.paused
    reader.transport.resumeProducing()
    server.pump()
    assert len(reader.data) == 1_000_000
    assert not server.transport.paused


def test_a_body_that_nobody_reads_holds_the_server_back():
    """And comes whole when it is asked for."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(100):
        server.send(b"a" * 10_000)
    assert server.transport.paused
    reader = outcome.read()
    server.pump()
    assert (len(reader.data), reader.end) == (1_000_000, ResponseDone)


def test_a_reader_may_pause_at_every_piece():
    """And resume in the midst of being given one: the order holds, and the end comes last."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    pieces = [b"%d" % n for n in range(1000)]
    raw = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces)
    server.send(raw + b"0\r\n\r\n")

    class Stutters(Reader):
        def dataReceived(self, data):
            self.transport.pauseProducing()
            super().dataReceived(data)
            self.transport.resumeProducing()

    reader = Stutters()
    outcome.response.deliverBody(reader)
    assert (bytes(reader.data), reader.end) == (b"".join(pieces), ResponseDone)


def test_what_was_given_is_not_counted_as_kept():
    """A reader that pauses now and then holds the server back for what waits, not for all."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"a" * 60_000)
    reader = outcome.read()
    reader.transport.pauseProducing()
    server.send(b"a" * 60_000)
    assert not server.transport.paused
    server.send(b"a" * 10_000)
    assert server.transport.paused


def test_who_wants_no_more_in_the_midst_is_given_no_more():
    """Not even what had come, and then the end, once."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
    server.send(b"cd")

    class Fed(Reader):
        def dataReceived(self, data):
            super().dataReceived(data)
            self.transport.abortConnection()
            told.append(self.reason)

    reader, told = Fed(), []
    outcome.response.deliverBody(reader)
    assert (reader.data, reader.end, told) == (b"ab", ResponseFailed, [None])
    assert server.hasEnded


def test_an_error_in_a_reader_ends_the_request(caplog):
    """It is logged once, told to the reader, and the connection is closed."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
    reader = outcome.read()
    reader.dataReceived = lambda data: 1 / 0
    server.send(b"cd")
    assert reader.reason.value.reasons[0].check(ZeroDivisionError)
    assert server.isClosed
    assert [one.message for one in caplog.records if "dataReceived" in one.message] != []


def test_who_wants_no_more_closes_the_connection():
    """abortConnection on the reader's transport; it is told so."""
    world = World()
    outcome, server = world.connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
    reader = outcome.read()
    reader.transport.abortConnection()
    server.pump()
    assert reader.end is ResponseFailed
    assert world.pool.getNumbers() == (0, 0, 0)


def test_reading_the_body_gives_it_whole():
    """readBody fires at the end; one that broke off says what came of it."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
    body = readBody(outcome.response)
    server.send(b"cdef")
    assert successResultOf(body) == b"abcdef"
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
    body = readBody(outcome.response)
    server.close()
    assert failureResultOf(body, ResponseFailed).value.response is outcome.response


@pytest.mark.parametrize("field", ["Content-Length: 2600000", "Connection: close"])
def test_a_long_body_is_read_whole_in_its_order(field):
    """A body in many pieces comes as it was sent, whether its length was told before or not."""
    world = World()
    outcome, server = world.connected()
    server.send(f"HTTP/1.1 200 OK\r\n{field}\r\n\r\n".encode())
    body = readBody(outcome.response)
    pieces = [bytes([number]) * 100_000 for number in range(26)]
    for piece in pieces:
        server.send(piece)
    server.close()
    assert successResultOf(body) == b"".join(pieces)


def test_a_body_beyond_the_limit_is_refused():
    """Before it is all here, and when it is; the connection of the former is closed."""
    world = World()
    outcome, server = world.connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\nab")
    body = readBody(outcome.response, 100)
    server.send(b"a" * 100)
    failureResultOf(body, BodyTooLarge)
    assert world.pool.getNumbers() == (0, 0, 0)
    outcome, server = world.connected()
    server.send(HELLO)
    failureResultOf(readBody(outcome.response, 4), BodyTooLarge)


def test_cancelling_the_reading_closes_the_connection():
    """And says so by CancelledError alone."""
    world = World()
    outcome, server = world.connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
    body = readBody(outcome.response)
    body.cancel()
    server.pump()
    assert body.called
    assert world.pool.getNumbers() == (0, 0, 0)
    body.addErrback(lambda failure: None)


def test_text_and_json_are_read():
    """By the charset that came, else UTF-8; asked again, the same again."""
    world = World()
    for kind, body, text in [
        (b"text/plain", "ü".encode(), "ü"),
        (b'text/plain; Charset="latin-1"', b"\xfc", "ü"),
        (b"text/plain; charset=nonsense", b"a\xff", "a\ufffd"),
    ]:
        outcome, server = world.connected(headers=Headers({"Connection": ["close"]}))
        server.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (kind, len(body), body)
        )
        assert [result_of(outcome.response.text()) for _ in range(2)] == [text, text]
    outcome, server = world.connected()
    server.send(HELLO.replace(b"hello", b'["a"]'))
    assert result_of(outcome.response.json()) == ["a"]
    assert result_of(outcome.response.text()) == json.dumps(["a"])


def test_a_bad_status_is_raised_when_asked():
    """From 400 on; below that the response gives itself."""
    world = World()
    outcome, server = world.connected()
    server.send(HELLO)
    assert outcome.response.raiseForStatus() is outcome.response
    outcome = world.ask("http://a.example/x")
    server.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(
        BadStatus, match=r"GET http://a\.example/x was answered with 503 Busy"
    ) as bad:
        outcome.response.raiseForStatus()
    assert (bad.value.code, bad.value.response) == (503, outcome.response)


def test_an_endpoint_factory_says_where():
    """usingEndpointFactory: any place that can be connected to."""
    world, asked = World(), []

    class Elsewhere:
        def endpointForURI(self, uri):
            asked.append(uri.toText())
            return self

        def connect(self, factory):
            raise OSError("there is no such place")

    agent = Agent.usingEndpointFactory(world.reactor, Elsewhere())
    failure = failureResultOf(agent.request("GET", "http://a/b"), OSError)
    assert (asked, str(failure.value)) == (["http://a/b"], "there is no such place")


@pytest.mark.parametrize(("size", "numbers"), [(10, (1, 1, 0)), (10_000_000, (0, 0, 0))])
def test_a_body_may_be_discarded(size, numbers):
    """A short rest is read, and the connection is free; a long one ends with it."""
    world = World()
    outcome, server = world.connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    outcome.response.discard()
    outcome.response.discard()  # once more does nothing
    server.send(b"a" * 10)
    assert world.pool.getNumbers() == numbers


def test_a_body_that_is_read_is_not_discarded():
    """Its reader is given the rest."""
    outcome, server = World().connected()
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    reader = outcome.read()
    outcome.response.discard()
    server.send(b"cd")
    assert (reader.data, reader.end) == (b"abcd", ResponseDone)
