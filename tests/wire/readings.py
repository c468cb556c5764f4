"""What the tests of wire/ compare: readings of a byte stream, whoever reads it."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from weblayer.wire.events import END, Bad, Event, Facts, Head
from weblayer.wire.parse import Limits, RequestParser

PLAIN = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Message(NamedTuple):
    """A request that was read to its end; names of fields in lower case."""

    method: bytes
    target: bytes
    version: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes


def events_of(
    pieces: Iterable[bytes], limits: Limits | None = None, forgets: bool = False
) -> list[Event]:
    """Every event of one connection that sends *pieces*, and *forgets* between messages, or not."""
    parser, events = RequestParser(limits), []
    for piece in pieces:
        events += parser.feed(piece)
        while parser.has_more:
            events += parser.feed(b"")
        if forgets and parser.is_idle:
            parser.forget()
    return events


def reading_of(
    pieces: Iterable[bytes], limits: Limits | None = None, forgets: bool = False
) -> list[object]:
    """The events, made comparable: bodies in one piece, heads by their facts, Bad by its status.

    The rule of a Bad is for the log, and shows the bytes that were there when it was broken.
    """
    found: list[object] = []
    for event in events_of(pieces, limits, forgets):
        if isinstance(event, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += event
        elif isinstance(event, Head):
            found += [values_of(event), values_of(event.facts)]
        else:
            found.append(event.status if isinstance(event, Bad) else event)
    return found


def values_of(thing: Head | Facts) -> dict[str, object]:
    """What its attributes hold, other things left out."""
    values = {name: getattr(thing, name) for name in thing.__slots__}
    return {name: value for name, value in values.items() if not isinstance(value, Facts)}


def messages_of(events: Iterable[Event]) -> list[Message]:
    """The requests among *events* that came to their end."""
    whole, head, body = [], None, b""
    for event in events:
        if isinstance(event, Head):
            head, body = event, b""
        elif isinstance(event, bytes):
            body += event
        if head is not None and (event is END or not head.facts.length):
            fields = [(name.lower(), value) for name, value in head.fields()]
            whole.append(Message(head.method, head.target, head.facts.version, fields, body))
            head = None
    return whole


def refusal_of(events: list[Event]) -> int | None:
    """The status of the Bad at the end, if there is one."""
    return events[-1].status if events and isinstance(events[-1], Bad) else None


def cut(raw: bytes, places: Iterable[int]) -> list[bytes]:
    """*raw* in pieces, cut at *places* (counted modulo its length)."""
    edges = sorted({0, len(raw), *(place % (len(raw) + 1) for place in places)})
    return [raw[start:stop] for start, stop in pairwise(edges)]
