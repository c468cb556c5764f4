"""The least that a Python server can do: uvloop, and a protocol that it calls itself."""

import asyncio

import uvloop

from tests.benchmarks.servers import HOST, own_port


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, HOST, own_port(), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
