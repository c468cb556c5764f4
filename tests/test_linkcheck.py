"""The link checker: what it reads of a page, how it goes through a site, and what it tells."""

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.programs import ROOT, Program
from weblayer.client.session import Session
from weblayer.loop.deferred import fail
from weblayer.loop.error import ConnectionRefusedError  # noqa: A004  the field's name
from weblayer.web.resource import Resource
from weblayer.web.static import File
from weblayer.web.testing import TreeAgent
from weblayer.web.util import redirectTo

sys.path.append(str(ROOT / "apps/linkcheck"))  # where Python finds its modules when it is run

from crawler import Bounds, Crawler
from findings import judge
from hypertext import read_page, read_sheet
from report import as_html, as_json, as_text

HERE = "http://a.example"


# What is read of a page.


def links(text, url=f"{HERE}/b/c"):
    return [link.url.removeprefix(HERE) for link in read_page(url, text).links]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<a href="x">', ["/b/x"]),
        ("<A HREF=../x#y?z>", ["/x"]),
        ("<a href=' /x\n/y '>", ["/x/y"]),
        ('<a href="?a=1&amp;b=2">', ["/b/c?a=1&b=2"]),
        ('<a href="//other.example/x">', ["http://other.example/x"]),
        ('<a href="">', []),
        ('<a name="x">', []),
        ('<a href="mailto:x@y"><a href="javascript:x()"><a href="tel:1"><img src="data:,x">', []),
        (
            '<img src=1 srcset="2 1x, 3 2x,4"><source srcset="5,6">',
            ["/b/1", "/b/2", "/b/3", "/b/4", "/b/5,6"],
        ),
        ("<script src=s></script><iframe src=f></iframe><object data=o>", ["/b/s", "/b/f", "/b/o"]),
        ("<video src=v poster=p><audio src=a><track src=t>", ["/b/v", "/b/p", "/b/a", "/b/t"]),
        ("<link rel=stylesheet href=s><link rel='dns-prefetch' href=//x>", ["/b/s"]),
        ("<meta http-equiv=Refresh content='5; URL=\"x\"'>", ["/b/x"]),
        ("<base href=/d/><base href=/e/><a href=x>", ["/d/x"]),
        ("<base href='mailto:x'><a href=x>", ["/b/x"]),
        ("<!-- <a href=x> --><script>'<a href=y>'</script><style><a href=z></style>", []),
        ("<![if x]><a href=x><![endif]>", ["/b/x"]),
    ],
)
def test_what_a_page_leads_to(text, found):
    """As a browser has it: joined, with the entities read, and no mail."""
    assert links(text) == found


def test_a_link_is_told_as_it_is_seen():
    """Its line, its text with the blanks that are shown, and what stands for a picture."""
    text = "\n<a href=x>A  <b>bold</b>\nlink <img src=y alt='of mine'></a> no more"
    first, second = read_page(HERE, text).links
    assert (first.line, first.text, first.kind) == (2, "A bold link of mine", "a")
    assert (second.line, second.text, second.kind) == (3, "", "img")


@pytest.mark.parametrize("address", ["http://", "http://[x]/", "http://a:b/", "http://a b/"])
def test_what_is_no_address_is_kept_as_it_is(address):
    """With what is wrong with it."""
    (link,) = read_page(HERE, f'<a href="{address}">').links
    assert link.url == address
    assert link.fault


@pytest.mark.parametrize(
    ("fragment", "is_there"),
    [("id", True), ("name", True), ("%C3%BC", True), ("ü", True), ("", True), ("TOP", True),
     ("!/x", True), ("id:~:text=x", True), ("ID", False), ("other", False), ("field", False)],
)  # fmt: skip
def test_what_a_page_has(fragment, is_there):
    """Elements by their id, and by the older names of anchors."""
    page = read_page(HERE, "<title>T</title><p id=id><a name=name></a><p id=ü><input name=field>")
    assert page.has(fragment) is is_there
    assert page.title == "T"


