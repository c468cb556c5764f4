"""Files as resources: what a folder answers, and what it never gives away."""

import os
import socket
import stat
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weblayer.web.mime import getTypeAndEncoding, loadMimeTypes
from weblayer.web.pages import errorPage
from weblayer.web.resource import Resource
from weblayer.web.static import Data, File
from weblayer.web.testing import Conversation, ask
from weblayer.wire.dates import format_date, parse_date

SECRET = b"the secret beside the root"
LARGE = bytes(range(251)) * 4177  # a megabyte, and no whole number of pieces


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small site, in a folder with a secret beside it."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "site-secret.txt").write_bytes(SECRET)
    root = tmp_path / "site"
    for folder in ("docs", "bare", ".git", ".well-known"):
        (root / folder).mkdir(parents=True)
    (root / "index.html").write_text("home")
    (root / "docs" / "index.html").write_text("docs")
    (root / "bare" / "notes.txt").write_text("notes")
    (root / "empty.txt").touch()
    (root / "large.bin").write_bytes(LARGE)
    (root / ".git" / "config").write_bytes(SECRET)
    (root / ".well-known" / "security.txt").write_text("call us")
    return root


def open_files(path: Path) -> list[str]:
    """The descriptors of this process that stand for *path*."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found += [descriptor.name] * (descriptor.readlink() == path)
        except FileNotFoundError:
            continue  # the one that listed them
    return found


# What a folder shows


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/", b"home"),
        ("/index.html", b"home"),
        ("/docs/", b"docs"),
        ("/bare/notes.txt", b"notes"),
        ("/bare/notes.txt?v=2", b"notes"),
        ("/empty.txt", b""),
        ("/large.bin", LARGE),
        ("/.well-known/security.txt", b"call us"),
    ],
)
def test_a_file_is_sent_whole(root, target, body):
    """A file answers with its bytes and their number, a folder with its index."""
    answer = ask(File(root), "GET", target)
    assert (answer.code, answer.body, answer.isWhole) == (200, body, True)
    assert answer.getHeader("content-length") == str(len(body))


@pytest.mark.parametrize("target", ["/", "/empty.txt", "/large.bin", "/docs", "/nowhere"])
def test_head_is_get_without_the_body(root, target):
    """HEAD has the fields of GET, and nothing behind them."""
    get, head = (ask(File(root), method, target) for method in ("GET", "HEAD"))
    assert list(head.headers.getAllRawHeaders()) == list(get.headers.getAllRawHeaders())
    assert head.received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_file_takes_no_other_method(root, method):
    """405 says what it does take, which OPTIONS says too."""
    answer = ask(File(root), method, "/index.html")
    assert (answer.code, answer.getHeader("allow")) == (405, "GET, HEAD, OPTIONS")
    options = ask(File(root), "OPTIONS", "/index.html")
    assert (options.code, options.getHeader("allow")) == (204, "GET, HEAD, OPTIONS")


def test_a_path_may_name_a_file(root):
    """A File of a file answers where it was put, and nothing below."""
    tree = Resource()
    tree.putChild("home", File(str(root / "index.html")))
    assert ask(tree, "GET", "/home").body == b"home"
    assert ask(tree, "GET", "/home/").code == 404
    assert ask(tree, "GET", "/home/index.html").code == 404


def test_a_path_is_text(root):
    """Bytes are a mistake, told by name."""
    with pytest.raises(TypeError, match="path"):
        File(os.fsencode(root))


def test_a_file_may_come_and_go(root):
    """Files are looked for when they are asked for."""
    site = File(root)
    assert ask(site, "GET", "/new.txt").code == 404
    (root / "new.txt").write_text("new")
    assert ask(site, "GET", "/new.txt").body == b"new"


def test_the_first_index_that_is_there_answers(root):
    """indexNames is an order, and a folder of such a name is no index."""
    site = File(root)
    site.indexNames = ["docs", "none.html", "large.bin", "index.html"]
    assert ask(site, "GET", "/").body == LARGE


def test_a_folder_without_an_index_keeps_its_names_to_itself(root):
    """A listing is shown where it was asked for, and not before."""
    assert ask(File(root), "GET", "/bare/").code == 404
    shown = ask(File(root, listing=True), "GET", "/bare/")
    assert shown.code == 200
    assert "notes.txt" in shown.text()


@pytest.mark.parametrize("target", ["/bare//notes.txt", "//bare/notes.txt", "/index.html/", "/%2F"])
def test_an_empty_segment_names_nothing(root, target):
    """Each file has one address."""
    assert ask(File(root), "GET", target).code == 404


# The slash of a folder


@pytest.mark.parametrize(
    ("target", "there"),
    [
        ("/docs", "http://weblayer.test/docs/"),
        ("/docs?a=1&b=/", "http://weblayer.test/docs/?a=1&b=/"),
        ('/docs?q="<%FC>"', 'http://weblayer.test/docs/?q="<%FC>"'),
        ("/d%6fcs", "http://weblayer.test/docs/"),
    ],
)
def test_a_folder_is_known_by_its_slash(root, target, there):
    """Without it a folder's own links would lead astray; the query comes along."""
    answer = ask(File(root), "GET", target)
    assert answer.code == 302
    assert urljoin(f"http://weblayer.test{target}", answer.getHeader("location")) == there


