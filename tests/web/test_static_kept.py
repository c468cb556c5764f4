"""Files that are kept ready: what changes on disk is seen within a second, and all is as it was."""

import gzip
import os
import re
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.policy import Policy
from weblayer.web.site import Site
from weblayer.web.static import FINGERPRINTED, Data, File
from weblayer.web.testing import Conversation, ask

TEXT = b"the same few words, again and again\n" * 100
OLD = 1_000_000_000  # seconds: long before any test

UNPACK = {
    None: bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A page that has not changed for long, and a picture."""
    write(tmp_path / "page.html", TEXT)
    write(tmp_path / "picture.png", TEXT)
    return tmp_path


def write(path: Path, data: bytes, when: float = OLD) -> None:
    """Put a file where one may be, as a release does: written beside, then moved."""
    (path.parent / ".new").write_bytes(data)
    os.utime(path.parent / ".new", (when, when))
    (path.parent / ".new").rename(path)


def fetch(site, target="/page.html", accept=None, **headers):
    """One answer."""
    if accept is not None:
        headers["Accept-Encoding"] = accept
    return ask(site, "GET", target, headers)


# What changes


def again(conversation, target="/page.html", seconds=0):
    conversation.advance(seconds)
    conversation.ask("GET", target)
    return conversation.last


def test_what_is_kept_is_what_was_there(root):
    """The second answer is the first; the third, a second later, too."""
    with Conversation(File(root)) as conversation:
        answers = [again(conversation, seconds=n) for n in (0, 0, 1.5)]
    assert [answer.body for answer in answers] == [TEXT] * 3
    assert len({without_boundary(answer) for answer in answers}) == 1


CHANGES = {
    "written over": lambda page: page.write_bytes(b"other"),
    "replaced": lambda page: write(page, b"other"),
    "replaced by one of the same size and time": lambda page: write(page, TEXT[::-1]),
    "longer": lambda page: page.write_bytes(TEXT * 2),
    "emptied": lambda page: page.write_bytes(b""),
    "a link": lambda page: (page.unlink(), page.symlink_to(page.parent / "picture.png")),
    "touched": lambda page: os.utime(page, (OLD + 1, OLD + 1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_is_seen_within_a_second(root, change):
    """However it was done: the next tick shows it, and then it is right."""
    page = root / "page.html"
    with Conversation(File(root)) as conversation:
        before = again(conversation)
        CHANGES[change](page)
        after = again(conversation, seconds=1.1)
        assert after.body == page.read_bytes()
        if change != "a link":
            assert after.getHeader("last-modified") == again(conversation).getHeader(
                "last-modified"
            )
        if change in ("longer", "touched", "emptied"):
            assert after.getHeader("etag") != before.getHeader("etag")


def test_what_is_gone_is_gone_within_a_second(root):
    """And what comes is there at once: nothing is remembered of what was not."""
    with Conversation(File(root)) as conversation:
        assert again(conversation).code == 200
        (root / "page.html").unlink()
        assert again(conversation, seconds=1.1).code == 404
        write(root / "page.html", b"back")
        assert again(conversation).body == b"back"


def test_a_file_that_is_being_written_is_read_again(root, monkeypatch):
    """One that changed just now may change again without its times telling: clocks are coarse."""
    page = root / "page.html"
    page.write_bytes(b"one")
    frozen, fstat, lstat = page.stat(), os.fstat, os.lstat
    monkeypatch.setattr(os, "lstat", lambda p: frozen if p == str(page) else lstat(p))
    monkeypatch.setattr(os, "fstat", lambda n: frozen if fstat(n).st_size == 3 else fstat(n))
    with Conversation(File(root)) as conversation:
        assert again(conversation).body == b"one"
        page.write_bytes(b"two")
        assert again(conversation, seconds=1.1).body == b"two"


def test_what_was_there_for_a_moment_is_not_kept(root, monkeypatch):
    """A file that stands in another's place just while it is opened, is not even sent."""
    page, other, aside = root / "page.html", root / "other", root / "aside"
    write(other, b"other")
    opening = os.open

    def swapped(path, *arguments):
        if path != str(page) or not other.exists():
            return opening(path, *arguments)
        page.rename(aside)
        other.rename(page)
        number = opening(path, *arguments)
        page.unlink()
        aside.rename(page)
        return number

    monkeypatch.setattr(os, "open", swapped)
    with Conversation(File(root)) as conversation:
        for _ in range(2):
            assert again(conversation).body == TEXT


def test_a_link_that_turns_outside_is_followed_no_more(root):
    """A folder that becomes a link out of the tree does not lead there for a second."""
    site, outside = root / "site", root / "outside"
    (site / "docs").mkdir(parents=True)
    (site / "docs" / "page.html").write_bytes(b"inside")
    with Conversation(File(site)) as conversation:
        assert again(conversation, "/docs/page.html").body == b"inside"
        (site / "docs").rename(outside)
        (outside / "secret.txt").write_bytes(b"secret")
        (site / "docs").symlink_to(outside)
        for name in ("page.html", "secret.txt"):
            assert again(conversation, f"/docs/{name}").code == 404


class Own(File):
    """Opens files in its own way."""

    def openForReading(self):
        return open(self.path, "rb")


def processed(path):
    site = File(path)
    site.processors[".txt"] = lambda path, registry: Data(Path(path).read_bytes(), "text/plain")
    return site


@pytest.mark.parametrize("make", [Own, processed])
def test_what_a_program_opens_is_looked_at_each_time(root, make):
    """It is not handed a path that has become a link out of the tree since."""
    site = root / "site"
    site.mkdir()
    (site / "a.txt").write_bytes(b"inside")
    with Conversation(make(site)) as conversation:
        assert again(conversation, "/a.txt").body == b"inside"
        (site / "a.txt").unlink()
        (site / "a.txt").symlink_to(root / "page.html")
        assert again(conversation, "/a.txt").code == 404


def test_what_is_not_kept_is_looked_at_when_it_is_opened(root):
    """A large file that another has replaced is that one, and a link out is not there."""
    large = os.urandom(400_000)
    write(root / "large.bin", large)
    site = root / "site"
    site.mkdir()
    write(site / "large.bin", large)
    with Conversation(File(site)) as conversation:
        again(conversation, "/large.bin")
        conversation.waitFor(lambda: conversation.isWhole)
        assert conversation.body == large
        write(site / "large.bin", large[::-1])
        again(conversation, "/large.bin")
        conversation.waitFor(lambda: conversation.isWhole)
        assert conversation.body == large[::-1]
        (site / "large.bin").unlink()
        (site / "large.bin").symlink_to(root / "large.bin")
        assert again(conversation, "/large.bin").code == 404


@pytest.mark.parametrize("target", ["/a%2Fpage.html", "/a%2f%2e%2e%2fpage.html", "/a/../page.html"])
def test_what_is_kept_has_one_address(root, target):
    """An encoded slash is none, though the file behind it is known."""
    (root / "a").mkdir()
    write(root / "a" / "page.html", TEXT)
    with Conversation(File(root)) as conversation:
        for known in ("/a/page.html", "/page.html"):
            assert again(conversation, known).code == 200
        assert again(conversation, target).code == 404


def test_each_site_sees_for_itself(root):
    """One tree in two sites, whose seconds are not the same."""
    tree = File(root)
    with Conversation(tree) as one, Conversation(tree) as two:
        assert again(one).body == again(two).body == TEXT
        write(root / "page.html", b"new")
        assert again(two, seconds=1.1).body == b"new"
        assert again(one, seconds=1.1).body == b"new"


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that were opened."""
    names, opening = [], os.open

    def noted(path, *arguments):
        names.append(os.path.basename(path))
        return opening(path, *arguments)

    monkeypatch.setattr(os, "open", noted)
    return names


def test_what_is_kept_is_not_read_again(root, opened):
    """Once, whatever is asked of it and for how long."""
    with Conversation(File(root)) as conversation:
        for seconds in (0, 0, 1.1, 0, 5):
            assert again(conversation, seconds=seconds).body == TEXT
            conversation.ask("HEAD", "/page.html")
            conversation.ask("GET", "/page.html", {"Range": "bytes=0-9"})
    assert opened == ["page.html"]


@pytest.mark.parametrize(("name", "most"), [("MOST_HELD", 3 * len(TEXT) + 10), ("MOST_KNOWN", 3)])
def test_no_more_is_kept_than_there_is_room_for(root, monkeypatch, opened, name, most):
    """What was not looked at for the longest goes, and is read again when it is asked for."""
    monkeypatch.setattr(f"weblayer.web.shelf.{name}", most)
    for number in range(6):
        write(root / f"{number}.html", TEXT + str(number).encode())
    with Conversation(File(root)) as conversation:
        for number in (0, 1, 2, 0, 3, 3, 2, 0):
            answer = again(conversation, f"/{number}.html")
            assert answer.body == TEXT + str(number).encode()
    assert opened == [f"{number}.html" for number in (0, 1, 2, 3, 0)]


def test_what_is_set_on_the_way_holds_for_that_alone(root):
    """A subclass may give what it finds a setting of its own, each time another."""

    class Typed(File):
        def getChild(self, name, request):
            child = super().getChild(name, request)
            if request.query:
                child.defaultType = request.query
            return child

    write(root / "file", TEXT)
    with Conversation(Typed(root)) as conversation:
        kinds = [
            again(conversation, f"/file{query}").getHeader("content-type")
            for query in ("", "?x/a", "?x/b", "", "?x/a")
        ]
    unknown = "application/octet-stream"
    assert kinds == [unknown, "x/a", "x/b", unknown, "x/a"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "Range": st.sampled_from(["bytes=0-9", "bytes=-5", "bytes=9999-", "bytes=0-1,5-6"]),
                "If-None-Match": st.sampled_from(["*", '"x"', "right", "W/right"]),
                "If-Modified-Since": st.sampled_from(["Sun, 09 Sep 2001 01:46:40 GMT"]),
                "If-Range": st.sampled_from(['"x"', "right"]),
                "Accept-Encoding": st.sampled_from(["gzip", "br", "zstd, gzip;q=0.5", "*", ""]),
            },
        ),
        min_size=2,
        max_size=5,
    )
)
def test_what_is_kept_answers_as_what_is_not(root, asked):
    """To any question the answer is the same, first or last."""
    kept = File(root)
    with Conversation(kept) as conversation:
        for headers in asked:
            tag = fetch(File(root), accept=headers.get("Accept-Encoding")).getHeader("etag")
            sent = {name: value.replace("right", tag) for name, value in headers.items()}
            fresh = ask(File(root), "GET", "/page.html", sent)
            conversation.ask("GET", "/page.html", sent)
            assert conversation.code == fresh.code
            assert without_boundary(conversation.last) == without_boundary(fresh.last)


def without_boundary(answer):
    """The fields and the body, without what is drawn by lot in them, and the date."""
    boundary = re.search(r"boundary=(\w+)", answer.getHeader("content-type") or "")
    fields = {k: v for k, v in answer.headers.getAllRawHeaders() if k != "Date"}
    if boundary is None:
        return repr(fields), answer.body
    return (
        repr(fields).replace(boundary[1], ""),
        answer.body.replace(boundary[1].encode(), b""),
    )


# Codings


@pytest.mark.parametrize("accept", ["gzip", "br", "zstd", "gzip, deflate, br, zstd", "*", None, ""])
def test_text_is_compressed_for_who_accepts_it(root, accept):
    """Nobody else sees a difference, save that the answer says what it depends on."""
    answer = fetch(File(root), accept=accept)
    encoding = answer.getHeader("content-encoding")
    assert (encoding is None) == (not accept)
    assert UNPACK[encoding](answer.body) == TEXT
    assert answer.getHeader("vary") == "Accept-Encoding"
    assert answer.getHeader("content-length") == str(len(answer.body))
    assert len(answer.body) < len(TEXT) or encoding is None


def test_each_coding_has_a_tag_of_its_own(root):
    """A strong one: parts of one body are never put to those of another."""
    site = File(root)
    tags = [fetch(site, accept=accept).getHeader("etag") for accept in (None, "gzip", "br", "zstd")]
    assert len(set(tags)) == 4
    assert all(tag.startswith('"') for tag in tags)
    packed = fetch(site, accept="gzip").body
    part = fetch(site, accept="gzip", **{"Range": "bytes=5-14", "If-Range": tags[1]})
    assert (part.code, part.body) == (206, packed[5:15])
    assert fetch(site, accept="gzip", **{"Range": "bytes=5-14", "If-Range": tags[0]}).code == 200
    assert fetch(site, accept="gzip", **{"If-None-Match": tags[1]}).code == 304
    assert fetch(site, accept="gzip", **{"If-None-Match": tags[0]}).code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda site: setattr(site, "compress", False),
        lambda site: setattr(site, "policy", Policy(compress=False)),
        lambda site: setattr(site, "policy", Policy(compressFrom=10_000)),
        lambda site: setattr(site, "policy", Policy(compressTypes=("image/*",))),
        lambda site: site.setCacheControl("*", noTransform=True),
    ],
)
def test_nothing_is_compressed_where_it_is_not_wanted(root, change):
    """By the tree, by a policy, or by what caches are told."""
    site = File(root)
    change(site)
    answer = fetch(site, accept="gzip")
    assert (answer.getHeader("content-encoding"), answer.body) == (None, TEXT)
    assert answer.getHeader("vary") is None


def test_what_does_not_get_smaller_stays_as_it_is(root):
    """Of a type that is compressed: the answer still depends on what is accepted."""
    noise = os.urandom(3000)
    write(root / "noise.txt", noise)
    answer = fetch(File(root), "/noise.txt", "gzip")
    assert (answer.getHeader("content-encoding"), answer.body) == (None, noise)
    assert answer.getHeader("vary") == "Accept-Encoding"


def test_a_sibling_is_sent_in_place_of_the_file(root):
    """As it lies there, to who accepts it; its type is the file's."""
    write(root / "picture.png.gz", b"packed")
    site = File(root)
    answer = fetch(site, "/picture.png", "gzip")
    assert (answer.getHeader("content-encoding"), answer.body) == ("gzip", b"packed")
    assert answer.getHeader("content-type") == "image/png"
    plain = fetch(site, "/picture.png")
    assert (plain.getHeader("content-encoding"), plain.body) == (None, TEXT)
    assert answer.getHeader("vary") == plain.getHeader("vary") == "Accept-Encoding"
    assert answer.getHeader("etag") != plain.getHeader("etag")


def test_the_smallest_sibling_is_preferred(root):
    """Among what the client likes as well; what we would compress ourselves comes last."""
    for extension in (".gz", ".br"):
        write(root / f"page.html{extension}", extension.encode())
    site = File(root)
    for accept, body in (
        ("gzip, br, zstd", b".br"),
        ("gzip, zstd", b".gz"),
        ("gzip, br;q=0.1", b".gz"),
    ):
        assert fetch(site, accept=accept).body == body
    assert UNPACK["zstd"](fetch(site, accept="zstd").body) == TEXT


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sibling: os.utime(sibling, (OLD - 1, OLD - 1)),  # what the file was
        lambda sibling: (sibling.unlink(), sibling.mkdir()),
        lambda sibling: (sibling.unlink(), sibling.symlink_to("/etc/hosts")),
        lambda sibling: (sibling.unlink(), os.mkfifo(sibling)),
        lambda sibling: sibling.unlink(),
    ],
)
def test_a_sibling_that_is_none_does_not_count(root, spoil):
    """Older than the file, outside of the tree, or no file: seen within a second."""
    write(root / "picture.png.gz", b"packed")
    with Conversation(File(root)) as conversation:
        for seconds, body in ((0, b"packed"), (1.1, TEXT)):
            conversation.advance(seconds)
            conversation.ask("GET", "/picture.png", {"Accept-Encoding": "gzip"})
            assert conversation.body == body
            spoil(root / "picture.png.gz") if not seconds else None


