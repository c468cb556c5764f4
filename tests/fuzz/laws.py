"""What holds for any bytes: one function for each target, which raises where it does not.

All that a run depends on is in the bytes themselves, so that they alone bring a failure back.
"""

import io
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from zlib import crc32

import httptools

from tests.fuzz.tree import SECRET, folder, site
from tests.wire import answers, readings
from weblayer.web.testing import Conversation
from weblayer.wire.answer import AnswerHead, AnswerParser
from weblayer.wire.errors import BadMessage
from weblayer.wire.events import END, Bad, Head
from weblayer.wire.formdata import Part
from weblayer.wire.forms import parse_urlencoded
from weblayer.wire.mediatype import parse_media_type
from weblayer.wire.multipart import MultipartReader, form_boundary
from weblayer.wire.parse import Limits, RequestParser

__all__ = ["LAWS", "holds"]

SMALL = Limits(line=40, head=120, fields=4, chunk_line=12, frame=40)

HAS_H11 = find_spec("h11") is not None

Leaving = Callable[[Conversation], None]

# Longer than any deadline of a site, and what follows it.
ALL_DEADLINES = 100


def holds(target: str, data: bytes, seed: int) -> bool:
    """Whether *data* breaks nothing; if it does, how, and what to keep of it, is told."""
    try:
        LAWS[target](data)
    except Exception:
        traceback.print_exc()
        sys.stderr.write(f'\n{target}, seed {seed}; to be kept in FOUND: ("{target}", {data!r}),\n')
        return False
    return True


def parser(data: bytes) -> None:
    """Requests do not depend on how they arrive, and what never ends is refused."""
    chance = Random(crc32(data))
    limits = chance.choice([None, SMALL])
    whole = readings.reading_of([data], limits)
    assert readings.reading_of(_cut(data, chance), limits) == whole
    _is_judged(data)
    if limits is not None:
        _is_bounded(data)
    elif HAS_H11:
        _agrees_with_h11(data)


def _is_judged(data: bytes) -> None:
    """No head goes by that llhttp refuses, whatever came before it."""
    for event in readings.events_of([data]):
        if isinstance(event, Head):
            with suppress(httptools.HttpParserUpgrade):
                httptools.HttpRequestParser(object()).feed_data(event.raw)


def _is_bounded(data: bytes) -> None:
    """With SMALL limits: what is kept without an event is no more than a head and a frame."""
    reader, silent, is_last = RequestParser(SMALL), 0, False
    for at in range(len(data)):
        events = reader.feed(data[at : at + 1])
        silent = 0 if events else silent + 1
        for event in events:
            if isinstance(event, Head):
                is_last = not event.facts.keep_alive
            if isinstance(event, Bad):
                return
        assert is_last or silent <= SMALL.head + SMALL.frame + SMALL.chunk_line


def _agrees_with_h11(data: bytes) -> None:
    from tests.wire.test_two_readers import as_h11, read_by_h11

    ours = as_h11(readings.messages_of(readings.events_of([data])))
    theirs, _ = read_by_h11(data)
    both = min(len(ours), len(theirs))
    assert ours[:both] == theirs[:both], (ours, theirs)


def forms(data: bytes) -> None:
    """Forms do not depend on how they arrive; what is wrong is a BadMessage and no other."""
    chance = Random(crc32(data))
    boundary = _boundary(data.partition(b"\r\n")[0].removeprefix(b"--"))
    whole = _form([data], boundary)
    assert _form(_cut(data, chance), boundary) == whole
    if isinstance(whole, list):
        assert sum(len(content) for _, content in whole) < len(data)
        for part, content in whole:
            assert data[part.start : part.start + len(content)] == content
    try:
        pairs = parse_urlencoded(data)
    except BadMessage:
        return
    assert sum(len(name) + len(value) for name, value in pairs) <= len(data)


def _boundary(word: bytes) -> bytes:
    media = parse_media_type(b"multipart/form-data; boundary=" + word)
    try:
        return form_boundary(media) if media else b"b"
    except BadMessage:
        return b"b"


def _form(pieces: list[bytes], boundary: bytes) -> list[tuple[Part, bytes]] | int:
    reader, parts = MultipartReader(boundary, 20), []
    try:
        for piece in pieces:
            for event in reader.feed(piece):
                if isinstance(event, Part):
                    parts.append((event, b""))
                elif isinstance(event, bytes):
                    parts[-1] = parts[-1][0], parts[-1][1] + event
        reader.finish()
    except BadMessage as error:
        return error.status
    return parts


