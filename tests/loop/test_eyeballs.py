"""Happy eyeballs: the first way that works, without waiting for the rest."""

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop import error
from weblayer.loop.deferred import CancelledError, Deferred
from weblayer.loop.endpoints import HostnameEndpoint
from weblayer.loop.eyeballs import firstOf, interleaved
from weblayer.loop.timers import Clock


class Race:
    """Attempts by number on a clock, each in the hand of the test."""

    def __init__(self, count):
        self.clock, self.begun, self.dropped, self.ends = Clock(), [], [], []
        self.cancelled = []
        attempts = [lambda number=number: self.begin(number) for number in range(count)]
        self.result = firstOf(attempts, 0.25, self.clock, self.dropped.append)
        self.result.addBoth(self.ends.append)

    def begin(self, number):
        attempt = Deferred(lambda _: self.cancelled.append(number))
        self.begun.append(attempt)
        return attempt

    @property
    def end(self):
        (end,) = self.ends
        return end


def test_each_has_a_start_of_its_own():
    """The next begins a quarter of a second later, as long as none has answered."""
    race = Race(3)
    assert len(race.begun) == 1
    race.clock.advance(0.24)
    assert len(race.begun) == 1
    race.clock.advance(0.01)
    assert len(race.begun) == 2
    race.clock.advance(0.25)
    assert len(race.begun) == 3


def test_the_first_to_answer_is_taken_and_the_rest_cancelled():
    """Whichever began first; no timer is left."""
    race = Race(3)
    race.clock.advance(0.25)
    race.begun[1].callback("second")
    assert race.end == "second"
    assert race.cancelled == [0]
    assert race.clock.getDelayedCalls() == []
    assert len(race.begun) == 2


def test_what_comes_too_late_is_dropped():
    """An attempt that cannot be stopped any more has its result given back."""
    begun = []

    def attempt():
        begun.append(Deferred(lambda deferred: deferred.callback("late")))
        return begun[-1]

    clock, dropped, ends = Clock(), [], []
    firstOf([attempt, attempt], 1, clock, dropped.append).addBoth(ends.append)
    clock.advance(1)
    begun[0].callback("first")
    assert (ends, dropped) == (["first"], ["late"])


def test_a_refusal_begins_the_next_at_once():
    """No time is lost with what is known to fail."""
    race = Race(2)
    race.begun[0].errback(OSError("refused"))
    assert len(race.begun) == 2
    race.begun[1].callback("second")
    assert race.end == "second"


def test_the_last_failure_is_told_when_all_fail():
    """In whatever order they do, and once."""
    race = Race(2)
    race.clock.advance(0.25)
    race.begun[1].errback(OSError("second"))
    assert race.ends == []
    race.begun[0].errback(OSError("first"))
    assert "first" in race.end.getErrorMessage()
    race.clock.advance(1)
    assert race.clock.getDelayedCalls() == []


def test_cancelling_cancels_all():
    """Those that run, and those to come."""
    race = Race(3)
    race.clock.advance(0.25)
    race.result.cancel()
    assert race.end.check(CancelledError)
    assert race.cancelled == [0, 1]
    race.clock.advance(1)
    assert len(race.begun) == 2


def test_nothing_to_try_is_a_failure():
    """A race of nobody has no winner."""
    assert Race(0).end.check(ValueError)


@given(st.lists(st.tuples(st.sampled_from("46"), st.integers())))
def test_families_take_turns(found):
    """Nothing is lost, each family keeps its order, and they alternate while both last."""
    mixed = interleaved(found, lambda one: one[0])
    assert sorted(mixed) == sorted(found)
    for family in "46":
        assert [x for x in mixed if x[0] == family] == [x for x in found if x[0] == family]
    shorter = min(sum(x[0] == family for x in found) for family in "46")
    for first, second in zip(mixed[: 2 * shorter : 2], mixed[1 : 2 * shorter : 2], strict=True):
        assert first[0] != second[0]


def test_an_address_that_does_not_answer_is_not_waited_for(reactor, drive, recording, monkeypatch):
    """Of a host with a dead address and a living one, the living one is connected to."""

    async def scenario():
        dead = socket.create_server(("127.0.0.2", 0), backlog=0)
        number = dead.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # its queue is full: a further attempt gets no answer
            filler.setblocking(False)
            filler.connect_ex(dead.getsockname())
        reactor.listenTCP(number, recording(), interface="127.0.0.1")

        found = reactor.loop.getaddrinfo

        async def found_two(host, *args, **kwargs):
            if host != "two.test":  # uvloop asks for addresses too
                return await found(host, *args, **kwargs)
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, number))
                for address in ("127.0.0.2", "127.0.0.1")
            ]

        monkeypatch.setattr(reactor.loop, "getaddrinfo", found_two)
        endpoint = HostnameEndpoint(reactor, "two.test", number, attemptDelay=0.01)
        protocol = await endpoint.connect(recording())
        assert protocol.transport.getPeer().host == "127.0.0.1"
        protocol.transport.loseConnection()
        assert (await protocol.lost).check(error.ConnectionDone)
        for sock in (dead, *fillers):
            sock.close()
        await asyncio.sleep(0)

    drive(scenario())


def test_a_name_that_nobody_answers_for_leaves_nothing(reactor, drive, recording):
    """Both addresses of localhost refuse: one failure, and no socket stays open."""

    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as closed:
            number = closed.getsockname()[1]
        with pytest.raises(error.ConnectionRefusedError):
            await HostnameEndpoint(reactor, "localhost", number).connect(recording())

    drive(scenario())