@pytest.mark.parametrize("name", ["a b", "a:b", "ü", "evil.example", "%2e", "q?x", "<b>"])
def test_a_redirect_stays_on_this_host(root, name):
    """A path that begins with two slashes looks like a host, and is never sent as one."""
    (root / name).mkdir()
    tree = Resource()
    tree.putChild("", File(root))
    location = ask(tree, "GET", "//" + quote(name)).getHeader("location")
    assert urlsplit(location)[:2] == ("", "")
    assert unquote(location) == f"./{name}/"


def test_a_folder_that_was_put_as_the_slash_needs_none(root):
    """It shows its index at once, instead of redirecting for ever."""
    tree = Resource()
    tree.putChild("", File(root))
    assert ask(tree, "GET", "/").body == b"home"


# Types


@pytest.mark.parametrize(
    ("name", "kind", "encoding"),
    [
        ("a.html", "text/html; charset=utf-8", None),
        ("A.HTML", "text/html; charset=utf-8", None),
        ("a.css", "text/css; charset=utf-8", None),
        ("a.js", "text/javascript; charset=utf-8", None),
        ("a.png", "image/png", None),
        ("a.svg", "image/svg+xml", None),
        ("a.xml", "application/xml", None),
        ("a.json", "application/json", None),
        ("a.html.gz", "text/html; charset=utf-8", "gzip"),
        ("a.css.br", "text/css; charset=utf-8", "br"),
        ("a.gz", "application/gzip", None),
        ("a.unknown.gz", "application/gzip", None),
        ("a.tar.gz", "application/gzip", None),
        ("README", "application/octet-stream", None),
        ("html", "application/octet-stream", None),
        ("a.unknown", "application/octet-stream", None),
    ],
)
def test_a_type_comes_from_the_name(root, name, kind, encoding):
    """Text says its charset, what is unknown is never guessed, and browsers are told not to."""
    (root / name).write_text("<!DOCTYPE html>")
    answer = ask(File(root), "GET", f"/{name}", {"Accept-Encoding": "gzip, br"})
    assert answer.getHeader("content-type") == kind
    assert answer.getHeader("content-encoding") == encoding
    assert answer.getHeader("x-content-type-options") == "nosniff"


def test_a_hidden_name_has_no_extension():
    """ ".html" is a name, and "a.html" has a type."""
    types = {".html": "text/html"}
    assert getTypeAndEncoding(".html", types, {}, "x/y") == ("x/y", None)
    assert getTypeAndEncoding("a.html", types, {}, "x/y") == ("text/html", None)


def test_the_table_is_written_as_it_is_looked_up():
    """Extensions have their dot and are in lower case, types are whole."""
    for extension, kind in loadMimeTypes().items():
        assert extension == extension.lower()
        assert extension.startswith(".")
        assert kind.count("/") == 1


def test_the_tables_are_each_files_own(root):
    """A type, a coding or a default that is set on one tree holds below it, and in no other."""
    site, other = File(root, "x/default"), File(root)
    site.contentTypes[".txt"] = "x/notes; charset=latin-1"
    site.contentTypes[".log"] = "text/plain; charset=latin-1"
    (root / "bare" / "a.log").touch()
    (root / "bare" / "a.unknown").touch()
    kinds = [
        ask(tree, "GET", f"/bare/{name}").getHeader("content-type")
        for tree in (site, other)
        for name in ("notes.txt", "a.log", "a.unknown")
    ]
    assert kinds[:3] == ["x/notes; charset=latin-1", "text/plain; charset=latin-1", "x/default"]
    text = "text/plain; charset=utf-8"
    assert kinds[3:] == [text, text, "application/octet-stream"]


# What the client has already


