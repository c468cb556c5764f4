"""`weblayer web --auth`: who may see the folder."""

import hashlib
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from tests.programs import Program, ask
from tests.web.logins import basic
from weblayer.commands.main import main


@pytest.fixture
def folder(tmp_path):
    """A folder to serve, and beside it a place for users."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "page.html").write_text("<p>Here I am.\n")
    return site


def serving(folder, *options):
    return Program("-m", "weblayer", "web", "--path", folder, "--port", 0, *options)


def refused(folder, *options):
    """What is wrong with the options."""
    result = CliRunner().invoke(main, ["web", "--path", str(folder), *map(str, options)])
    assert result.exit_code == 2
    return result.stderr


def test_the_folder_is_for_those_who_are_known(folder):
    """By a file that our own command makes; the log has their names."""
    users, log = folder.parent / "users", folder.parent / "log"
    CliRunner().invoke(main, ["passwd", str(users), "ada", "--stdin"], input="lovelace\n")
    with serving(folder, "--auth", f"htpasswd:{users}", "--realm", "ours", "--log", log) as program:
        port = program.port()
        response, _ = ask(port, "/page.html")
        assert response.status == 401
        assert response.getheader("www-authenticate").startswith('Basic realm="ours"')
        assert ask(port, "/page.html", headers=basic("ada", "lovelace"))[0].status == 200
        assert ask(port, "/page.html", headers=basic("ada", "x"))[0].status == 401
        assert program.stop()[0] == 0
    assert "127.0.0.1 - ada [" in log.read_text()


def test_several_know_more_people(folder):
    """Each is asked, until one knows them."""
    options = ["--auth", "memory:ada:lovelace", "--auth", "memory:bob:builder"]
    with serving(folder, *options) as program:
        port = program.port()
        for word in basic("ada", "lovelace"), basic("bob", "builder"):
            assert ask(port, "/page.html", headers=word)[0].status == 200


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_people_of_htdigest_prove_their_password(folder):
    """With the realm of the file."""
    users = folder.parent / "users"
    users.write_text("ada:ours:" + hashlib.md5(b"ada:ours:lovelace").hexdigest() + "\n")
    with serving(folder, "--auth", f"htdigest:{users}", "--realm", "ours") as program:
        url = f"http://127.0.0.1:{program.port()}/page.html"
        command = ["curl", "-s", "--digest", "-u", "ada:lovelace", url]
        assert subprocess.run(command, capture_output=True, check=True).stdout.startswith(b"<p>")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--auth", "htpasswd:/not/there"], "/not/there: No such file"),
        (["--auth", "nobody:knows"], "nobody:knows"),
        (["--auth", "memory:ada"], "memory: needs a name and a password"),
        (["--auth", "memory:a:b", "--realm", "a\nb"], "realm"),
        (["--auth", "htdigest:USERS", "--auth", "memory:a:b"], "htdigest can stand beside"),
        (["--auth", "htpasswd:USERS"], "line 1"),
    ],
)
def test_what_cannot_be_used_is_told(folder, options, told):
    """Before anything is served."""
    users = folder.parent / "users"
    users.write_text("ada:ours:" + 32 * "0" + "\n")
    assert told in refused(folder, *(option.replace("USERS", str(users)) for option in options))


def test_how_it_is_written_is_told():
    """Each kind, with a word on it."""
    result = CliRunner().invoke(main, ["web", "--help-auth"])
    assert result.exit_code == 0
    assert "htpasswd:PATH" in result.output and "memory:USER" in result.output
