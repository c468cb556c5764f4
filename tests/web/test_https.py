"""Only over TLS: what is asked in the clear is sent to the same place, encrypted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.trees import Page, raw, tree
from tests.web.visitors import visit
from weblayer.web.https import HTTPSOnly
from weblayer.web.testing import Conversation

ROOT = HTTPSOnly(Page(lambda request: "seen"))


@pytest.mark.parametrize(
    ("host", "target", "location"),
    [
        ("a.test", "/", "https://a.test/"),
        ("a.test:8080", "/b/c?d=e&f", "https://a.test/b/c?d=e&f"),
        ("[::1]:8080", "/", "https://[::1]/"),
        ("[1:2:3]", "/", "https://[1:2:3]/"),
        ("a.test", "/?", "https://a.test/?"),
        ("a.test", "//evil.test/%0d%0a", "https://a.test//evil.test/%0d%0a"),
        ("a.test", "http://b.test:80?c", "https://b.test/?c"),
        ("a.test", "/a%2Fb/%C3%A9", "https://a.test/a%2Fb/%C3%A9"),
    ],
)
def test_the_same_place_is_named_encrypted(host, target, location):
    """Path and query as they were sent, the port that of https."""
    conversation = visit(ROOT, target, host=host)
    assert (conversation.code, conversation.getHeader("location")) == (308, location)


def test_another_port_is_named():
    """Where the site listens for TLS on one of its own."""
    conversation = visit(HTTPSOnly(Page(lambda request: b""), 8443), "/a", host="a.test:8080")
    assert conversation.getHeader("location") == "https://a.test:8443/a"
    for port in (0, 65536):
        with pytest.raises(ValueError, match="port must be"):
            HTTPSOnly(tree(), port)


def test_what_is_encrypted_goes_on():
    """By the word of a proxy that is trusted, too."""
    assert visit(ROOT, secure=True).text() == "seen"


def test_a_prefix_that_a_proxy_took_off_is_put_back():
    """The visitor sees it."""
    conversation = visit(ROOT, "/a?b", host="a.test", x_forwarded_prefix="/app")
    assert conversation.getHeader("location") == "https://a.test/app/a?b"


def test_nothing_is_uploaded_in_the_clear():
    """A POST stays one, and its client is not asked for the body here."""
    conversation = Conversation(ROOT)
    conversation.send(raw("POST / HTTP/1.1", "Content-Length: 5", "Expect: 100-continue"), "POST")
    assert conversation.received.startswith(b"HTTP/1.1 308 ")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/.well-known/acme-challenge/token", 200),
        ("/.well-known/acme-challenge", 200),
        ("/.well-known/security.txt", 308),
        ("/a/.well-known/acme-challenge/token", 308),
        ("/.well-known/acme-challenges", 308),
    ],
)
def test_a_certificate_can_be_got_in_the_clear(target, code):
    """RFC 8555, 8.3: the authority asks before there is any."""
    assert visit(ROOT, target).code == code


def test_the_challenge_is_at_the_top_of_the_site():
    """Wherever this stands."""
    assert visit(tree(a=ROOT), "/a/.well-known/acme-challenge/token").code == 308
    node = tree(**{".well-known": ROOT})
    assert visit(node, "/.well-known/acme-challenge/token").code == 200


def test_without_a_host_there_is_no_place_to_name():
    """HTTP/1.0 may leave it out."""
    conversation = Conversation(ROOT)
    conversation.send(b"GET / HTTP/1.0\r\n\r\n", "GET")
    assert conversation.code == 400


@given(st.text("/.?:@\\%a&=;", max_size=12))
def test_no_path_leads_to_another_host(path):
    """Whatever stands in it, what it is sent to is ours."""
    location = visit(ROOT, f"/{path}", host="a.test").getHeader("location")
    assert location == f"https://a.test/{path}"
