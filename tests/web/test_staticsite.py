"""A folder as a site: clean addresses, its own 404, apps of one page, and rule files."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.trees import Page, raw, tree
from weblayer.web.errors import NotFound
from weblayer.web.static import Data, File
from weblayer.web.staticsite import StaticSite
from weblayer.web.testing import Conversation, ask

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture
def folder(tmp_path):
    """A small site."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "about.html", "docs/index.html", "docs/page.html", "404.html"):
        (tmp_path / name).write_text(f"<p>{name}\n")
    (tmp_path / "assets/app.js").write_text("app()")
    return tmp_path


def where(answer):
    return answer.code, answer.getHeader("location")


# Clean addresses


def test_a_page_needs_no_extension(folder):
    """With it or without it the page is the same; folders have their index."""
    site = StaticSite(folder)
    assert ask(site, "GET", "/about").text() == "<p>about.html\n"
    assert ask(site, "GET", "/about.html").text() == "<p>about.html\n"
    assert ask(site, "GET", "/docs/page").text() == "<p>docs/page.html\n"
    assert ask(site, "GET", "/docs/").text() == "<p>docs/index.html\n"
    assert where(ask(site, "GET", "/docs?x")) == (302, "./docs/?x")
    assert ask(StaticSite(folder, cleanURLs=False), "GET", "/about").code == 404


def test_a_file_keeps_its_settings(folder):
    """A File may be given in place of a path."""
    site = StaticSite(File(folder, listing=True))
    assert "app.js" in ask(site, "GET", "/assets/", BROWSER).text()
    assert ask(StaticSite(folder), "GET", "/assets/").code == 404
    site.files.childNotFound = Data(b"nothing", "text/plain")
    assert ask(site, "GET", "/none").text() == "nothing"


def test_what_is_put_comes_first(folder):
    """A site is a resource as any other."""
    site = StaticSite(folder)
    site.putChild("about", Data(b"put", "text/plain"))
    assert ask(site, "GET", "/about").body == b"put"


def test_a_site_may_stand_anywhere(folder):
    """Below a name its links are its own: no redirect leads out of it, or to the root."""
    (folder / "_redirects").write_text("/old/* /docs/:splat\n/* /docs/ 302")
    root = tree(one=tree(two=StaticSite(folder)))
    assert where(ask(root, "GET", "/one/two")) == (302, "./two/")
    assert ask(root, "GET", "/one/two/about").text() == "<p>about.html\n"
    assert where(ask(root, "GET", "/one/two/old/a/b")) == (301, "../../docs/a/b")
    assert where(ask(root, "GET", "/one/two/none")) == (302, "./docs/")


# 404


@pytest.mark.parametrize("target", ["/none", "/docs/none.css", "/about.html/", "/assets/", "/.git"])
def test_the_page_for_404_is_the_sites(folder, target):
    """Whatever is not there, a browser shows the site's own page."""
    answer = ask(StaticSite(folder), "GET", target, BROWSER)
    assert (answer.code, answer.text()) == (404, "<p>404.html\n")
    assert answer.getHeader("content-type") == "text/html; charset=utf-8"


def test_the_page_for_404_may_have_another_name(folder):
    """Where it is not there, the page is the usual one; the file itself can be asked for."""
    site = StaticSite(folder, notFoundPage="docs/page.html")
    assert ask(site, "GET", "/none").text() == "<p>docs/page.html\n"
    assert "There is nothing" in ask(StaticSite(folder, notFoundPage="no"), "GET", "/none").text()
    assert ask(site, "GET", "/404").code == 200


def test_a_program_is_told_in_its_own_words(folder):
    """Who would rather have problem details gets them."""
    answer = ask(StaticSite(folder), "GET", "/none", {"Accept": "application/json"})
    assert answer.getHeader("content-type") == "application/problem+json"


def test_what_is_put_shares_the_page_for_404(folder):
    """An error that is raised below looks like one of the site; other errors are as usual."""

    def fails(request):
        raise NotFound

    site = StaticSite(folder)
    site.putChild("fails", Page(fails))
    assert ask(site, "GET", "/fails").text() == "<p>404.html\n"
    assert ask(site, "POST", "/about").code == 405


def test_the_page_for_404_obeys_the_root(folder):
    """A link that leads out is not followed for an error either."""
    secret = folder.parent / "secret.html"
    secret.write_text("secret")
    (folder / "404.html").unlink()
    (folder / "404.html").symlink_to(secret)
    (folder / "_redirects").write_text("/x /../secret.html 410\n/y /../secret.html 200")
    site = StaticSite(folder)
    assert [ask(site, "GET", path).code for path in ("/none", "/x", "/y")] == [404, 410, 404]
    for path in ("/none", "/x", "/y"):
        assert "secret" not in ask(site, "GET", path).text()


