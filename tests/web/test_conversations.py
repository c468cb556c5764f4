"""Whole conversations at random: every kind of answer, whatever the client does meanwhile."""

import asyncio
import logging
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, raw, tree
from weblayer.loop.deferred import Deferred
from weblayer.loop.reactor import reactorHere
from weblayer.web.errors import Conflict
from weblayer.web.limits import Limits
from weblayer.web.policy import Policy
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.resource import Resource
from weblayer.web.site import Site
from weblayer.web.static import File
from weblayer.web.testing import Conversation

LARGE = 300_000
MOST = 100_000

# What a client sends ahead is all answered.
PATIENT = Limits(maxPipelined=10_000_000)


def echoed(request, body):
    return f"{request.query}:".encode() + body


def at_once(request):
    return echoed(request, request.content.read())


async def soon(request):
    await asyncio.sleep(0.3)
    return at_once(request)


def deferred(request):
    later = Deferred()
    reactorHere().callLater(0.2, lambda: later.called or later.callback(at_once(request)))
    return later


def by_hand(request):
    def end():
        request.write(body[4:])
        request.finish()

    body = at_once(request)
    request.write(body[:4])
    reactorHere().callLater(0.2, end)
    return NOT_DONE_YET


def poured(request):
    body = at_once(request)
    yield body[:1]
    yield body[1:]


async def streamed(request):
    pieces = []
    async for piece in request.stream():
        pieces.append(piece)
        await asyncio.sleep(0.01)
    return echoed(request, b"".join(pieces))


async def mirrored(request):
    """Answers while it still reads."""
    yield echoed(request, b"")
    async for piece in request.stream():
        yield piece


async def sipped(request):
    """Reads one piece, if any, and answers."""
    async for _ in request.stream():
        break
    return echoed(request, b"")


def large(request):
    return b"x" * LARGE


def poured_large(request):
    for _ in range(0, LARGE, 10_000):
        yield b"x" * 10_000


class Pull:
    """Writes a piece each time that it is asked."""

    def __init__(self, request):
        self.request, self.left = request, LARGE

    def resumeProducing(self):
        self.left -= 10_000
        self.request.write(b"x" * 10_000)
        if not self.left:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self):
        self.request = None


def pulled(request):
    request.registerProducer(Pull(request), False)
    return NOT_DONE_YET


def refused(request):
    raise Conflict


def ignored(request):
    return echoed(request, b"")


class Below(Resource):
    """Its children come later."""

    policy = Policy(maxBody=MOST)

    async def getChild(self, name, request):
        await asyncio.sleep(0.1)
        return Below() if request.postpath else Page(at_once)


STREAM = Policy(takesBody="stream", maxBody=MOST)

ECHO = {page.__name__: page for page in (at_once, soon, deferred, by_hand, poured)}
STREAMS = {page.__name__: page for page in (streamed, mirrored)}
LARGES = {page.__name__: page for page in (large, poured_large, pulled)}


def root(folder):
    spool = Policy(maxBody=MOST)
    pages = {name: Page(answer, spool) for name, answer in (ECHO | LARGES).items()}
    pages |= {name: Page(answer, STREAM) for name, answer in STREAMS.items()}
    pages |= {"sipped": Page(sipped, STREAM), "refused": Page(refused, spool)}
    pages |= {"compressed": Page(at_once, Policy(maxBody=MOST, compress=True))}
    pages["ignored"] = Page(ignored, Policy(takesBody="ignore"))
    return tree(**pages, below=Below(), file=File(folder))