def test_another_sibling_is_seen_within_a_second(root):
    """Though the file itself is as it was."""
    with Conversation(File(root)) as conversation:
        for seconds, packed in ((0, b"one"), (1.1, b"another"), (1.1, b"third")):
            write(root / "picture.png.gz", packed, OLD + 10)
            conversation.advance(seconds)
            conversation.ask("GET", "/picture.png", {"Accept-Encoding": "gzip"})
            assert conversation.body == packed


def test_a_large_sibling_of_a_small_file_and_the_other_way_round(root):
    """Each is sent as its size wants it."""
    large = os.urandom(400_000)
    write(root / "picture.png.gz", large)
    write(root / "big.png", large)
    write(root / "big.png.gz", b"small")
    site = File(root)
    for target, accept, body in (
        ("/picture.png", "gzip", large), ("/picture.png", None, TEXT),
        ("/big.png", None, large), ("/big.png", "gzip", b"small"),
    ):  # fmt: skip
        answer = fetch(site, target, accept)
        answer.waitFor(lambda answer=answer: answer.isWhole)
        assert answer.body == body
        assert answer.getHeader("vary") == "Accept-Encoding"


def test_who_asks_for_a_packed_file_gets_it(root):
    """Unpacked on the way, if the client can; else as the archive it is."""
    write(root / "page.html.gz", gzip.compress(TEXT))
    site = File(root)
    for accept, kind, encoding in (
        ("gzip", "text/html; charset=utf-8", "gzip"), (None, "application/gzip", None),
    ):  # fmt: skip
        answer = fetch(site, "/page.html.gz", accept)
        assert (answer.getHeader("content-type"), answer.getHeader("content-encoding")) == (
            kind,
            encoding,
        )
        assert gzip.decompress(answer.body) == TEXT
        assert answer.getHeader("vary") == "Accept-Encoding"