def answer(data: bytes) -> None:
    """Answers do not depend on how they arrive, and what is behind one is its rest."""
    chance = Random(crc32(data))
    limits, method = chance.choice([None, SMALL]), chance.choice([b"GET", b"HEAD", b"CONNECT"])
    found, rest = whole = answers.reading_of([data], method, limits)
    assert answers.reading_of(_cut(data, chance), method, limits) == whole
    assert rest is None or data.endswith(rest)
    assert all(event != b"" for event in found)


def whole_site(data: bytes) -> None:
    """Any bytes give answers or a close: no traceback, no hang, no secret, no field or script.

    And the answers are the same however the bytes arrive; only where one went out before its body
    came (404, 413), the connection may be over with it (RFC 9112, 9.3), or go on.
    """
    if SECRET in data or len(data) > 200_000:
        return
    chance = Random(crc32(data))
    once = _asked([data], chance.choice([None, Conversation.lose]), reads=True)
    again = _asked(_cut(data, chance), None, reads=chance.random() < 0.5)
    both = min(len(once), len(again))
    assert [code for code, _ in once[:both]] == [code for code, _ in again[:both]]
    _asked(_cut(data, chance), Conversation.reset, reads=False)


def _asked(pieces: list[bytes], leave: Leaving | None, reads: bool) -> list[tuple[int, bytes]]:
    """What the site answers, by code and body; the client then leaves, or falls silent.

    Who does not read does so only when all is sent.
    """
    log = io.StringIO()
    with _no_errors(), Conversation(site(_files(), log)) as conversation:
        if not reads:
            conversation.stopReading()
        for piece in pieces:
            conversation.send(piece)
        if leave is not Conversation.reset:
            conversation.startReading()
            conversation.advance(2)  # what comes later has come
        if leave is not None:
            leave(conversation)
        conversation.advance(ALL_DEADLINES)
        assert conversation.isGone
        received = conversation.received
        lines = log.getvalue().splitlines()
    if leave is Conversation.reset:
        return []
    assert all(line.isprintable() for line in lines), lines
    assert SECRET not in received
    events = readings.events_of(pieces)
    found = _answered(received, [one.method for one in events if isinstance(one, Head)])
    # Who leaves in the midst of a body has left.
    assert found or leave or not any(isinstance(one, Head | Bad) for one in events)
    return found


def _answered(received: bytes, methods: list[bytes]) -> list[tuple[int, bytes]]:
    """Each answer by code and body, as our own client reads them, to the last byte."""
    found = []
    for method in [*methods, b"GET"]:  # behind the answers there may be a refusal
        if not received:
            return found
        reader = AnswerParser()
        reader.begin(method)
        events = [*reader.feed(received), *reader.feed_end()]
        assert events[-1] is END, events
        received = reader.rest
        head = [event for event in events if isinstance(event, AnswerHead)][-1]
        body = b"".join(event for event in events if isinstance(event, bytes))
        _is_harmless({name.lower(): value for name, value in head.fields()}, body)
        found.append((head.code, body))
    assert not received, received
    return found


def _is_harmless(fields: dict[bytes, bytes], body: bytes) -> None:
    assert b"x-injected" not in fields
    if fields.get(b"content-type", b"").startswith(b"text/html"):
        assert b"<script" not in body.lower()
    assert not fields.get(b"location", b"").startswith((b"//", b"/\\", b"http")), fields


@contextmanager
def _no_errors() -> Iterator[None]:
    """What is logged as an error meanwhile, by us or by asyncio, is one."""
    records: list[logging.LogRecord] = []
    catcher = logging.Handler(logging.ERROR)
    catcher.emit = records.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(catcher)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(catcher)
    assert not records, [(record.getMessage(), record.exc_info) for record in records]


def _files() -> Path:
    return Path(_folder().name) / "site"


@cache
def _folder() -> TemporaryDirectory[str]:
    return folder()


def _cut(data: bytes, chance: Random) -> list[bytes]:
    """A few pieces, or single bytes where they are not many."""
    if len(data) <= 400 and chance.random() < 0.3:
        return [data[at : at + 1] for at in range(len(data))]
    return readings.cut(data, [chance.randrange(len(data) + 1) for _ in range(4)])


LAWS: dict[str, Callable[[bytes], None]] = {
    "parser": parser,
    "forms": forms,
    "answer": answer,
    "site": whole_site,
}