def test_a_file_that_has_not_changed_is_not_sent_again(root):
    """304 from the second on that the client has; 200 for an older copy."""
    os.utime(root / "index.html", (0, 1_000_000_000.9))
    first = ask(File(root), "GET", "/")
    assert first.getHeader("last-modified") == format_date(1_000_000_000).decode()
    for since, code in ((1_000_000_000, 304), (999_999_999, 200), (1_000_000_001, 304)):
        answer = ask(File(root), "GET", "/", {"If-Modified-Since": format_date(since).decode()})
        assert (answer.code, answer.body) == (code, b"" if code == 304 else b"home")
    assert open_files(root / "index.html") == []


@pytest.mark.parametrize(("mtime", "least", "most"), [(2**40, 1, None), (-(2**33), 0, 0)])
def test_no_file_changed_in_the_future_or_before_time(root, mtime, least, most):
    """A date the disk should not have is not passed on. Source: RFC 9110, 8.8.2.1."""
    os.utime(root / "index.html", (mtime, mtime))
    answer = ask(File(root), "GET", "/")
    modified, date = (
        parse_date(answer.getHeader(name).encode()) for name in ("last-modified", "date")
    )
    assert least <= modified <= (date if most is None else most)


# Never outside the root


HOSTILE = [
    "..", ".", "", "%2e%2e", "..%2f", "%2e%2e%2fsecret.txt", "..%5c", "..\\", "%00", "secret.txt",
    "secret.txt%00", "%252e%252e", "....//", "..;", "%c0%ae%c0%ae", "~", "docs", "bare", "C:",
    ".git", "config", "..%2Fsite-secret.txt", "%2fetc%2fpasswd", "up", "out", "*", "\xff", "%ff",
]  # fmt: skip


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(HOSTILE) | st.text(st.characters(max_codepoint=255)), max_size=6))
def test_no_path_leads_out_of_the_root(root, segments):
    """However an address is put together, what lies outside or is hidden is not in the answer."""
    _link(root / "up", root.parent)
    _link(root / "out", root.parent / "secret.txt")
    path = "/" + "/".join(segment.translate(_UNSENDABLE) for segment in segments)
    with ask(File(root, listing=True), "GET", path) as answer:
        assert SECRET not in answer.received
        assert answer.code < 500


# What no request line can hold, sent as it would have to be.
_UNSENDABLE = {n: f"%{n:02X}" for n in [*range(33), ord("?"), ord("#"), 127]}


def _link(path: Path, target: Path) -> None:
    if not path.is_symlink():
        path.symlink_to(target)


@pytest.mark.parametrize(
    "target",
    ["/.git/config", "/.git/", "/.", "/..", "/../secret.txt", "/%2e%2e/secret.txt",
     "/..%2fsecret.txt", "/..%5csecret.txt", "/docs%2findex.html", "/docs%5cindex.html",
     "/index.html%00", "/%00", "/" + "a" * 300, "/" + "a/" * 2000, "/%C3%28" * 20],
)  # fmt: skip
def test_a_hostile_path_is_not_found(root, target):
    """404, whatever the system would have said."""
    assert ask(File(root), "GET", target).code == 404


def test_a_symlink_leads_nowhere_outside(root):
    """A link out is not there, unless links may lead out; a link inside always is."""
    _link(root / "out", root.parent / "secret.txt")
    _link(root / "up", root.parent)
    _link(root / "down", root / "docs")
    _link(root / "round", root / "round")
    _link(root / "docs" / "back", root.parent / "site-secret.txt")
    for target in ("/out", "/up/secret.txt", "/up", "/round", "/docs/back", "/down/back"):
        assert ask(File(root), "GET", target).code == 404, target
    assert ask(File(root), "GET", "/down/").body == b"docs"
    followed = File(root, followSymlinks=True)
    assert ask(followed, "GET", "/out").body == SECRET
    assert ask(followed, "GET", "/up/secret.txt").body == SECRET
    assert ask(followed, "GET", "/round").code == 404


def test_an_index_that_leads_out_is_no_index(root):
    """The confinement holds for what a folder shows, too."""
    _link(root / "bare" / "index.html", root.parent / "secret.txt")
    assert ask(File(root), "GET", "/bare/").code == 404


def test_the_root_may_be_a_link_that_turns(root):
    """A release is switched by one symlink, while the site is served."""
    current = root.parent / "current"
    current.symlink_to(root)
    _link(root / "docs" / "in", root / "index.html")
    site = File(current)
    assert ask(site, "GET", "/docs/in").body == b"home"
    current.unlink()
    current.symlink_to(root / "bare")
    assert ask(site, "GET", "/notes.txt").body == b"notes"


