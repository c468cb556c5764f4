"""The least that a Python client can do: uvloop, httptools, and the same bytes each time."""

import asyncio
from urllib.parse import urlsplit

import uvloop
from httptools import HttpResponseParser

from tests.benchmarks.clients.work import Job, check, job, measured


class Connection(asyncio.Protocol):
    """Asks again as soon as an answer is whole."""

    def __init__(self, asked: Job) -> None:
        place = urlsplit(asked.url)
        self.head = f"GET {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()
        self.size = asked.size

    def connection_made(self, transport):
        self.transport = transport

    def begin(self, left, done):
        self.left, self.done = left, done
        self.ask()

    def ask(self):
        if self.left[0] <= 0:
            self.done.set_result(None)
            return
        self.left[0] -= 1
        self.parser, self.pieces = HttpResponseParser(self), []
        self.transport.write(self.head)

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_body(self, piece):
        self.pieces.append(piece)

    def on_message_complete(self):
        try:
            check(self.parser.get_status_code(), b"".join(self.pieces), self.size)
        except AssertionError as error:
            self.done.set_exception(error)
        else:
            self.ask()


async def main() -> None:
    asked = job()
    loop, place = asyncio.get_running_loop(), urlsplit(asked.url)
    connections = []
    for _ in range(asked.at_once):
        made = await loop.create_connection(lambda: Connection(asked), place.hostname, place.port)
        connections.append(made[1])

    async def work(count: int) -> None:
        left, dones = [count], []
        for connection in connections:
            dones.append(loop.create_future())
            connection.begin(left, dones[-1])
        await asyncio.gather(*dones)

    await measured(work, asked)


if __name__ == "__main__":
    uvloop.run(main())
