"""The access log: one line an exchange, which nobody who asks can forge."""

import asyncio
import io
import json
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, errors_of, raw, tree
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.accesslog import combinedLogFormatter, shortLogFormatter
from weblayer.web.policy import Policy
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


@pytest.mark.parametrize(
    ("avatar_id", "shown"),
    [
        ("ada", "ada"), (None, "-"), ("", "-"), (7, "7"), ("Ada L", r"Ada\x20L"),
        ('a" [', r"a\x22\x20["), ("a\udcff", r"a\x5cudcff"), ("J\u00e4s\u00f8n", "J\u00e4s\u00f8n"),
    ],
)  # fmt: skip
def test_who_was_let_in_is_the_third_word(avatar_id, shown):
    """One word, whatever the name is; a dash where nobody was asked."""

    def let_in(request):
        request.avatarId = avatar_id
        return b""

    [line] = logged(Page(let_in), raw("GET / HTTP/1.1"))
    assert re.fullmatch(rf"192\.0\.2\.1 - {re.escape(shown)} {MOMENT} .*", line)
    line.encode()


def test_what_is_no_request_has_a_line_too():
    """It tells what was answered, behind the lines of the requests before; not what was sent."""
    good, bad = logged(hello, raw("GET / HTTP/1.1") + b"\x16\x03\x01\r\n\r\n")
    assert '"GET / HTTP/1.1" 200 5 ' in good
    assert re.search(r'"- / HTTP/1\.1" 400 [0-9]+ "-" "-"$', bad)


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


@pytest.mark.parametrize(
    ("formatter", "quotes"),
    [(combinedLogFormatter, 6), (shortLogFormatter, 0), ('"{uri}" "{agent}" {path}', 4)],
)
@given(
    target=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#")),
    agent=st.text(st.characters(max_codepoint=255), max_size=50),
)
def test_no_line_can_be_forged(formatter, quotes, target, agent):
    """Whatever is sent, a line stays one line, with its quotes where they belong."""
    lines = logged(
        hello, raw(f"GET /{target} HTTP/1.1", f"User-Agent: {agent}"), formatter=formatter
    )
    assert len(lines) <= 1
    for line in lines:
        assert line.isprintable()
        assert line.count('"') == quotes


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
    """A full disk is told to the program's log, once until it has room; the answers go on."""

    class Disk(io.StringIO):
        isFull = True

        def flush(self):
            if self.isFull:
                raise OSError(28, "No space left on device")

    disk = Disk()
    conversation = Conversation(Site(hello, logPath=disk))
    for isFull, told in ((True, 1), (False, 1), (True, 2)):
        disk.isFull = isFull
        conversation.send(raw("GET / HTTP/1.1") * 2)
        assert len(errors_of(caplog)) == told
    assert [answer.body for answer in conversation.answers] == [b"hello"] * 6


# The forms


def test_json_says_everything():
    """Each field by its name; what is not known is null."""
    request = raw("GET /a?b=c HTTP/1.1", 'User-Agent: "x\\')
    [line] = logged(hello, request, formatter="json")
    said = json.loads(line)
    assert datetime.fromisoformat(said.pop("time")).tzinfo is not None
    assert len(said.pop("id")) == 20
    assert 0 < said.pop("duration") < 60
    assert said == {
        "client": "192.0.2.1", "method": "GET", "uri": "/a?b=c", "path": "/a", "status": 200,
        "protocol": "HTTP/1.1", "host": "weblayer.test", "bytes": 5, "referer": None, "user": None,
        "agent": '"x\\',
    }  # fmt: skip


def test_a_program_says_what_a_line_holds():
    """Its fields are set as str.format sets them, and what is not known is a dash."""
    form = '{client:>12}|{method} {path}|{{"{status:04}"}}|{bytes:,}|{referer}|{agent}'
    page = Page(lambda request: b"x" * 1234)
    [line] = logged(page, raw("GET /a?b HTTP/1.1", 'User-Agent: "\x9b'), formatter=form)
    assert line == r'   192.0.2.1|GET /a|{"0200"}|1,234|-|\x22\x9b'