# An app of one page


@pytest.mark.parametrize(
    ("method", "target", "headers", "code"),
    [
        ("GET", "/users/7", BROWSER, 200),
        ("GET", "/users/", BROWSER, 200),
        ("HEAD", "/users/7", BROWSER, 200),
        ("GET", "/users/7", {"Accept": "text/html"}, 200),
        ("GET", "/users/7", {"Sec-Fetch-Mode": "navigate"}, 200),
        ("GET", "/users/7", {"Accept": "*/*"}, 404),
        ("GET", "/users/7", {"Accept": "text/html;q=0, */*"}, 404),
        ("GET", "/users/7", {"Sec-Fetch-Mode": "cors", "Accept": "application/json"}, 404),
        ("GET", "/users/7", {}, 404),
        ("POST", "/users/7", BROWSER, 404),
        ("GET", "/missing.js", BROWSER, 404),
        ("GET", "/assets/missing", BROWSER, 404),
        ("GET", "/static", BROWSER, 404),
        ("GET", "/_redirects", {"Accept": "*/*"}, 404),
    ],
)
def test_an_app_answers_for_its_pages_alone(folder, method, target, headers, code):
    """A navigation finds the app; a script, a picture or data that is missing is a 404."""
    answer = ask(StaticSite(folder, spa="index.html"), method, target, headers)
    assert answer.code == code
    if code == 200 and method == "GET":
        assert answer.text() == "<p>index.html\n"


def test_files_come_before_the_app(folder):
    """And the app's own page can be held on to, as any file."""
    site = StaticSite(folder, spa="index.html", assets=())
    assert ask(site, "GET", "/about", BROWSER).text() == "<p>about.html\n"
    answer = ask(site, "GET", "/a/b", BROWSER)
    assert {"Accept", "Sec-Fetch-Mode"} <= set(answer.getHeader("vary").split(", "))
    tag = {"If-None-Match": answer.getHeader("etag")}
    assert ask(site, "GET", "/c/d", BROWSER | tag).code == 304
    assert ask(site, "GET", "/assets/none", BROWSER).code == 200


# Rule files


def test_redirects_are_heeded_where_no_file_is(folder):
    """A file comes first, unless the line is forced."""
    rules = "/about /none\n/docs/page /forced 302!\n/old /new#part\n/go https://example.org/x\n"
    (folder / "_redirects").write_text(rules)
    site = StaticSite(folder)
    assert ask(site, "GET", "/about").code == 200
    assert where(ask(site, "GET", "/docs/page")) == (302, "../forced")
    assert where(ask(site, "GET", "/old?a=b")) == (301, "./new?a=b#part")
    assert where(ask(site, "GET", "/go")) == (301, "https://example.org/x")


def test_a_rewrite_shows_a_file_elsewhere(folder):
    """At the address that was asked for; 404 and 410 say so besides."""
    rules = "/app/* /docs/index.html 200\n/dir /docs 200\n/gone/* /docs/page 410\n/no /none 404"
    (folder / "_redirects").write_text(rules)
    site = StaticSite(folder)
    assert ask(site, "GET", "/app/x/y").text() == "<p>docs/index.html\n"
    assert ask(site, "GET", "/dir").text() == "<p>docs/index.html\n"
    answer = ask(site, "GET", "/gone/by")
    assert (answer.code, answer.text()) == (410, "<p>docs/page.html\n")
    assert ask(site, "GET", "/no").code == 404


def test_a_rewrite_may_lead_to_what_is_put(folder):
    """And never past it, to the files that it stands before."""
    (folder / "_redirects").write_text("/api/* /docs/index.html/:splat 200")
    site = StaticSite(folder)
    site.putChild("docs", Page(lambda request: [request.prepath, request.postpath]))
    answer = ask(tree(here=site), "GET", "/here/api/7")
    assert answer.text() == '[["here", "docs"], ["index.html", "7"]]'


def test_a_redirect_stays_on_this_host(folder):
    """Whatever is asked for: no capture becomes a host, and no byte an error of ours."""
    (folder / "_redirects").write_text("/to/* /:splat 302")
    site = StaticSite(folder)
    assert where(ask(site, "GET", "/to//evil.example/")) == (302, "../../../evil.example/")
    assert where(ask(site, "GET", "/to/%2F%2Fevil.example")) == (302, "../%2F%2Fevil.example")
    conversation = Conversation(site)
    conversation.send(raw("GET /to/x?\xff\xfe HTTP/1.1"), "GET")
    assert conversation.code < 500


