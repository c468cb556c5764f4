"""`_redirects` and `_headers`: what a line means, and which lines are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.web.headersfile import parse_headers
from weblayer.web.pathpattern import spelled
from weblayer.web.redirectsfile import parse_redirects
from weblayer.wire.target import path_segments


def sent(text: str, path: str, query: str = "", *, forced: bool = False, **args: str):
    """Where the rules in *text* send a request, as "status target"; None for nowhere."""
    rules, wrong = parse_redirects(text)
    assert not wrong
    asked = spelled(path_segments(path.encode()))
    lists = {name: [value] for name, value in args.items()}
    found = rules.find(asked, lists, query, forced=forced)
    return None if found is None else f"{found.status} {found.target}"


@pytest.mark.parametrize(
    ("rule", "path", "where"),
    [
        ("/home /", "/home", "301 /"),
        ("/home /", "/home/", "301 /"),
        ("/home/ /", "/home", "301 /"),
        ("/home /", "/home/x", None),
        ("/home /", "/Home", None),
        ("/blog/* /news/:splat 302", "/blog/2026/may", "302 /news/2026/may"),
        ("/blog/* /news/:splat", "/blog/", "301 /news/"),
        ("/blog/* /news/:splat", "/blog", "301 /news/"),
        ("/blog/* /news/:splat", "/blogs", None),
        ("/:year/:month /archive/:year-:month 308", "/2026/may", "308 /archive/2026-may"),
        ("/:year/:month /archive", "/2026", None),
        ("/:year/:month /archive", "/2026/may/1", None),
        ("/a/:id/* /b/:splat/:id", "/a/7/x/y", "301 /b/x/y/7"),
        ("/*.php /:splat", "/old/page.php", "301 /old/page"),
        ("/app/* /app/index.html 200", "/app/any/where", "200 /app/index.html"),
        ("/gone /410.html 410", "/gone", "410 /410.html"),
        ("/x https://example.org/y?z#w", "/x", "301 https://example.org/y?z#w"),
        ("/x/* https://example.org/:splat", "/x/a/b", "301 https://example.org/a/b"),
        ("/x https://example.org", "/x", "301 https://example.org"),
        ("/caf\xe9 /coffee", "/caf%C3%A9", "301 /coffee"),
        ("/caf%c3%a9 /coffee", "/caf%C3%A9", "301 /coffee"),
        ("/coffee /caf\xe9", "/coffee", "301 /caf%C3%A9"),
        ("/a%20b /c", "/a%20b", "301 /c"),
        ("/to/* /:splat", "/to/a%20b%2Fc%0d%0aX:1", "301 /a%20b%2Fc%0D%0AX:1"),
        ("/to/* /:splat", "/to//evil.example/", "301 /evil.example/"),
        ("/x /:unknown", "/x", "301 /:unknown"),
        ("/x /y # why", "/x", "301 /y"),
        ("/x /y#part", "/x", "301 /y#part"),
        ("# /x /y", "/x", None),
    ],
)
def test_a_line_sends_what_fits_it(rule, path, where):
    """Names stand for a segment, `*` for anything; captures are encoded as an address is."""
    assert sent(rule, path) == where


def test_the_first_line_that_fits_counts():
    """Lines with and without captures keep the order of the file."""
    text = "/a/* /first\n/a/b /second\n/c/d /third\n/c/* /fourth"
    assert sent(text, "/a/b") == "301 /first"
    assert sent(text, "/c/d") == "301 /third"
    assert sent(text, "/c/e") == "301 /fourth"


def test_a_mark_puts_a_line_before_files():
    """Asked for what comes before files, only lines with `!` are heeded."""
    text = "/a /x\n/b /y 302!\n/a /z 301!"
    assert sent(text, "/a", forced=True) == "301 /z"
    assert sent(text, "/b", forced=True) == "302 /y"
    assert sent(text, "/a") == "301 /x"


def test_a_line_that_leads_to_itself_is_passed_over():
    """A browser would go round and round."""
    assert sent("/* /index.html", "/index.html") is None
    assert sent("/a /a?x\n/* /b", "/a") == "301 /b"
    assert sent("/a /a 200", "/a") == "200 /a"


def test_arguments_are_asked_for_and_captured():
    """`name=value` must be there, `name=:capture` may be anything, and goes along encoded."""
    text = "/shop id=:id lang=de /laden/:id\n/shop id=:id /products/:id"
    assert sent(text, "/shop", id="7", lang="de") == "301 /laden/7"
    assert sent(text, "/shop", id="a/b&c") == "301 /products/a%2Fb%26c"
    assert sent(text, "/shop", lang="de") is None


def test_a_query_goes_along():
    """Unless the target has its own, or the line has used it."""
    assert sent("/a /b#c", "/a", "x=1") == "301 /b?x=1#c"
    assert sent("/a /b?y=2", "/a", "x=1") == "301 /b?y=2"
    assert sent("/a x=:x /b", "/a", "x=1", x="1") == "301 /b"
    assert sent("/a /b 200", "/a", "x=1") == "200 /b"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/a", "where to"),
        ("a /b", "slash"),
        ("https://old.example/a /b", "slash"),
        ("/a b", "neither a path nor an address"),
        ("/a //host/b", "neither a path nor an address"),
        ("/a javascript:alert(1)", "neither a path nor an address"),
        ("/a /b 999", "status"),
        ("/a /b 30!", "status"),
        ("/a /b 302 Country=de", "Country=de"),
        ("/api/* https://backend.example/:splat 200", "elsewhere"),
        ("/go/:host https://:host/", "choose the host"),
        ("/go/* https://example.org:splat", "choose the host"),
        ("/a/*/b/* /c", "twice"),
        ("/:x/:x /c", "twice"),
        ("/:splat/* /c", "twice"),
        ("/a?b=c /d", "more than a path"),
        ("/a " + "/b" * 1000, "longer"),
    ],
)
def test_a_line_that_says_nothing_is_told_and_left_out(line, told):
    """With its number; the lines round it count."""
    rules, wrong = parse_redirects(f"/good /1\n{line}\n/better /2")
    assert len(rules) == 2
    assert [told in sentence for sentence in wrong] == [True]
    assert wrong[0].startswith("line 2: ")


def test_there_is_room_for_a_large_site_and_no_more():
    """Lines beyond the limits are told, so that nobody wonders."""
    rules, wrong = parse_redirects("\n".join(f"/{n} /" for n in range(2001)))
    assert (len(rules), len(wrong)) == (2000, 1)
    rules, wrong = parse_redirects("\n".join(f"/{n}/* /" for n in range(201)))
    assert (len(rules), len(wrong)) == (200, 1)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=1, max_size=4))
def test_whatever_is_captured_stays_a_path_of_ours(segments):
    """No request chooses a host, a line's end or anything that is not ASCII."""
    rules, _ = parse_redirects("/to/* /:splat 302")
    found = rules.find(spelled(["to", *segments]), {}, "", forced=False)
    assert found is not None
    assert found.target.isascii()
    assert found.target.isprintable()
    assert found.target.startswith("/")
    assert not found.target.startswith(("//", "/\\"))


