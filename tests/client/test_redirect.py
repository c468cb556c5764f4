"""Following redirects: where to, how, and with what."""

import pytest

from tests.client.test_uploads import steps
from tests.client.world import HELLO, World, answering
from weblayer.client.bodies import PiecesProducer
from weblayer.client.error import (
    InfiniteRedirection,
    InvalidURI,
    PageRedirect,
    RedirectWithNoLocation,
)
from weblayer.client.redirect import BrowserLikeRedirectAgent, RedirectAgent
from weblayer.wire.headers import Headers


def following(kind=BrowserLikeRedirectAgent, *options, **keywords):
    world = World()
    world.agent = kind(world.agent, *options, **keywords)
    return world


def first_line(asked):
    return asked.partition(b"\r\n")[0].decode()


# RFC 9110, 15.4: what is asked at the place that a redirect leads to, None for nothing.
TABLE = {
    "GET": dict.fromkeys((301, 302, 303, 307, 308), "GET"),
    "HEAD": dict.fromkeys((301, 302, 303, 307, 308), "HEAD"),
    "POST": {301: "GET", 302: "GET", 303: "GET", 307: "POST", 308: "POST"},
    "PUT": {301: "PUT", 302: "PUT", 303: "GET", 307: "PUT", 308: "PUT"},
    "DELETE": {301: "DELETE", 302: "DELETE", 303: "GET", 307: "DELETE", 308: "DELETE"},
}
ALL = [(method, code, then) for method, row in TABLE.items() for code, then in row.items()]


@pytest.mark.parametrize(("method", "code", "then"), ALL)
def test_how_a_redirect_is_followed(method, code, then):
    """As browsers do: the method and the body are kept, or both change."""
    world = following()
    body = b"body" if method in ("POST", "PUT") else None
    headers = Headers({"Content-Type": ["text/plain"], "X-A": ["1"]})
    outcome = world.ask("http://a/b", method, headers, body)
    world.serve(answering(code, "Location: /c"))
    asked = world.serve(HELLO if method != "HEAD" else answering(200))
    assert first_line(asked) == f"{then} /c HTTP/1.1"
    assert asked.endswith(b"body") == (body is not None and then == method)
    assert (b"Content-Type" in asked) == (then == method)
    assert b"X-A: 1" in asked
    assert outcome.response.code == 200
    assert outcome.response.previousResponse.code == code


@pytest.mark.parametrize(("method", "code", "then"), ALL)
def test_the_careful_one_asks_nobody_again_for_a_change(method, code, then):
    """RedirectAgent follows GET and HEAD, and 303."""
    world = following(RedirectAgent)
    outcome = world.ask("http://a/b", method)
    world.serve(answering(code, "Location: /c"))
    if method in ("GET", "HEAD") or code == 303:
        assert first_line(world.serve(answering(200))) == f"{then} /c HTTP/1.1"
        assert outcome.response.code == 200
    else:
        assert type(outcome.error) is PageRedirect
        assert outcome.error.response.code == code


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("x", "/deep/x"),
        ("../x?y", "/x?y"),
        ("//a/z", "/z"),
        ("http://a", "/"),
        ("/a b", "/a%20b"),
        ("/\xc3\xbc", "/%C3%BC"),
    ],
)
def test_a_location_is_read_where_it_was_found(location, there):
    """Against the URI of the redirect, not of the first request; UTF-8 is encoded."""
    world = following()
    world.ask("http://a/first")
    world.serve(answering(302, "Location: /deep/second"))
    world.serve(
        b"HTTP/1.1 302 A\r\nContent-Length: 0\r\nLocation: %b\r\n\r\n" % location.encode("latin-1")
    )
    assert first_line(world.serve(HELLO)) == f"GET {there} HTTP/1.1"


def test_a_fragment_is_kept():
    """One that the Location has not; the response says where it is from."""
    world = following()
    outcome = world.ask("http://a/b#part")
    world.serve(answering(302, "Location: /c"))
    world.serve(HELLO)
    assert outcome.response.request.absoluteURI == "http://a/c#part"


