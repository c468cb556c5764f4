"""Many pages at once, and no more connections than a server likes: the pool has the others wait.

Run `python examples/fetch_many.py http://localhost:8000/ 100` while examples/hello.py serves there:
    100 pages of 12 bytes each, by 4 connections.
"""

import asyncio
import sys

from weblayer import react
from weblayer.client import Session


async def main(reactor, uri, number):
    async with Session() as session:
        session.pool.maxConnectionsPerHost = 4

        async def size(n):
            response = await session.get(f"{uri}{n}")
            return len(await response.content())

        sizes = await asyncio.gather(*map(size, range(int(number))))
        connections, _, _ = session.pool.getNumbers()
    print(len(sizes), "pages of", *set(sizes), f"bytes each, by {connections} connections.")


react(main, sys.argv[1:])