def test_fields_are_set_on_every_answer(folder):
    """On files in place of their own, on errors, redirects and copies that are still good."""
    (folder / "_headers").write_text(
        "/*\n  X-Frame-Options: DENY\n/docs/*\n  Content-Type: text/plain\n"
    )
    (folder / "_redirects").write_text("/old /new")
    site = StaticSite(folder, headers=[("X-Site", "mine")])
    for target in ("/about", "/none", "/old", "/docs", "/docs/"):
        answer = ask(site, "GET", target)
        assert (answer.getHeader("x-frame-options"), answer.getHeader("x-site")) == ("DENY", "mine")
    assert answer.getHeader("content-type") == "text/plain"
    tag = {"If-None-Match": answer.getHeader("etag")}
    again = ask(site, "GET", "/docs/", tag)
    assert (again.code, again.getHeader("x-frame-options")) == (304, "DENY")


@pytest.mark.parametrize("name", ["/_redirects", "/_headers"])
def test_rule_files_are_not_shown(folder, name):
    """They tell strangers what is where."""
    (folder / name[1:]).write_text("")
    assert ask(StaticSite(folder), "GET", name).code == 404


def test_rules_are_read_again_when_they_change(folder):
    """Within a second, and when they are gone they hold no more."""
    conversation = Conversation(StaticSite(folder))
    rules = folder / "_redirects"

    def answered():
        conversation.advance(1)
        conversation.ask("GET", "/old")
        return where(conversation)

    assert answered() == (404, None)
    rules.write_text("/old /new")
    assert answered() == (301, "./new")
    rules.write_text("/old /newer")
    assert answered() == (301, "./newer")
    rules.unlink()
    assert answered() == (404, None)


def test_a_wrong_line_is_logged_once(folder, caplog):
    """With its file and its number; the other lines hold."""
    (folder / "_redirects").write_text("/old /new\nnonsense")
    conversation = Conversation(StaticSite(folder))
    for _ in range(3):
        conversation.ask("GET", "/old")
        conversation.advance(1)
    assert where(conversation) == (301, "./new")
    assert len(caplog.messages) == 1
    assert "_redirects, line 2: it does not say where to" in caplog.text


@pytest.mark.parametrize("kind", ["folder", "fifo", "large"])
def test_rules_that_cannot_be_read_are_none(folder, caplog, kind):
    """The site is served without them, and the log says so."""
    path = folder / "_redirects"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.write_text("/old /new\n" * 40_000)
    site = StaticSite(folder)
    assert [ask(site, "GET", target).code for target in ("/about", "/old")] == [200, 404]
    assert kind == "fifo" or "_redirects" in caplog.text


PATHS = st.lists(
    st.sampled_from(["", "docs", "about", ".html", "..", "%2e%2e", "%2F", "%00", "%ff", "é", "old",
                     "x" * 300, "_headers", "?a=b", "assets", "app.js"]), max_size=5
).map(lambda parts: "/" + "/".join(parts))  # fmt: skip
PATTERNS = st.lists(
    st.sampled_from(["docs", "*", ":a", ":b", ":splat", "old", "é", "?x", "#"]), max_size=4
).map(lambda parts: "/" + "/".join(parts))
LINES = st.tuples(PATTERNS, PATTERNS, st.sampled_from(["", "302", "200!", "404", "410!", "x"]))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=5), path=PATHS)
def test_no_rule_and_no_address_is_an_error_of_ours(folder, lines, path):
    """Nor does any lead to another host, or out of the folder."""
    (folder / "_redirects").write_text("\n".join(map(" ".join, lines)))
    (folder / "_headers").write_text("".join(f"{line[0]}\n  X-A: :a :splat\n" for line in lines))
    answer = ask(StaticSite(folder, spa="index.html"), "GET", path.encode().decode("latin-1"))
    assert answer.code < 500
    location = answer.getHeader("location") or "./"
    assert location.startswith(("./", "../"))


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"X-Frame-Options": "DENY"}},
        {"headers": ["X-Frame-Options: DENY"]},
        {"assets": "static"},
        {"spa": True},
    ],
)
def test_a_wrong_setting_is_told_where_it_is_made(tmp_path, options):
    """By its name, and not by a 500 for each page."""
    with pytest.raises(TypeError, match=f"{next(iter(options))} must be"):
        StaticSite(tmp_path, **options)
