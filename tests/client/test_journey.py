"""A request that is asked more than once on its way has one time for all of it."""

import pytest

from tests.client.world import HELLO, Outcome, Reader, World, answering
from weblayer.client.auth import AuthAgent, DigestAuth
from weblayer.client.cache import CacheAgent
from weblayer.client.cookies import CookieAgent
from weblayer.client.decoding import ContentDecoderAgent
from weblayer.client.error import TotalTimeout
from weblayer.client.redirect import BrowserLikeRedirectAgent
from weblayer.client.retry import RetryAgent, Retrying
from weblayer.client.timeouts import Timeouts

AWAY = answering(302, "Location: /b")
BUSY = answering(503, "Retry-After: 1")
CHALLENGE = answering(401, 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"')


def wrapped(world):
    """All that asks again, one on another."""
    agent = RetryAgent(world.agent, world.reactor, Retrying(firstDelay=0.0))
    agent = CacheAgent(agent, wallClock=world.reactor.seconds)
    agent = BrowserLikeRedirectAgent(ContentDecoderAgent(CookieAgent(agent)))
    return AuthAgent(agent, DigestAuth("a", "b"))


def journey(*answers, between=3):
    """Ask with ten seconds for all, and answer with each of *answers* in turn."""
    world = World(Timeouts(total=10, firstByte=None))
    outcome = Outcome(wrapped(world).request("GET", "http://a.example/"))
    for raw in answers:
        world.serve(raw)
        world.advance(between)
    return world, outcome


@pytest.mark.parametrize("answer", [AWAY, BUSY], ids=["redirected", "tried again"])
def test_the_total_time_is_that_of_all_hops(answer):
    """And not of each anew."""
    world, outcome = journey(answer, answer, answer)
    assert outcome.is_open
    world.advance(2.5)
    assert isinstance(outcome.error, TotalTimeout)
    assert outcome.error.seconds == 10
    assert world.pool.getNumbers()[2] == 0


def test_a_challenge_and_its_answer_share_it():
    """With what led there."""
    world, outcome = journey(AWAY, BUSY, CHALLENGE)
    world.advance(2.5)
    assert isinstance(outcome.error, TotalTimeout)


def test_the_body_at_the_end_shares_it():
    """It is a part of the whole."""
    world, outcome = journey(AWAY, AWAY)
    world.serve(HELLO[:-2])
    reader = Reader()
    outcome.response.deliverBody(reader)
    world.advance(5.5)
    assert reader.end is TotalTimeout


def test_each_request_of_the_program_s_has_its_own():
    """One after another, on the same connection, and made in the midst of another's answer."""
    world, first = journey(AWAY)
    outcomes = []
    first.deferred.addCallback(
        lambda _: outcomes.append(Outcome(world.agent.request("GET", "http://a.example/c")))
    )
    world.advance(5)
    world.serve(HELLO)
    (second,) = outcomes
    world.advance(9)
    assert second.is_open
    world.serve(HELLO)
    assert second.read().data == b"hello"
