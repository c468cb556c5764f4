"""One byte stream, two readers: wherever both go on, they must read the same messages.

Two readings of one stream are request smuggling, whoever of the two is right.
"""

import importlib.util
from contextlib import suppress
from typing import Any

import httptools
import pytest
from hypothesis import given

from tests.wire.readings import PLAIN, Message, events_of, messages_of
from tests.wire.streams import streams
from weblayer.wire.events import Head
from weblayer.wire.fields import split_list
from weblayer.wire.framing import CHUNKED
from weblayer.wire.target import parse_target

if importlib.util.find_spec("h11"):
    import h11


CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Recorder:
    """All that llhttp says of requests, by itself and without our help."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.heads = 0
        self.messages: list[tuple[list[tuple[bytes, bytes]], bytes]] = []

    def on_message_begin(self) -> None:
        self.fields, self.body, self.heads = [], b"", 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.heads:  # what comes later is a trailer
            self.fields.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.heads += 1

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.messages.append((self.fields, self.body))


def recorded(raw: bytes) -> Recorder:
    """What llhttp makes of *raw*, up to its first error or upgrade."""
    recorder = Recorder()
    parser = httptools.HttpRequestParser(recorder)
    with suppress(httptools.HttpParserError, httptools.HttpParserUpgrade):
        parser.feed_data(raw)
    return recorder


def joined(fields: list[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The value of a field, found the slow way."""
    values = [value for key, value in fields if key.lower() == name]
    return b", ".join(values) if values else None


@given(streams)
def test_fields_are_those_that_llhttp_read(raw):
    """Names as sent, values without the spaces around them, in order: as its callback has them."""
    for head in (event for event in events_of([raw]) if isinstance(event, Head)):
        assert head.fields() == recorded(head.raw).fields


@given(streams)
def test_the_facts_of_a_head_are_those_of_its_fields(raw):
    """The search that finds Host and the framing finds no more and no less than llhttp."""
    for head in (event for event in events_of([raw]) if isinstance(event, Head)):
        fields = recorded(head.raw).fields
        length, coding = joined(fields, b"content-length"), joined(fields, b"transfer-encoding")
        assert head.facts.length == (CHUNKED if coding is not None else int(length or b"0"))
        options = split_list(joined(fields, b"connection") or b"")
        lives = head.facts.version == b"HTTP/1.1" or b"keep-alive" in options
        assert head.facts.keep_alive == (lives and b"close" not in options)
        offered = b"upgrade" in options and head.facts.version == b"HTTP/1.1"
        offered = offered and joined(fields, b"upgrade") is not None
        assert head.facts.upgrade == (
            (joined(fields, b"upgrade") or b"").lower() if offered else None
        )
        path, query, authority = parse_target(head.method, head.target)
        assert (head.path, head.query) == (path, query)
        assert head.host == (authority or joined(fields, b"host") or b"").lower()


@given(streams)
def test_llhttp_alone_reads_the_same_messages(raw):
    """Feeding it piece by piece, as we do, changes nothing of what it reads in one go."""
    theirs = [
        ([(name.lower(), value) for name, value in fields], body)
        for fields, body in recorded(raw).messages
    ]
    for ours, their in zip(messages_of(events_of([raw])), theirs, strict=False):
        if joined(ours.fields, b"upgrade") is not None or ours.method == b"CONNECT":
            break  # llhttp by itself skips such a body
        assert (ours.fields, ours.body) == their


# h11


def read_by_h11(raw: bytes) -> tuple[list[Message], str | None]:
    """What h11 makes of *raw*, each request answered, and why it gave up, if it did."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1_000_000)
    if raw:  # nothing would mean the end of the connection
        connection.receive_data(raw)
    messages: list[Message] = []
    try:
        for event in iter(connection.next_event, h11.NEED_DATA):
            if isinstance(event, h11.Request):
                head, body = event, b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                messages.append(_message(head, body))
                if not _answered(connection):
                    break
    except h11.RemoteProtocolError as error:
        return messages, str(error)
    return messages, None


def _message(head: Any, body: bytes) -> Message:
    fields = [(bytes(name), bytes(value)) for name, value in head.headers]
    version = b"HTTP/" + bytes(head.http_version)
    return Message(bytes(head.method), bytes(head.target), version, fields, body)


def _answered(connection: Any) -> bool:
    """Whether the connection goes on after an answer that takes no upgrade and no tunnel."""
    connection.send(h11.Response(status_code=404, headers=[("content-length", "0")]))
    connection.send(h11.EndOfMessage())
    if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
        return False
    connection.start_next_cycle()
    return True


needs_h11 = pytest.mark.skipif(not importlib.util.find_spec("h11"), reason="h11 is not installed")


def as_h11(messages: list[Message]) -> list[Message]:
    """Ours as h11 writes them: it lowers the case of the coding's name."""
    return [
        message._replace(
            fields=[
                (name, value.lower() if name == b"transfer-encoding" else value)
                for name, value in message.fields
            ]
        )
        for message in messages
    ]


# Why we take what h11 does not, by the reason that it gives.
ONLY_OURS = {
    "no request line received": "empty lines before a request are passed over (RFC 9112, 2.2)",
    "illegal chunk header": "a size may have any zeros before it (RFC 9112, 7.1), in our limits",
}


@needs_h11
@given(streams)
def test_h11_reads_the_same_messages(raw):
    """As far as both read a stream, honest or tampered with, they read the same."""
    ours, (theirs, _) = as_h11(messages_of(events_of([raw]))), read_by_h11(raw)
    both = min(len(ours), len(theirs))
    assert ours[:both] == theirs[:both]


@needs_h11
@given(streams)
def test_what_h11_refuses_and_we_take_is_explained(raw):
    """We are the stricter reader, save for what the table says."""
    theirs, refusal = read_by_h11(raw)
    if refusal is not None and not refusal.startswith(tuple(ONLY_OURS)):
        assert len(messages_of(events_of([raw]))) <= len(theirs)


@needs_h11
@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (b"\r\n" + PLAIN, "no request line received"),
        (CHUNKED_HEAD + b"0" * 20 + b"1\r\na\r\n0\r\n\r\n", "illegal chunk header"),
    ],
)
def test_each_explanation_is_needed(raw, refusal):
    """The table holds nothing that h11 has learnt to read since."""
    assert len(messages_of(events_of([raw]))) == 1
    assert str(read_by_h11(raw)[1]).startswith(refusal)
