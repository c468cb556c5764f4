"""Among asyncio's own: libraries that do not know weblayer, and programs that it is a part of."""

import asyncio
import gc
import socket
import sqlite3

import pytest

from tests.web.trees import Page, raw, tree
from weblayer.loop.defer import Deferred, inlineCallbacks
from weblayer.loop.loops import new_loop
from weblayer.loop.protocol import Factory, Protocol
from weblayer.loop.reactor import Reactor
from weblayer.loop.task import deferLater
from weblayer.loop.threads import deferToThread
from weblayer.web.site import Site

LIMIT = 20  # seconds after which a test is taken to hang

FIND = "SELECT meaning FROM words WHERE word = ?"


@pytest.fixture
def sqlite():
    """An asyncio library that has never heard of Deferreds."""
    return pytest.importorskip("aiosqlite")


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request, caplog):
    """What asyncio.run is, on either loop; nothing may be said that no test looked at."""
    said = []

    async def limited(main):
        async with asyncio.timeout(LIMIT):
            return await main

    def run(main):
        with asyncio.Runner(loop_factory=lambda: new_loop(request.param)) as runner:
            runner.get_loop().set_exception_handler(lambda loop, context: said.append(context))
            return runner.run(limited(main))

    yield run
    assert said == []
    assert caplog.records == []


# A library of asyncio's in a program of Deferreds.


class Dictionary(Protocol):
    """Answers a word with its meaning, or with the name of the error."""

    def dataReceived(self, word):
        found = self.factory.find(self.factory.words, word.decode())
        found.addErrback(lambda failure: failure.type.__name__)
        found.addCallback(lambda text: self.transport.write(text.encode()))


def dictionary(words, find):
    """A factory of Dictionaries that look into *words* by *find*."""
    factory = Factory.forProtocol(Dictionary)
    factory.words, factory.find = words, find
    return factory


@inlineCallbacks
def find_inline(words, word):
    rows = yield words.execute_fetchall(FIND, (word,))
    return rows[0][0]


async def find(words, word):
    async with words.execute(FIND, (word,)) as cursor:
        return (await cursor.fetchone())[0]


def find_in_a_task(words, word):
    return Deferred.fromCoroutine(find(words, word))


@inlineCallbacks
def fill(words):
    yield words.execute("CREATE TABLE words (word, meaning)")
    yield words.execute("INSERT INTO words VALUES ('reactor', 'a loop with a face')")


@inlineCallbacks
def asked(port, word):
    """What a client of asyncio's is answered."""
    reader, writer = yield asyncio.open_connection("127.0.0.1", port.getHost().port)
    writer.write(word)
    answer = yield reader.read(100)
    writer.close()
    yield writer.wait_closed()
    return answer


@inlineCallbacks
def with_words(sqlite, use):
    """What *use* makes of an open database, which is closed behind it."""
    words = yield sqlite.connect(":memory:")
    try:
        return (yield use(words))
    finally:
        yield words.close()


def program(reactor, main, *args):
    """Run *main*, which gives a Deferred, as a program of the field; give what that fired with."""
    results = []

    def start():
        ending = main(*args).addTimeout(LIMIT, reactor).addBoth(results.append)
        ending.addCallback(lambda _: reactor.stop())

    reactor.callWhenRunning(start)
    reactor.run(installSignalHandlers=False)
    return results


@pytest.mark.parametrize("find", [find_inline, find_in_a_task])
def test_a_server_of_deferreds_awaits_an_asyncio_library(reactor, sqlite, find):
    """Nothing is set up: the library finds the loop that the reactor runs."""

    @inlineCallbacks
    def main(words):
        yield fill(words)
        port = reactor.listenTCP(0, dictionary(words, find), interface="127.0.0.1")
        return (yield asked(port, b"reactor"))

    assert program(reactor, with_words, sqlite, main) == [b"a loop with a face"]


@pytest.mark.parametrize("find", [find_inline, find_in_a_task])
def test_what_the_library_raises_is_a_failure(reactor, sqlite, find):
    """An errback sees the library's own error, and the connection lives on to tell it."""

    def main(words_that_are_not_there):
        factory = dictionary(words_that_are_not_there, find)
        return asked(reactor.listenTCP(0, factory, interface="127.0.0.1"), b"reactor")

    error = sqlite3.OperationalError.__name__.encode()
    assert program(reactor, with_words, sqlite, main) == [error]


def test_cancelling_the_deferred_cancels_what_the_library_waits_for(reactor, sqlite):
    """The library's own clean-up runs, and its connection can be used again."""
    waits = Deferred()

    async def wait(words):
        async with words.execute("SELECT 1"):
            waits.callback(None)
            await asyncio.get_running_loop().create_future()

    @inlineCallbacks
    def main(words):
        working = Deferred.fromCoroutine(wait(words))
        yield waits
        working.cancel()
        told = yield working.addErrback(lambda failure: failure.type.__name__)
        rows = yield words.execute_fetchall("SELECT 2")
        return told, list(rows)

    assert program(reactor, with_words, sqlite, main) == [("CancelledError", [(2,)])]