def test_what_a_sheet_leads_to():
    """Pictures, fonts and other sheets; not what is in a comment."""
    text = "@import 'a.css';\n/* url(b) \n */ p { c: url( d.png ), url(\"e f\") } @import url(g);"
    found = read_sheet(f"{HERE}/s/t.css", text).links
    assert [(link.url.removeprefix(HERE), link.line) for link in found] == [
        ("/s/a.css", 1), ("/s/d.png", 3), ("/s/e%20f", 3), ("/s/g", 3),
    ]  # fmt: skip


MARKUP = (
    "< > <! <![ ]> <a href= <base <img srcset= <!-- --> <script> </ /a> http: // [ ] : % &# &amp ;"
    " ' \" , \0"
)
PIECES = st.text(max_size=3) | st.sampled_from([*MARKUP.split(), " ", "\n"])


@given(pieces=st.lists(PIECES, max_size=30))
def test_any_page_can_be_read(pieces):
    """Whatever somebody has put on the web."""
    for read in (read_page, read_sheet):
        for link in read(f"{HERE}/b", "".join(pieces)).links:
            assert link.fault or link.url.startswith(("http://", "https://"))


# How a site is gone through.


class World(Resource):
    """Every host there is: *pages* by `host/path` are texts, statuses, or where they lead."""

    isLeaf = True

    def __init__(self, pages):
        self.pages, self.asked, self.now, self.most = pages, [], 0, 0

    async def render(self, request):
        place = request.getRequestHostname() + unquote(request.path)
        self.asked.append(f"{request.method} {place}")
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        return self.answer(request, self.pages.get(place, 404))

    def answer(self, request, page):
        if page == "GET":
            page = "" if request.method == "GET" else 405
        if isinstance(page, int):
            request.setResponseCode(page)
            return b""
        if page.startswith("-> "):
            return redirectTo(page[3:].encode(), request)
        if page.startswith("=> "):
            return redirectTo(page[3:].encode(), request, 301)
        kind = "text/plain" if place_is_text(request.path) else "text/html"
        request.setHeader("Content-Type", "text/css" if request.path[-4:] == ".css" else kind)
        return page


def place_is_text(path):
    return path.endswith(".txt")


def crawled(site, *starts, scheme="http", **bounds):
    """The report on a world of these pages, and that world."""
    world = World({f"a.example{name}" if name[0] == "/" else name: site[name] for name in site})

    async def going():
        async with Session(agent=TreeAgent(world), redirects=0) as session:
            first = [f"{scheme}://a.example{one}" for one in starts or ["/"]]
            crawler = Crawler(session, first, Bounds(**bounds))
            await crawler.run()
            return judge(first, crawler.visits, 1.0)

    return asyncio.run(going()), world


def told(report, kind):
    """The addresses of one kind of finding, and what is said of them."""
    return {one.url.removeprefix(HERE): one.told for one in report.of(kind)}


def test_a_good_site_is_good():
    """Every page of it is read, once."""
    report, world = crawled({
        "/": "<a href=b>b</a><a href=/>home</a><img src=p.png>",
        "/b": "<p id=x><a href=#x>here</a><a href=/#>top</a><a href='/b?'>again</a>",
        "/p.png": "",
    })  # fmt: skip
    assert report.is_good
    assert report.findings == []
    assert (report.figures.pages, report.figures.links) == (2, 6)
    assert sorted(set(world.asked)) == [
        "GET a.example/", "GET a.example/b", "GET a.example/robots.txt", "HEAD a.example/p.png",
    ]  # fmt: skip


