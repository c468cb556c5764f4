"""Sites by name: which host has a request, and who is turned away."""

import pytest

from tests.web.trees import Page, raw, tree
from tests.web.visitors import visit
from weblayer.web.errors import NotFound
from weblayer.web.resource import Resource
from weblayer.web.testing import Conversation
from weblayer.web.vhost import AllowedHosts, NameVirtualHost


def named(text):
    return Page(lambda request: text)


OURS = AllowedHosts(named("ours"), ["shop.test", b"*.members.test", "[::1]", "admin.test:8443"])


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("shop.test", 200),
        ("SHOP.test.:8080", 200),
        ("ada.members.test", 200),
        ("members.test", 421),
        ("[0:0::1]:80", 200),
        ("[::2]", 421),
        ("admin.test", 421),
        ("admin.test:8443", 200),
        ("evil.test", 421),
        ("shop.test.evil.test", 421),
        ("127.0.0.1", 421),
    ],
)
def test_only_our_hosts_are_answered_for(host, code):
    """Any other is somebody else's: 421 (RFC 9110, 7.4)."""
    assert visit(OURS, host=host).code == code


def ask_as(node, host, secure=False):
    """What a visitor is answered who sends this Host."""
    conversation = visit(node, x_forwarded_host=host, secure=secure)
    return conversation.code, conversation.text()


@pytest.mark.parametrize(("secure", "port"), [(False, 80), (True, 443)])
def test_a_host_without_a_port_is_at_the_schemes(secure, port):
    """80 in the clear, 443 encrypted (RFC 9110, 4.2)."""
    for pattern in (80, 443):
        node = AllowedHosts(named("ours"), [f"shop.test:{pattern}"])
        assert (ask_as(node, "shop.test", secure)[0] == 200) is (pattern == port)


def test_nothing_below_is_asked_for_another_host():
    """Nor is a body uploaded for it."""
    asked = []
    conversation = Conversation(AllowedHosts(Page(asked.append), ["shop.test"]))
    conversation.send(raw("POST / HTTP/1.1", "Content-Length: 5", "Expect: 100-continue"), "POST")
    assert (conversation.code, asked) == (421, [])


def test_an_absolute_target_is_the_host():
    """Whatever Host says (RFC 9112, 3.2.2)."""
    for target, code in (("http://shop.test/", 200), ("http://evil.test/", 421)):
        assert visit(OURS, target, host="shop.test").code == code


@pytest.mark.parametrize("node", [OURS, NameVirtualHost()])
def test_who_names_no_host_makes_a_bad_request(node):
    """HTTP/1.0 may leave it out, and nobody knows then what it wants."""
    conversation = Conversation(node)
    conversation.send(b"GET / HTTP/1.0\r\n\r\n", "GET")
    assert conversation.code == 400


@pytest.mark.parametrize(
    ("hosts", "error", "match"),
    [
        ("shop.test", TypeError, "must be a list"),
        (["*"], ValueError, "perhaps a port"),
        (["http://shop.test"], ValueError, "http://shop.test"),
        ([None], TypeError, "str or bytes"),
    ],
)
def test_a_host_that_is_none_is_told_at_once(hosts, error, match):
    """Not when the first visitor comes."""
    with pytest.raises(error, match=match):
        AllowedHosts(Resource(), hosts)


# Several sites


def sites():
    node = NameVirtualHost()
    node.addHost("shop.test", tree(a=named("shop")))
    node.addHost(b"*.members.test", named("members"))
    node.addHost("müller.test", named("Müller"))
    node.addHost("[::1]:80", named("loopback"))
    return node


@pytest.mark.parametrize(
    ("host", "target", "answer"),
    [
        ("shop.test", "/a", (200, "shop")),
        ("shop.test:8080", "/a", (200, "shop")),
        ("Shop.Test", "/a", (200, "shop")),
        ("ada.members.test", "/b", (200, "members")),
        ("xn--mller-kva.test", "/", (200, "Müller")),
        ("[::1]:80", "/", (200, "loopback")),
        ("[::1]", "/", (200, "loopback")),
    ],
)
def test_each_host_has_its_tree(host, target, answer):
    """Text and bytes name the same, and so do the letters of a language and their ASCII."""
    conversation = visit(sites(), target, host=host)
    assert (conversation.code, conversation.text()) == answer


def test_a_host_of_none_has_the_default():
    """Without one it is told that it has come to the wrong place."""
    node = sites()
    assert ask_as(node, "evil.test")[0] == 421
    node.default = named("default")
    assert ask_as(node, "evil.test") == (200, "default")
    assert ask_as(NameVirtualHost(named("other")), "evil.test") == (200, "other")


def test_an_empty_tree_is_no_missing_one():
    """A resource that counts as false answers all the same."""

    class Empty(Resource):
        def __len__(self):
            return 0

        def render_GET(self, request):
            raise NotFound("empty")

    node = NameVirtualHost(named("default"))
    node.addHost("a.test", Empty())
    assert ask_as(node, "a.test")[0] == 404


def test_hosts_come_and_go():
    """While the site is served."""
    node = sites()
    node.removeHost("SHOP.test")
    assert ask_as(node, "shop.test")[0] == 421
    with pytest.raises(KeyError):
        node.removeHost("shop.test")
    node.addHost("shop.test", named("new"))
    assert ask_as(node, "shop.test") == (200, "new")


def test_only_a_resource_has_a_host():
    """A class is a TypeError where it is put."""
    with pytest.raises(TypeError, match="an instance, not a class"):
        NameVirtualHost().addHost("a.test", Resource)