def test_a_program_that_makes_the_bytes_is_asked_each_time(root):
    """Nothing is kept of what openForReading gives, and it has the size that it says."""

    class Upper(File):
        def openForReading(self):
            file = super().openForReading()
            with file:
                import io

                return io.BytesIO(file.read().upper() * 2)

        def getFileSize(self):
            return 2 * os.stat(self.path).st_size

    site = Upper(root)
    for accept in (None, "gzip"):
        answer = fetch(site, accept=accept)
        assert (answer.body, answer.getHeader("content-encoding")) == (TEXT.upper() * 2, None)
    assert fetch(site, Range="bytes=-10").body == TEXT.upper()[-10:]


# Caches


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("app.3f6c1e0a.css", "immutable, max-age=31536000"),
        ("a-3f6c1e0a9b7d4c5e.min.js.map", "immutable, max-age=31536000"),
        ("photo.20240101.css", "max-age=60"),
        ("app.deadbeef.css", "max-age=60"),
        ("3f6c1e0a.css", "max-age=60"),
        ("style.css", "max-age=60"),
        ("page.html", None),
    ],
)
def test_rules_say_how_long_caches_keep_a_file(root, name, said):
    """The first that matches; names with a fingerprint are for ever."""
    write(root / name, TEXT)
    site = File(root)
    site.setCacheControl(FINGERPRINTED, maxAge=31_536_000, immutable=True)
    site.setCacheControl("*.css", maxAge=60)
    assert fetch(site, f"/{name}").getHeader("cache-control") == said
    assert fetch(site, f"/{name}", "gzip").getHeader("cache-control") == said


