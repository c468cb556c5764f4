"""The least that a Python server can do: uvloop, httptools, and constant bytes."""

import asyncio
from typing import cast

import httptools
import uvloop

from tests.benchmarks.servers import CONTENT_TYPE, HELLO, HOST, own_port

HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: %d\r\n\r\n".encode()
ANSWER = HEAD % len(HELLO) + HELLO


class Bare(asyncio.Protocol):
    """Answer every request alike, except that a body is sent back."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast: uvloop's transport does not inherit from asyncio's.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.body:
            self.transport.write(HEAD % len(self.body) + self.body)
            self.body = b""
        else:
            self.transport.write(ANSWER)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Bare, HOST, own_port(), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
