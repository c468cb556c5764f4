"""The wrappers for policies together: in whatever order, before whatever page."""

import asyncio
import shutil
from itertools import permutations

import pytest

from tests.certificates import Authority, needs_openssl
from tests.web.trees import Page, raw
from tests.web.visitors import PROXY, SAID, visit
from weblayer.loop.endpoints import serverFromString
from weblayer.loop.timers import Clock
from weblayer.web.addresses import AllowedAddresses
from weblayer.web.cors import CORS
from weblayer.web.https import HTTPSOnly
from weblayer.web.policy import Policy
from weblayer.web.rate import Rate, RateLimit
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.securityheaders import SecurityHeaders
from weblayer.web.site import Site
from weblayer.web.testing import Conversation
from weblayer.web.vhost import AllowedHosts

OURS = "https://app.test"
WRAPPERS = [
    lambda node: AllowedHosts(node, ["shop.test"]),
    HTTPSOnly,
    SecurityHeaders,
    lambda node: CORS(node, [OURS]),
    lambda node: RateLimit(node, Rate(2)),
    lambda node: AllowedAddresses(node, ["203.0.113.0/24"]),
]
EACH = range(len(WRAPPERS))
ORDERS = list(permutations(EACH))[::41]


def wrapped(node, order=EACH):
    """*node* behind all of them, the first outermost."""
    for number in reversed(order):
        node = WRAPPERS[number](node)
    return Site(node, reactor=Clock(), trustedProxies=[PROXY], proxyFields=SAID)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_each_holds_in_whatever_order(order):
    """A visitor that may come in does, and what each has to say is said; the third time is late."""
    site = wrapped(Page(lambda request: "seen"), order)
    for _ in range(2):
        answer = visit(site, secure=True, host="shop.test", origin=OURS)
        assert (answer.code, answer.text()) == (200, "seen")
        assert answer.getHeader("access-control-allow-origin") == OURS
        assert answer.getHeader("strict-transport-security") == "max-age=31536000"
    assert visit(site, secure=True, host="shop.test").code == 429


@pytest.mark.parametrize(
    ("visitor", "code"),
    [
        ({"host": "evil.test", "secure": True}, 421),
        ({"host": "shop.test"}, 308),
        ({"host": "shop.test", "secure": True, "address": "198.51.100.1"}, 403),
    ],
)
@pytest.mark.parametrize("order", ORDERS[:6], ids=str)
def test_each_keeps_out_whom_it_is_to(order, visitor, code):
    """Whatever stands around it."""
    assert visit(wrapped(Page(lambda request: "seen"), order), **visitor).code == code


FIELDS = [
    "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.test",
]  # fmt: skip


def test_a_stream_goes_out_as_it_comes():
    """Nothing waits for the end of it."""
    requests = []

    def stream(request):
        requests.append(request)
        request.write(b"one")
        return NOT_DONE_YET

    conversation = Conversation(wrapped(Page(stream)))
    conversation.send(raw("GET / HTTP/1.1", *FIELDS), "GET")
    assert conversation.body == b"one"
    requests[0].write(b"two")
    assert (conversation.body, conversation.isWhole) == (b"onetwo", False)
    requests[0].finish()
    assert conversation.isWhole


def test_an_upload_comes_in_as_it_is_sent():
    """And as much of it as the policy of the page allows."""
    pieces = []

    async def upload(request):
        async for piece in request.stream():
            pieces.append(piece)
        return b"done"

    page = Page(upload, Policy(takesBody="stream", maxBody=10**7))
    conversation = Conversation(wrapped(page))
    head = raw("PUT / HTTP/1.1", *FIELDS, "Content-Length: 6", "Expect: 100-continue")
    conversation.send(head, "PUT")
    assert conversation.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    conversation.send(b"one")
    assert pieces == [b"one"]
    conversation.send(b"two")
    assert conversation.received.endswith(b"done")


# With TLS, and a program that is not ours.


@needs_openssl
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.weblayer(loop="asyncio")
async def test_a_client_follows_to_where_it_is_encrypted(reactor, tmp_path):
    """It is sent there with its POST, and told to come so at once from now on."""
    authority = Authority(tmp_path / "ca")
    pair = authority.sign("server")
    page = Page(lambda request: f"{request.method} {request.uri} {request.content.read()}")
    site = Site(page, reactor=reactor)
    tls = f"ssl:0:interface=127.0.0.1:privateKey={pair.key}:certKey={pair.certificate}"
    clear, secure = [
        await serverFromString(reactor, where).listen(site)
        for where in ("tcp:0:interface=127.0.0.1", tls)
    ]
    site.resource = AllowedHosts(
        SecurityHeaders(HTTPSOnly(page, secure.getHost().port)), ["localhost"]
    )
    url = f"http://localhost:{clear.getHost().port}/a?b=c"
    told = await curl("-D-", "-L", "-d", "sent", "--cacert", str(authority.certificate), url)
    first, _, second = told.partition("\r\n\r\n")
    assert "308 Permanent Redirect" in first
    assert "Strict-Transport-Security" not in first
    assert "Strict-Transport-Security: max-age=31536000" in second
    assert second.endswith("\r\n\r\nPOST /a?b=c b'sent'")
    refused = await curl("-D-", "-H", "Host: evil.test", url)
    assert refused.startswith("HTTP/1.1 421 Misdirected Request")
    await clear.stopListening()
    await secure.stopListening()


async def curl(*arguments):
    """What curl prints."""
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "--noproxy", "*", "--ipv4", "--max-time", "20", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return (await process.communicate())[0].decode()
