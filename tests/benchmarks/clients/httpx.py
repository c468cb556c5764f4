"""httpx's AsyncClient."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.benchmarks.clients.work import Ask, Job, ask_in_loop, check


@asynccontextmanager
async def client(asked: Job) -> AsyncIterator[Ask]:
    limits = httpx.Limits(max_connections=asked.at_once, max_keepalive_connections=asked.at_once)
    async with httpx.AsyncClient(limits=limits) as session:

        async def ask() -> None:
            response = await session.get(asked.url)
            check(response.status_code, response.content, asked.size)

        yield ask


if __name__ == "__main__":
    ask_in_loop(client)