def test_a_pattern_with_a_slash_is_for_the_path(root):
    """From the root of the tree; one without is for the name, wherever it lies."""
    (root / "media").mkdir()
    for name in ("media/a.txt", "a.txt"):
        write(root / name, TEXT)
    site = File(root)
    site.setCacheControl("/media/*", noStore=True)
    site.setCacheControl(re.compile("[a-c].*"), noCache=True)
    assert fetch(site, "/media/a.txt").getHeader("cache-control") == "no-store"
    assert fetch(site, "/a.txt").getHeader("cache-control") == "no-cache"


def test_a_rule_holds_from_when_it_is_made(root):
    """For what is kept already, too."""
    site = File(root)
    assert fetch(site).getHeader("cache-control") is None
    site.setCacheControl("*", maxAge=5)
    assert fetch(site).getHeader("cache-control") == "max-age=5"


@pytest.mark.parametrize(
    ("directives", "error"),
    [({}, ValueError), ({"maxage": 1}, TypeError), ({"maxAge": -1}, ValueError)],
)
def test_a_rule_that_says_nothing_right_is_told(root, directives, error):
    """At once, and not in every answer."""
    with pytest.raises(error):
        File(root).setCacheControl("*", **directives)


# Beside what a program says


def test_what_was_said_before_stands(root):
    """Whoever stands above a file knows better what it is, and how long it lasts."""

    class Dressed(File):
        def getChild(self, name, request):
            request.setHeader("Content-Type", "text/x-own")
            request.setHeader("Cache-Control", "private")
            request.responseHeaders.setRawHeaders("Vary", ["Cookie", "Origin"])
            request.setHeader("X-Own", "yes")
            return super().getChild(name, request)

    site = Dressed(root)
    site.setCacheControl("*", maxAge=5)
    for headers, code in (({}, 200), ({"Range": "bytes=0-3"}, 206), ({"If-None-Match": "*"}, 304)):
        answer = fetch(site, **headers)
        assert answer.code == code
        assert answer.getHeader("x-own") == "yes"
        assert answer.getHeader("cache-control") == "private"
        assert answer.getHeader("vary") == "Cookie, Origin, Accept-Encoding"
        assert answer.getHeader("content-type") == (None if code == 304 else "text/x-own")
        assert answer.getHeader("etag").startswith('"')


