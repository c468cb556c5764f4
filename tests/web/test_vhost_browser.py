"""Hosts as a real browser asks for them, however a person has written them."""

import json

import pytest

from tests.web.browsers import DONE, Done, needs_chromium, outcome
from tests.web.trees import Page, tree
from weblayer.web.cors import CORS
from weblayer.web.site import Site
from weblayer.web.vhost import NameVirtualHost

pytestmark = [needs_chromium, pytest.mark.weblayer(loop="asyncio")]

HOSTS = ["shop.test", "*.members.test", "müller.test", "127.0.0.1"]
ASKED = {
    "shop.test": "shop.test",
    "SHOP.Test": "shop.test",
    "shop.test.": "shop.test",
    "ada.members.test": "*.members.test",
    "a.b.members.test": "*.members.test",
    "members.test": 421,
    "müller.test": "müller.test",
    "MÜLLER.test": "müller.test",
    "xn--mller-kva.test": "müller.test",
    "127.1": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "localhost": 421,
    "shop.test.evil.test": 421,
}
PAGE = """<!DOCTYPE html><meta charset=utf-8><body><script>%s
async function ask(host) {
    const answer = await fetch(`http://${host}:${location.port}/`);
    return [host, answer.ok ? await answer.text() : answer.status];
}
Promise.all(%s.map(ask)).then(found => done(Object.fromEntries(found)));
</script>"""


async def test_a_browser_finds_its_host(reactor):
    """Each spelling of a name leads to the one tree, in Chromium."""
    sites = NameVirtualHost()
    for host in HOSTS:
        sites.addHost(host, Page(lambda request, host=host: host))
    done, page = Done(), Page(lambda request: PAGE % (DONE, json.dumps([*ASKED])))
    sites.addHost("start.test", tree(page=page, done=done))
    # The root may be read by the script of another host, whatever it answers.
    site = Site(CORS(sites, "*"), reactor=reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    url = f"http://start.test:{port.getHost().port}/page"
    found = await outcome(url, done, "--host-resolver-rules=MAP * 127.0.0.1")
    assert found == ASKED
    await port.stopListening()
