"""Where a request came from and where it is: with proxies of ours before us, and without."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.web.trees import Page, raw
from weblayer.loop.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from weblayer.loop.memory import MemoryPeer
from weblayer.loop.timers import Clock
from weblayer.web.accesslog import clientHost
from weblayer.web.resource import Resource
from weblayer.web.site import Site
from weblayer.web.testing import Conversation
from weblayer.wire.percent import percent_encode
from weblayer.wire.target import path_segments

PROXY = "192.0.2.1"  # who a conversation comes from
ALL = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix")


def seen(look, *fields, target="/", version="HTTP/1.1", page=Page, **settings):
    """What *look* sees of a request with these fields, at a site with these settings."""
    found = []
    site = Site(page(lambda request: found.append(look(request)) or b""), **settings)
    Conversation(site).send(raw(f"GET {target} {version}", *fields))
    return found[0]


def whole(request):
    """All that a proxy may say."""
    client = clientHost(request), request.getClientAddress().port
    return *client, request.isSecure(), request.rootURL()


# Who is believed

SAID = ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"]
HOSTED = [*SAID, "X-Forwarded-Host: shop.test", "X-Forwarded-Prefix: /app"]


@pytest.mark.parametrize("trusted", [[], ["10.0.0.0/8"], ["unix"], ["192.0.2.2"]])
def test_a_stranger_is_not_believed(trusted):
    """Who is no proxy of ours may say what it likes."""
    said = seen(whole, *HOSTED, "Forwarded: for=203.0.113.9;proto=https", trustedProxies=trusted)
    assert said == (PROXY, 49152, False, "http://weblayer.test/")


@pytest.mark.parametrize("trusted", ["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0"])
def test_a_proxy_of_ours_is_believed(trusted):
    """It tells who the client is, and how it came."""
    said = seen(whole, *SAID, trustedProxies=["unix", trusted])
    assert said == ("203.0.113.9", 0, True, "https://weblayer.test/")


def test_it_is_believed_in_the_fields_that_it_writes():
    """The name of our host and a prefix are what it passes on, unless we know that it does not."""
    said = seen(whole, *HOSTED, trustedProxies=[PROXY])
    assert said == ("203.0.113.9", 0, True, "https://weblayer.test/")
    said = seen(whole, *HOSTED, trustedProxies=[PROXY], proxyFields=ALL)
    assert said == ("203.0.113.9", 0, True, "https://shop.test/app/")
    said = seen(whole, *HOSTED, trustedProxies=[PROXY], proxyFields=["Forwarded"])
    assert said == (PROXY, 49152, False, "http://weblayer.test/")


def test_the_standard_field_tells_the_same():
    """Forwarded of RFC 7239 is read where it is named."""
    field = 'Forwarded: for="[2001:db8::7]:4711";proto=https;host=shop.test'
    said = seen(whole, field, *HOSTED, trustedProxies=[PROXY], proxyFields=["forwarded"])
    assert said == ("2001:db8::7", 4711, True, "https://shop.test/")


def test_what_a_client_made_up_is_not_read():
    """The addresses count from the right, over our own proxies, up to the first that is not."""
    fields = ["X-Forwarded-For: 10.9.9.9, 203.0.113.9, 10.1.1.1", "X-Forwarded-For: 10.1.1.2"]
    client = seen(whole, *fields, trustedProxies=[PROXY, "10.0.0.0/8"])[0]
    assert client == "203.0.113.9"


@pytest.mark.parametrize(
    ("word", "address"),
    [
        ("203.0.113.9:81", IPv4Address("TCP", "203.0.113.9", 81)),
        ("2001:DB8::7", IPv6Address("TCP", "2001:db8::7", 0)),
        ("_hidden", HostnameAddress("_hidden", 0)),
        ("unix", HostnameAddress("unknown", 0)),
        ("<script>", HostnameAddress("unknown", 0)),
    ],
)
def test_a_client_is_an_address_or_a_name_for_none(word, address):
    """What a proxy does not tell is not the proxy, which may have rights that it has not."""
    look = seen(lambda r: r.getClientAddress(), f"X-Forwarded-For: {word}", trustedProxies=[PROXY])
    assert look == address


@pytest.mark.parametrize(("trusted", "host"), [("unix", "203.0.113.9"), ("127.0.0.1", None)])
def test_a_unix_socket_is_trusted_by_that_word(trusted, host):
    """Its peer has no address that a network could hold."""
    found = []
    page = Page(lambda request: found.append(request.getClientAddress()) or b"")
    site = Site(page, reactor=Clock(), trustedProxies=[trusted])
    MemoryPeer(site, peer="", host="/run/web.sock").send(raw("GET / HTTP/1.1", SAID[0]))
    assert found == [IPv4Address("TCP", host, 0) if host else UNIXAddress(None)]


def test_nothing_said_is_the_connection():
    """A proxy of ours that says nothing is the client itself: a health check, for instance."""
    assert seen(whole, trustedProxies=[PROXY]) == (PROXY, 49152, False, "http://weblayer.test/")


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"trustedProxies": "10.0.0.0/8"}, TypeError, "must be a list"),
        ({"trustedProxies": ["10.0.0.1/8"]}, ValueError, "host bits"),
        ({"trustedProxies": ["proxy.test"]}, ValueError, "proxy.test"),
        ({"trustedProxies": ["unix"], "proxyFields": ["X-Real-IP"]}, ValueError, "x-real-ip"),
        (
            {"trustedProxies": ["unix"], "proxyFields": ["Forwarded", *ALL]},
            ValueError,
            "not both",
        ),
    ],
)
def test_a_mistaken_setting_is_told_at_once(settings, error, match):
    """Who is trusted by mistake would be noticed too late."""
    with pytest.raises(error, match=match):
        Site(Resource(), **settings)


@given(
    st.lists(st.tuples(st.sampled_from(ALL), st.text('0123456789af.:,;"[]_-\\=/@<>% \x9b\xe9x')))
)
def test_whatever_a_proxy_says_makes_an_address(fields):
    """No word of a proxy's is an error of ours, or a URL of two lines."""
    lines = [f"{name}: {value}" for name, value in fields]
    client, _, _, root = seen(whole, *lines, trustedProxies=[PROXY], proxyFields=ALL)
    assert client
    assert root.isascii()
    assert urlsplit(root).scheme in ("http", "https")
    assert not {" ", '"', "<", ">"} & set(root)


