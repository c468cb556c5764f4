"""The client leaves: what only it waited for is cancelled, what changes something is not."""

import asyncio

import pytest

from tests.web.trees import Page, errors_of, raw
from weblayer.loop.deferred import Deferred
from weblayer.loop.error import ConnectionDone, ConnectionLost
from weblayer.web.policy import Policy
from weblayer.web.request import NOT_DONE_YET
from weblayer.web.testing import Conversation, ask

READS = ["GET", "HEAD"]
CHANGES = ["POST", "PUT", "PATCH", "DELETE"]


class Work:
    """A coroutine that takes ten seconds and knows how it ended."""

    def __init__(self, outcome=b"done"):
        self.end, self.outcome = None, outcome

    async def __call__(self, request):
        try:
            await asyncio.sleep(10)
            self.end = "done"
        except asyncio.CancelledError:
            self.end = "cancelled"
            raise
        return self.outcome


def ended(method, policy=None, leave="reset", outcome=b"done"):
    """How the work of a request ends whose client leaves after a second."""
    work = Work(outcome)
    conversation = ask(Page(work, policy), method)
    conversation.advance(1)
    getattr(conversation, leave)()
    conversation.advance(60)
    return work.end


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("leave", ["lose", "reset"])
def test_what_a_read_waits_for_is_cancelled(method, leave, caplog):
    """Nobody waits for it any more; the log stays silent."""
    assert ended(method, leave=leave) == "cancelled"
    assert not errors_of(caplog)


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("leave", ["lose", "reset"])
@pytest.mark.parametrize("outcome", [b"done", {"a": 1}, NOT_DONE_YET])
def test_a_change_runs_to_its_end(method, leave, outcome, caplog):
    """A half-done change is worse than a wasted answer; the log stays silent."""
    assert ended(method, leave=leave, outcome=outcome) == "done"
    assert not errors_of(caplog)


def test_the_policy_has_the_last_word():
    """cancelWhenLost overrides the manners of the method."""
    assert ended("GET", Policy(cancelWhenLost=False)) == "done"
    assert ended("POST", Policy(cancelWhenLost=True)) == "cancelled"


def test_a_deferred_is_cancelled():
    """The canceller of what render gave is called, once."""
    cancelled = []
    conversation = ask(Page(lambda request: Deferred(cancelled.append)))
    conversation.reset()
    assert len(cancelled) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stream_is_cancelled_whatever_the_method(method, caplog):
    """What pours into nothing does not change anything."""
    closed = []

    async def pour(request):
        try:
            while True:
                yield b"x"
                await asyncio.sleep(1)
        finally:
            closed.append(True)

    conversation = ask(Page(pour), method)
    conversation.reset()
    assert closed
    assert not errors_of(caplog)


def test_an_error_after_the_client_left_is_logged_once(caplog):
    """A change that fails has failed, whoever is listening."""

    async def fails(request):
        await asyncio.sleep(10)
        raise RuntimeError("boom")

    conversation = ask(Page(fails), "POST")
    conversation.reset()
    conversation.advance(10)
    assert [record.exc_info[1].args for record in errors_of(caplog)] == [("boom",)]


def test_writing_to_nobody_is_no_error():
    """write and finish do nothing once the client left, as often as they are called."""
    requests = []
    conversation = ask(Page(lambda r: requests.append(r) or NOT_DONE_YET))
    conversation.reset()
    [request] = requests
    for act in (request.finish, lambda: request.write(b"x"), request.unregisterProducer) * 2:
        conversation.do(act)
    assert (request.lost, request.finished) == (True, False)


@pytest.mark.parametrize(("leave", "kind"), [("lose", ConnectionDone), ("reset", ConnectionLost)])
def test_notify_finish_fails_with_the_reason(leave, kind):
    """It fails with why the client was lost, also for one who asks afterwards."""
    told, requests = [], []

    def page(request):
        requests.append(request)
        request.notifyFinish().addErrback(told.append)
        return NOT_DONE_YET

    conversation = ask(Page(page))
    getattr(conversation, leave)()
    conversation.advance(10)
    requests[0].notifyFinish().addErrback(told.append)
    assert [reason.check(kind) for reason in told] == [kind, kind]


def test_a_loss_that_nobody_handles_is_not_logged(caplog):
    """Clients leave all the time."""
    ask(Page(lambda request: request.notifyFinish() and NOT_DONE_YET)).reset()
    assert not caplog.records


class Producer:
    """A pull or push producer that knows whether it was stopped."""

    def __init__(self, streaming):
        self.streaming, self.stops = streaming, 0

    def __call__(self, request):
        request.write(b"begun")
        request.registerProducer(self, self.streaming)
        return NOT_DONE_YET

    def stopProducing(self):
        self.stops += 1

    def resumeProducing(self):
        pass

    pauseProducing = resumeProducing


@pytest.mark.parametrize("streaming", [True, False])
def test_a_producer_is_told_to_stop(streaming):
    """stopProducing is called once, when the client is gone."""
    producer = Producer(streaming)
    ask(Page(producer)).reset()
    assert producer.stops == 1


def test_a_producer_that_comes_too_late_is_told_to_stop():
    """Registered after the client left, it is stopped at once."""
    producer, requests = Producer(True), []
    conversation = ask(Page(lambda r: requests.append(r) or NOT_DONE_YET))
    conversation.reset()
    conversation.do(requests[0].registerProducer, producer, True)
    assert producer.stops == 1


@pytest.mark.parametrize("kind", ["spool", "stream"])
def test_half_a_body_is_never_taken_for_whole(kind, caplog):
    """A spooled body is not rendered; the reader of a stream is told, and the log is silent."""
    seen = []

    async def page(request):
        seen.append("rendered")
        try:
            await request.stream().__anext__()
            await request.stream().__anext__()
        except ConnectionLost:
            seen.append("told")
            raise

    conversation = Conversation(Page(page, Policy(takesBody=kind)))
    conversation.send(raw("POST / HTTP/1.1", "Content-Length: 5", body=b"ab"))
    conversation.reset()
    assert seen == ([] if kind == "spool" else ["rendered", "told"])
    assert not errors_of(caplog)


def test_what_waits_behind_is_dropped():
    """Requests whose turn had not come are never rendered."""
    seen = []
    page = Page(lambda request: seen.append(request.path) or Deferred())
    conversation = Conversation(page)
    conversation.send(raw("POST /1 HTTP/1.1") + raw("POST /2 HTTP/1.1"))
    conversation.reset()
    conversation.advance(1)
    assert seen == ["/1"]
