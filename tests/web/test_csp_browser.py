"""The Content-Security-Policy as a real browser takes it."""

import pytest

from tests.web.browsers import DONE, Done, needs_chromium, outcome
from tests.web.trees import Page, tree
from weblayer.web.securityheaders import SecurityHeaders
from weblayer.web.site import Site

pytestmark = [needs_chromium, pytest.mark.weblayer(loop="asyncio")]

# What a stranger may have slipped in, beside what the page itself says.
PAGE = f"""<!DOCTYPE html><title>a</title><body>
<script nonce="NONCE">
{DONE}
const refused = [];
addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
</script>
<script>window.slipped = "a script"</script>
<script nonce="guessed">window.slipped = "a script with a nonce"</script>
<img src="missing.png" onerror="window.slipped = 'a handler'">
<style>body {{ margin-top: 7px }}</style>
<script src="own.js"></script>
<script nonce="NONCE">
addEventListener("load", () => done([
    window.slipped || null, window.own || null, getComputedStyle(document.body).marginTop, refused,
]));
</script>
"""

# A page in a frame tells that its script runs; loaded again it comes from the browser's memory.
FRAME = '<!DOCTYPE html><script nonce="NONCE">parent.postMessage("NONCE", "*")</script>'
AROUND = f"""<!DOCTYPE html><body><script nonce="NONCE">
{DONE}
const frame = document.createElement("iframe"), seen = [];
addEventListener("message", event => {{
    seen.push(event.data);
    if (seen.length == 2) done(seen); else frame.contentWindow.location.reload();
}});
frame.src = "frame";
document.body.append(frame);
</script>
"""


async def shown(reactor, name, **pages):
    """What the script of the page *name* comes to, of a site that has these."""
    done = Done()
    site = Site(SecurityHeaders(tree(done=done, **pages)), reactor=reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    found = await outcome(f"http://127.0.0.1:{port.getHost().port}/{name}", done)
    await port.stopListening()
    return found


def page(text):
    return Page(lambda request: text.replace("NONCE", request.cspNonce))


async def test_nothing_runs_that_was_slipped_in(reactor):
    """Of a page's scripts those that have its nonce, and those of the site."""

    def own(request):
        request.setHeader("Content-Type", "text/javascript")
        return b"window.own = 'runs'"

    found = await shown(reactor, "page", page=page(PAGE), **{"own.js": Page(own)})
    refused = ["script-src-elem", "script-src-elem", "script-src-attr"]
    assert found == [None, "runs", "7px", refused]


async def test_a_copy_that_was_asked_about_still_runs(reactor):
    """Its nonce is that of the field which came with it, and not of the 304."""
    codes = []

    def frame(request):
        request.beforeAnswer(lambda request: codes.append(request.code))
        request.setETag("v1")
        return FRAME.replace("NONCE", request.cspNonce)

    first, again = await shown(reactor, "around", around=page(AROUND), frame=Page(frame))
    assert (first, codes) == (again, [200, 304])
