"""The access log: one line an exchange, which nobody who asks can forge."""

import asyncio
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, errors_of, raw
from weblayer.web.accesslog import combinedLogFormatter, shortLogFormatter
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.site import Site
from weblayer.web.testing import Conversation

MOMENT = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"


def logged(page, *messages, formatter=combinedLogFormatter, leave=False):
    """The lines that these requests leave in the log."""
    log = io.StringIO()
    with Conversation(Site(page, logPath=log, logFormatter=formatter)) as conversation:
        for message in messages:
            conversation.send(message)
        if leave:
            conversation.reset()
    return log.getvalue().splitlines()


hello = Page(lambda request: b"hello")


def test_a_line_has_the_combined_format():
    """As Apache and nginx write it, so that their tools read it."""
    request = raw("GET /a?b=c HTTP/1.1", "Referer: http://r.test/", "User-Agent: Test/1.0")
    [line] = logged(hello, request)
    wanted = (
        rf'192\.0\.2\.1 - - {MOMENT} "GET /a\?b=c HTTP/1\.1" 200 5 "http://r\.test/" "Test/1\.0"'
    )
    assert re.fullmatch(wanted, line)


def test_what_is_not_there_is_a_dash():
    """No body, no Referer and no User-Agent are dashes; HEAD sends no bytes."""
    [line] = logged(hello, raw("HEAD / HTTP/1.1"))
    assert line.endswith('"HEAD / HTTP/1.1" 200 - "-" "-"')


def test_a_line_for_a_person_is_short():
    """When, what, how it went, how much, to whom."""
    [line] = logged(hello, raw("GET /a HTTP/1.1"), formatter=shortLogFormatter)
    assert re.fullmatch(r"\d\d:\d\d:\d\d 200 GET  /a 5 bytes to 192\.0\.2\.1", line)


@pytest.mark.parametrize("page", [
    hello,
    Page(lambda request: "héllo"),
    Page(lambda request: iter([b"hel", b"lo"])),
    Page(lambda request: request.write(b"hello") or request.finish() or NOT_DONE_YET),
])  # fmt: skip
def test_each_exchange_is_one_line(page):
    """However it was answered, it is logged once, with the bytes of its body."""
    lines = logged(page, raw("GET / HTTP/1.1") * 3)
    assert [line.split('"')[2].split()[0] for line in lines] == ["200"] * 3
    assert len({line.split('"')[2] for line in lines}) == 1


async def forever(request):
    await asyncio.sleep(10**6)


@pytest.mark.parametrize("page", [Page(forever), Page(lambda request: NOT_DONE_YET)])
def test_a_client_that_leaves_is_one_line(page):
    """Who was told nothing is logged as 499, as nginx has it, and once."""
    [line] = logged(page, raw("GET / HTTP/1.1"), leave=True)
    assert '" 499 - "' in line
    [short] = logged(page, raw("GET / HTTP/1.1"), formatter=shortLogFormatter, leave=True)
    assert short.endswith("(client left)")
    assert " 499 GET" in short


def test_an_error_is_logged_with_its_code():
    """What the client was told is what the log says."""
    [line] = logged(Page(lambda request: 1 / 0), raw("GET / HTTP/1.1"))
    assert '" 500 ' in line


@pytest.mark.parametrize("formatter", [combinedLogFormatter, shortLogFormatter])
@given(
    target=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#")),
    agent=st.text(st.characters(max_codepoint=255), max_size=50),
)
def test_no_line_can_be_forged(formatter, target, agent):
    """Whatever is sent, a line stays one line, with its quotes where they belong."""
    lines = logged(
        hello, raw(f"GET /{target} HTTP/1.1", f"User-Agent: {agent}"), formatter=formatter
    )
    assert len(lines) <= 1
    for line in lines:
        assert line.isprintable()
        assert line.count('"') == (6 if formatter is combinedLogFormatter else 0)


def test_quotes_and_controls_are_escaped():
    """What would end a quoted part, or move a terminal's cursor, is written as its code."""
    request = raw("GET /\\ HTTP/1.1", 'User-Agent: a" 200 "\x9b2J\\')
    [line] = logged(hello, request)
    assert line.endswith(r'"GET /\x5c HTTP/1.1" 200 5 "-" "a\x22 200 \x22\x9b2J\x5c"')


def test_a_file_is_opened_and_closed_with_the_site(tmp_path):
    """A logPath is appended to as long as the site is served, and closed then."""
    path = tmp_path / "access.log"
    path.write_text("before\n")
    for _ in range(2):
        with Conversation(Site(hello, logPath=path)) as conversation:
            conversation.ask("GET")
    assert len(path.read_text().splitlines()) == 3


def test_a_file_that_was_given_stays_open():
    """Who opened it closes it."""
    log = io.StringIO()
    with Conversation(Site(hello, logPath=log)) as conversation:
        conversation.ask("GET")
    assert not log.closed


def test_a_log_that_fails_costs_no_answer(caplog):
    """A full disk is told to the program's log, and the answers go on."""

    def full(moment, request):
        raise OSError(28, "No space left on device")

    conversation = Conversation(Site(hello, logPath=io.StringIO(), logFormatter=full))
    conversation.send(raw("GET / HTTP/1.1") * 2)
    assert [answer.body for answer in conversation.answers] == [b"hello", b"hello"]
    assert len(errors_of(caplog)) == 2
