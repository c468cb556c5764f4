"""Supervision, with workers that only say what they are told: who follows whom, and when."""

import asyncio
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weblayer.loop.reactor import Reactor
from weblayer.loop.supervisor import Patience, Supervisor
from weblayer.loop.testing import Clock
from weblayer.loop.worker import Worker as Process

SERVED = st.none() | st.floats(0, 1e6)


class Worker:
    """One that does nothing by itself."""

    pid, end, since = 1, "has exited with 3", None

    def __init__(self, supervisor, place):
        self.supervisor, self.place, self.calls = supervisor, place, []

    def release(self):
        self.calls.append("release")

    def drop(self):
        self.calls.append("drop")

    def kill(self):
        self.calls.append("kill")

    def bury(self):
        self.calls.append("bury")


class Crew:
    """A supervisor of two, on a clock of ours: whom it started, and what it said."""

    def __init__(self):
        self.clock, self.workers, self.said, self.given_up = Clock(), [], [], []
        self.broken = None
        start, tell, give_up = self.start, self.said.append, self.given_up.append
        self.supervisor = Supervisor(self.clock, 2, start, tell, give_up)

    def start(self, supervisor, place):
        if self.broken:
            raise self.broken
        self.workers.append(Worker(supervisor, place))
        return self.workers[-1]

    def serve(self, *workers):
        for worker in workers:
            worker.since = self.clock.seconds()
            self.supervisor.served(worker)

    def serving(self):
        self.supervisor.begin()
        self.serve(*self.workers)
        return self


@given(st.lists(SERVED))
def test_the_wait_is_bounded_and_grows_only_with_ends_in_a_row(history):
    """One more end at once waits no shorter; who has served a while is followed at once."""
    patience = Patience()
    for served in history:
        patience = patience.after(served)
    assert patience.delay <= patience.after(None).delay <= 30
    assert patience.after(3600).delay == 0
    assert not patience.after(3600).is_over


@given(SERVED)
def test_one_end_says_nothing(served):
    """A worker that has ended is followed without a wait, and not given up."""
    patience = Patience().after(served)
    assert (patience.delay, patience.is_over) == (0, False)


def test_each_place_has_a_worker():
    """It is told which is which once it serves."""
    crew = Crew().serving()
    assert [worker.place for worker in crew.workers] == [0, 1]
    assert crew.said == ["Worker 1 is process 1.", "Worker 2 is process 1."]


def test_one_that_ends_is_followed():
    """Another stands in the same place."""
    crew = Crew().serving()
    crew.clock.advance(60)
    crew.supervisor.ended(crew.workers[1])
    crew.clock.advance(0)
    assert [worker.place for worker in crew.workers] == [0, 1, 1]
    assert crew.said[-1] == "Worker 2 has exited with 3; another follows."


def test_one_that_ends_again_and_again_is_followed_later():
    """While another serves there is hope, and the waits grow."""
    crew = Crew().serving()
    for wait in (0, 0.5, 1, 2, 4, 8, 15, 30, 30):
        crew.supervisor.ended(crew.workers[-1])
        count = len(crew.workers)
        crew.clock.advance(wait / 2)
        assert len(crew.workers) == count + (not wait)
        crew.clock.advance(wait / 2)
        assert len(crew.workers) == count + 1
    assert crew.said[-1] == "Worker 2 has exited with 3; another follows in 30 seconds."
    assert not crew.given_up


def test_it_gives_up_when_none_can_serve():
    """The reason is how the last one ended."""
    crew = Crew()
    crew.supervisor.begin()
    for _ in range(4):
        crew.supervisor.ended(crew.workers[-1])
        assert not crew.given_up
        crew.clock.advance(2)
    crew.supervisor.ended(crew.workers[-1])
    assert crew.given_up == ["The workers end as soon as they start: the last has exited with 3."]


def test_a_reload_waits_until_all_serve():
    """The old ones are released when the last of the new ones serves, and not before."""
    crew = Crew().serving()
    crew.supervisor.reload()
    old, new = crew.workers[:2], crew.workers[2:]
    crew.serve(new[0])
    assert [worker.calls for worker in old] == [[], []]
    crew.serve(new[1])
    assert [worker.calls for worker in old] == [["release"], ["release"]]
    for worker in old:
        crew.supervisor.ended(worker)
    crew.clock.advance(60)
    assert len(crew.workers) == 4


def test_a_reload_that_fails_changes_nothing():
    """A new one that ends before all serve takes the other new ones with it."""
    crew = Crew().serving()
    crew.supervisor.reload()
    crew.serve(crew.workers[2])
    crew.supervisor.ended(crew.workers[3])
    assert [worker.calls for worker in crew.workers] == [[], [], ["release"], ["release"]]
    assert crew.said[-1] == "A new worker has exited with 3; the old ones go on."
    crew.supervisor.ended(crew.workers[2])
    crew.clock.advance(60)
    assert len(crew.workers) == 4


