"""Login and forged forms as a real browser has them: its cookies, and what it says of a page."""

import json

import pytest

from tests.web.browsers import DONE, Done, needs_chromium, outcome
from tests.web.test_login import portal
from tests.web.trees import Page, tree
from weblayer.web.csrf import CSRFProtection
from weblayer.web.login import Login, Logout
from weblayer.web.loginrequired import LoginRequired
from weblayer.web.site import Site

pytestmark = [needs_chromium, pytest.mark.weblayer(loop="asyncio")]

PAGE = "<!DOCTYPE html><meta name=referrer content=%s><body><script>%s</script>"

# A person's way in and out, by a script of the same site.
VISIT = """
async function load(path, fields) {
    const options = fields && {method: "POST", body: new URLSearchParams(fields)};
    const answer = await fetch(path, options);
    const text = await answer.text();
    const page = new DOMParser().parseFromString(text, "text/html");
    const token = page.querySelector("[name=csrf]");
    return [answer.status, text, token && token.value];
}
async function all() {
    const found = [];
    found.push((await load("/account"))[0]);
    let [, , csrf] = await load("/login");
    found.push((await load("/login", {username: "ada", password: "wrong", csrf}))[0]);
    await load("/login?next=/account/x", {username: "ada", password: "lovelace", csrf});
    found.push((await load("/account/y"))[1]);
    found.push(document.cookie);
    [, , csrf] = await load("/logout");
    await load("/logout", {csrf});
    found.push((await load("/account"))[0]);
    return found;
}
all().then(done);
"""

# A form that a page sends, into a frame.
SEND = """
const frame = document.createElement("iframe");
const form = document.createElement("form");
frame.name = form.target = "frame";
form.method = "POST";
form.action = TO;
document.body.append(frame, form);
form.submit();
setTimeout(done, 2000, "sent");
"""
# In a frame without an origin of its own.
SANDBOX = """
const frame = document.createElement("iframe");
frame.sandbox = "allow-scripts allow-forms";
frame.srcdoc = "<body><form method=post action=" + TO + "></form><script>"
    + "document.forms[0].submit()<" + "/script>";
document.body.append(frame);
setTimeout(done, 2000, "sent");
"""


async def test_a_person_gets_in_and_out(reactor):
    """The browser keeps the cookie, and no script can read it."""
    root = tree(login=Login(portal()), logout=Logout(), account=LoginRequired(portal()))
    root.putChild("visit", Page(lambda request: PAGE % ("origin", DONE + VISIT)))
    root.putChild("done", done := Done())
    port = reactor.listenTCP(0, Site(root, reactor=reactor), interface="127.0.0.1")
    found = await outcome(f"http://127.0.0.1:{port.getHost().port}/visit", done)
    assert found == [401, 403, "ada's ['y']", "", 401]
    await port.stopListening()


@pytest.mark.parametrize("referrer", ["origin", "no-referrer"])
async def test_a_form_of_another_site_is_refused(reactor, referrer):
    """Of another host, of another port of the same one, and of a page without an origin."""
    told = {}

    class Watched(CSRFProtection):
        def enter(self, request):
            request.beforeAnswer(lambda request: told.update({request.path: request.code}))
            return super().enter(request)

    def page(script):
        return Page(lambda request: PAGE % (referrer, DONE + facts(request) + script))

    def facts(request):
        name = request.path.strip("/") + "-" + request.getRequestHostname()
        return f"const TO = {json.dumps(f'{base}/change/{name}')};"

    send = page(SEND)
    root = tree(change=Watched(Page(lambda request: b"changed")), form=send, sandbox=page(SANDBOX))
    ours = reactor.listenTCP(0, Site(root, reactor=reactor), interface="127.0.0.1")
    base = f"http://127.0.0.1:{ours.getHost().port}"
    theirs = tree(port=send, host=send)
    other = reactor.listenTCP(0, Site(theirs, reactor=reactor), interface="127.0.0.1")
    number = other.getHost().port
    for address in (
        f"{base}/form", f"http://127.0.0.1:{number}/port", f"http://localhost:{number}/host",
        f"{base}/sandbox",
    ):  # fmt: skip
        done = Done()
        for site in (root, theirs):
            site.putChild("done", done)
        await outcome(address, done)
    assert told == {
        "/change/form-127.0.0.1": 200,
        "/change/port-127.0.0.1": 403,
        "/change/host-localhost": 403,
        "/change/sandbox-127.0.0.1": 403,
    }
    await ours.stopListening()
    await other.stopListening()
