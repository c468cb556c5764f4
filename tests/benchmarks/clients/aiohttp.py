"""aiohttp's ClientSession."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from tests.benchmarks.clients.work import Ask, Job, ask_in_loop, check


@asynccontextmanager
async def client(asked: Job) -> AsyncIterator[Ask]:
    connector = aiohttp.TCPConnector(limit=asked.at_once)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask() -> None:
            async with session.get(asked.url) as response:
                check(response.status, await response.read(), asked.size)

        yield ask


if __name__ == "__main__":
    ask_in_loop(client)