class Asked(NamedTuple):
    """One request; *chunk* is the size of its chunks, 0 for a body of announced length."""

    kind: str
    method: str
    size: int
    chunk: int
    field: str

    @property
    def body(self):
        return b"0123456789abcdef" * (self.size // 16) + b"." * (self.size % 16)

    def encoded(self, number):
        lines = [f"{self.method} /{self.kind}?{number} HTTP/1.1"]
        lines += [self.field] if self.field else []
        if self.chunk:
            return raw(*lines, "Transfer-Encoding: chunked", body=chunked(self.body, self.chunk))
        lines += [f"Content-Length: {self.size}"] if self.size else []
        return raw(*lines, body=self.body)

    @property
    def is_too_large(self):
        reads_all = self.kind not in ("ignored", "sipped")
        is_known = self.kind == "sipped" and not self.chunk  # it is said before any is read
        return self.size > MOST and (reads_all or is_known)

    @property
    def may_be_last(self):
        """Whether it may be answered before its body has come."""
        early = ("ignored", "sipped", "refused", "mirrored")
        is_early = (self.size or self.chunk) and (self.is_too_large or self.kind in early)
        return is_early or self.field == CLOSES

    def expected(self, number):
        """The code and the body; None for what may be broken off."""
        if self.is_too_large and self.kind == "mirrored":
            return None
        if self.is_too_large:
            return 413, None
        if self.kind == "refused":
            return 409, None
        if self.kind in LARGES:
            body = b"x" * LARGE
        elif self.kind == "file/large":
            body = b"y" * LARGE
        elif self.kind in ("ignored", "sipped"):
            body = b"%d:" % number
        else:
            body = b"%d:" % number + self.body
        return 200, b"" if self.method == "HEAD" else body


CLOSES = "Connection: close"


def chunked(body, size):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


WITH_BODY = [*ECHO, *STREAMS, *LARGES, "sipped", "refused", "ignored", "compressed"]
WITH_BODY += ["below/x", "below/x/y"]
FIELDS = st.sampled_from(["", "", "", "", "Expect: 100-continue", CLOSES])

posts = st.builds(
    Asked,
    st.sampled_from(WITH_BODY),
    st.just("POST"),
    st.sampled_from([0, 1, 50, 3000, 70_000, MOST + 1]),
    st.sampled_from([0, 0, 7000, 66_000]),
    FIELDS,
)
gets = st.builds(
    Asked,
    st.sampled_from([*WITH_BODY, "file/large"]),
    st.sampled_from(["GET", "HEAD"]),
    st.just(0), st.just(0), FIELDS,
)  # fmt: skip

moves = st.one_of(
    st.tuples(st.just("send"), st.sampled_from([1, 30, 100, 5000, 60_000])),
    st.tuples(st.just("read"), st.sampled_from([1, 1000, 100_000])),
    st.tuples(st.just("advance"), st.sampled_from([0.01, 0.15, 0.5, 1.5])),
    st.tuples(st.sampled_from(["stopReading", "startReading"])),
)


@contextmanager
def no_errors():
    """What is logged as an error meanwhile, by us or by asyncio, is one."""
    records = []
    catcher = logging.Handler(logging.ERROR)
    catcher.emit = records.append
    logging.getLogger().addHandler(catcher)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(catcher)
    assert not records, [record.getMessage() for record in records]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "large").write_bytes(b"y" * LARGE)
    return root(folder)


def go_on(conversation, data, moves):
    """Do what a client does; gives what it has not sent yet."""
    for move, *how in moves:
        if move == "send":
            conversation.send(data[: how[0]])
            data = data[how[0] :]
        else:
            getattr(conversation, move)(*how)
    return data


requests = st.lists(st.one_of(posts, gets), min_size=1, max_size=4)


def encoded(asked):
    return b"".join(one.encoded(number) for number, one in enumerate(asked))


def check(asked, answers):
    """Each request has its own answer, up to the one after which the connection may have ended."""
    for number, one in enumerate(asked):
        expected = one.expected(number)
        if expected is None:
            return
        assert number < len(answers), f"no answer to {one}"
        code, body = expected
        assert answers[number].code == code
        assert answers[number].isWhole
        assert body is None or answers[number].body == body
        if one.may_be_last:
            return


@given(asked=requests, moves=st.lists(moves, max_size=12))
def test_every_request_has_its_answer(served, asked, moves):
    """However a client sends and reads, and however slowly."""
    methods = [one.method for one in asked]
    with no_errors(), Conversation(Site(served, limits=PATIENT)) as conversation:
        rest = go_on(conversation, encoded(asked), moves)
        conversation.startReading()
        conversation.send(rest, *methods)
        conversation.advance(8)
        answers = conversation.answers
        assert conversation.site.inFlight == 0
    check(asked, answers)


@given(
    asked=requests, moves=st.lists(moves, max_size=12),
    leave=st.sampled_from([Conversation.lose, Conversation.reset]),
)  # fmt: skip
def test_nothing_is_left_of_who_leaves(served, asked, moves, leave):
    """A client that leaves at any point leaves no error, no exchange and no connection behind."""
    with no_errors(), Conversation(served) as conversation:
        go_on(conversation, encoded(asked), moves)
        leave(conversation)
        conversation.advance(100)
        assert conversation.isGone
        assert conversation.site.inFlight == 0