def test_only_files_and_folders_are_served(root):
    """A FIFO, a socket and a device are not there, and asking for one waits for nobody."""
    os.mkfifo(root / "fifo")
    _link(root / "null", Path("/dev/null"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(root / "socket"))
        for name in ("fifo", "socket", "null"):
            assert ask(File(root, followSymlinks=True), "GET", f"/{name}").code == 404
            tree = Resource()
            tree.putChild("it", File(root / name))
            assert ask(tree, "GET", "/it").code == 404


@pytest.mark.parametrize(
    "name", [b"a b", b"%41", b"\xff\xfe", "ü€😀".encode(), b"a:b", b"<img src=x>", b"a?b#c", b"\n"]
)
def test_any_name_the_system_allows_can_be_asked_for(root, name):
    """Spaces, signs, bytes that are not UTF-8: percent-encoded, they find the file."""
    Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_text("found")
    assert ask(File(root), "GET", "/" + quote(name)).body == b"found"


class Renaming(File):
    """Looks for another name than was asked for."""

    def getChild(self, name, request):
        return super().getChild("\ud800", request)


def test_a_name_that_no_file_can_have_is_not_found(root):
    """As where the system's encoding has no sign for it."""
    assert ask(Renaming(root), "GET", "/x").code == 404


class Closed(File):
    """A file that the system does not let us read."""

    def openForReading(self):
        raise PermissionError("closed")


def test_what_we_may_not_read_is_forbidden(root):
    """403, and the resource for it can be another; a folder may still have an index."""
    assert ask(Closed(root), "GET", "/index.html").code == 403
    assert ask(Closed(root), "GET", "/docs").code == 302
    site = Closed(root)
    site.forbidden = errorPage(403, detail="Ask the librarian.")
    assert "librarian" in ask(site, "GET", "/").text()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_the_systems_rights_hold(root):
    """A file without the right is 403; a folder that may be passed but not read redirects."""
    (root / "index.html").chmod(0)
    (root / "docs").chmod(stat.S_IXUSR)
    (root / "bare").chmod(0)
    codes = [ask(File(root), "GET", t).code for t in ("/", "/docs", "/docs/", "/bare/notes.txt")]
    (root / "docs").chmod(stat.S_IRWXU)
    (root / "bare").chmod(stat.S_IRWXU)
    assert codes == [403, 302, 200, 403]


class Broken(File):
    """A disk that fails."""

    def openForReading(self):
        raise OSError(5, "Input/output error")


def test_a_failing_disk_is_our_fault_and_not_the_clients(root, caplog):
    """What is neither absent nor forbidden is a 500, and is logged."""
    assert ask(Broken(root), "GET", "/index.html").code == 500
    assert "Input/output error" in caplog.text


# Large files


def test_a_large_file_waits_for_its_reader(root):
    """A client that does not read is not read ahead for; when it leaves the file is closed."""
    large = root / "large.bin"
    large.write_bytes(LARGE * 32)
    with Conversation(File(root)) as conversation:
        conversation.stopReading()
        conversation.ask("GET", "/large.bin")
        assert len(open_files(large)) == 1
        conversation.startReading()
        conversation.waitFor(lambda: conversation.isWhole)
        assert conversation.body == LARGE * 32
        assert open_files(large) == []
        conversation.stopReading()
        conversation.ask("GET", "/large.bin")
        assert len(open_files(large)) == 1
        conversation.reset()
        assert open_files(large) == []


def test_answers_stay_in_order_around_a_large_file(root):
    """Pipelined requests are answered one by one, whatever their size."""
    with Conversation(File(root)) as conversation:
        lines = b"".join(
            b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % name for name in (b"large.bin", b"", b"docs/")
        )
        conversation.send(lines * 3, *["GET"] * 9)
        assert [a.body for a in conversation.answers] == [LARGE, b"home", b"docs"] * 3


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", ["index.html", "large.bin"])
def test_a_file_is_closed_when_it_was_sent(root, method, name):
    """No descriptor is left behind."""
    with ask(File(root), method, f"/{name}") as answer:
        assert answer.code == 200
        assert open_files(root / name) == []


@pytest.mark.parametrize("kept", [0, 300_000])
def test_a_file_that_shrinks_is_never_taken_for_whole(root, kept, caplog):
    """The length was announced, so the connection breaks off, and the log says why."""
    large = root / "large.bin"
    large.write_bytes(LARGE * 8)
    with Conversation(File(root)) as conversation:
        conversation.stopReading()
        conversation.ask("GET", "/large.bin")
        os.truncate(large, kept)
        conversation.startReading()
        conversation.waitFor(lambda: conversation.isClosed)
        assert conversation.code == 200
        assert not conversation.isWhole
        assert open_files(large) == []
    assert "shorter" in caplog.text


class Shrinking(File):
    """Two bytes are gone between the look at a file and the reading."""

    def openForReading(self):
        file = super().openForReading()
        file.seek(2)
        return file


def test_a_small_file_that_shrinks_is_not_sent_at_all(root, caplog):
    """Nothing was announced yet, so the client is told that something is wrong."""
    assert ask(Shrinking(root), "GET", "/index.html").code == 500
    assert "shorter" in caplog.text


def test_a_file_that_grows_is_cut_at_what_was_announced(root):
    """What came later is not sent, and the connection goes on."""
    large = root / "large.bin"
    large.write_bytes(LARGE * 8)
    with Conversation(File(root)) as conversation:
        conversation.stopReading()
        conversation.ask("GET", "/large.bin")
        with large.open("ab") as file:
            file.write(LARGE)
        conversation.startReading()
        conversation.waitFor(lambda: conversation.isWhole)
        assert conversation.body == LARGE * 8
        conversation.ask("GET", "/docs/")
        assert conversation.body == b"docs"


# Extension points


def test_a_child_that_was_put_comes_before_the_file(root):
    """It answers where it was put, and is no child of the folders below."""
    site = File(root)
    site.putChild("index.html", Data(b"put", "text/plain"))
    assert ask(site, "GET", "/index.html").body == b"put"
    assert ask(site, "GET", "/docs/index.html").body == b"docs"


def test_the_page_for_what_is_not_there_can_be_another(root):
    """childNotFound holds for the whole tree, for folders without an index too."""
    site = File(root)
    site.childNotFound = errorPage(404, detail="Ask the librarian.")
    for target in ("/none", "/bare/none", "/bare/", "/index.html/none", "/.git"):
        answer = ask(site, "GET", target)
        assert (answer.code, "librarian" in answer.text()) == (404, True)


def test_an_extension_can_be_left_out(root):
    """The first that finds a file counts, a file of the whole name before all."""
    (root / "about.html").write_text("about")
    (root / "about.txt").write_text("text")
    (root / "docs.html").write_text("never")
    site = File(root, ignoredExts=[".none", ".html"])
    site.ignoreExt(".txt")
    assert ask(site, "GET", "/about").body == b"about"
    assert ask(site, "GET", "/about").getHeader("content-type").startswith("text/html")
    assert ask(site, "GET", "/bare/notes").body == b"notes"
    assert ask(site, "GET", "/docs/").body == b"docs"
    assert ask(File(root), "GET", "/about").code == 404


@pytest.mark.parametrize("ext", ["html", "", "./x", ".\0"])
def test_what_can_be_left_out_is_an_extension(root, ext):
    """Anything else is a mistake, told by name."""
    with pytest.raises(ValueError, match="ext must be"):
        File(root).ignoreExt(ext)


class Shouting(File):
    """A subclass with a constructor of its own."""

    def __init__(self, folder, sign):
        super().__init__(folder)
        self.sign = sign

    def render_GET(self, request):
        request.setHeader("X-Sign", self.sign)
        return super().render_GET(request)

    def directoryListing(self):
        return Data(b"ask me", "text/plain")


def test_what_is_found_below_is_of_the_same_kind(root):
    """A subclass and its attributes hold for every file below, however it is constructed."""
    answer = ask(Shouting(root, "!"), "GET", "/bare/notes.txt")
    assert (answer.body, answer.getHeader("x-sign")) == (b"notes", "!")
    assert ask(Shouting(root, "!"), "GET", "/bare/").body == b"ask me"


# Constant bytes


def test_data_answers_with_its_bytes():
    """At its name, with and without a slash, in its type."""
    tree = Resource()
    tree.putChild("it", Data(b"\0\1", "image/x-tiny"))
    for target in ("/it", "/it/"):
        answer = ask(tree, "GET", target)
        assert (answer.body, answer.getHeader("content-type")) == (b"\0\1", "image/x-tiny")
    assert ask(tree, "POST", "/it").code == 405


def test_data_is_bytes():
    """Text is a mistake, told by name."""
    with pytest.raises(TypeError, match="data must be bytes"):
        Data("text", "text/plain")


def test_a_decoded_name_is_the_file_that_was_asked_for(root):
    """Segments are decoded once: "%2541" is the file "%41" and not "A"."""
    (root / "A").write_text("A")
    (root / "%41").write_text("percent")
    assert ask(File(root), "GET", "/%2541").body == b"percent"
