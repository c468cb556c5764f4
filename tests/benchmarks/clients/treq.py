"""treq, on Twisted."""

import treq
from treq.client import HTTPClient
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import react
from twisted.web.client import Agent, HTTPConnectionPool

from tests.benchmarks.clients.work import check, crowd, job, measured


def gathered(works):
    return DeferredList([Deferred.fromCoroutine(one) for one in works], fireOnOneErrback=True)


async def main(reactor) -> None:
    asked = job()
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = asked.at_once
    client = HTTPClient(Agent(reactor, pool=pool))

    async def ask() -> None:
        response = await client.get(asked.url)
        check(response.code, await treq.content(response), asked.size)

    await measured(lambda count: crowd(ask, count, asked.at_once, gathered), asked)


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
