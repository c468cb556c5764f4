"""weblayer's Agent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.benchmarks.clients.work import Ask, Job, ask_in_loop, check
from weblayer.client.agent import Agent


@asynccontextmanager
async def client(asked: Job) -> AsyncIterator[Ask]:
    agent = Agent()
    agent.pool.maxConnectionsPerHost = agent.pool.maxPersistentPerHost = asked.at_once

    async def ask() -> None:
        response = await agent.request("GET", asked.url)
        check(response.code, await response.content(), asked.size)

    yield ask
    agent.pool.close()


if __name__ == "__main__":
    ask_in_loop(client)
