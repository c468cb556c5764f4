"""`weblayer web --log`: a line for each request in a file, which may be moved away."""

import json
import signal

import pytest

from tests.programs import Program, ask


@pytest.fixture
def folder(tmp_path):
    """A folder with a page."""
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / "page.html").write_text("<p>Here I am.\n")
    return folder


def serving(folder, *options):
    """The program, serving the folder."""
    return Program("-m", "weblayer", "web", "--path", folder, "--port", 0, *options)


def test_the_log_is_written_to_a_file(folder, tmp_path):
    """In the combined format, and no more on the terminal."""
    log = tmp_path / "access.log"
    with serving(folder, "--log", log) as program:
        ask(program.port(), "/page.html")
        assert "page.html" not in program.stop()[1]
    assert '"GET /page.html HTTP/1.1" 200 14 "-" "-"\n' in log.read_text()


@pytest.mark.parametrize("form", ["json", '{{"status": {status}, "uri": "{uri}"}}'])
def test_the_line_is_as_it_is_asked_for(folder, tmp_path, form):
    """By a name, or with fields."""
    log = tmp_path / "access.log"
    with serving(folder, "--log", log, "--log-format", form) as program:
        ask(program.port(), "/page.html")
        program.stop()
    said = json.loads(log.read_text())
    assert (said["status"], said["uri"]) == (200, "/page.html")


def test_the_terminal_has_it_in_any_form_too(folder):
    """Without a file the line is printed."""
    with serving(folder, "--log-format", "{status} for {client}") as program:
        ask(program.port(), "/page.html")
        assert "200 for 127.0.0.1\n" in program.stop()[1]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_hangup_opens_the_file_anew(folder, tmp_path):
    """As logrotate does it; the program goes on."""
    log, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    with serving(folder, "--log", log, "--log-format", "{uri}") as program:
        port = program.port()
        ask(port, "/before")
        log.rename(moved)
        program.process.send_signal(signal.SIGHUP)
        while not log.exists():
            ask(port, "/meanwhile")
        ask(port, "/behind")
        assert program.stop()[0] == 0
    assert moved.read_text().startswith("/before\n")
    assert log.read_text().endswith("/behind\n")


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--log-format", "{colour}"], 2, "no field 'colour'"),
        (["--log", "/nowhere/at/all.log"], 1, "cannot write '/nowhere/at/all.log': No such file"),
    ],
)
def test_a_log_that_cannot_be_written_is_told(folder, options, code, told):
    """At once, and in a sentence."""
    with serving(folder, *options) as program:
        ended, _, complained = program.end()
    assert ended == code
    assert told in complained
    assert "Traceback" not in complained