def test_every_fault_is_told():
    """With all the links that lead to it."""
    report, _ = crawled({
        "/": "<a href=/b>b</a>\n<a href=/missing>Missing</a><a href=/b#no>no</a>"
             "<a href=/error>e</a><a href=http://[x]/>x</a><a href=/round>r</a><a href=/lost>l</a>"
             "<a href=/old>o</a><a href=/chain1>c</a><link rel=stylesheet href=s.css>",
        "/b": "<a href=missing>Again</a>",
        "/s.css": "p { background: url(none.png) }",
        "/error": 500, "/round": "-> /circle", "/circle": "-> /round", "/lost": "-> /missing",
        "/old": "=> /b", **{f"/chain{n}": f"-> /chain{n + 1}" for n in range(1, 6)}, "/chain6": "",
    })  # fmt: skip
    assert told(report, "broken") == {
        "/missing": "404 Not Found",
        "/error": "500 Internal Server Error",
        "http://[x]/": "uri must name a host, as http://host/path: 'http://[x]/'",
        "/round": f"redirects in a circle: {HERE}/round → {HERE}/circle → {HERE}/round",
        "/lost": f"redirects to {HERE}/missing: 404 Not Found",
        "/none.png": "404 Not Found",
    }
    assert told(report, "fragment") == {"/b#no": "no element there has that id"}
    assert list(told(report, "moved")) == ["/old", "/chain1"]
    missing = report.of("broken")[0]
    assert [(one.page.removeprefix(HERE), one.line, one.text) for one in missing.sources] == [
        ("/", 2, "Missing"), ("/b", 1, "Again"),
    ]  # fmt: skip
    assert not report.is_good


def test_a_site_may_have_moved():
    """It is gone through where the start leads to."""
    report, _ = crawled({
        "/": "=> http://www.a.example/", "www.a.example/": "<a href=/b>b</a>",
        "www.a.example/b": "<a href=/missing>m</a><a href=http://a.example/old>o</a>",
        "/old": "=> http://elsewhere.example/", "elsewhere.example/": "<a href=/x>x</a>",
    })  # fmt: skip
    assert [page.url for page in report.pages] == [
        "http://www.a.example/",
        "http://www.a.example/b",
    ]
    assert list(told(report, "broken")) == ["http://www.a.example/missing"]


def test_other_sites_are_asked_gently():
    """Whether something is there, and no more; by GET only where HEAD did not do."""
    there = "<a href=/none>never asked</a>"
    pages = {
        "/": "<a href=//b.example/x>x</a><a href=//b.example/odd>y</a><a href=//b.example/403>z</a>"
             "<a href=//b.example/404>gone</a>",
        "b.example/x": there, "b.example/odd": "GET", "b.example/403": 403, "b.example/404": 404,
    }  # fmt: skip
    report, world = crawled(pages)
    assert told(report, "broken") == {"http://b.example/404": "404 Not Found"}
    assert told(report, "unknown") == {
        "http://b.example/403": "403 Forbidden: it tells programs nothing"
    }
    asked = [one for one in world.asked if "b.example" in one and "robots" not in one]
    assert sorted(asked) == [
        "GET b.example/403", "GET b.example/404", "GET b.example/odd", "HEAD b.example/403",
        "HEAD b.example/404", "HEAD b.example/odd", "HEAD b.example/x",
    ]  # fmt: skip
    report, world = crawled(pages, external=False)
    assert not any("b.example" in one for one in world.asked)
    assert len(report.of("unknown")) == 4


RULES = "User-agent: *\nDisallow: /private\n\nUser-agent: linkcheck\nDisallow: /secret\n"


@pytest.mark.parametrize(
    ("robots", "unknown"),
    [(RULES, ["/secret"]), (404, []), (403, []), (500, ["/", "/private", "/secret"]),
     ("-> /rules.txt", ["/secret"]), ("-> /robots.txt", [])],
)  # fmt: skip
def test_robots_are_told_what_not_to_ask_for(robots, unknown):
    """By the rules for us, where there are some; a server that fails allows nothing."""
    pages = {
        "/": "<a href=/private>p</a><a href=/secret>s</a>", "/private": "", "/secret": "",
        "/robots.txt": robots, "/rules.txt": RULES,
    }  # fmt: skip
    report, world = crawled(pages)
    found = told(report, "unknown")
    assert [*found] == [one for one in unknown if one == "/" or "/" not in unknown]
    assert set(found.values()) <= {"robots.txt"}
    assert all(f"GET a.example{one}" not in world.asked for one in unknown)
    assert world.asked.count("GET a.example/robots.txt") <= 7
    report, world = crawled(pages, robots=False)
    assert told(report, "unknown") == {}
    assert "GET a.example/robots.txt" not in world.asked