@pytest.mark.parametrize(
    ("form", "match"),
    [
        ("common", "combined, json, short"),
        ("{colour}", "'colour'"),
        ("{status.real}", "status.real"),
        ("{agent!r}", "agent!r"),
        ("{0}", "'0'"),
        ("{}", "no field ''"),
        ("{status", "expected"),
        ("{duration:q}", "format code"),
        ("{agent:d}", "format code"),
    ],
)
def test_a_form_that_cannot_be_filled_in_is_told_at_once(form, match):
    """Not by the first line that is lost."""
    with pytest.raises(ValueError, match=match):
        Site(hello, logFormatter=form)


def test_the_duration_is_from_the_head_to_the_end():
    """In seconds, each exchange its own, by the site's clock."""
    clock, log, asked = Clock(), io.StringIO(), []
    page = Page(lambda request: asked.append(request) or NOT_DONE_YET)
    site = Site(page, logPath=log, logFormatter="{status} {duration:.1f}", reactor=clock)
    site.doStart()
    peer = MemoryPeer(site)
    peer.send(raw("GET / HTTP/1.1") * 3)
    for number in range(2):  # the next is begun when the one before is finished
        clock.advance(2.5)
        asked[number].finish()
    clock.advance(1)
    peer.reset()
    assert log.getvalue().splitlines() == ["200 2.5", "200 2.5", "499 1.0"]


def test_a_part_of_the_tree_may_have_no_line():
    """A health check, for instance; what is below it may have one again."""
    root = tree(health=Page(lambda request: b"fine", Policy(accessLog=False)), a=hello)
    root.children["health"].isLeaf = False
    root.children["health"].putChild("loud", Page(lambda request: b"", Policy(accessLog=True)))
    requests = [raw(f"GET /{name} HTTP/1.1") for name in ("health", "a", "health/loud", "none")]
    lines = logged(root, *requests, formatter="{uri} {status}")
    assert lines == ["/a 200", "/health/loud 200", "/none 404"]


def test_the_id_is_the_one_that_the_render_saw():
    """So that a line is found by what the program has logged itself."""
    found = []
    page = Page(lambda request: found.append(request.id) or b"")
    assert logged(page, raw("GET / HTTP/1.1"), formatter="{id}") == found


def test_what_is_no_request_is_a_line():
    """Who sends what is not HTTP is noted down too."""
    [line] = logged(
        hello, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", formatter="{status} {client}"
    )
    assert line == "400 192.0.2.1"


def test_a_log_that_was_moved_away_is_opened_anew(tmp_path):
    """As by logrotate: what comes behind the reopening is in the new file; nothing is lost."""
    path, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    with Conversation(Site(hello, logPath=path, logFormatter="{uri}")) as conversation:
        conversation.ask("GET", "/before")
        path.rename(moved)
        conversation.ask("GET", "/between")
        conversation.site.reopenLog()
        conversation.ask("GET", "/behind")
    assert moved.read_text() == "/before\n/between\n"
    assert path.read_text() == "/behind\n"


@pytest.mark.parametrize("again", [False, True])
def test_the_last_answers_have_their_lines(tmp_path, again):
    """A port that is closed has connections still: what they answer is noted down too."""
    path, asked = tmp_path / "access.log", []
    page = Page(lambda request: asked.append(request) or NOT_DONE_YET)
    site = Site(page, logPath=path, logFormatter="{uri}", reactor=Clock())
    site.doStart()
    peer = MemoryPeer(site)
    peer.send(raw("GET /last HTTP/1.1"))
    site.doStop()
    if again:  # on another port
        site.doStart()
    asked[0].finish()
    peer.reset()
    if again:
        site.doStop()
    assert path.read_text() == "/last\n"


def test_a_log_that_cannot_be_opened_anew_goes_on(tmp_path):
    """The old file is better than none."""
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "access.log"
    with Conversation(Site(hello, logPath=path, logFormatter="{uri}")) as conversation:
        folder.rename(tmp_path / "gone")
        with pytest.raises(FileNotFoundError):
            conversation.site.reopenLog()
        conversation.ask("GET", "/behind")
    assert (tmp_path / "gone/access.log").read_text() == "/behind\n"


def test_only_our_own_file_is_opened_anew():
    """A log that was given open, and none at all, are not ours to open."""
    log = io.StringIO()
    for site in (Site(hello, logPath=log), Site(hello)):
        with Conversation(site) as conversation:
            site.reopenLog()
            conversation.ask("GET")
    assert len(log.getvalue().splitlines()) == 1
