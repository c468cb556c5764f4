"""Twisted's Agent, on the reactor that it chooses."""

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import react
from twisted.web.client import Agent, HTTPConnectionPool, readBody

from tests.benchmarks.clients.work import check, crowd, job, measured


def gathered(works):
    return DeferredList([Deferred.fromCoroutine(one) for one in works], fireOnOneErrback=True)


async def main(reactor) -> None:
    asked = job()
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = asked.at_once
    agent, uri = Agent(reactor, pool=pool), asked.url.encode()

    async def ask() -> None:
        response = await agent.request(b"GET", uri)
        check(response.code, await readBody(response), asked.size)

    await measured(lambda count: crowd(ask, count, asked.at_once, gathered), asked)


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
