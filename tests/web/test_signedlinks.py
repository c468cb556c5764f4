"""Links that let in whoever has them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, raw, tree
from tests.web.visitors import visit
from weblayer.loop.timers import Clock
from weblayer.web.linkuses import LinkUses
from weblayer.web.signedlinks import SignedLinks
from weblayer.web.signing import Signer
from weblayer.web.testing import Conversation

KEY, OTHER = "k" * 16, "o" * 16
PAGE = Page(lambda request: "secret")


class Links:
    """Links into a tree at /in, at a time that stands still."""

    def __init__(self, page=PAGE, keys=KEY, **options):
        self.clock = Clock()
        self.links = SignedLinks(page, keys, seconds=self.clock.seconds, **options)
        self.site = tree(**{"in": self.links})

    def url(self, target="/in/a", expires=60, **options):
        return self.links.url(target, expires=expires, **options)

    def code(self, url, method="GET"):
        return visit(self.site, url, method).code


@pytest.mark.parametrize("target", ["/in", "/in/", "/in/a", "/in/a%2Fb/c", "/in/a?b=c&d", "/in/?"])
def test_who_has_a_link_is_let_in(target):
    """And who has none is not."""
    links = Links()
    assert links.code(links.url(target)) == 200
    assert links.code(target) == 403


def test_a_page_may_have_a_link_made_to_itself():
    """An absolute one, without the one that it was asked by, behind a proxy too."""
    links = Links(Page(lambda request: links.links.url(request, expires=60)))
    first = links.url("/in/a?b=c")
    url = visit(links.site, first, host="a.test", secure=True, x_forwarded_prefix="/app").text()
    assert url.startswith("https://a.test/app/in/a?b=c&signature=")
    assert url.count("signature=") == 1
    assert links.code(url.removeprefix("https://a.test/app")) == 200


def test_a_link_is_good_for_its_page_alone():
    """Neither for another, nor with another query; however the path is percent-encoded."""
    links = Links()
    path, query = links.url("/in/a?b=c").split("?")
    asked = {
        f"{path}?{query}": 200,
        f"/in/%61?{query}": 200,
        f"/in/b?{query}": 403,
        f"/in/a/?{query}": 403,
        f"/in/a/b?{query}": 403,
        f"/in/A?{query}": 403,
        f"/in/./a?{query}": 403,
        f"/in%2Fa?{query}": 404,
        f"/in/a?{query.replace('b=c', 'b=d')}": 403,
        f"/in/a?{query.replace('b=c&', '')}": 403,
        f"/in/a?x&{query}": 403,
        f"/in/a?{query}&x": 403,
        f"/in/a?{query}&signature=": 403,
        f"/in/a?signature=&{query}": 403,
        "/in/a?b=c&signature=": 403,
        "/in/a?b=c&signature=x.y.z": 403,
    }
    assert {url: links.code(url) for url in asked} == asked


@given(st.integers(0), st.sampled_from(string.ascii_letters + string.digits + "-_.=%"))
def test_a_changed_signature_is_none(place, letter):
    """Whichever letter of it is another: 403, and the page is not told of it."""
    links = Links()
    path, _, signature = links.url().partition("=")
    place %= len(signature)
    changed = signature[:place] + letter + signature[place + 1 :]
    assert links.code(f"{path}={changed}") == (200 if changed == signature else 403)


def test_what_was_signed_for_another_purpose_is_none():
    """Though it is the same key."""
    signed = Signer(KEY, "a session").sign({"to": "/in/a", "until": 10**12})
    assert Links().code(f"/in/a?signature={signed}") == 403


def test_keys_change_without_a_break():
    """The first signs; what any of them has signed is good."""
    old, new = Links(), Links(keys=[OTHER, KEY])
    assert new.code(old.url()) == 200
    assert old.code(new.url()) == 403


def test_a_link_has_an_end():
    """410: it was good, and whoever has it may know that another is to be asked for."""
    links = Links()
    url = links.url(expires=60)
    links.clock.advance(60)
    assert links.code(url) == 200
    links.clock.advance(0.5)
    assert links.code(url) == 410
    assert links.code(url.replace("/in/a", "/in/b")) == 403


@pytest.mark.parametrize(
    ("options", "good", "bad"),
    [
        ({}, ["GET", "HEAD"], ["POST", "PUT", "DELETE", "OPTIONS"]),
        ({"methods": ["PUT"]}, ["PUT"], ["GET", "HEAD", "POST"]),
        ({"methods": ["GET", "DELETE"]}, ["GET", "DELETE", "HEAD"], ["POST"]),
    ],
)
def test_a_link_is_good_for_its_methods(options, good, bad):
    """A link to read is none to write; 405 tells what it is for."""
    links = Links()
    url = links.url(**options)
    assert {method: links.code(url, method) for method in [*good, *bad]} == (
        dict.fromkeys(good, 200) | dict.fromkeys(bad, 405)
    )
    assert visit(links.site, url, bad[0]).getHeader("allow") == ", ".join(good)


def test_who_has_no_link_uploads_nothing():
    """The refusal goes out in place of 100 Continue."""
    conversation = Conversation(Links().site)
    conversation.send(raw("PUT /in/a HTTP/1.1", "Content-Length: 5", "Expect: 100-continue"), "PUT")
    assert conversation.received.startswith(b"HTTP/1.1 403 ")


# What is below


@pytest.mark.parametrize("target", ["/in/a", "/in/a/"])
def test_a_link_may_be_good_for_all_below(target):
    """With any query, and however often it is asked."""
    links = Links()
    query = links.url(target, below=True).partition("?")[2]
    asked = {
        f"/in/a?{query}": 200,
        f"/in/a/?{query}": 200,
        f"/in/a/b/c?d=e&{query}": 200,
        f"/in/ab?{query}": 403,
        f"/in/?{query}": 403,
        f"/in?{query}": 403,
        # what somebody behind us might take for the way up
        f"/in/a/../b?{query}": 403,
        f"/in/a/%2e%2E/b?{query}": 403,
        f"/in/a/b%2F..%2F..%2Fc?{query}": 403,
        f"/in/a/..%5Cb?{query}": 403,
        f"/in/a/./b?{query}": 403,
        f"/in/a/..b/c..?{query}": 200,
    }
    assert {url: links.code(url) for url in asked} == asked


# How often


def test_a_link_may_be_used_up():
    """410, and each link has its own number; a HEAD, as of a preview, uses nothing."""
    links = Links()
    first, second = links.url(uses=2), links.url(uses=1)
    assert links.code(first, "HEAD") == 200
    assert [links.code(url) for url in (first, second, first, first, second)] == [
        200, 200, 200, 410, 410,
    ]  # fmt: skip
    assert links.code(first, "HEAD") == 200


def test_a_use_counts_where_it_was_one():
    """A link that is for another method or page, or too old, was not used."""
    links = Links()
    url = links.url(uses=1)
    assert links.code(url, "POST") == 405
    assert links.code(url.replace("/in/a", "/in/b")) == 403
    assert links.code(url) == 200


def test_what_is_too_old_need_not_be_remembered():
    """So many are; one more is a 503, for to forget one would let it be used again."""
    links = Links(uses=LinkUses(maxLinks=2))
    old = [links.url(uses=1, expires=60) for _ in range(2)]
    one = links.url(uses=1, expires=3600)
    assert [links.code(url) for url in (*old, one, *old)] == [200, 200, 503, 410, 410]
    links.clock.advance(61)
    assert [links.code(url) for url in (one, one, *old)] == [200, 410, 410, 410]


def test_uses_may_be_kept_elsewhere():
    """By something that takes its time, such as a database."""
    kept = []

    class Elsewhere(LinkUses):
        async def use(self, link, until, now):
            kept.append((link, until - now))
            return len(kept)

    links = Links(uses=Elsewhere())
    url = links.url(uses=2)
    assert [links.code(url) for _ in range(3)] == [200, 200, 410]
    assert len({*kept}) == 1
    assert kept[0][1] == 60


# What is answered


def test_an_answer_is_for_no_shared_cache():
    """Which would not know when the link ends; a page may say otherwise."""
    links = Links()
    assert visit(links.site, links.url()).getHeader("cache-control") == "private"

    def public(request):
        request.setCacheControl(public=True, maxAge=5)
        return b""

    links = Links(Page(public))
    assert visit(links.site, links.url()).getHeader("cache-control") == "public, max-age=5"


@pytest.mark.parametrize(
    ("target", "options", "match"),
    [
        ("in/a", {}, "target must be"),
        ("https://a.test/in", {}, "target must be"),
        ("/in/a b", {}, "target must be"),
        ("/in/ä", {}, "target must be"),
        ("/in#a", {}, "target must be"),
        ("/in", {"expires": 0}, "expires must be"),
        ("/in", {"expires": float("inf")}, "expires must be"),
        ("/in", {"expires": float("nan")}, "expires must be"),
        ("/in", {"methods": "GET"}, "methods must be"),
        ("/in", {"methods": []}, "methods must be"),
        ("/in", {"uses": 0}, "uses must be"),
    ],
)
def test_a_link_that_would_not_work_is_not_made(target, options, match):
    """It is told to who makes it, and not to who gets it."""
    with pytest.raises(ValueError, match=match):
        Links().url(target, **options)
