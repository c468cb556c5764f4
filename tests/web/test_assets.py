"""Assets: addresses that tell what they hold, kept for good by whoever asks for them."""

import base64
import gzip
import hashlib
import os
import re

import pytest

from tests.web.trees import tree
from weblayer.web.assets import Assets
from weblayer.web.template import Templates
from weblayer.web.testing import ask

CSS = "body { color: green }\n" * 200
YEAR = "public, max-age=31536000, immutable"


@pytest.fixture
def folder(tmp_path):
    """A style sheet, a picture, and files that nobody is to have."""
    root = tmp_path / "assets"
    (root / "img/deep").mkdir(parents=True)
    (root / "app.min.css").write_text(CSS)
    (root / "small.js").write_text("go()")
    (root / "img/a b.png").write_bytes(bytes(range(256)) * 20)
    (root / "img/deep/ü.svg").write_text("<svg/>" * 300)
    (root / ".secret").write_text("secret")
    (tmp_path / "outside.css").write_text("outside")
    (root / "link.css").symlink_to(tmp_path / "outside.css")
    (root / "round").symlink_to(root)
    return root


def path_of(assets, name):
    """Where to ask for a file."""
    return "/" + assets.url(name)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("app.min.css", r"app-[0-9a-f]{12}\.min\.css"),
        ("small.js", r"small-[0-9a-f]{12}\.js"),
        ("img/a b.png", r"img/a%20b-[0-9a-f]{12}\.png"),
        ("img/deep/ü.svg", r"img/deep/%C3%BC-[0-9a-f]{12}\.svg"),
    ],
)
def test_an_address_tells_what_it_holds(folder, name, pattern):
    """A hash stands in the name, and the file answers there, for good."""
    assets = Assets(folder)
    assert re.fullmatch(pattern, assets.url(name))
    answer = ask(assets, "GET", path_of(assets, name))
    assert (answer.code, answer.body) == (200, (folder / name).read_bytes())
    assert answer.getHeader("cache-control") == YEAR
    again = ask(assets, "GET", path_of(assets, name), {"If-None-Match": answer.getHeader("etag")})
    assert (again.code, again.getHeader("cache-control")) == (304, YEAR)
    part = ask(assets, "GET", path_of(assets, name), {"Range": "bytes=1-2"})
    assert (part.code, part.body) == (206, (folder / name).read_bytes()[1:3])
    assert ask(assets, "HEAD", path_of(assets, name)).body == b""
    assert ask(assets, "POST", path_of(assets, name)).code == 405


def test_a_prefix_says_where_the_assets_are(folder):
    """It stands before every link."""
    assets = Assets(folder, prefix="/static/")
    root = tree(static=assets)
    assert assets.url("small.js").startswith("/static/small-")
    assert ask(root, "GET", assets.url("small.js")).text() == "go()"
    with pytest.raises(ValueError, match="end with a slash"):
        Assets(folder, prefix="/static")


def test_a_browser_can_check_what_it_gets(folder):
    """The hash of the file, as a page's integrity attribute has it."""
    expected = base64.b64encode(hashlib.sha384(CSS.encode()).digest()).decode()
    assert Assets(folder).integrity("app.min.css") == "sha384-" + expected


def test_text_is_compressed_once_and_well(folder):
    """For who accepts it, under a tag of its own; pictures and small files are sent as they are."""
    assets = Assets(folder)
    path = path_of(assets, "app.min.css")
    plain, packed = ask(assets, "GET", path), ask(assets, "GET", path, {"Accept-Encoding": "gzip"})
    assert (plain.getHeader("content-encoding"), plain.text()) == (None, CSS)
    assert packed.getHeader("content-encoding") == "gzip"
    assert gzip.decompress(packed.body).decode() == CSS
    assert len({plain.getHeader("etag"), packed.getHeader("etag")}) == 2
    for answer in (plain, packed):
        assert answer.getHeader("vary") == "Accept-Encoding"
        assert answer.getHeader("content-type") == "text/css; charset=utf-8"
    picture = ask(assets, "GET", path_of(assets, "img/a b.png"), {"Accept-Encoding": "gzip, br"})
    assert picture.getHeader("content-encoding") is None


def test_a_plain_name_is_found_and_asked_about_again(folder):
    """As style sheets name their pictures; what is missing is missing."""
    assets = Assets(folder)
    answer = ask(assets, "GET", "/img/a%20b.png")
    assert (answer.code, answer.getHeader("cache-control")) == (200, "no-cache")
    assert ask(assets, "GET", "/none.css").code == 404
    assert ask(assets, "GET", "/").code == 404


@pytest.mark.parametrize("name", ["app.min.css", "img/a b.png"])
def test_another_content_has_another_address(folder, name):
    """The old one is found no more, lest something new be kept under it for good."""
    assets = Assets(folder)
    old = path_of(assets, name)
    (folder / name).write_bytes(b"another")
    new = path_of(assets, name)
    assert new != old
    assert [ask(assets, "GET", path).code for path in (old, new)] == [404, 200]
    assert ask(assets, "GET", new).body == b"another"


def test_a_change_that_nobody_has_linked_to_is_not_sent_for_the_old(folder):
    """A file from disk is looked at before it is sent under a hash."""
    assets = Assets(folder)
    old = path_of(assets, "img/a b.png")
    (folder / "img/a b.png").write_bytes(b"another")
    assert ask(assets, "GET", old).code == 404
    new = path_of(assets, "img/a b.png")
    (folder / "img/a b.png").unlink()
    assert ask(assets, "GET", new).code == 404


def test_what_is_added_is_found(folder):
    """Without a new start."""
    assets = Assets(folder)
    (folder / "new.css").write_text("new")
    assert ask(assets, "GET", path_of(assets, "new.css")).text() == "new"


@pytest.mark.parametrize(
    "name", ["none.css", ".secret", "../outside.css", "link.css", "img", "", "/etc/passwd", "a\0b"]
)
def test_what_is_not_there_is_told_at_once(folder, name):
    """A page that names it fails, and nothing that is hidden or outside gets an address."""
    with pytest.raises(LookupError, match="there is no file"):
        Assets(folder).url(name)


def test_a_link_that_leads_round_is_not_followed(folder):
    """Nor is a folder read twice."""
    assert ask(Assets(folder), "GET", "/round/small.js").code == 200


def test_templates_name_assets(folder, tmp_path):
    """`asset` and `integrity` are functions of theirs."""
    assets = Assets(folder, prefix="/static/")
    (tmp_path / "page.html").write_text(
        '<link href="{{ asset("small.js") }}" integrity="{{ integrity("small.js") }}">'
    )
    pages = Templates(tmp_path, asset=assets.url, integrity=assets.integrity)
    assert pages.page("page.html") == (
        f'<link href="{assets.url("small.js")}" integrity="{assets.integrity("small.js")}">'
    )


def test_a_hash_is_of_the_content_alone(folder):
    """Two machines with the same files give the same addresses."""
    first = Assets(folder).url("app.min.css")
    os.utime(folder / "app.min.css", (0, 0))
    assert Assets(folder).url("app.min.css") == first
