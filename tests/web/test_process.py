"""A program as a resource: what goes in, what comes out, and how it ends."""

import os

import pytest

from tests.web.scripts import answer, asking, is_running
from weblayer.web.process import Process
from weblayer.web.turnstile import Turnstile

pytestmark = pytest.mark.usefixtures("nothing_left")


def shell(text, **settings):
    return Process(["sh", "-c", text], **settings)


def test_the_body_goes_in_and_the_output_comes_out():
    """As through a pipe."""
    found = answer(Process(["sort"]), "POST", "/", {}, b"b\nc\na\n")
    assert (found.code, found.text()) == (200, "a\nb\nc\n")
    assert found.getHeader("content-type") == "text/plain; charset=utf-8"
    assert found.getHeader("x-content-type-options") == "nosniff"


def test_a_body_in_chunks_goes_in_as_it_comes():
    """No program asks here how long it is."""
    headers = {"Transfer-Encoding": "chunked"}
    with asking(Process(["cat"]), "POST", "/", headers, b"3\r\nabc\r\n") as conversation:
        conversation.waitFor(lambda: b"abc" in conversation.received)
        conversation.send(b"1\r\nd\r\n0\r\n\r\n")
        conversation.waitFor(lambda: conversation.isWhole)
        assert conversation.body == b"abcd"


def test_a_large_body_passes_through():
    """More than any pipe holds, both ways at once."""
    body = os.urandom(900_000)
    assert answer(Process(["cat"]), "POST", "/", {}, body).body == body


def test_it_has_no_variable_of_the_servers(monkeypatch):
    """A PATH, and those that are given."""
    monkeypatch.setenv("SECRET", "x")
    found = answer(Process(["env"], env={"A": "1"})).text()
    assert sorted(found.split()) == ["A=1", "PATH=/usr/local/bin:/usr/bin:/bin"]


def test_it_runs_where_it_is_told_to(tmp_path):
    """In the folder *path*."""
    assert answer(Process(["pwd", "-P"], path=tmp_path)).text() == f"{tmp_path.resolve()}\n"


def test_no_output_is_an_empty_answer():
    """And a whole one."""
    found = answer(Process(["true"]))
    assert (found.code, found.body, found.getHeader("content-length")) == (200, b"", "0")


def test_a_head_request_does_not_run_it(tmp_path):
    """What it would write is not asked for."""
    found = answer(shell("touch run", path=tmp_path), "HEAD")
    assert (found.code, found.getHeader("content-length")) == (200, None)
    assert not (tmp_path / "run").exists()


def test_it_takes_no_other_method():
    """It is no CGI program, and is told of none."""
    found = answer(Process(["cat"]), "PUT", "/", {}, b"x")
    assert (found.code, found.getHeader("allow")) == (405, "GET, HEAD, OPTIONS, POST")


@pytest.mark.parametrize("text", ["exit 3", "kill -9 $$", "sleep 0.1; exit 3"])
def test_a_failure_is_a_502(text, caplog):
    """The log has what it said, and the client has not."""
    found = answer(shell(f"echo secret >&2; {text}"))
    assert found.code == 502
    assert "secret" not in found.text()
    assert "secret" in caplog.text


def test_a_failure_in_the_midst_breaks_off():
    """Half of what it had to say is not taken for all of it."""
    found = answer(shell("echo half; exit 3"))
    assert (found.code, found.isWhole) == (200, False)


def test_a_program_that_is_missing_is_an_error_of_ours(caplog):
    """The log names it."""
    assert answer(Process(["/nonexistent"])).code == 500
    assert "/nonexistent" in caplog.text


def test_a_silent_program_is_a_504():
    """After its timeout."""
    with asking(Process(["sleep", "1000"], timeout=10)) as conversation:
        conversation.advance(10)
        assert conversation.code == 504


def test_it_ends_when_the_client_leaves():
    """Within a second."""
    with asking(shell("echo $$; exec sleep 1000")) as conversation:
        conversation.waitFor(lambda: b"200 OK" in conversation.received and conversation.body)
        pid = int(conversation.body)
        conversation.lose()
        conversation.advance(0.9)
        conversation.waitFor(lambda: not is_running(pid))


def test_it_gives_its_place_back():
    """However it ends."""
    turnstile = Turnstile(1, 0)
    for args, code in [(["true"], 200), (["false"], 502), (["/nonexistent"], 500), (["true"], 200)]:
        assert answer(Process(args, turnstile=turnstile)).code == code


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("printf 'a\\nb\\n'", b"data: a\n\ndata: b\n\n"),
        ("printf 'a\\r\\n\\nb'", b"data: a\n\ndata: \n\ndata: b\n\n"),
        ("printf 'a\\rid: 1\\n'", b"data: a\ndata: id: 1\n\n"),
        ("printf '\\377\\n'", b"data: \xef\xbf\xbd\n\n"),
        ("true", b""),
    ],
)
def test_lines_as_events(text, events):
    """One event for each line, whatever is in it: a CR begins no field of its own."""
    found = answer(shell(text, asEvents=True))
    assert found.getHeader("content-type") == "text/event-stream"
    assert found.getHeader("cache-control") == "no-store"
    assert (found.body, found.isWhole) == (events, True)


def test_events_come_as_they_happen_and_for_as_long():
    """The head at once, comments while there is silence, and no deadline."""
    with asking(shell("read line; echo $line", asEvents=True), "POST", "/",
                {"Content-Length": "2"}, b"a") as conversation:  # fmt: skip
        assert (conversation.code, conversation.body) == (200, b"")
        conversation.advance(25)
        assert conversation.body == b":\n\n"
        conversation.send(b"\n")
        conversation.waitFor(lambda: conversation.isWhole)
        assert conversation.body == b":\n\ndata: a\n\n"


def test_events_take_no_place_from_the_others():
    """They would wait for it as long as somebody listens."""
    assert Process(["a"], asEvents=True).turnstile is not Process(["a"]).turnstile


def test_a_line_without_an_end_is_not_kept_for_ever():
    """It is broken off at a megabyte."""
    with asking(shell("exec head -c 3000000 /dev/zero", asEvents=True)) as conversation:
        conversation.waitFor(lambda: conversation.isClosed)
        assert not conversation.isWhole


@pytest.mark.parametrize("args", ["sort", [], ()])
def test_a_command_is_a_list_of_words(args):
    """No shell reads it."""
    with pytest.raises(TypeError, match="args must be the words of a command"):
        Process(args)


def test_a_timeout_must_be_one():
    """Seconds, more than 0."""
    with pytest.raises(ValueError, match="timeout must be seconds"):
        Process(["cat"], timeout=0)
