"""Redirects: to where, for how long, and with which method."""

import pytest

from tests.web.trees import Page, tree
from weblayer.web.testing import ask
from weblayer.web.util import Redirect, redirectTo


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_has_the_code_that_is_meant(code):
    """By hand, by the page, and for a place in the tree."""
    root = tree(
        hand=Page(lambda request: request.redirect("/new", code) or b""),
        page=Page(lambda request: redirectTo("/new", request, code)),
        place=Redirect("/new", code),
    )
    for name in ("hand", "page", "place"):
        answer = ask(root, "POST", f"/{name}")
        assert (answer.code, answer.getHeader("location")) == (code, "/new")


@pytest.mark.parametrize("code", [200, 300, 304, 305, 306, 404])
def test_another_code_is_no_redirect(code, caplog):
    """What no client follows is a mistake of the program."""
    assert ask(Page(lambda request: redirectTo("/new", request, code))).code == 500
    assert "code must be 301" in caplog.text


@pytest.mark.parametrize("url", ["../a", "?page=2", "./a:b", "//other.test/", "a#b"])
def test_a_relative_redirect_stays_relative(url):
    """So it is right behind a proxy that has taken off a prefix, whoever that is."""
    assert ask(Redirect(url)).getHeader("location") == url


def test_an_empty_answer_has_no_type():
    """There is nothing that would have one; a program's own word on it is sent."""
    answer = ask(Page(lambda request: request.redirect("/new", 303) or b""))
    assert (answer.code, answer.body, answer.getHeader("content-type")) == (303, b"", None)

    def typed(request):
        request.setHeader("Content-Type", "text/csv")
        return b""

    assert ask(Page(typed)).getHeader("content-type") == "text/csv"


def test_what_is_no_url_is_told():
    """Where it is given."""
    with pytest.raises(TypeError, match="url must be str or bytes"):
        Redirect(None)