# The name of a request

SECRET = "0af7651916cd43dd8448eb211c80319c"


def test_a_request_has_a_name_of_its_own():
    """Asked twice it is the same, and no other request has it."""
    names = {seen(lambda r: (r.id, r.id)) for _ in range(100)}
    assert all(first == second and len(first) == 20 for first, second in names)
    assert len(names) == 100


@pytest.mark.parametrize(
    ("word", "trusted", "is_taken"),
    [
        (SECRET, [PROXY], True),
        ("f:1/2-3.4_5~6+7=@", [PROXY], True),
        (SECRET, ["10.0.0.1"], False),
        (SECRET, [], False),
        ("", [PROXY], False),
        ("two words", [PROXY], False),
        ('"', [PROXY], False),
        ("x" * 129, [PROXY], False),
        ("caf\xe9", [PROXY], False),
    ],
)
def test_a_proxy_of_ours_may_name_it(word, trusted, is_taken):
    """X-Request-ID is taken from trusted peers, when it is fit for a log."""
    name = seen(lambda r: r.id, f"X-Request-ID: {word}", trustedProxies=trusted)
    assert (name == word) is is_taken
    assert is_taken or len(name) == 20


# URLs and links


def test_an_absolute_url_is_the_clients():
    """Each segment is encoded by itself; an empty one at the end is a slash."""
    urls = seen(lambda r: (r.rootURL(), r.rootURL("a/b", "c d", "é?", "")), target="/x?q=1")
    assert urls == ("http://weblayer.test/", "http://weblayer.test/a%2Fb/c%20d/%C3%A9%3F/")