# Deferreds in a program of asyncio's.


def test_a_plain_program_awaits_a_deferred(run):
    """A thread's result and a timer's, by the word `await`."""

    async def main():
        reactor = Reactor(asyncio.get_running_loop())
        return await deferToThread(sum, [1, 2]), await deferLater(reactor, 0, str, 3)

    assert run(main()) == (3, "3")


def test_a_timeout_of_asyncio_ends_a_deferred(run):
    """What the Deferred waited for is cancelled, here a timer that has an hour to go."""

    async def main():
        reactor = Reactor(asyncio.get_running_loop())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await deferLater(reactor, 3600)
        return reactor.getDelayedCalls()

    assert run(main()) == []


def test_a_task_group_waits_for_deferreds(run):
    """Tasks that await Deferreds are tasks like any other."""

    async def value_of(awaitable):
        return await awaitable

    async def main():
        reactor = Reactor(asyncio.get_running_loop())
        waiting = [deferToThread(int, "1"), deferLater(reactor, 0, int, "2")]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(value_of(deferred)) for deferred in waiting]
        return [task.result() for task in tasks]

    assert run(main()) == [1, 2]


def test_a_failure_ends_its_task_group(run):
    """It comes out in the exception group, and cancels the Deferreds that the others await."""

    async def wait(deferred):
        await deferred

    async def main():
        reactor = Reactor(asyncio.get_running_loop())
        with pytest.raises(ExceptionGroup) as raised:
            async with asyncio.TaskGroup() as group:
                group.create_task(wait(deferLater(reactor, 3600)))
                group.create_task(wait(deferToThread(int, "not a number")))
        return [type(error) for error in raised.value.exceptions], reactor.getDelayedCalls()

    assert run(main()) == ([ValueError], [])


# A site in a loop that somebody else started.


async def serve(site, listening):
    """What an asyncio program writes to serve a site until it is cancelled."""
    reactor = Reactor(asyncio.get_running_loop())
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    listening.set_result(port.getHost().port)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await reactor.fireSystemEvent("shutdown")


async def get(port, path):
    """What a client reads until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw(f"GET {path} HTTP/1.1", "Connection: close"))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def ended(serving, port):
    """Cancel a server, and say whether nothing of it is left."""
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    return asyncio.all_tasks() == {asyncio.current_task()}


def test_a_site_in_somebody_elses_loop(run):
    """It answers, and when its task is cancelled its port and connections are gone."""

    async def main():
        listening = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(Site(Page(lambda request: "hello")), listening))
        port = await listening
        answer = await get(port, "/")
        return answer.rpartition(b"\r\n")[2], await ended(serving, port)

    assert run(main()) == (b"hello", True)


def test_a_site_is_cancelled_in_the_middle_of_answers(run):
    """Renders of every kind that are under way are ended with it, and clients see the end."""
    begun, broken_off = asyncio.Queue(), []

    async def endlessly(request):
        begun.put_nowait(request.path)
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            broken_off.append(request.path)
            raise

    async def stream(request):
        yield b"first"
        await endlessly(request)

    def deferred(request):
        begun.put_nowait(request.path)
        return Deferred(lambda _: broken_off.append(request.path))

    root = tree(coroutine=Page(endlessly), stream=Page(stream), deferred=Page(deferred))

    async def main():
        listening = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(Site(root), listening))
        port = await listening
        paths = ["/coroutine", "/stream", "/deferred"]
        asking = [asyncio.create_task(get(port, path)) for path in paths]
        for _ in paths:
            await begun.get()
        serving.cancel()
        answers = await asyncio.gather(*asking)
        assert sorted(broken_off) == sorted(paths)
        return [b"first" in answer for answer in answers], await ended(serving, port)

    assert run(main()) == ([False, True, False], True)


def test_a_program_that_ends_as_it_cancels_leaves_nothing(run):
    """asyncio.run cancels every task at its end: a site's, and the shutdown that it has begun."""

    async def main():
        address = asyncio.get_running_loop().create_future()
        site = Site(tree(page=Page(lambda request: b"hello")))
        serving = asyncio.create_task(
            site.serve("tcp:0:interface=127.0.0.1", whenListening=address.set_result)
        )
        place = ((await address).host, (await address).port)
        _, writer = await asyncio.open_connection(*place)
        writer.transport.abort()
        serving.cancel()
        return place

    place = run(main())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place)
    gc.collect()  # what was left open would say so