def test_a_reload_during_another_comes_after_it():
    """What was changed between the two is read, and however many were asked for, by one."""
    crew = Crew().serving()
    for _ in range(3):
        crew.supervisor.reload()
    assert len(crew.workers) == 4
    crew.serve(*crew.workers[2:])
    assert len(crew.workers) == 6
    crew.serve(*crew.workers[4:])
    assert len(crew.workers) == 6


def test_one_that_hangs_does_not_hold_up_a_reload():
    """It has a minute to come to serve, is killed, and the old ones go on as if it had ended."""
    crew = Crew().serving()
    crew.supervisor.reload()
    crew.serve(crew.workers[2])
    crew.clock.advance(59)
    assert [worker.calls for worker in crew.workers] == [[], [], [], []]
    crew.clock.advance(1)
    assert [worker.calls for worker in crew.workers] == [[], [], [], ["kill"]]
    assert crew.said[-1] == "Worker 2, process 1, does not serve after 60 seconds."
    crew.supervisor.ended(crew.workers[3])
    assert crew.said[-1] == "A new worker has exited with 3; the old ones go on."
    crew.supervisor.reload()
    crew.serve(*crew.workers[4:])
    assert [worker.calls for worker in crew.workers[:2]] == [["release"], ["release"]]


def test_one_that_hangs_in_the_place_of_another_is_followed():
    """What waits in its queue is answered at last."""
    crew = Crew()
    crew.supervisor.begin()
    crew.serve(crew.workers[0])
    crew.clock.advance(60)
    assert [worker.calls for worker in crew.workers] == [[], ["kill"]]
    crew.supervisor.ended(crew.workers[1])
    crew.clock.advance(0)
    crew.serve(crew.workers[2])
    crew.clock.advance(60)
    assert [worker.calls for worker in crew.workers] == [[], ["kill"], []]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="nothing tells when it has ended")
async def test_a_process_that_hangs_is_killed():
    """A real one, which never comes to say that it serves."""
    clock, reactor, ended = Clock(), Reactor(asyncio.get_running_loop()), asyncio.Event()
    command, said = [sys.executable, "-c", "import time; time.sleep(600)"], []

    def start(supervisor, place):
        return Process(reactor, place, command, [], supervisor.served, exited)

    def exited(worker):
        supervisor.ended(worker)
        ended.set()

    supervisor = Supervisor(clock, 1, start, said.append, said.append)
    supervisor.begin()
    clock.advance(60)
    await asyncio.wait_for(ended.wait(), 20)
    assert said[-1] == "Worker 1 was ended by SIGKILL; another follows."
    await supervisor.end()


def test_one_that_ends_while_its_successor_starts_is_not_followed_twice():
    """A reload that is over before the wait is has filled the place."""
    crew = Crew().serving()
    crew.supervisor.ended(crew.workers[0])
    crew.supervisor.reload()
    crew.serve(*crew.workers[2:])
    crew.clock.advance(60)
    assert len(crew.workers) == 4


def test_one_that_cannot_be_started_is_tried_again():
    """The system may have no room for a process, for a while."""
    crew = Crew().serving()
    crew.clock.advance(60)
    crew.broken = OSError(11, "Resource temporarily unavailable")
    crew.supervisor.ended(crew.workers[0])
    crew.clock.advance(0)
    assert "cannot be started (Resource temporarily unavailable)" in crew.said[-1]
    assert len(crew.workers) == 2
    crew.broken = None
    crew.clock.advance(30)
    assert len(crew.workers) == 3


def test_it_gives_up_when_none_can_be_started():
    """There is nothing yet that could go on."""
    crew = Crew()
    crew.broken = OSError(12, "Cannot allocate memory")
    crew.supervisor.begin()
    assert crew.given_up == ["No workers can be started: Cannot allocate memory."]


def test_a_reload_that_cannot_be_started_changes_nothing():
    """It is told, and the old ones go on."""
    crew = Crew().serving()
    crew.broken = OSError(12, "Cannot allocate memory")
    crew.supervisor.reload()
    assert "Cannot allocate memory" in crew.said[-1]
    assert [worker.calls for worker in crew.workers] == [[], []]
    crew.broken = None
    crew.supervisor.reload()
    assert len(crew.workers) == 4


async def test_the_end_waits_for_all():
    """All are released, and none is followed."""
    crew = Crew().serving()
    ending = asyncio.create_task(crew.supervisor.end())
    await asyncio.sleep(0)
    assert [worker.calls for worker in crew.workers] == [["release"], ["release"]]
    for worker in crew.workers:
        assert not ending.done()
        crew.supervisor.ended(worker)
    await ending
    crew.supervisor.reload()
    crew.clock.advance(60)
    assert len(crew.workers) == 2


async def test_the_end_may_be_cut_short():
    """Who has not ended is dropped, all of them before the first is waited for."""
    crew = Crew().serving()
    ending = asyncio.create_task(crew.supervisor.end())
    await asyncio.sleep(0)
    crew.supervisor.ended(crew.workers[0])
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert crew.workers[0].calls == ["release"]
    assert crew.workers[1].calls == ["release", "drop", "bury"]
