"""Pages that are files: run, kept, and loaded again when they have changed."""

import os

import pytest

from weblayer.web.registry import Registry
from weblayer.web.script import (
    PythonScript,
    ResourceScript,
    ResourceScriptDirectory,
    ResourceScriptWrapper,
    ResourceTemplate,
)
from weblayer.web.site import Site
from weblayer.web.static import File
from weblayer.web.testing import ask

SAYS = "from weblayer.web.static import Data\nresource = Data(b'%s', 'text/plain')\n"

COUNTS = """
from weblayer.web.resource import Resource

class Counted(Resource):
    isLeaf, count = True, 0

    def render_GET(self, request):
        self.count += 1
        return str(self.count)

resource = Counted()
"""


@pytest.fixture
def site(tmp_path):
    """A folder with all kinds of pages, and a function that writes one."""
    folder = File(tmp_path)
    folder.processors |= {
        ".rpy": ResourceScript,
        ".epy": PythonScript,
        ".html": ResourceTemplate,
        ".txt": ResourceTemplate,
    }
    return folder


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        changed = path.exists() and path.stat().st_mtime_ns
        path.write_text(text)
        if changed:  # a disk's clock may stand still meanwhile, and jinja2 looks at floats
            os.utime(path, ns=(changed + 10**9, changed + 10**9))
        return path

    return write


def test_a_script_makes_a_resource(site, write):
    """What it calls `resource`."""
    write("a.rpy", SAYS % "hello")
    assert ask(site, "GET", "/a.rpy").text() == "hello"


def test_a_resource_is_kept_until_its_file_changes(site, write):
    """It may remember things, and what is written is seen at once."""
    write("a.rpy", COUNTS)
    assert [ask(site, "GET", "/a.rpy").text() for _ in range(3)] == ["1", "2", "3"]
    write("a.rpy", COUNTS)
    assert ask(site, "GET", "/a.rpy").text() == "1"


def test_a_script_without_a_registry_is_run_each_time(write):
    """There is nothing to keep it in."""
    path = write("a.rpy", COUNTS)
    assert ResourceScript(path) is not ResourceScript(path)


def test_a_script_in_a_tree_is_loaded_again_too(write):
    """And so is all that is found below it."""
    page = ResourceScriptWrapper(write("a.rpy", COUNTS))
    assert [ask(page, "GET", "/b/c").text() for _ in range(2)] == ["1", "2"]
    write("a.rpy", SAYS % "changed")
    assert ask(page).text() == "changed"


def test_scripts_know_the_registry_and_their_file(site, write):
    """A program puts in what its pages need."""
    site.registry.setComponent(int, 7)
    path = write(
        "a.rpy",
        "from weblayer.web.static import Data\n"
        "resource = Data(f'{registry.getComponent(int)} {__file__}'.encode(), 'text/plain')",
    )
    assert ask(site, "GET", "/a.rpy").text() == f"7 {path}"


MISTAKES = [
    (name, text, shown)
    for name in ("a.rpy", "a.epy")
    for text, shown in [
        ("resource = (", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(1)", "wants to exit (1)"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
    ]
]


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        *MISTAKES,
        ("a.rpy", "pass", "must set `resource` to a resource, not to None"),
        ("a.rpy", "from weblayer.web.resource import Resource as resource", "must set `resource`"),
    ],
)
def test_a_mistake_is_shown_to_developers_alone(site, write, name, text, shown):
    """Others read that it went wrong, and the next version is loaded."""
    write(name, text)
    found = ask(site, "GET", f"/{name}")
    assert found.code == 500
    assert shown not in found.text()
    developing = Site(site)
    developing.displayTracebacks = True
    assert shown in ask(developing, "GET", f"/{name}", {"Accept": "text/plain"}).text()
    write(name, SAYS % "mended")
    assert ask(site, "GET", f"/{name}").code == 200


def test_a_script_may_say_that_nothing_is_there(site, write):
    """With the errors of any other page."""
    write("a.rpy", "from weblayer.web.errors import NotFound\nraise NotFound")
    assert ask(site, "GET", "/a.rpy").code == 404


def test_a_folder_of_scripts_runs_them_and_nothing_else(write, tmp_path):
    """No source is ever shown."""
    write("a.rpy", SAYS % "a")
    write("index.rpy", SAYS % "index")
    write("below/b.rpy", SAYS % "b")
    for name in ("c.py", ".hidden.rpy", "d.rpy.txt", "below/e"):
        write(name, SAYS % "never")
    write("outside/x.rpy", SAYS % "never")
    (tmp_path / "below/link.rpy").symlink_to("/etc/passwd")
    (tmp_path / "below/out.rpy").symlink_to(tmp_path / "outside/x.rpy")
    folder = ResourceScriptDirectory(tmp_path)
    assert ask(folder, "GET", "/a.rpy").text() == "a"
    assert ask(folder).text() == "index"
    assert ask(folder, "GET", "/below/b.rpy").text() == "b"
    below = ResourceScriptDirectory(tmp_path / "below")
    for name in ("c.py", ".hidden.rpy", "d.rpy.txt", "below/e", "none.rpy", "below/", ".."):
        assert ask(folder, "GET", f"/{name}").code == 404
    for name in ("link.rpy", "out.rpy", "..", "%2e%2e%2fa.rpy"):
        assert ask(below, "GET", f"/{name}").code == 404


def test_a_python_page_writes_its_answer(site, write):
    """It is run for each request, and is whole at its end."""
    write(
        "a.epy",
        "request.setHeader('content-type', 'text/plain')\n"
        "request.write(request.method.encode())\nrequest.write(request.content.read())",
    )
    assert ask(site, "POST", "/a.epy", {}, b"!").text() == "POST!"
    write("a.epy", "request.write(b'changed')")
    assert ask(site, "GET", "/a.epy").text() == "changed"
    write("a.epy", "")
    assert ask(site, "GET", "/a.epy").body == b""


def test_a_python_page_that_fails_in_the_midst_breaks_off(site, write):
    """Half of it is not taken for whole."""
    write("a.epy", "request.write(b'half')\n1 / 0")
    assert not ask(site, "GET", "/a.epy").isWhole


def test_a_page_that_is_not_there(tmp_path):
    """Or may have gone since."""
    for page in (PythonScript(tmp_path / "a"), ResourceScriptWrapper(tmp_path / "a", Registry())):
        assert ask(page).code == 404


def test_a_template_is_filled_in(site, write):
    """With the request and the registry, escaped, and with the others of its folder."""
    site.registry.setComponent(str, "from the program")
    write("base.html", "<p>{% block body %}{% endblock %}")
    write(
        "a.html",
        "{% extends 'base.html' %}{% block body %}{{ request.args['q'][0] }}{% endblock %}",
    )
    found = ask(site, "GET", "/a.html?q=<b>")
    assert found.text() == "<p>&lt;b&gt;"
    assert found.getHeader("content-type") == "text/html; charset=utf-8"
    write("a.html", "changed {{ registry.getComponent(request.method.__class__) }}")
    assert ask(site, "GET", "/a.html").text() == "changed from the program"
    write("a.txt", "{{ request.args['q'][0] }}")
    found = ask(site, "GET", "/a.txt?q=<b>")
    assert (found.text(), found.getHeader("content-type")) == ("<b>", "text/plain; charset=utf-8")
