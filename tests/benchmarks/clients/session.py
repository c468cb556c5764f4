"""weblayer's Session, which follows redirects, keeps cookies and decodes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.benchmarks.clients.work import Ask, Job, ask_in_loop, check
from weblayer.client.session import Session


@asynccontextmanager
async def client(asked: Job) -> AsyncIterator[Ask]:
    async with Session() as session:
        session.pool.maxConnectionsPerHost = session.pool.maxPersistentPerHost = asked.at_once

        async def ask() -> None:
            response = await session.get(asked.url)
            check(response.code, await response.content(), asked.size)

        yield ask


if __name__ == "__main__":
    ask_in_loop(client)