@given(st.text())
def test_any_text_can_be_read(text):
    """A rule file is never an error, whatever is in it."""
    for parse in (parse_redirects, parse_headers):
        _, wrong = parse(text)
        assert all(sentence.startswith("line ") for sentence in wrong)


def fields(text: str, path: str):
    """The fields for *path*."""
    rules, wrong = parse_headers(text)
    assert not wrong
    return rules.find(spelled(path_segments(path.encode())))


RULES = """\
# For everything
/*
  X-Frame-Options: DENY
  Link: </a>; rel=preload

/media/:name
\tX-Name: ":name"
\t! X-Frame-Options
  link: </b>
/media/*.png
  X-Frame-Options: SAMEORIGIN
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", [("X-Frame-Options", "DENY"), ("Link", "</a>; rel=preload")]),
        ("/media/a%22%0Ab", [("link", "</a>; rel=preload, </b>"), ("X-Name", '"a%22%0Ab"')]),
        ("/media/a.png", [("link", "</a>; rel=preload, </b>"), ("X-Name", '"a.png"'),
                          ("X-Frame-Options", "SAMEORIGIN")]),
    ],
)  # fmt: skip
def test_all_paths_that_fit_count(path, expected):
    """In the order of the file: values are joined, and `!` takes away what stood before."""
    assert fields(RULES, path) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/a\n  nothing", "Name: value"),
        ("/a\n  Content-Length: 5", "server's own"),
        ("/a\n  transfer-encoding: chunked", "server's own"),
        ("/a\n  b c: d", "b c"),
        ("/a\n  : d", "name"),
        ("/a\n  b: \x01", "control"),
        ("\na", "slash"),
        ("/a\n  b: " + "c" * 2000, "longer"),
    ],
)
def test_a_field_that_is_none_is_told_and_left_out(text, told):
    """With its number, and without the fields of a path that is none."""
    rules, wrong = parse_headers(text + "\n  After: it")
    assert [told in sentence for sentence in wrong] == [True]
    assert wrong[0].startswith("line 2: ")
    assert len(rules.find("/a")) == (0 if told == "slash" else 1)
