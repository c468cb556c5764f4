"""What `weblayer web` makes of a folder: each option does what its help says, or is told wrong."""

import stat

import pytest
from click.testing import CliRunner

from tests.programs import Program, ask
from weblayer.commands.main import main
from weblayer.web.resource import Resource

BROWSER = {"Accept": "text/html,*/*;q=0.8"}

ECHO = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\n%s' "$PATH_INFO"
"""


class Shout(Resource):
    """What a person's own processor may be."""

    isLeaf = True

    def __init__(self, path, registry):
        with open(path) as file:
            self.text = file.read()

    def render_GET(self, request):
        return self.text.upper()


@pytest.fixture
def folder(tmp_path):
    """A site with a bit of everything."""
    root = tmp_path / "site"
    for name in ("cgi-bin", "media", ".git"):
        (root / name).mkdir(parents=True)
    files = {
        "index.html": "front", "home.html": "home", "about.html": "about", "lost.html": "lost",
        "note.txt": "note", "shader.glsl": "shader", "poem.shout": "poem", "media/film.txt": "film",
        ".git/config": "config", "_redirects": "/old /about", "_headers": "/*\n  X-Rule: yes",
    }  # fmt: skip
    for name, text in files.items():
        (root / name).write_text(text)
    (root / "cgi-bin/echo").write_text(ECHO)
    (root / "cgi-bin/echo").chmod(stat.S_IRWXU)
    (tmp_path / "outside.txt").write_text("outside")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    return root


@pytest.fixture
def answers(folder):
    """Serve the folder with some options, and ask for addresses one after the other."""

    def run(options, *paths, headers=None):
        with Program("-m", "weblayer", "web", "--path", folder, "--port", 0, *options) as program:
            port = program.port()
            return [ask(port, path, headers=headers) for path in paths]

    return run


def bodies(found):
    """Codes of what is not there, texts of what is."""
    return [body.decode() if answer.status == 200 else answer.status for answer, body in found]


def test_a_folder_is_a_site(answers):
    """Without any option: clean addresses, rule files, and neither hidden files nor links out."""
    found = answers([], "/", "/about", "/old", "/.git/config", "/link.txt", "/_redirects")
    assert bodies(found) == ["front", "about", 301, 404, 404, 404]
    assert all(answer.getheader("x-rule") == "yes" for answer, _ in found)


def test_options_say_what_is_there(answers):
    """--index, --hidden, --follow-symlinks, --ignore-ext, --no-listing."""
    options = ["--index", "home.html", "--hidden", "--follow-symlinks", "--ignore-ext", ".txt",
               "--no-listing"]  # fmt: skip
    found = answers(options, "/", "/.git/config", "/link.txt", "/note", "/media/")
    assert bodies(found) == ["home", "config", "outside", "note", 404]


def test_options_say_what_is_not_there(answers):
    """--404 and --spa."""
    (answer, body), _ = answers(["--404", "lost.html"], "/none", "/")
    assert (answer.status, body) == (404, b"lost")
    found = answers(["--spa"], "/users/7", "/missing.js", "/static/x", headers=BROWSER)
    assert bodies(found) == ["front", 404, 404]


def test_options_say_how_files_are_sent(answers):
    """--cache, --header, --mime-type; the first pattern that fits counts."""
    options = ["--cache", "/media/*=30d", "--cache", "*.txt=no-cache", "--cache", "*=immutable",
               "--header", "X-Site: mine", "--mime-type", ".glsl=text/x-shader"]  # fmt: skip
    found = answers(options, "/media/film.txt", "/note.txt", "/shader.glsl")
    assert [answer.getheader("cache-control") for answer, _ in found] == [
        "max-age=2592000",
        "no-cache",
        "immutable, max-age=31536000",
    ]
    assert found[2][0].getheader("content-type") == "text/x-shader; charset=utf-8"
    assert {answer.getheader("x-site") for answer, _ in found} == {"mine"}


def test_programs_answer(answers, folder):
    """--cgi runs a folder's programs at its name, --processor makes answers of files."""
    options = ["--cgi", folder / "cgi-bin", "--processor",
               ".shout=tests.commands.test_folder.Shout"]  # fmt: skip
    found = answers(options, "/cgi-bin/echo/a/b", "/poem.shout", "/cgi-bin/", "/cgi-bin%2Fecho")
    assert bodies(found) == ["/a/b", "POEM", 404, 404]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--cache", "*.css"], "write it as '*.css=1h'"),
        (["--cache", "*.css=soon"], "'soon' is none"),
        (["--cache", "=1h"], "write it as"),
        (["--header", "X-Site"], "'Name: value'"),
        (["--header", "Content-Length: 5"], "server's own"),
        (["--header", "! X-Site"], "'Name: value'"),
        (["--header", "X Site: a"], "X Site"),
        (["--mime-type", "glsl=text/plain"], "begins with a dot"),
        (["--mime-type", ".glsl=text"], ".ext=text/plain"),
        (["--ignore-ext", "html"], "begins with a dot"),
        (["--processor", ".x"], ".ext=package.module.Class"),
        (["--processor", ".x=Class"], ".ext=package.module.Class"),
        (["--processor", ".x=no.such.Class"], "cannot be had"),
        (["--processor", ".x=weblayer.web.static.Nothing"], "cannot be had"),
        (["--processor", ".x=weblayer.web.static.__doc__"], "makes no resources"),
    ],
)
def test_a_word_that_is_none_is_told(options, told):
    """Exit code 2, the option in question, and how to write it."""
    result = CliRunner().invoke(main, ["web", *options])
    assert result.exit_code == 2
    assert f"Invalid value for '{options[0]}'" in result.output
    assert told in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--404", "none.html"], "--404 needs the file 'none.html'"),
        (["--404", "../outside.txt"], "--404 needs the file '../outside.txt'"),
        (["--spa", "--index", "none.html"], "--spa needs the file 'none.html'"),
        (["--cgi", "none"], "No such file or directory. Give --cgi a folder that exists."),
        (["--cgi", "."], "shown as files, too"),
        (["--cgi", "media/deep"], "shown as files, too"),
        (["--cgi", "cgi-bin", "--cgi", "./cgi-bin"], "two folders are called 'cgi-bin'"),
    ],
)
def test_what_cannot_be_served_is_told(folder, monkeypatch, options, told):
    """Exit code 1, and one line that says what to do."""
    (folder / "media/deep").mkdir()
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, ["web", *options])
    assert result.exit_code == 1
    assert told in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    "option",
    "--index --spa --404 --cache --header --mime-type --ignore-ext --processor --cgi"
    " --no-listing --follow-symlinks --hidden".split(),
)
def test_the_help_shows_how_each_is_written(option):
    """Those that take a word have an example."""
    (found,) = (p for p in main.commands["web"].params if option in p.opts)
    assert found.is_flag or f"{option} " in found.help
