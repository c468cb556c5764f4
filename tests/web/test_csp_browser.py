"""The Content-Security-Policy as a real browser takes it."""

import pytest

from tests.web.browsers import DONE, needs_chromium, outcome
from tests.web.trees import Page, tree
from weblayer.web.securityheaders import SecurityHeaders
from weblayer.web.site import Site

pytestmark = [needs_chromium, pytest.mark.weblayer(loop="asyncio")]

# What a stranger may have slipped in, beside what the page itself says.
PAGE = f"""<!DOCTYPE html><title>a</title><body>
<script>window.slipped = "a script"</script>
<script nonce="guessed">window.slipped = "a script with a nonce"</script>
<img src="missing.png" onerror="window.slipped = 'a handler'">
<style>body {{ margin-top: 7px }}</style>
<script src="own.js"></script>
<script nonce="NONCE">
{DONE}
addEventListener("load", () => done([
    window.slipped || null, window.own || null, getComputedStyle(document.body).marginTop,
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


async def test_a_browser_takes_it_as_it_is_meant(reactor):
    """Nothing runs that was slipped in; and a copy that was asked about still runs."""
    codes = []

    def frame(request):
        request.beforeAnswer(lambda request: codes.append(request.code))
        request.setETag("v1")
        return FRAME.replace("NONCE", request.cspNonce)

    def own(request):
        request.setHeader("Content-Type", "text/javascript")
        return b"window.own = 'runs'"

    root = tree(
        page=Page(lambda request: PAGE.replace("NONCE", request.cspNonce)),
        around=Page(lambda request: AROUND.replace("NONCE", request.cspNonce)),
        frame=Page(frame),
        **{"own.js": Page(own)},
    )
    site = Site(SecurityHeaders(root), reactor=reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    url = f"http://127.0.0.1:{port.getHost().port}"
    found, complaints = await outcome(f"{url}/page")
    assert found == [None, "runs", "7px"]
    # of the three that were slipped in, and of nothing else: no field that it does not know
    assert len(complaints) == 3, complaints
    assert all("Content Security Policy" in line for line in complaints)
    first, again = (await outcome(f"{url}/around"))[0]
    assert (first, codes) == (again, [200, 304])
    await port.stopListening()
