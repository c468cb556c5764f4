"""Logging in with a real browser: the scheme that it chooses, and who it says it is."""

import pytest

from tests.web.browsers import DONE, Done, needs_chromium, outcome
from tests.web.logins import Home, Realm, guarded
from tests.web.trees import Page, tree
from weblayer.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from weblayer.web.guard import BasicCredentialFactory, DigestCredentialFactory
from weblayer.web.site import Site

pytestmark = [needs_chromium, pytest.mark.weblayer(loop="asyncio")]

# A page that asks for /in as this and that user, one after the other.
PAGE = f"""<!DOCTYPE html><title>a</title><body><script>
{DONE}
const said = [];
function ask(users) {{
    if (!users.length) return done(said);
    const asked = new XMLHttpRequest();
    asked.open("GET", "/in/" + said.length, true, ...users[0]);
    asked.onloadend = () => {{
        said.push([asked.status, asked.status == 200 ? JSON.parse(asked.responseText).id : null]);
        ask(users.slice(1));
    }};
    asked.send();
}}
addEventListener("load", () => ask([["ada", "wrong"], ["ada", "lövelace"], []]));
</script>
"""


@pytest.mark.parametrize(
    ("factories", "scheme"),
    [
        ([BasicCredentialFactory("home")], "Basic"),
        ([DigestCredentialFactory(["SHA-256", "MD5"], "home", userhash=True)], "SHA-256"),
        ([DigestCredentialFactory("MD5", "home"), BasicCredentialFactory("home")], "MD5"),
    ],
)
async def test_a_browser_logs_in(reactor, factories, scheme):
    """With the password and not with another; then it says by itself who it is."""
    heard = []

    class Heard(Home):
        def render(self, request):
            heard.append(request.getHeader("authorization"))
            return super().render(request)

    users = InMemoryUsernamePasswordDatabaseDontUse(ada="lövelace")
    guard = guarded(users, realm=Realm(Heard), factories=factories, failureDelay=0.01)
    done = Done()
    root = tree(page=Page(lambda request: PAGE), done=done, **{"in": guard})
    port = reactor.listenTCP(0, Site(root), interface="127.0.0.1")
    said = await outcome(f"http://127.0.0.1:{port.getHost().port}/page", done)
    await port.stopListening()
    assert said == [[401, None], [200, "ada"], [200, "ada"]]
    assert all(scheme in each for each in heard)