def test_who_is_not_there_is_asked_once():
    """All of its addresses are broken by what was found then."""

    class Gone:
        asked = 0

        def request(self, method, uri, headers=None, bodyProducer=None):
            self.asked += 1
            return fail(ConnectionRefusedError("nobody is there"))

    gone = Gone()

    async def going():
        starts = [f"{HERE}/{n}" for n in range(5)]
        async with Session(agent=gone) as session:
            crawler = Crawler(session, starts)
            await crawler.run()
            return judge(starts, crawler.visits, 1.0)

    report = asyncio.run(going())
    assert gone.asked == 1
    assert set(told(report, "broken").values()) == {"nobody is there"}
    assert len(report.findings) == 5


def test_the_default_site_is_good():
    """Ours: what `weblayer web --path static` serves."""

    async def going():
        async with Session(agent=TreeAgent(File(ROOT / "static")), redirects=0) as session:
            crawler = Crawler(session, [f"{HERE}/"], Bounds(external=False))
            await crawler.run()
            return judge([f"{HERE}/"], crawler.visits, 1.0)

    report = asyncio.run(going())
    assert report.is_good
    assert report.figures.links > 10


def tower(height):
    return {f"/{n or ''}": f"<a href=/{n + 1}>up</a><a href=/>down</a>" for n in range(height)}


def test_there_are_limits():
    """How deep, how many pages, and what is excluded; what was not looked at is told."""
    report, world = crawled(tower(9), depth=2)
    assert report.figures.pages == 3
    assert "HEAD a.example/3" in world.asked
    assert "GET a.example/3" not in world.asked
    report, _ = crawled(tower(9), pages=4)
    assert report.figures.pages == 4
    assert told(report, "unknown") == {"/4": "the limit of 4 pages"}
    report, _ = crawled(tower(9), exclude=re.compile("/[2-9]"))
    assert told(report, "unknown") == {"/2": "excluded"}


@pytest.mark.parametrize(("bounds", "most"), [({"per_host": 2}, 2), ({"connections": 3}, 3)])
def test_requests_at_once_are_bounded(bounds, most):
    """To one host, and in all."""
    wide = "".join(f"<a href=/{n}>n</a>" for n in range(20))
    _, world = crawled({"/": wide, **{f"/{n}": "" for n in range(20)}}, **bounds)
    assert world.most <= most


def test_what_is_loaded_in_the_open_is_told():
    """By an encrypted page alone, and only what is loaded with it."""
    pages = {"/": "<img src=http://a.example/i><a href=http://a.example/i>i</a>", "/i": ""}
    report, _ = crawled(pages, scheme="https")
    assert list(told(report, "mixed")) == ["/i"]
    report, _ = crawled(pages)
    assert report.findings == []


# What is told.

HOSTILE = {"/": "<title>\x1b[2J&lt;script&gt;</title><a href='/<script>'>\x1b[31m&lt;b&gt;</a>"
                "<a href='java&#1;script:x'>x</a>"}  # fmt: skip


class Elements(HTMLParser):
    """What is in a page: elements, and where its links lead."""

    def __init__(self, text):
        super().__init__()
        self.names, self.hrefs = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.hrefs += [value for name, value in attrs if name == "href"]


def test_a_report_is_not_written_by_the_site():
    """Whatever is in its pages: no escape sequences, no elements, no links but to http."""
    report, _ = crawled(HOSTILE)
    assert "\x1b" not in as_text(report, is_colored=False)
    page = Elements(as_html(report))
    assert not {"script", "b"} & page.names
    assert all(href.startswith("http") for href in page.hrefs)


