"""Files as resources: what a program changes of them, and where it puts its own."""

from pathlib import Path

import pytest

from weblayer.web.pages import errorPage
from weblayer.web.registry import MOST_CACHED, Registry
from weblayer.web.resource import Resource
from weblayer.web.static import Data, File
from weblayer.web.testing import ask


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small site."""
    (tmp_path / "index.html").write_text("home")
    (tmp_path / "about.html").write_text("about")
    (tmp_path / "about.txt").write_text("about, plain")
    (tmp_path / "run.up").write_text("loud")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.up").write_text("docs")
    (tmp_path / "docs" / "dir.up").mkdir()
    (tmp_path / ".env").write_text("hidden")
    return tmp_path


class Upper(Resource):
    """Answers with a file in capitals, and the rest of the address."""

    isLeaf = True

    def __init__(self, path: str, registry: Registry) -> None:
        self.path, self.registry = path, registry

    def render_GET(self, request):
        return Path(self.path).read_text().upper() + "/".join(["", *request.postpath])


@pytest.mark.parametrize(
    ("target", "body"),
    [("/run.up", b"LOUD"), ("/run.up/a/b", b"LOUD/a/b"), ("/docs/", b"DOCS"), ("/", b"home")],
)
def test_a_processor_makes_the_resource_of_its_files(root, target, body):
    """By extension, for an index too, and with what is left of the address."""
    site = File(root)
    site.processors = {".up": Upper}
    site.indexNames.append("index.up")
    assert ask(site, "GET", target).body == body


def test_a_processor_is_not_asked_about_folders_and_what_is_not_there(root):
    """A folder of such a name is a folder."""
    site = File(root)
    site.processors = {".up": Upper}
    assert ask(site, "GET", "/docs/dir.up").code == 302
    assert ask(site, "GET", "/nowhere.up").code == 404


def test_processors_share_the_registry(root):
    """The one that was given, all the way down."""
    registry, seen = Registry(), []

    def note(path, shared):
        seen.append(shared)
        return Data(b"", "text/plain")

    site = File(root, "text/plain", [], registry)
    site.processors = {".up": note}
    site.indexNames = ["index.up"]
    for target in ("/run.up", "/docs/"):
        ask(site, "GET", target)
    assert seen == [registry, registry]
    assert File(root).registry is not File(root).registry


def test_a_registry_holds_components_and_what_was_made_of_files():
    """Each under what it was set for; what was not set is the default."""
    registry = Registry()
    assert registry.getComponent(str, "none") == "none"
    registry.setComponent(str, "some")
    assert registry.getComponent(str) == "some"
    assert registry.getCachedPath("/a") is None
    registry.cachePath(Path("/a"), 1)
    assert registry.getCachedPath("/a") == 1


def test_a_registry_keeps_the_latest():
    """Paths come and go: what was made of too many is made again."""
    registry = Registry()
    for number in range(MOST_CACHED + 1):
        registry.cachePath(f"/{number}", number)
    assert registry.getCachedPath("/0") is None
    assert registry.getCachedPath(f"/{MOST_CACHED}") == MOST_CACHED


@pytest.mark.parametrize(
    ("ignored", "body"),
    [([".html"], b"about"), ([".txt", ".html"], b"about, plain"), (["*"], b"about")],
)
def test_an_extension_may_be_left_out(root, ignored, body):
    """The first that finds a file; any of them is the first of the names."""
    assert ask(File(root, ignoredExts=ignored), "GET", "/about").body == body


def test_an_extension_that_is_left_out_finds_nothing_new(root):
    """What is hidden stays so, and nothing is nothing."""
    site = File(root, ignoredExts=["*", ".html"])
    for target in ("/nothing", "/.e", "/.", "/about.", "/abou", "/*", "/%2e"):
        assert ask(site, "GET", target).code == 404, target


@pytest.mark.parametrize("ext", ["html", "", "./x", "**", ".a/b"])
def test_what_is_no_extension_cannot_be_left_out(root, ext):
    """A mistake is told at once."""
    with pytest.raises(ValueError, match="ext"):
        File(root).ignoreExt(ext)


def test_hidden_files_are_served_where_it_was_asked_for(root):
    """A switch, for the whole tree; and no way out."""
    site = File(root, hidden=True, listing=True)
    assert ask(site, "GET", "/.env").body == b"hidden"
    (root / "index.html").unlink()
    assert ".env" in ask(site, "GET", "/").text()
    assert ".env" not in ask(File(root, listing=True), "GET", "/").text()
    for target in ("/..", "/.", "/%2e%2e/", "/...%2f"):
        assert ask(site, "GET", target).code == 404


class Marked(File):
    """Has pages of its own for what is not there, and its own listing."""

    childNotFound = errorPage(404, detail="Look elsewhere.")

    def directoryListing(self):
        return Data(b"listed", "text/plain")


def test_a_subclass_is_the_same_all_the_way_down(root):
    """What is found below is made by createSimilarFile."""
    site = Marked(root)
    assert ask(site, "GET", "/docs/").body == b"listed"
    assert "Look elsewhere." in ask(site, "GET", "/docs/nothing").text()


def test_what_is_put_comes_before_files(root):
    """On the File it was put on, and on no other."""
    site = File(root)
    site.putChild("about.html", Data(b"put", "text/plain"))
    assert ask(site, "GET", "/about.html").body == b"put"
    assert ask(site, "GET", "/docs/about.html").code == 404
