"""CORS as a real browser takes it: a page at one port, and what it asks of another."""

import json
from base64 import b64encode

import pytest

from tests.web.browsers import DONE, Done, needs_chromium, outcome
from tests.web.trees import Page, tree
from weblayer.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from weblayer.cred.portal import Portal
from weblayer.web.cors import CORS
from weblayer.web.guard import BasicCredentialFactory, CommonRealm, HTTPAuthSessionWrapper
from weblayer.web.site import Site

pytestmark = [needs_chromium, pytest.mark.weblayer(loop="asyncio")]

KNOWN = {"authorization": "Basic " + b64encode(b"ada:lovelace").decode()}

# Name, path, the options of fetch, and what comes of it: a code, or None where it is kept from us.
ASKED = [
    ("any page may read", "any", {}, 200),
    ("our page may read", "ours", {}, 200),
    ("a neighbour may not", "theirs", {}, None),
    ("nobody said who may", "bare", {}, None),
    ("an error may be read", "ours/missing", {}, 404),
    ("what asks for a password may be", "guarded", {}, 401),
    ("an error of any", "any/missing", {}, 404),
    # what a form could have sent is not asked for before
    ("a form", "ours", {"method": "POST", "body": "a=b"}, 200),
    # what it could not is
    ("another method", "ours", {"method": "PUT", "body": "a"}, 200),
    ("behind a password", "guarded", {"method": "PUT"}, 401),
    ("with the password", "guarded", {"method": "PUT", "headers": KNOWN}, 200),
    ("a method unlisted", "ours", {"method": "PURGE"}, None),
    ("a method listed", "wide", {"method": "PURGE"}, 200),
    ("a neighbour's method", "theirs", {"method": "PUT"}, None),
    ("JSON", "ours", {"method": "POST", "headers": {"content-type": "application/json"}}, 200),
    ("who it is", "ours", {"headers": {"authorization": "Bearer a"}}, 200),
    ("a field unlisted", "ours", {"headers": {"x-own": "1"}}, None),
    ("any field", "wide", {"headers": {"x-own": "1", "authorization": "Bearer a"}}, 200),
    ("any field of any page", "any", {"headers": {"x-own": "1"}}, None),
    # cookies
    ("cookies of any", "any", {"credentials": "include"}, None),
    ("cookies unsaid", "ours", {"credentials": "include"}, None),
    ("cookies", "wide", {"credentials": "include"}, 200),
    ("cookies and a method", "wide", {"credentials": "include", "method": "DELETE"}, 200),
    # a copy that is asked about again is still readable
    ("a copy", "cached", {}, 200),
    ("the copy again", "cached", {"cache": "no-cache"}, 200),
]

SCRIPT = """
async function ask(path, options) {
    try {
        const answer = await fetch(API + path, options);
        await answer.text();
        return [answer.status, answer.headers.get("x-told")];
    } catch (kept) { return [null, null]; }
}
async function all() {
    const found = {};
    for (const [name, path, options] of ASKED) found[name] = await ask(path, options);
    return found;
}
"""
PAGE = "<!DOCTYPE html><body><script>%s</script>"

# A page without an origin of its own asks, and tells the page around it.
SANDBOX = """
addEventListener("message", event => done(event.data));
const frame = document.createElement("iframe");
frame.sandbox = "allow-scripts";
frame.srcdoc = "<script>" + INNER + "<" + "/script>";
document.body.append(frame);
"""


def guarded(page):
    """For one user only, who is asked for a password."""
    portal = Portal(CommonRealm(page), [InMemoryUsernamePasswordDatabaseDontUse(ada="lovelace")])
    return HTTPAuthSessionWrapper(portal, [BasicCredentialFactory("a")])


def api(origin, seen):
    """What is asked, by pages of *origin*."""

    def answer(request):
        seen.append((request.method, request.path))
        request.setHeader("X-Told", "yes")
        return b"read me"

    def cached(request):
        request.setETag("v1")
        return b"read me"

    page = Page(answer)
    page.isLeaf = False
    return tree(
        any=CORS(page, "*"),
        ours=CORS(page, [origin]),
        theirs=CORS(page, ["https://a.test", origin.replace("http", "https")]),
        bare=page,
        guarded=CORS(guarded(page), [origin]),
        wide=CORS(
            page, [origin], methods=["DELETE", "PURGE"], headers="*", exposed=["X-Told"],
            credentials=True,
        ),
        cached=CORS(Page(cached), [origin]),
        null=CORS(page, ["null"]),
    )  # fmt: skip


@pytest.fixture
def asked(reactor):
    """A function that has a page ask an API, by a script; and what the API has seen."""
    ports = []

    def listen(root):
        site = Site(root, reactor=reactor)
        ports.append(reactor.listenTCP(0, site, interface="127.0.0.1"))
        return f"http://127.0.0.1:{ports[-1].getHost().port}"

    async def asked(script):
        seen, front, done = [], tree(), Done()
        origin = listen(front)
        facts = f"const API = '{listen(api(origin, seen))}/', ASKED = {json.dumps(ASKED)};"
        front.putChild("page", Page(lambda request: PAGE % (DONE + script(facts + SCRIPT))))
        front.putChild("done", done)
        found = await outcome(f"{origin}/page", done)
        for port in ports:
            await port.stopListening()
        return found, seen

    return asked


async def test_a_browser_takes_it_as_it_is_meant(asked):
    """Each row of the table, asked by the script of a page in Chromium."""
    found, seen = await asked(lambda script: script + "all().then(done);")
    assert {name: code for name, (code, _) in found.items()} == {
        name: code for name, _, _, code in ASKED
    }
    # what a preflight refused was not sent
    assert [path for method, path in seen if method == "PURGE"] == ["/wide"]
    # a script reads of the fields what is exposed to it
    assert (found["our page may read"][1], found["a method listed"][1]) == (None, "yes")


async def test_a_page_without_an_origin_is_null(asked):
    """In a sandbox; it may read what is for it, or for all."""
    inner = """
    Promise.all([ask("null", {}), ask("ours", {}), ask("any", {})])
        .then(found => parent.postMessage(found.map(one => one[0]), "*"));
    """
    found, _ = await asked(lambda script: f"const INNER = {json.dumps(script + inner)};" + SANDBOX)
    assert found == [200, None, 200]