def test_a_program_reads_all_of_it():
    """Every link of every finding, though a terminal shows three."""
    many = {f"/{n}": "<a href=/missing>m</a>" for n in range(9)}
    many["/"] = "".join(f"<a href={one}>n</a>" for one in many)
    report, _ = crawled(many)
    found = json.loads(as_json(report))
    assert found["good"] is False
    assert found["figures"]["pages"] == 10
    assert len(found["findings"][0]["sources"]) == 9
    assert "and 6 more links" in as_text(report, is_colored=False)
    assert as_html(report).count("line 1") == 9


def test_a_report_needs_nothing_else():
    """The page loads nothing, from nowhere."""
    report, _ = crawled({"/": ""})
    text = as_html(report)
    assert not {"link", "script", "img", "iframe"} & Elements(text).names
    assert "url(" not in text


# The program, over a real socket.


@pytest.fixture
def site():
    """The address of a site without a fault."""
    with Program("examples/static_dispatch.py", 0) as program:
        yield f"http://127.0.0.1:{program.port()}/"


def test_the_program_tells_by_its_exit_code(site, tmp_path):
    """Good, broken, or not to be understood; with reports in files."""
    with Program("apps/linkcheck", site, "--html", tmp_path / "r.html") as program:
        code, said, complained = program.end()
    assert (code, complained) == (0, "")
    assert "Every link leads somewhere. " in said
    assert "Every link leads somewhere." in (tmp_path / "r.html").read_text("utf-8")
    with Program("apps/linkcheck", site + "none", "--json", "-") as program:
        code, said, complained = program.end()
    assert (code, complained) == (1, "")
    assert json.loads(said)["findings"][0]["told"] == "404 Not Found"
    for wrong in ["http://[/"], [site, "--pages", 0], [site, "--exclude", "("]:
        with Program("apps/linkcheck", *wrong) as program:
            code, said, complained = program.end()
        assert (code, said) == (2, "")
        assert "Traceback" not in complained


SILENT = """
import asyncio
from weblayer import NotFound, Resource, Site, reactor

class Silent(Resource):
    isLeaf = True

    async def render_GET(self, request):
        if request.path == "/robots.txt":
            raise NotFound("no rules")
        if request.path == "/b":
            print("it waits", flush=True)
            await asyncio.sleep(60)
        return "<a href=/b>b</a><a href=//[x]>x</a>"

port = reactor.listenTCP(0, Site(Silent()), interface="127.0.0.1")
print(f"http://127.0.0.1:{port.getHost().port}/", flush=True)
reactor.run()
"""


def test_a_person_may_stop_it():
    """What was found until then is told."""
    with Program("-c", SILENT) as server:
        address = f"http://127.0.0.1:{server.port()}/"
        with Program("apps/linkcheck", address) as program:
            server.lines("it waits")
            code, said, complained = program.stop(signal.SIGINT)
    assert (code, complained) == (1, "")
    assert "Stopped early: 1 broken address so far." in said


TERMINAL = {"TERM": "xterm", "NO_COLOR": "", "PYTHONIOENCODING": "utf-8"}


def test_a_person_sees_how_far_it_is(site):
    """A line that is gone in the end."""
    mine, theirs = pty.openpty()
    command = [sys.executable, "-W", "error", "apps/linkcheck", site]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **TERMINAL}
    with subprocess.Popen(
        command, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment
    ) as running:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(mine, 65536):
                seen += piece
        except OSError:  # Linux says so when the last writer has gone
            pass
        finally:
            os.close(mine)
        assert running.wait() == 0
    lines = seen.decode().split("\r")
    assert any("━" in line for line in lines)
    assert "\x1b[K\x1b[1;32m✓ Every link" in seen.decode().replace("\r", "")
