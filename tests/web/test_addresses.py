"""Who may ask, by the address."""

import pytest

from tests.web.trees import Page, raw
from tests.web.visitors import visit
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.addresses import AllowedAddresses
from weblayer.web.site import Site
from weblayer.web.testing import Conversation

PAGE = Page(lambda request: "seen")
INSIDE = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7", "::ffff:172.16.0.0/108"]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.1.2.3", 200),
        ("11.1.2.3", 403),
        ("192.0.2.7", 200),
        ("192.0.2.8", 403),
        ("2001:db8::1", 200),
        ("2001:DB8:0::1", 200),
        ("2001:db9::1", 403),
        # an IPv4 address written as IPv6 is IPv4, in a network too
        ("::ffff:10.1.2.3", 200),
        ("::ffff:11.1.2.3", 403),
        ("172.16.1.1", 200),
        ("172.32.1.1", 403),
        # a proxy hides it, or says what is none
        ("unknown", 403),
        ("_hidden", 403),
        ("10.0.0.300", 403),
    ],
)
def test_who_is_in_a_network_may_ask(address, code):
    """And nobody else: 403."""
    assert visit(AllowedAddresses(PAGE, INSIDE), address=address).code == code


@pytest.mark.parametrize(
    ("address", "code"),
    [("10.1.2.3", 403), ("::ffff:10.1.2.3", 403), ("11.1.2.3", 200), ("unknown", 200)],
)
def test_who_is_denied_may_not_ask(address, code):
    """Without a list of those who may, all others may."""
    assert visit(AllowedAddresses(PAGE, deny=["10.0.0.0/8"]), address=address).code == code


@pytest.mark.parametrize(("address", "code"), [("10.0.0.1", 200), ("10.0.0.2", 403)])
def test_a_denial_goes_before(address, code):
    """Of those who may, some may not."""
    node = AllowedAddresses(PAGE, ["10.0.0.0/8"], deny=["10.0.0.2"])
    assert visit(node, address=address).code == code


def test_nobody_is_a_list_too():
    """An empty list of those who may is no list of all."""
    assert visit(AllowedAddresses(PAGE, [])).code == 403


@pytest.mark.parametrize(("allow", "code"), [(["unix"], b"200"), (["127.0.0.1", "::/0"], b"403")])
def test_a_unix_socket_is_allowed_by_that_word(allow, code):
    """Its peer has no address that a network could hold."""
    site = Site(AllowedAddresses(PAGE, allow), reactor=Clock())
    peer = MemoryPeer(site, peer="", host="/run/web.sock")
    peer.send(raw("GET / HTTP/1.1"))
    assert peer.received.split()[1] == code


def test_a_stranger_says_nothing_of_its_address():
    """The peer counts where no proxy is trusted."""
    conversation = Conversation(AllowedAddresses(PAGE, ["10.0.0.0/8"]))
    conversation.send(raw("GET / HTTP/1.1", "X-Forwarded-For: 10.0.0.1"), "GET")
    assert conversation.code == 403


def test_who_may_not_ask_uploads_nothing():
    """The refusal goes out in place of 100 Continue."""
    conversation = Conversation(AllowedAddresses(PAGE, []))
    conversation.send(raw("PUT / HTTP/1.1", "Content-Length: 5", "Expect: 100-continue"), "PUT")
    assert conversation.received.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    ("lists", "error", "match"),
    [
        ({"allow": "10.0.0.0/8"}, TypeError, "allow must be a list"),
        ({"deny": "unix"}, TypeError, "deny must be a list"),
        ({"allow": ["10.0.0.1/8"]}, ValueError, "host bits"),
        ({"deny": ["example.org"]}, ValueError, "example.org"),
    ],
)
def test_a_network_that_is_none_is_told_at_once(lists, error, match):
    """Not when the first visitor comes."""
    with pytest.raises(error, match=match):
        AllowedAddresses(PAGE, **lists)
