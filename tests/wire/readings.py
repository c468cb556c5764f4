"""What the tests of wire/ compare: readings of a byte stream, whoever reads it."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from weblayer.wire.events import END, Bad, Event, Head
from weblayer.wire.parse import Limits, RequestParser

PLAIN = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Message(NamedTuple):
    """A request that was read to its end; names of fields in lower case."""

    method: bytes
    target: bytes
    version: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes


def events_of(pieces: Iterable[bytes], limits: Limits | None = None) -> list[Event]:
    """Every event of one connection that sends *pieces*."""
    parser = RequestParser(limits)
    return [event for piece in pieces for event in parser.feed(piece)]


def reading_of(pieces: Iterable[bytes], limits: Limits | None = None) -> list[object]:
    """The events, made comparable: bodies in one piece, heads by their facts, Bad by its status.

    The rule of a Bad is for the log, and shows the bytes that were there when it was broken.
    """
    found: list[object] = []
    for event in events_of(pieces, limits):
        if isinstance(event, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += event
        elif isinstance(event, Head):
            found.append(tuple(getattr(event, name) for name in Head.__slots__))
        else:
            found.append(event.status if isinstance(event, Bad) else event)
    return found


def messages_of(events: Iterable[Event]) -> list[Message]:
    """The requests among *events* that came to their end."""
    whole, head, body = [], None, b""
    for event in events:
        if isinstance(event, Head):
            head, body = event, b""
        elif isinstance(event, bytes):
            body += event
        if head is not None and (event is END or not head.length):
            fields = [(name.lower(), value) for name, value in head.fields()]
            whole.append(Message(head.method, head.target, head.version, fields, body))
            head = None
    return whole


def refusal_of(events: list[Event]) -> int | None:
    """The status of the Bad at the end, if there is one."""
    return events[-1].status if events and isinstance(events[-1], Bad) else None


def cut(raw: bytes, places: Iterable[int]) -> list[bytes]:
    """*raw* in pieces, cut at *places* (counted modulo its length)."""
    edges = sorted({0, len(raw), *(place % (len(raw) + 1) for place in places)})
    return [raw[start:stop] for start, stop in pairwise(edges)]
