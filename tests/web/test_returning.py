"""Where to go back to: below the root of this site, or nowhere."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.web.trees import Page
from weblayer.web.returning import pathAsked, returnLink, safePath
from weblayer.web.testing import ask

# What a browser would follow to another host, and what no path is.
BAD = [
    "", "a", "./a", "../a", "//evil.test", "///evil.test", "////evil.test/a", "/\\evil.test",
    "\\\\evil.test", "\\/evil.test", "/\\/evil.test", "/a\\b", "http://evil.test",
    "https:evil.test",
    "HTTP://evil.test", "javascript:alert(1)", "data:text/html,a", "evil.test", "@evil.test",
    "/\t/evil.test", "\t//evil.test", "/\n/evil.test", "/a\r\nSet-Cookie: a=b", "/\x00", "/\x1f",
    "/\x7f", " //evil.test", "/ /evil.test", " /a", "?a", "#a", "/" + "a" * 2000,
]  # fmt: skip
GOOD = [
    ("/", "/"), ("/a/b", "/a/b"), ("/a?b=c&d=//e", "/a?b=c&d=//e"), ("/a#b", "/a#b"),
    ("/%2f%2fevil.test", "/%2f%2fevil.test"), ("/Zoë", "/Zo%C3%AB"), ("/\udcff", "/%FF"),
    ("/a:b@c", "/a:b@c"), ("/a//b", "/a//b"), ("/../..", "/../.."), ("/a/..//b", "/a/..//b"),
    ("/\u2028", "/%E2%80%A8"), ("/\uff0fevil.test", "/%EF%BC%8Fevil.test"),
]  # fmt: skip


@pytest.mark.parametrize("path", BAD)
def test_what_leads_elsewhere_is_refused(path):
    """Each way in which a browser finds a host in an address, and what is no path."""
    assert safePath(path) is None


@pytest.mark.parametrize(("path", "safe"), GOOD)
def test_a_path_is_kept(path, safe):
    """With its query; what is not ASCII is percent-encoded."""
    assert safePath(path) == safe


@given(path=st.text(alphabet=st.sampled_from("/\\.:@ab?#%\t\n\r\x00 é")), depth=st.integers(0, 3))
@example(path="/..//evil.test", depth=0)
@example(path="//evil.test", depth=2)
def test_whatever_is_asked_it_leads_to_this_host(path, depth):
    """From whatever page, and read as a browser does."""
    there = "/" + "a/" * depth + "login"
    link = ask(Page(lambda request: returnLink(request, path)), "GET", there).text()
    link = link.replace("\\", "/").translate(dict.fromkeys(map(ord, "\t\n\r")))
    found = urlsplit(urljoin(f"http://here.test{there}", link))
    assert (found.scheme, found.netloc) == ("http", "here.test")


@pytest.mark.parametrize("target", ["/a/b?c=%20d", "/", "/a?"])
def test_what_was_asked_for_is_come_back_to(target):
    """Its path and its query."""
    assert ask(Page(pathAsked), "GET", target).text() == target.rstrip("?")
