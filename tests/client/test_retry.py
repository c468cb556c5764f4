"""Asking again: what, when, and when not."""

import pytest

from tests.client.test_uploads import steps
from tests.client.world import HELLO, Outcome, World, answering
from weblayer.client.bodies import PiecesProducer
from weblayer.client.error import (
    FirstByteTimeout,
    ProxyError,
    ResponseFailed,
    ResponseNeverReceived,
    TotalTimeout,
)
from weblayer.client.retry import RetryAgent, Retrying
from weblayer.loop.deferred import fail
from weblayer.loop.error import ConnectionRefusedError, WrongHost  # noqa: A004  the field's name

NOON = 784111777  # 1994-11-06 08:49:37


def retrying(**how):
    world = World()
    world.agent = RetryAgent(
        world.agent, world.reactor, Retrying(**how), chance=lambda: 1.0, wallClock=lambda: NOON
    )
    return world


def waits(world):
    """Whether nobody is asked at the moment."""
    return not world.attempts and not any(one.received for one in world.servers)


def test_a_connection_that_is_refused_is_tried_again():
    """Each wait is twice the one before; then the error is told."""
    world = retrying(times=2)
    outcome = world.ask()
    for wait in (0.5, 1.0):
        world.attempts[0].refuse()
        world.reactor.advance(wait - 0.01)
        assert waits(world)
        world.reactor.advance(0.02)
    world.attempts[0].refuse()
    assert type(outcome.error) is ConnectionRefusedError


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ProxyError("a", 407), False),
        (ProxyError("a", 502), True),
        (ProxyError("a"), True),
        (WrongHost("a"), False),
        (TotalTimeout(1), False),
        (FirstByteTimeout(1), True),
        (ResponseFailed([]), False),
    ],
)
def test_which_errors_may_pass(error, again):
    """What a connection, or the next answer, may be spared; not what was decided."""
    asked = []

    class Failing:
        def request(self, *_):
            asked.append(1)
            return fail(error)

    world = World()
    agent = RetryAgent(Failing(), world.reactor)
    outcome = Outcome(agent.request("GET", "http://a/"))
    world.reactor.advance(60)
    world.reactor.advance(60)
    world.reactor.advance(60)
    assert outcome.error is error
    assert (len(asked) > 1) == again


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("after", ["7", "Sun, 06 Nov 1994 08:49:44 GMT"])
def test_a_server_says_when_to_come_again(code, after):
    """In seconds, or by a date; it is not asked before."""
    world = retrying()
    outcome = world.ask()
    world.serve(answering(code, f"Retry-After: {after}", body=b"busy"))
    world.reactor.advance(6.9)
    assert waits(world)
    world.reactor.advance(0.2)
    world.serve(HELLO)
    assert outcome.response.code == 200
    assert len(world.servers) == 1  # the body was dropped, and its connection used again


def test_an_endless_body_holds_no_connection(caplog):
    """It is not read on while we wait, and nobody is told that it was dropped."""
    world = retrying()
    world.ask()
    world.serve(b"HTTP/1.1 503 A\r\nContent-Length: 99999999\r\n\r\n")
    world.pump()
    assert world.pool.getNumbers() == (0, 0, 0)
    world.reactor.advance(1)
    world.serve(HELLO)
    assert caplog.records == []


def test_who_is_asked_to_wait_for_long_is_told():
    """A day is not waited for."""
    world = retrying()
    outcome = world.ask()
    world.serve(answering(503, "Retry-After: 86400"))
    assert outcome.response.code == 503


@pytest.mark.parametrize("code", [200, 404, 500, 502])
def test_other_answers_are_answers(code):
    """What they say they say again."""
    world = retrying()
    outcome = world.ask()
    world.serve(answering(code))
    assert outcome.response.code == code


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_not_be_done_twice_is_not(method):
    """Nobody knows what became of the first."""
    world = retrying()
    outcome = world.ask(method=method, body=b"a")
    world.accept().close()
    assert type(outcome.error) is ResponseNeverReceived


def test_a_body_that_is_gone_is_not_sent_again():
    """Though the method would allow it."""
    world = retrying()
    outcome = world.ask(method="PUT", body=PiecesProducer(iter([b"a"]), 1, steps(world.reactor)))
    world.serve(answering(503))
    assert outcome.response.code == 503


def test_a_body_that_is_here_is_sent_again():
    """Whole."""
    world = retrying()
    world.ask(method="PUT", body="abc")
    assert world.serve(answering(503)).endswith(b"abc")
    world.reactor.advance(1)
    assert world.serve(HELLO).endswith(b"abc")


def test_the_budget_bounds_what_all_of_them_may():
    """When everything fails, most are asked once; what succeeds fills it up."""
    world = retrying(times=1, budget=2, perSuccess=0.5)
    asked = 0
    for _ in range(10):
        world.ask()
        while not waits(world):
            world.serve(answering(503))
            asked += 1
            world.reactor.advance(2)
    assert asked == 12
    for _ in range(2):
        world.ask()
        world.serve(HELLO)
    outcome = world.ask()
    world.serve(answering(503))
    world.reactor.advance(2)
    world.serve(HELLO)
    assert outcome.response.code == 200


def test_cancelling_ends_the_waiting():
    """Nobody is asked any more."""
    world = retrying()
    outcome = world.ask()
    world.serve(answering(503))
    outcome.deferred.cancel()
    world.reactor.advance(100)
    assert waits(world)
