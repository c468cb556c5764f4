"""Cookies that are kept and sent back."""

from http.cookiejar import MozillaCookieJar

from tests.client.world import HELLO, World, answering
from weblayer.client.cookies import CookieAgent
from weblayer.client.redirect import RedirectAgent
from weblayer.wire.headers import Headers


def keeping(jar=None):
    world = World()
    world.agent = CookieAgent(world.agent, jar)
    return world


def test_a_cookie_is_sent_to_where_it_came_from():
    """To its host and its path, and to no other."""
    world = keeping()
    world.ask("http://a.example/b/c")
    first = answering(200, "Set-Cookie: a=1", "Set-Cookie: d=2; Path=/", "Set-Cookie: e=3; Path=/x")
    assert b"Cookie" not in world.serve(first)
    for uri, sent in [
        ("http://a.example/b/d", b"Cookie: a=1; d=2\r\n"),
        ("http://a.example/", b"Cookie: d=2\r\n"),
    ]:
        world.ask(uri)
        assert sent in world.serve(HELLO)
    world.ask("http://b.example/b/c")
    assert b"Cookie" not in world.serve(HELLO)


def test_cookies_of_the_caller_go_first():
    """Those of the jar are behind them, and the caller's fields are left alone."""
    world = keeping()
    world.ask()
    world.serve(answering(200, "Set-Cookie: a=1"))
    headers = Headers({"Cookie": ["z=9"]})
    world.ask(headers=headers)
    assert b"Cookie: z=9; a=1\r\n" in world.serve(HELLO)
    assert headers == Headers({"Cookie": ["z=9"]})


def test_a_redirect_may_set_a_cookie():
    """A login does: the page it leads to sees it."""
    world = keeping()
    world.agent = RedirectAgent(world.agent)
    world.ask()
    world.serve(answering(302, "Location: /in", "Set-Cookie: who=me"))
    assert b"Cookie: who=me\r\n" in world.serve(HELLO)


def test_nobody_sets_cookies_for_all_of_a_country():
    """Nor for a host that is not theirs."""
    world = keeping()
    world.ask("http://a.co.uk/")
    world.serve(answering(200, "Set-Cookie: a=1; Domain=co.uk", "Set-Cookie: b=1; Domain=x.uk"))
    world.ask("http://b.co.uk/")
    assert b"Cookie" not in world.serve(HELLO)
    assert list(world.agent.cookieJar) == []


def test_a_jar_on_disk(tmp_path):
    """One of the standard library's: what is saved is sent by the next program."""
    file = tmp_path / "cookies.txt"
    world = keeping(MozillaCookieJar(file))
    world.ask()
    world.serve(answering(200, "Set-Cookie: a=1; Max-Age=1000"))
    world.agent.cookieJar.save()
    jar = MozillaCookieJar(file)
    jar.load()
    world = keeping(jar)
    world.ask()
    assert b"Cookie: a=1\r\n" in world.serve(HELLO)


def test_what_is_no_cookie_does_no_harm():
    """Bytes that nobody can make sense of."""
    world = keeping()
    for raw in ("", "=", ";;;", "\xff=\xff; Expires=never; Max-Age=x", "a" * 9000):
        outcome = world.ask()
        world.serve(
            b"HTTP/1.1 200 A\r\nContent-Length: 0\r\nSet-Cookie: %b\r\n\r\n" % raw.encode("latin-1")
        )
        assert outcome.response.code == 200