def test_a_client_that_names_no_host_gets_our_address():
    """HTTP/1.0 may leave Host out."""
    found = []
    page = Page(lambda request: found.append(request.rootURL("a")) or b"")
    for host in [("192.0.2.2", 80), ("2001:db8::2", 81, 0, 0), "/run/web.sock"]:
        peer = MemoryPeer(Site(page, reactor=Clock()), host=host)
        peer.send(b"GET / HTTP/1.0\r\n\r\n")
    assert found == ["http://192.0.2.2:80/a", "http://[2001:db8::2]:81/a", "http://localhost/a"]


class Walked(Resource):
    """Tells *look* of a request at every depth, and answers for all below *depth* segments."""

    def __init__(self, look, depth):
        self.look, self.isLeaf = look, depth == 0
        self.depth = depth

    def getChild(self, name, request):
        return Walked(self.look, self.depth - 1)

    def render(self, request):
        return self.look(request)


NAMES = st.text(max_size=5).filter(lambda name: name not in ("", ".", ".."))


@pytest.mark.parametrize(
    ("depth", "url"), [(0, "/"), (1, "/a%2Fb"), (2, "/a%2Fb/c"), (3, "/a%2Fb/c/")]
)
def test_the_url_of_a_resource_is_that_of_the_walk(depth, url):
    """What a leaf has left of the path is not its address."""
    look = seen(lambda r: r.prePathURL(), target="/a%2fb/c/?q", page=lambda s: Walked(s, depth))
    assert look == f"http://weblayer.test{url}"


def followed(request, link):
    """The segments that a browser asks for when it follows *link* on the page of *request*."""
    return path_segments(urlsplit(urljoin(f"http://h{request.uri}", link)).path.encode())


@given(path=st.lists(NAMES, min_size=1, max_size=4), slash=st.booleans(), depth=st.integers(1, 5),
       name=NAMES | st.just(""))  # fmt: skip
@example(path=["a"], slash=False, depth=1, name="b:c")
@example(path=["a:b"], slash=False, depth=1, name="c")
@example(path=["a"], slash=False, depth=1, name="//evil.test")
@example(path=["a"], slash=True, depth=2, name="")
def test_a_link_leads_to_what_it_names(path, slash, depth, name):
    """Wherever the walk stands, a child's link finds the child, and a path's link the path."""

    def look(request):
        here = request.prepath[:-1] if request.prepath[-1] == "" else request.prepath
        child = followed(request, request.childLink(name)), [*here, name]
        # Of what a trailing slash finds, the siblings are the children of the folder.
        sibling = followed(request, request.siblingLink(name)), [*request.prepath[:-1], name]
        return child, sibling, (followed(request, request.rootLink(*path, name)), [*path, name])

    segments = [percent_encode(segment.encode()).decode() for segment in path]
    target = "/" + "/".join([*segments, ""] if slash else segments)
    for link, wanted in seen(look, target=target, page=lambda see: Walked(see, depth)):
        assert link == wanted


def test_links_need_no_name_of_ours():
    """They are relative: right behind every proxy, whatever it has taken off the path."""
    assert [seen(lambda r: r.rootLink(), target=t) for t in ("/", "/a", "/a/", "/a/b/")] == [
        "./", "./", "../", "../../",
    ]  # fmt: skip
    links = seen(
        lambda r: (r.childLink("x"), r.siblingLink("x"), r.sibLink("x"), r.siblingLink("")),
        target="/a/b/c",
        page=lambda see: Walked(see, 2),
    )
    assert links == ("x", "../x", "../x", "../")
    assert seen(lambda r: r.siblingLink(""), target="/a", page=lambda see: Walked(see, 1)) == "./"
