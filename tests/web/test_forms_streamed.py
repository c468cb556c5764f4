"""Forms part by part, while they come."""

import asyncio
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.bodies import MULTIPART, URLENCODED, field, file, form
from tests.web.trees import Page, raw
from weblayer.web.intake import HIGH
from weblayer.web.policy import Policy
from weblayer.web.testing import Conversation, ask

STREAM = Policy(takesBody="stream", maxBody=10**9)
SPOOL = Policy(maxBody=10**9)

HEAD = [f"{name}: {value}" for name, value in MULTIPART.items()]


async def told(request):
    """Names, filenames and contents of all parts."""
    return [
        [part.name, part.filename, part.contentType, (await part.read()).decode("latin-1")]
        async for part in request.parts()
    ]


BODY = form(field("a", b"1"), file("f", "x.txt", b"\0\xff"), file("g", "", b""), field("a", b"2"))
SAID = [
    ["a", None, None, "1"], ["f", "x.txt", "text/plain", "\0ÿ"], ["g", "", "text/plain", ""],
    ["a", None, None, "2"],
]  # fmt: skip


@pytest.mark.parametrize("policy", [STREAM, SPOOL], ids=["streamed", "spooled"])
@given(cut=st.integers(1, 400))
def test_parts_come_in_order(policy, cut):
    """Fields and files alike, streamed or spooled, however the body is cut."""
    with Conversation(Page(told, policy)) as conversation:
        message = raw("POST / HTTP/1.1", *HEAD, f"Content-Length: {len(BODY)}", body=BODY)
        conversation.send(message[:cut], "POST")
        for start in range(cut, len(message), cut):
            conversation.send(message[start : start + cut])
        assert json.loads(conversation.text()) == SAID


def test_a_part_is_there_before_the_next_one_is_sent():
    """The render sees each piece as it comes."""
    seen = []

    async def page(request):
        async for part in request.parts():
            seen.append(part.filename)
            async for piece in part:
                seen.append(piece)
        return b""

    conversation = Conversation(Page(page, STREAM))
    conversation.send(raw("POST / HTTP/1.1", *HEAD, "Transfer-Encoding: chunked"), "POST")
    for piece in BODY.partition(b"\xff"):
        conversation.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        seen.append("|")
    assert seen == [None, b"1", "x.txt", b"\0", "|", b"\xff", "|", "", None, b"2", "|"]


@pytest.mark.parametrize("read", [0, 1, None])
def test_what_is_not_read_is_passed_over(read):
    """A reader takes what it wants of a part, and the next one is whole."""

    async def page(request):
        names = []
        async for part in request.parts():
            names.append(part.name)
            if read == 1:
                await anext(part, b"")
            elif read is None:
                await part.read()
                assert await part.read() == b""
        return names

    assert json.loads(ask(Page(page, STREAM), "POST", "/", MULTIPART, BODY).text()) == list("afga")


def test_a_part_is_read_in_its_turn():
    """Who gathers the parts first, and would then read them, is told."""

    async def page(request):
        parts = [part async for part in request.parts()]
        try:
            await parts[0].read()
        except RuntimeError as error:
            return str(error)

    assert "read each one before" in ask(Page(page, STREAM), "POST", "/", MULTIPART, BODY).text()


@pytest.mark.parametrize("most", [1, 2])
def test_a_part_is_read_up_to_a_limit(most):
    """What is longer than the reader wants is a 413."""

    async def page(request):
        return b",".join([await part.read(most) async for part in request.parts()])

    answer = ask(Page(page, STREAM), "POST", "/", MULTIPART, BODY)
    assert answer.code == (200 if most == 2 else 413)


@pytest.mark.parametrize("end", range(0, len(BODY) - 3, 7))
def test_a_form_that_is_cut_short_is_400(end):
    """It is never taken for whole."""
    assert ask(Page(told, STREAM), "POST", "/", MULTIPART, BODY[:end] or b" ").code == 400


def test_the_number_of_parts_is_limited():
    """maxFields holds for what streams too."""
    policy = Policy(maxFields=3).over(STREAM)
    assert ask(Page(told, policy), "POST", "/", MULTIPART, BODY).code == 400
    assert ask(Page(told, policy), "POST", "/", MULTIPART, form(field("a", b""))).code == 200


@pytest.mark.parametrize("headers", [{}, URLENCODED, {"Content-Type": "multipart/mixed"}])
def test_what_has_no_parts_is_415(headers):
    """A resource that wants a form of parts says so."""
    assert ask(Page(told, STREAM), "POST", "/", headers, b"a=1").code == 415


def test_parts_hold_the_client_back():
    """A slow reader of a large file costs what it was told to hold."""
    gate = asyncio.Event()
    digest = hashlib.sha256()

    async def page(request):
        async for part in request.parts():
            async for piece in part:
                digest.update(piece)
                await gate.wait()
        return b""

    body = form(file("f", "x", bytes(range(256)) * (40 * HIGH // 256)))
    conversation = Conversation(Page(page, STREAM))
    conversation.send(raw("POST / HTTP/1.1", *HEAD, f"Content-Length: {len(body)}"), "POST")
    sent = 0
    while conversation.isRead and sent < len(body):
        conversation.send(body[sent : sent + HIGH // 4])
        sent += HIGH // 4
    assert sent <= 2 * HIGH
    conversation.send(body[sent:])
    conversation.do(gate.set)
    assert conversation.code == 200
    assert digest.digest() == hashlib.sha256(bytes(range(256)) * (40 * HIGH // 256)).digest()


def test_a_client_that_leaves_ends_the_reading():
    """The render hears of it where it waits for the next piece."""
    heard = []

    async def page(request):
        try:
            return await told(request)
        except Exception as error:
            heard.append(type(error).__name__)
            raise

    conversation = Conversation(Page(page, STREAM))
    conversation.send(raw("POST / HTTP/1.1", *HEAD, "Content-Length: 1000") + BODY[:50], "POST")
    conversation.reset()
    assert heard == ["ConnectionLost"]


def test_what_streams_has_no_files():
    """The error says what to use."""
    heard = []

    def page(request):
        try:
            return request.files
        except TypeError as error:
            heard.append(str(error))
            return b""

    ask(Page(page, STREAM), "POST", "/", MULTIPART, BODY)
    assert "parts()" in heard[0]