SECRET = Headers({"Authorization": ["Basic x"], "Cookie": ["a=1"], "X-Key": ["k"], "Host": ["h"]})


@pytest.mark.parametrize("place", ["http://b/", "http://a:81/", "https://a/"])
def test_secrets_stay_with_their_origin(place):
    """Nothing that was meant for one server goes to another, nor back from there."""
    world = following(sensitiveHeaderNames=["x-key"])
    world.ask("http://a/", headers=SECRET)
    assert b"Basic x" in world.serve(answering(302, "Location: http://a/same"))
    assert b"Cookie: a=1" in world.serve(answering(302, f"Location: {place}"))
    if place.startswith("https"):
        return  # what is asked there is encrypted
    asked = world.serve(answering(302, "Location: http://a/"))
    for secret in (b"Basic", b"a=1", b"X-Key", b"Host: h"):
        assert secret not in asked
    assert b"Basic" not in world.serve(HELLO)
    assert SECRET.hasHeader("authorization")  # the caller's own are as they were


def test_no_redirect_costs_a_connection():
    """Their bodies are dropped: a chain of them is followed on one connection."""
    world = following()
    outcome = world.ask()
    for n in range(20):
        world.serve(answering(302, f"Location: /{n}", body=b"a" * 30_000))
    world.serve(HELLO)
    assert outcome.response.code == 200
    assert len(world.servers) == 1
    assert world.pool.getNumbers() == (1, 1, 0)


def test_an_endless_body_of_a_redirect_ends_with_its_connection():
    """It is not read on; the next request has another."""
    world = following()
    outcome = world.ask()
    world.serve(b"HTTP/1.1 302 A\r\nLocation: /b\r\nContent-Length: 99999999\r\n\r\n")
    world.pump()
    world.serve(HELLO)
    assert outcome.response.code == 200
    assert [one.isClosed for one in world.servers] == [True, False]


def test_a_circle_comes_to_an_end():
    """With InfiniteRedirection, after as many as are allowed."""
    world = following(BrowserLikeRedirectAgent, 2)
    outcome = world.ask()
    for _ in range(3):
        world.serve(answering(302, "Location: /"))
    assert type(outcome.error) is InfiniteRedirection
    assert outcome.error.response.previousResponse.previousResponse is not None


def test_a_redirect_to_nowhere():
    """RedirectWithNoLocation, or InvalidURI for one that cannot be asked for."""
    world = following()
    outcome = world.ask()
    world.serve(answering(302))
    assert type(outcome.error) is RedirectWithNoLocation
    outcome = world.ask()
    world.serve(answering(302, "Location: javascript:alert(1)"))
    assert isinstance(outcome.error, InvalidURI)


def test_a_body_that_is_gone_is_not_sent_again():
    """What a producer wrote: PageRedirect says so, and nothing is asked; a GET needs none."""
    for code, told in ((307, PageRedirect), (302, None)):
        world = following()
        outcome = world.ask(
            method="POST", body=PiecesProducer(iter([b"a"]), 1, steps(world.reactor))
        )
        world.serve(answering(code, "Location: /b"))
        if told is None:
            world.pump()
            assert first_line(world.serve(HELLO)) == "GET /b HTTP/1.1"
        else:
            assert type(outcome.error) is told


@pytest.mark.parametrize("code", [200, 300, 304, 404])
def test_other_answers_are_answers(code):
    """Whatever Location they have."""
    world = following()
    outcome = world.ask()
    world.serve(answering(code, "Location: /b"))
    assert outcome.response.code == code
    assert outcome.response.previousResponse is None


def test_cancelling_ends_what_is_under_way():
    """The request at the place that the redirect led to."""
    world = following()
    outcome = world.ask()
    world.serve(answering(302, "Location: /b"))
    assert world.pool.getNumbers() == (1, 0, 1)
    outcome.deferred.cancel()
    world.pump()
    assert world.pool.getNumbers() == (0, 0, 0)