def test_another_code_is_kept(root):
    """A file may be the page of an error."""

    class Missing(File):
        def getChild(self, name, request):
            request.setResponseCode(404)
            return super().getChild("page.html", request)

    with Conversation(Missing(root)) as conversation:
        for _ in range(2):
            conversation.ask("GET", "/nowhere", {"If-None-Match": "*", "Range": "bytes=0-1"})
            assert (conversation.code, conversation.body) == (404, TEXT)


# Constant bytes


def test_constant_bytes_have_a_tag(root):
    """A strong one, that is another when they are."""
    data = Data(TEXT, "text/plain")
    tag = fetch(data, "/").getHeader("etag")
    assert tag.startswith('"')
    assert fetch(data, "/", **{"If-None-Match": tag}).code == 304
    assert fetch(data, "/", Range="bytes=0-3").body == TEXT[:4]
    data.data = b"other"
    assert fetch(data, "/", **{"If-None-Match": tag}).body == b"other"
    assert fetch(Data(TEXT, "a/b"), "/").getHeader("etag") == tag


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="the system does not tell")
def test_outside_of_a_loop_the_disk_is_waited_for(root, monkeypatch):
    """No thread could tell anybody that it has read."""

    def blocked(*arguments):
        raise BlockingIOError

    monkeypatch.setattr(os, "preadv", blocked)
    peer = MemoryPeer(Site(File(root), reactor=Clock()))
    peer.send(b"GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n")
    assert peer.received.endswith(TEXT)
