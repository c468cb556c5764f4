"""Saying who asks: at once or when asked, and to one origin alone."""

import pytest

from tests.client.test_uploads import steps
from tests.client.world import HELLO, World, answering
from weblayer.client.auth import AuthAgent, BasicAuth, BearerAuth, DigestAuth, NetrcAuth
from weblayer.client.bodies import PiecesProducer
from weblayer.client.redirect import BrowserLikeRedirectAgent
from weblayer.wire.challenge import parse_challenges
from weblayer.wire.headers import Headers

BASIC = b"Authorization: Basic bWU6c8O8\r\n"
CHALLENGE = "WWW-Authenticate: Basic realm=a, Digest realm=b, nonce=n, algorithm=SHA-256"


def saying(auth):
    world = World()
    world.agent = AuthAgent(BrowserLikeRedirectAgent(world.agent), auth)
    return world


def digest_of(asked):
    """The parameters of the proof in a request."""
    line = next(one for one in asked.split(b"\r\n") if one.startswith(b"Authorization: "))
    ((scheme, parameters),) = parse_challenges(line.partition(b" ")[2])
    assert scheme == b"digest"
    return parameters


@pytest.mark.parametrize("auth", [("me", "sü"), BasicAuth("me", "sü")])
def test_a_password_is_said_at_once(auth):
    """In UTF-8; 401 is an answer then."""
    world = saying(auth)
    outcome = world.ask()
    assert BASIC in world.serve(answering(401, CHALLENGE))
    assert outcome.response.code == 401


def test_a_token_is_said_at_once():
    """As RFC 6750 has it."""
    world = saying(BearerAuth("abc"))
    world.ask()
    assert b"Authorization: Bearer abc\r\n" in world.serve(HELLO)


def test_a_name_with_a_colon_cannot_be_said():
    """It would be read as a shorter name."""
    with pytest.raises(ValueError, match="username"):
        BasicAuth("a:b", "c")


def test_what_the_caller_says_is_left_alone():
    """A field of the caller's own, and the caller's fields."""
    world = saying(("me", "s"))
    headers = Headers({"Authorization": ["Mine"]})
    world.ask(headers=headers)
    assert b"Authorization: Mine\r\n" in world.serve(HELLO)
    headers = Headers()
    world.ask(headers=headers)
    world.serve(HELLO)
    assert headers == Headers()


def test_a_challenge_is_answered():
    """The second request is the first with a proof; the response tells of the challenge."""
    world = saying(DigestAuth("me", "s"))
    outcome = world.ask("http://a/b?c", "PUT", body=b"body")
    assert b"Authorization" not in world.serve(answering(401, CHALLENGE, body=b"no"))
    asked = world.serve(HELLO)
    assert asked.startswith(b"PUT /b?c HTTP/1.1\r\n")
    assert asked.endswith(b"body")
    assert digest_of(asked)[b"uri"] == b"/b?c"
    assert outcome.response.code == 200
    assert outcome.response.previousResponse.code == 401
    assert len(world.servers) == 1


def test_a_wrong_password_is_said_once():
    """The second 401 is the answer."""
    world = saying(DigestAuth("me", "s"))
    outcome = world.ask()
    world.serve(answering(401, CHALLENGE))
    world.serve(answering(401, CHALLENGE))
    assert outcome.response.code == 401


def test_a_challenge_with_an_endless_body_holds_no_connection():
    """It is not read on, though the response that follows leads back to it."""
    world = saying(DigestAuth("me", "s"))
    outcome = world.ask()
    world.serve(f"HTTP/1.1 401 A\r\n{CHALLENGE}\r\nContent-Length: 99999999\r\n\r\n".encode())
    world.pump()
    world.serve(HELLO)
    assert outcome.response.previousResponse.code == 401
    assert [one.isClosed for one in world.servers] == [True, False]


@pytest.mark.parametrize("field", ["A: b", "WWW-Authenticate: Basic realm=a"])
def test_a_challenge_that_we_cannot_answer_is_an_answer(field):
    """A proof is asked for where there is none to give."""
    world = saying(DigestAuth("me", "s"))
    outcome = world.ask()
    world.serve(answering(401, field))
    assert outcome.response.code == 401


def test_a_body_that_is_gone_is_not_sent_again():
    """The challenge is the answer."""
    world = saying(DigestAuth("me", "s"))
    outcome = world.ask(method="PUT", body=PiecesProducer(iter([b"a"]), 1, steps(world.reactor)))
    world.serve(answering(401, CHALLENGE))
    assert outcome.response.code == 401


@pytest.mark.parametrize("auth", [("me", "sü"), DigestAuth("me", "s")])
def test_another_origin_learns_nothing(auth):
    """Though the one that we know sends us there, and it asks who we are."""
    world = saying(auth)
    outcome = world.ask("http://a/")
    world.serve(answering(302, "Location: http://b/"))
    assert b"Authorization" not in world.serve(answering(401, CHALLENGE))
    assert outcome.response.code == 401


def test_a_challenge_behind_a_redirect_is_answered_there():
    """With the method and the place that it came from."""
    world = saying(DigestAuth("me", "s"))
    world.ask("http://a/", "POST", body=b"form")
    world.serve(answering(303, "Location: /in"))
    world.serve(answering(401, CHALLENGE))
    asked = world.serve(HELLO)
    assert asked.startswith(b"GET /in HTTP/1.1\r\n")
    assert digest_of(asked)[b"uri"] == b"/in"
    assert not asked.endswith(b"form")


def test_a_netrc_file_knows_hosts(tmp_path):
    """Each its own name; hosts that it has not are told nothing."""
    file = tmp_path / "netrc"
    file.write_text("machine a login me password s\u00fc\n")
    world = saying(NetrcAuth(file))
    world.ask("http://a/")
    assert BASIC in world.serve(HELLO)
    world.ask("http://b/")
    assert b"Authorization" not in world.serve(HELLO)
